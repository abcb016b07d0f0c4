# SPDX-License-Identifier: Apache-2.0
"""Networks whose RTL the tests build, and raw AXI4-Stream beats with what the golden model makes of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from random_branches import random_branching_graph
from random_graphs import random_conv_graph, random_graph, random_spread_graph

from codesign.graph import Delta, Dense, Engine, Graph, Join, Source
from codesign.graph.file import load_graph, save_graph
from codesign.graph.golden import Golden, Trace
from codesign.hls.core import Source as HlsSource
from codesign.rtl import top_spec
from codesign.rtl.spec import TopSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A network to build: seed and kind of `random_graph` or another maker, skipping on or off."""

    seed: int
    kind: dict[str, Any]
    skip: bool = True
    make: Callable[..., Graph] = random_graph

    def graph(self) -> Graph:
        """Return the network; prints what makes it."""
        print(self)
        return self.make(np.random.default_rng(self.seed), **self.kind)

    def spec(self, graph: Graph) -> TopSpec:
        """Return the outside of its top."""
        return top_spec(graph)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledCase:
    """A network whose core an HLS compiler made: what a bench has to know of it, in a folder.

    Its input is a walk of frames that are whole, holds are constant, and nothing inside is counted.
    """

    folder: Path
    skip: bool = True

    def save(self, source: HlsSource) -> None:
        """Write what the bench reads."""
        self.folder.mkdir(parents=True, exist_ok=True)
        save_graph(source.graph, self.folder)
        lanes = {"top": source.top, "in_lanes": source.in_lanes, "out_lanes": source.out_lanes}
        (self.folder / LANES).write_text(json.dumps(lanes))

    def graph(self) -> Graph:
        """Return the network."""
        return load_graph(self.folder)

    def spec(self, graph: Graph) -> TopSpec:
        """Return the outside of the shell around the core."""
        return HlsSource(graph=graph, files={}, **json.loads((self.folder / LANES).read_text())).spec


LANES = "lanes.json"


KINDS: dict[str, Callable[[np.random.Generator], Graph]] = {
    "dense": random_graph,
    "convolutions": random_conv_graph,
    "branches": random_branching_graph,
    "spread": random_spread_graph,
}
"""Random networks by kind, of a generator of random numbers."""


# Seeds chosen so that every delta layer is busy: 10 to 50 % of its elements change in a walk.
CASES = {
    "hold": Case(seed=1833, kind={"layers": 2, "size": 24, "hold": 0.75, "end": "delta"}),
    "one word": Case(seed=194, kind={"layers": 3, "size": 16, "hold": None, "lanes": 16, "words": 1, "end": "dense"}),
    "wide": Case(seed=1001, kind={"layers": 1, "size": 20, "wide": True, "end": "dense"}),
    "skip off": Case(seed=387, kind={"layers": 2, "size": 20, "end": "dense"}, skip=False),
}

CONV_CASES = {
    "conv, dense end": Case(seed=9, kind={}, make=random_conv_graph),
    "conv, tall kernel": Case(seed=7, kind={"lists": True}, make=random_conv_graph),
    "conv, skip off": Case(seed=2, kind={"size": 5}, skip=False, make=random_conv_graph),
}

BRANCH_CASES = {
    "residual, pooled": Case(seed=4, kind={"blocks": ("residual", "max")}, make=random_branching_graph),
    "shortcut, upsampled": Case(seed=1, kind={"blocks": ("shortcut", "upsample")}, make=random_branching_graph),
    "dense connections": Case(seed=8, kind={"blocks": ("three", "sum", "self")}, make=random_branching_graph),
    "two readers, skip off": Case(seed=9, kind={"blocks": ("two readers",)}, skip=False, make=random_branching_graph),
}

SPREAD_CASES = {
    "spread": Case(seed=31, kind={}, make=random_spread_graph),
    "spread, dense": Case(seed=22, kind={"convolutions": False, "layers": 2, "size": 24}, make=random_spread_graph),
    "spread, depthwise": Case(seed=26, kind={"depthwise": True, "layers": 2}, make=random_spread_graph),
    "spread, skip off": Case(seed=13, kind={"size": 5, "bits": 10}, skip=False, make=random_spread_graph),
}
"""Output channels with steps of their own."""

ALL_CASES: dict[str, Case] = CASES | CONV_CASES | BRANCH_CASES | SPREAD_CASES


def case_of(name: str) -> Case | CompiledCase:
    """Return the case that a simulation was built for: one of `ALL_CASES`, or the folder of a compiled core."""
    return ALL_CASES.get(name) or CompiledCase(folder=Path(name))


def expected_events(graph: Graph, trace: Trace, *, skip: bool) -> dict[str, np.ndarray]:
    """Return for each engine of the top how many events it handles in each frame, ``[T]``.

    An event that reaches no output never comes to its engine.
    """
    moved = {name: deltas != 0 if skip else np.ones_like(deltas, bool) for name, deltas in trace.deltas.items()}
    first = graph.deltas[0].name
    found = {first: moved[first].sum(axis=1)}
    for node in graph.engines:
        parts = [(moved[name] & (node.reach(at) > 0)).sum(axis=1) for at, name in enumerate(node.inputs)]
        found[node.name] = np.sum(parts, axis=0)
    return found


def core_events(graph: Graph, trace: Trace, *, lanes: int, skip: bool = True) -> dict[str, np.ndarray]:
    """Return for each engine how many events a core with beats of ``lanes`` codes sends to it in each frame, ``[T]``.

    Those that reach nothing count, too.
    """
    events = {
        name: (deltas != 0 if skip else np.ones_like(deltas)).sum(axis=1) for name, deltas in trace.deltas.items()
    }
    first = graph.deltas[0].name
    if not skip:  # all lanes of a beat count, also those after the last element
        events[first] = np.full(len(trace.outputs), -(-graph.source.size // lanes) * lanes)
    return {first: events[first]} | {
        node.name: np.sum([events[name] for name in node.inputs], axis=0) for node in graph.engines
    }


def events_of_beats(graph: Graph, sent: np.ndarray) -> dict[str, int]:
    """Return how many events each engine handles in a frame of which the elements ``sent`` came, with skipping off.

    Skipping off does not invent the beats of a short frame: what no event reaches is not sent on. In the first frame of
    a stream all is sent, as it must clear the references.
    """
    first = graph.deltas[0].name
    came, found = {first: sent}, {first: int(sent.sum())}
    for node in graph.nodes[2:]:
        if isinstance(node, Delta):
            came[node.name] = came[node.input]
        elif not isinstance(node, Source):
            events = [came[name] & (node.reach(at) > 0) for at, name in enumerate(node.inputs)]
            found[node.name] = sum(int(mask.sum()) for mask in events)
            came[node.name] = _touched(node, events)
    return found


def _touched(node: Engine, events: list[np.ndarray]) -> np.ndarray:
    """Return the elements of the output words that events reach, ``[size]``."""
    if isinstance(node, Dense):
        return np.full(node.size, any(mask.any() for mask in events))
    out = np.zeros(node.shape, bool)
    for at, mask in enumerate(events):
        offset = node.offsets[at] if isinstance(node, Join) else 0
        for y, x, channel in np.argwhere(mask.reshape(node.y.size, node.x.size, node.channels_in(at))).tolist():
            rows, columns = (
                slice(axis.first(place), axis.first(place) + int(axis.counts()[place]))
                for axis, place in ((node.y, y), (node.x, x))
            )
            word = (offset + channel) // node.pe * node.pe
            out[rows, columns, slice(word, word + node.pe) if node.channelwise else slice(None)] = True
    return out.reshape(-1)


class Beats:
    """Raw input beats under construction, with the packets and events that they mean.

    Attributes:
        beats: codes of each beat, ``[lanes]``.
        last, user: flags of each beat.
        packets: output of each frame, ``[size]``.
        events: of each engine, summed.
    """

    def __init__(self, graph: Graph, *, skip: bool = True, spec: TopSpec | None = None) -> None:
        self.graph, self.spec, self.skip = graph, spec or top_spec(graph), skip
        self.golden = Golden(graph)
        self.before = np.zeros(graph.source.size, np.int64)
        self.beats: list[np.ndarray] = []
        self.last: list[bool] = []
        self.user: list[bool] = []
        self.packets: list[np.ndarray] = []
        self.events: Counter[str] = Counter()

    def add(self, frame: np.ndarray, *, beats: int | None = None, last: bool = True, new: bool = False) -> None:
        """Append the first ``beats`` beats of a frame; beats beyond its end repeat it.

        Too few: the rest of the frame is unchanged. ``new``: start a new stream. tuser is set on later beats too, where
        it means nothing.
        """
        self._append(frame, self.spec.beats if beats is None else beats, last=last, user=new)
        if new:
            self.golden.reset()
            self.before = np.zeros_like(self.before)
        sent = np.arange(self.graph.source.size) < (self.spec.beats if beats is None else beats) * self.spec.in_lanes
        self.before = np.where(sent, frame.reshape(-1), self.before)
        trace = self.golden.run(self.before[None])
        self.packets.append(trace.outputs.reshape(-1))
        first_frame = new or len(self.packets) == 1
        whole = expected_events(self.graph, trace, skip=self.skip)
        part = {} if self.skip or first_frame else events_of_beats(self.graph, sent)
        self.events.update({engine: part.get(engine, int(count[0])) for engine, count in whole.items()})

    def drop(self, frame: np.ndarray) -> None:
        """Append a frame after one without TLAST: its beats are the extra beats of that one."""
        self._append(frame, self.spec.beats, last=True, user=True)

    def _append(self, frame: np.ndarray, count: int, *, last: bool, user: bool) -> None:
        lanes = self.spec.in_lanes
        padded = np.resize(frame, self.spec.beats * lanes)
        self.beats += list(np.resize(padded, count * lanes).reshape(count, lanes))
        self.last += [False] * (count - 1) + [last]
        self.user += [user] + [True] * (count - 1)
