# SPDX-License-Identifier: Apache-2.0
"""delta_conv: accumulators of the touched words against the golden model, their order, new streams, cycle counts."""

from __future__ import annotations

import dataclasses
from typing import Any

import cocotb
import engine_bench
import numpy as np
from bench import STALLS, Case
from conv_cases import GRAPHS, JOINS, feeds
from models import Event, Place, Visit, Word, kept, locate, pack, walk

from codesign.fixed import IntArray
from codesign.graph import Conv, Graph, Join, Spatial
from codesign.rtl.parameters import conv_parameters, late_rows, located_token
from codesign.rtl.roms import linear_memories, spatial_memories


def case(graph: Graph) -> Case:
    node = graph.output
    assert isinstance(node, Spatial)
    weights = linear_memories(node, feeds(graph)[0]) if isinstance(node, Conv) else {}
    files = spatial_memories(node) | weights
    return Case(parameters=conv_parameters(graph, node), files=files, graph=graph)


CASES = {name: case(graph) for name, graph in (GRAPHS | JOINS).items()}


class Engine(engine_bench.EngineBench):
    """Located tokens queued, word tokens expected."""

    node: Spatial

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        super().__init__(dut, CASES, [dut.token_i, dut.floor_i], stalls)
        assert isinstance(self.graph.output, Spatial)
        self.node, self.feeds = self.graph.output, feeds(self.graph)
        self.token_bits = len(dut.token_i)

    def frame(self, density: float, *, first_of_stream: bool = False, skip: bool = True) -> list[Place]:
        """Queue a frame and what it must cause; return its tokens."""
        if first_of_stream:
            self.restart()
        return self.send(self.moved(density), skip=skip)

    def send(self, codes: IntArray, *, skip: bool = True, bare_end: bool = False, ordered: bool = False) -> list[Place]:
        """Queue a frame of these codes; several inputs interleaved anyhow, or ``ordered`` by rows."""
        trace = self.golden.run(codes[None])
        inputs = [
            [Event(address=i, delta=int(d)) for i, d in enumerate(trace.deltas[feed.name][0]) if d or not skip]
            for feed in self.feeds
        ]
        parts = [
            [place for event in events if (place := locate(self.node, event, at)) is not None]
            for at, events in enumerate(inputs)
        ]
        if late_rows(self.graph, self.node):
            parts = [self._mixed(part) for part in parts]
        places, floors = self._merge(parts, ordered=ordered)
        if places and not bare_end and self.rng.random() < 0.8:
            places[-1] = dataclasses.replace(places[-1], end_of_frame=True)
        else:
            places.append(Place(has_event=False, end_of_frame=True))
            floors.append(0)
        if self.first_frame and self.rng.random() < 0.3:
            places.insert(0, Place(first_of_stream=True, has_event=False))
            floors.insert(0, 0)
        elif self.first_frame:
            places[0] = dataclasses.replace(places[0], first_of_stream=True)
        token = located_token(self.node, self.feeds)
        for place, floor in zip(places, floors, strict=True):
            self.source.waiting.append(place.pack(token) | floor << self.token_bits)
        self.expected += self._words(places, trace.accumulators["conv"][0])
        self.codes, self.first_frame = codes.copy(), False
        return places

    def _mixed(self, part: list[Place]) -> list[Place]:
        """Return tokens as they may come of an engine whose rows are several of this one's: those of a row anyhow."""
        late, mixed = late_rows(self.graph, self.node), part[:]
        for at in range(1, len(mixed)):
            earlier = at - 1 - self.rng.randrange(8)
            if earlier >= 0 and mixed[at].first_row - min(place.first_row for place in mixed[earlier:at]) <= late:
                mixed.insert(earlier, mixed.pop(at))
        lowest = [min(place.first_row for place in mixed[at:]) for at in range(len(mixed))]
        assert all(place.first_row - low <= late for place, low in zip(mixed, lowest, strict=True))
        return mixed

    def _merge(self, parts: list[list[Place]], *, ordered: bool) -> tuple[list[Place], list[int]]:
        """Interleave the inputs' tokens; return them and the row that no later one is above."""
        waiting, merged, floors = [part[:] for part in parts if part], [], []
        while waiting:
            floors.append(min(part[0].first_row for part in waiting))
            if not ordered and isinstance(self.node, Join):  # a floor may also be told late
                floors[-1] = self.rng.randint(floors[-2] if len(floors) > 1 else 0, floors[-1])
            lowest = min(waiting, key=lambda part: part[0].first_row)
            merged.append((lowest if ordered else self.rng.choice(waiting)).pop(0))
            waiting = [part for part in waiting if part]
        return merged, floors if isinstance(self.node, Join) else [0] * len(merged)

    def walk(self, place: Place) -> list[list[Visit]]:
        """Return for each cycle the words that the engine visits, in order."""
        node = self.node
        cycles = walk(place, node.unroll, None if node.channelwise else node.groups)
        return [sorted(slots.values()) for slots in cycles]

    def _words(self, places: list[Place], accumulators: IntArray) -> list[Word]:
        """Rows in order; in a row all words of a first frame, else the touched ones, bank by bank, then as touched."""
        node = self.node
        if self.first_frame:
            spots = list(np.ndindex(node.y.outputs, node.x.outputs, node.groups))
        else:
            visits = [visit for place in places if place.has_event for visit in self.walk(place)]
            touched = dict.fromkeys(spot for visit in visits for spot in visit)
            banks = 1 << (node.unroll[1] - 1).bit_length()
            spots = sorted(touched, key=lambda spot: (spot[0], spot[1] % banks))
        lines, bits = kept(self.graph, accumulators)
        addresses = [(y * node.x.outputs + x) * node.groups + group for y, x, group in spots]
        words = [Word(first_of_stream=self.first_frame, word=a, data=pack(lines[a], bits)) for a in addresses]
        return [*words, Word(has_word=False, end_of_frame=True)]


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, density=(0.03, 0.3, 1.0))
async def frames(dut: Any, stalls: tuple[float, float], density: float) -> None:
    await engine_bench.random_frames(Engine(dut, stalls), 25, density)


@cocotb.test()
async def empty_frames(dut: Any) -> None:
    engine = Engine(dut, (0.1, 0.3))
    await engine.bench.start()
    for _ in range(60):
        engine.frame(engine.rng.choice((0.0, 0.0, 0.02)), first_of_stream=engine.rng.random() < 0.1)
    await engine.drain()


@cocotb.test()
async def quiet_between_frames(dut: Any) -> None:
    await engine_bench.quiet_between_frames(Engine(dut, (0.0, 0.3)), 8)


@cocotb.test()
async def skip_off(dut: Any) -> None:
    await engine_bench.skip_off(Engine(dut, (0.0, 0.0)), 4)


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    await engine_bench.reset_anywhere(Engine(dut, (0.2, 0.2)), 0.5, 250)


@cocotb.test()
async def cycle_counts(dut: Any) -> None:
    """An event costs the words it reaches, without gaps; a frame without events costs few cycles."""
    engine = Engine(dut, (0.0, 0.0))
    await engine.bench.start()
    engine.frame(0.0)
    await engine.drain()
    codes = engine.codes.copy()
    near = range(min(len(codes), 2 * engine.node.x.size * engine.node.channels_in()))  # rows close together
    before = engine.golden.run(codes[None])
    codes[near.start : near.stop] = 1 - codes[near.start : near.stop].clip(0, 1)
    taken, since = len(engine.source.taken_at), engine.bench.now
    places = [place for place in engine.send(codes, ordered=True) if place.has_event]
    await engine.drain()
    costs = np.cumsum([len(engine.walk(place)) for place in places])
    times = np.array(engine.source.taken_at[taken : taken + len(places)])
    assert (times - since).tolist() == [0, *costs[:-1].tolist()], "taken with the last word of the one before"
    after = engine.golden.run(codes[None])
    moved = [before.codes[feed.name][0] != after.codes[feed.name][0] for feed in engine.feeds]
    assert costs[-1] == sum(int(engine.node.reach(at)[where].sum()) for at, where in enumerate(moved))
    start = engine.bench.now
    for _ in range(10):
        engine.frame(0.0)
    await engine.drain()
    assert engine.sink.seen_at[-1] - start <= 10 * 12, "cycles of an empty frame"


@cocotb.test()
async def rows_leave_early(dut: Any) -> None:
    """Rows before the last event's first one are sent although the frame's end has not come."""
    engine = Engine(dut, (0.0, 0.0))
    await engine.bench.start()
    engine.frame(0.0)
    await engine.drain()
    codes, seen = engine.codes.copy(), len(engine.expected)
    where = [0, *np.flatnonzero(engine.node.reach())[-2:]]
    codes[where] = np.where(codes[where] == 3, 4, 3)
    last = engine.send(codes, bare_end=True, ordered=True)[-2]
    end = engine.source.waiting.pop()
    await engine.bench.cycles(80)
    row_words = engine.node.x.outputs * engine.node.groups
    before = [word for word in engine.expected[seen:] if word.has_word and word.word < last.first_row * row_words]
    assert len(engine.sink.tokens) - seen == len(before)
    engine.source.waiting.append(end)
    await engine.drain()
