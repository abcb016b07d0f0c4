# SPDX-License-Identifier: Apache-2.0
"""The board's counters, and what their differences show about a stretch of frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from codesign.graph.ir import Dense, Graph
from codesign.rtl import TopSpec

_WORDS = 4
"""32-bit counters of the core, and again of each engine."""
_WRAP = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCounters:
    """What one engine did.

    Attributes:
        events: events finished.
        busy: cycles with work.
        stalled: cycles with work that downstream did not take.
        frames: frames finished.
    """

    events: int
    busy: int
    stalled: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What the core did since its reset, modulo 2**32, or between two readings.

    Attributes:
        frames: frames that left.
        cycles: cycles of its clock, idle ones too.
        errors: malformed frames met.
        engines: counters of each engine by name; the first is the input's delta activation, whose events are the
            changed input elements.
    """

    frames: int
    cycles: int
    errors: int
    engines: dict[str, EngineCounters]

    @staticmethod
    def words(spec: TopSpec) -> int:
        """Return how many counters the top of ``spec`` has."""
        return _WORDS * (1 + len(spec.engines))

    @classmethod
    def of(cls, spec: TopSpec, words: Sequence[int]) -> Counters:
        """Return the counters that a board's registers hold, in their order."""
        groups = [words[at : at + _WORDS] for at in range(0, len(words), _WORDS)]
        frames, cycles, errors, _ = groups[0]
        names = [item.name for item in fields(EngineCounters)]
        engines = {
            engine: EngineCounters(**dict(zip(names, group, strict=True)))
            for engine, group in zip(spec.engines, groups[1:], strict=True)
        }
        return cls(frames=frames, cycles=cycles, errors=errors, engines=engines)

    def since(self, before: Counters) -> Counters:
        """Return what happened after ``before``, if less than 2**32 of anything."""
        return self._with(before, lambda now, then: (now - then) % _WRAP)

    def __add__(self, other: Counters) -> Counters:
        return self._with(other, lambda one, two: one + two)

    def _with(self, other: Counters, join: Callable[[int, int], int]) -> Counters:
        engines = {}
        for name, mine in self.engines.items():
            theirs, names = other.engines[name], [item.name for item in fields(mine)]
            engines[name] = EngineCounters(**{key: join(getattr(mine, key), getattr(theirs, key)) for key in names})
        return Counters(
            frames=join(self.frames, other.frames),
            cycles=join(self.cycles, other.cycles),
            errors=join(self.errors, other.errors),
            engines=engines,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLayer:
    """Activity of one layer with multiply-accumulates over some frames.

    Attributes:
        name: name of the layer.
        events_per_frame: nonzero deltas that reached it.
        density: share of its input elements that changed, of those that reach an output.
        operation_sparsity: share of its MACs that were skipped, borders counted exactly; of a convolution that reaches
            several positions per cycle (``unroll``), and of a core, the share of its cycles.
    """

    name: str
    events_per_frame: float
    density: float
    operation_sparsity: float


def live_layers(graph: Graph, counted: Counters, work: Mapping[str, int] | None = None) -> tuple[LiveLayer, ...]:
    """Return the activity of every layer with MACs over the frames of ``counted``, which has at least one.

    work: busy cycles of each convolution in a frame in which everything changes; None: those of a pipeline.
    """
    layers = []
    for node in graph.linears:
        reaching = node.n_in if isinstance(node, Dense) else int(np.count_nonzero(node.fanout(0)))
        counter = counted.engines[node.name]
        events = counter.events / counted.frames
        # Cycles of a convolution are the words that its events reach; a dense engine also takes some to send.
        done = events / reaching
        if not isinstance(node, Dense):
            done = counter.busy / counted.frames / (int(node.reach().sum()) if work is None else work[node.name])
        layers.append(
            LiveLayer(
                name=node.name,
                events_per_frame=events,
                density=events / reaching,
                operation_sparsity=1.0 - done,
            )
        )
    return tuple(layers)


def live_sparsity(graph: Graph, layers: Sequence[LiveLayer]) -> float:
    """Return the share of all MACs of the network that were skipped."""
    macs = [node.macs for node in graph.linears]
    return sum(m * layer.operation_sparsity for m, layer in zip(macs, layers, strict=True)) / sum(macs)
