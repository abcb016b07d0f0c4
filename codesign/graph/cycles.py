# SPDX-License-Identifier: Apache-2.0
"""The cycle model: from the number of events of each layer and frame to clock cycles, without simulating anything.

An event costs what it reaches (``reach()``, cycles). Event counts alone do not show which elements changed, so a layer
takes ``events * mean cost``: exact where all elements cost the same. Pass ``reached`` if you know which elements
changed: an object in the middle of a frame reaches more than the mean, and the same words again and again.
A frame is followed through the pipeline with these times:

* the input takes one cycle per beat or one per event, whichever are more;
* an engine starts a frame when it is done with the one before and the first event arrives, and is not done before the
  last event arrives. A dense engine's results leave when its frame is complete, those of the others row by row, one
  touched word a cycle: an engine that reaches many words at once may wait for that;
* an engine that falls behind lets the ones before it run ahead by what the queue between them holds; so frames that
  are expensive in different layers share their time, as in the hardware;
* the packet leaves last, one word per cycle, while no further result is taken.

Assumptions: frames are offered back to back and taken at once; from counts alone, changed elements are spread evenly.
Frames of less than about 200 cycles may be 10 % off. What reports call *estimate* is this.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codesign.errors import FrameError
from codesign.graph.axis import AnyAxis
from codesign.graph.ir import Dense, Engine, Graph, Node, Spatial

FloatArray: TypeAlias = NDArray[np.float64]

INPUT_DEPTH = 8
"""Cycles from an input beat to its first event: `encode`, `emit`, `serialize`."""
DENSE_DEPTH = 12
"""Cycles from the last event of a frame to the first event of the next layer, beside the words on their way."""
CONV_DEPTH = 24
"""The same for an engine that sends rows: also `locate`, and the way through the row lists."""
EVENT_QUEUE = 64
"""Events that may wait in front of an engine: enough to hide the bursts of a frame."""
LAYER_WORDS = 32
"""Changed words that may wait to be made events after an engine."""
FEWEST_INPUT_WORDS, MOST_INPUT_WORDS = 16, 64
"""The same after the input (see `input_words`)."""
DENSE_FRAMES = 8
"""Frames after which the dense pipeline is steady."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleEstimate:
    """Predicted clock cycles of ``T`` consecutive frames.

    Attributes:
        layers: cycles in which each engine has work, ``[T]`` by its name.
        cycles: cycles from one output packet to the next, ``[T]``; the first frame's from its first input beat.
    """

    layers: dict[str, FloatArray]
    cycles: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What the events of one engine reach, of ``T`` frames.

    Attributes:
        cycles: what its events cost, ``[T]``.
        words: output words that they reach, each counted once, ``[T]``.
    """

    cycles: ArrayLike
    words: ArrayLike


def input_words(graph: Graph) -> int:
    """Return how many changed words the input may scan ahead of its events: a quarter of a frame within bounds.

    Changes lie together, so a few words hide little; a whole frame would only add its time to the latency.
    """
    return min(MOST_INPUT_WORDS, max(FEWEST_INPUT_WORDS, graph.source.beats // 4))


def most_cycles(graph: Graph) -> int:
    """Return more cycles than any frame takes: every element an event, one layer after the other, twice."""
    events = sum(int(node.reach(at).sum()) for node in graph.engines for at in range(len(node.inputs)))
    words = sum(node.words + max(DENSE_DEPTH, CONV_DEPTH) for node in graph.engines)
    return 2 * (graph.source.beats + graph.source.size + events + words)


def estimate(
    graph: Graph, events: Mapping[str, ArrayLike], reached: Mapping[str, Reached] | None = None
) -> CycleEstimate:
    """Predict cycles from event counts.

    Args:
        graph: the network.
        events: events of each engine in each frame, ``[T]``, T >= 1. The frames follow one that has left.
        reached: what these events reach in each engine; None: as many words as evenly spread events do.

    Raises:
        FrameError: an engine is missing, or has another number of frames.
    """
    stages = _stages(graph, events, reached)
    pipeline = _Pipeline(graph, stages)
    frames = len(stages[0].events)
    ends = np.array([pipeline.push(t) for t in range(frames)])
    return CycleEstimate(
        layers={stage.node.name: np.array(stage.busy) for stage in stages if stage.node},
        cycles=np.diff(ends, prepend=0.0),
    )


def dense_cycles(graph: Graph) -> float:
    """Predict the cycles of a frame with skipping off, when every element of every layer is an event."""
    events = {node.name: np.full(DENSE_FRAMES, node.n_in) for node in graph.engines}
    return float(estimate(graph, events).cycles[-1])


@dataclass(slots=True, kw_only=True)
class _Stage:
    """The input, an engine, and what happened to it so far.

    Attributes:
        node: the engine; None for the input.
        before: stages whose results it takes.
        events: events in each frame, ``[T]``.
        work: cycles that the events of each frame occupy it, ``[T]``.
        touched: output words that they reach, ``[T]``.
        least: fewest cycles of a frame.
        queue: events that wait in front of it.
        first: share of a frame after which it sends its first results.
        last: share of its results that it sends when the frame is complete.
        depth: cycles from an event to one that results from it.
        seen: events up to and with each frame.
        start: when it began each frame.
        finish: when it was done with each frame.
        free: when it is ready for the next one.
        busy: cycles with work of each frame.
    """

    node: Engine | None
    before: tuple[_Stage, ...]
    events: FloatArray
    work: FloatArray
    touched: FloatArray
    least: float
    queue: float
    first: float
    last: float
    depth: int
    seen: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    finish: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    free: float = 0.0

    @property
    def words(self) -> int:
        """Words of results that a dense engine sends at the end of a frame; 0 if results leave as they come."""
        return self.node.words if isinstance(self.node, Dense) else 0

    def push(self, t: int) -> None:
        """Take frame ``t`` as soon as its events arrive."""
        begin = max([self.free, *(stage.first_out(self.events[t]) for stage in self.before)])
        work = max(self.least, self.work[t], self.touched[t] if isinstance(self.node, Spatial) else 0.0)
        idle = begin > self.free or not self.events[t]
        drain = self.words if t and self.events[t - 1] and idle else 0
        begin = max(begin, self.free + drain)
        late = [stage.last_out() + stage.last * work for stage in self.before]
        self.start.append(begin)
        self.finish.append(max([begin + work, *late]))
        self.free = self.finish[-1]
        self.busy.append(self.work[t] + drain if self.node else 0.0)
        self.seen.append((self.seen[-1] if t else 0.0) + self.events[t])

    def first_out(self, events: float) -> float:
        """Return when the first of ``events`` results of the newest frame arrives at the next stage."""
        share = max(self.first, 1.0 / (events + 1.0))
        return self.start[-1] + share * (self.finish[-1] - self.start[-1]) + self.depth

    def last_out(self) -> float:
        """Return when the first of those does that leave when the frame is complete."""
        return self.finish[-1] + self.depth

    def hold_back(self) -> None:
        """Make those before wait with their next frame until what is not taken yet fits the queue."""
        taken = self.seen[-1] - self.queue
        if taken > 0:
            t = bisect_left(self.seen, taken)
            for stage in self.before:
                late = (self.seen[t] - taken) * self.work[t] / self.events[t]
                stage.free = max(stage.free, self.finish[t] - late)


class _Pipeline:
    """All stages in order, and the packet that leaves after the last one."""

    def __init__(self, graph: Graph, stages: list[_Stage]) -> None:
        self.stages = stages
        last = stages[-1].node
        self.packet = -(-graph.output.size // last.pe) if last else 0
        self.left = 0.0

    def push(self, t: int) -> float:
        """Follow frame ``t``; return when its packet was complete."""
        for stage in self.stages:
            stage.push(t)
        last = self.stages[-1]
        self.left = max(last.last_out() + last.words, self.left + float(last.touched[t])) + self.packet
        for stage in reversed(self.stages):
            stage.hold_back()
        return self.left


def _stages(graph: Graph, events: Mapping[str, ArrayLike], reached: Mapping[str, Reached] | None) -> list[_Stage]:
    """Return the input and every engine, in order."""
    counts = _checked(graph, events)
    known = reached or {node.name: _evenly(node, counts[node.name]) for node in graph.engines}
    first = next(counts[node.name] for node in graph.engines if graph.nodes[1].name in node.inputs)
    stages = {
        graph.nodes[1].name: _Stage(
            node=None,
            before=(),
            events=first,
            work=first,
            touched=first,
            least=graph.source.beats,
            queue=0.0,
            first=0.0,
            last=0.0,
            depth=INPUT_DEPTH,
        )
    }
    for node in graph.engines:
        before = tuple(stages[name] for name in _feeding(graph, node, stages))
        stages[node.name] = _Stage(
            node=node,
            before=before,
            events=counts[node.name],
            work=np.asarray(known[node.name].cycles, np.float64),
            touched=np.asarray(known[node.name].words, np.float64),
            least=0.0,
            queue=EVENT_QUEUE + sum(_waiting(graph, stage, counts[node.name].mean() / node.n_in) for stage in before),
            first=_first_row(node.y) if isinstance(node, Spatial) else 1.0,
            last=1.0 - node.y.first(node.y.size - 1) / node.y.outputs if isinstance(node, Spatial) else 1.0,
            depth=DENSE_DEPTH if isinstance(node, Dense) else CONV_DEPTH,
        )
    return list(stages.values())


def _checked(graph: Graph, events: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
    missing = [node.name for node in graph.engines if node.name not in events]
    counts = {name: np.asarray(values, dtype=np.float64) for name, values in events.items()}
    if missing or len({values.shape for values in counts.values()}) != 1 or next(iter(counts.values())).size < 1:
        raise FrameError(
            "the event counts do not fit the network",
            where=graph.name,
            expected=f"one count per frame for each of {', '.join(node.name for node in graph.engines)}",
            received=", ".join(f"{name}: {list(values.shape)}" for name, values in counts.items()) or "nothing",
        )
    return counts


def _feeding(graph: Graph, node: Node, stages: Mapping[str, _Stage]) -> list[str]:
    """Return the stages whose results reach ``node`` without another engine between."""
    found: list[str] = []
    for name in node.inputs:
        found += [name] if name in stages else _feeding(graph, graph[name], stages)
    return found


def mean_reach(node: Engine) -> float:
    """Return the cycles that an event of ``node`` costs, in the mean over the elements of all its inputs."""
    return float(np.concatenate([node.reach(at) for at in range(len(node.inputs))]).mean())


def _first_row(axis: AnyAxis) -> float:
    """Return the share of the input rows after which the first output row is complete."""
    return max((row + 1 for row in range(axis.size) if axis.first(row) == 0), default=0) / axis.size


def _evenly(node: Engine, events: FloatArray) -> Reached:
    """Return what ``events`` that fall anywhere cost, and how many words they reach at least once."""
    visits = events * mean_reach(node if isinstance(node, Dense) else replace(node, unroll=(1, 1)))
    words = node.words * (1.0 - (1.0 - 1.0 / node.words) ** visits)
    return Reached(cycles=events * mean_reach(node), words=words)


def _waiting(graph: Graph, stage: _Stage, density: float) -> float:
    """Return the events in the words that wait after ``stage`` to be made events, at an even density."""
    lanes, depth = (stage.node.pe, LAYER_WORDS) if stage.node else (graph.source.lanes, input_words(graph))
    changed = 1.0 - (1.0 - density) ** lanes
    return depth * density * lanes / changed if changed else 0.0
