# SPDX-License-Identifier: Apache-2.0
"""delta_locate: every address of a frame, flags of events that reach nothing, latency and rate."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case
from conv_cases import GRAPHS, JOINS, feeds
from models import Event, Place, locate

from codesign.graph import Delta, Graph, Spatial
from codesign.rtl.parameters import locate_parameters, located_token
from codesign.rtl.roms import spatial_memories


def engine(graph: Graph) -> tuple[Spatial, list[Delta], int]:
    """Return the engine of a case, what feeds it, and which of these is looked at: the last."""
    node, read = graph.output, feeds(graph)
    assert isinstance(node, Spatial)
    return node, read, len(read) - 1


def case(graph: Graph) -> Case:
    node, read, at = engine(graph)
    return Case(parameters=locate_parameters(node, read, at), files=spatial_memories(node), graph=graph)


NAMES = ("same 3x3, 2 groups", "stride over kernel", "depthwise, 3 groups", "max 3x2", "upsample 2x3")
CASES = {name: case(GRAPHS[name]) for name in NAMES} | {name: case(graph) for name, graph in JOINS.items()}


class Events:
    """Event tokens in, located tokens expected."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        graph = this_case(CASES).graph
        assert graph is not None
        self.node, self.feeds, self.at = engine(graph)
        self.size, self.delta, self.rng = self.feeds[self.at].size, self.feeds[self.at], generator()
        self.source = Source(dut.valid_i, dut.ready_o, [dut.token_i], pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.source, self.sink])
        self.expected: list[Place] = []

    def push(self, event: Event) -> bool:
        """Queue an event; true if a token must come out."""
        self.source.waiting.append(event.pack(self.size, self.delta.delta_bits))
        place = locate(self.node, event, self.at)
        if place is not None:
            self.expected.append(place)
        return place is not None

    def event(self, address: int, **flags: bool) -> Event:
        """Return an event with a random delta, often an extreme one."""
        top = (1 << (self.delta.delta_bits - 1)) - 1
        return Event(address=address, delta=self.rng.choice((-top - 1, top, self.rng.randint(-top, top))), **flags)

    async def drain(self) -> None:
        """Wait for everything expected."""
        place = located_token(self.node, self.feeds)
        await drain(self.bench, self.source, self.sink, self.expected, lambda token: Place.parse(token, place))


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def every_address(dut: Any, stalls: tuple[float, float]) -> None:
    events = Events(dut, stalls)
    await events.bench.start()
    for _ in range(3):
        for address in range(events.size):
            flags = {name: events.rng.random() < 0.2 for name in ("first_of_stream", "end_of_frame")}
            events.push(events.event(address, **flags))
    await events.drain()


@cocotb.test()
async def flags_alone(dut: Any) -> None:
    events = Events(dut, (0.2, 0.2))
    await events.bench.start()
    for _ in range(60):
        address = events.rng.randrange(events.size)
        first, end = events.rng.choice(((False, True), (True, False), (True, True)))
        events.push(Event(first_of_stream=first, has_event=False, end_of_frame=end, address=address))
    await events.drain()


@cocotb.test()
async def rate(dut: Any) -> None:
    events = Events(dut, (0.0, 0.0))
    await events.bench.start()
    sent = [events.push(events.event(address)) for address in range(events.size)]
    await events.drain()
    assert events.source.taken_at == list(range(events.size)), "one event a cycle"
    assert events.sink.seen_at == [at + 6 for at, out in enumerate(sent) if out], "latency 6 cycles"


@cocotb.test()
async def reset_forgets(dut: Any) -> None:
    events = Events(dut, (0.1, 0.4))
    await events.bench.start()
    for _ in range(6):
        for _ in range(10):
            events.push(events.event(events.rng.randrange(events.size)))
        await events.bench.cycles(events.rng.randrange(1, 12))
        await events.bench.reset()
        events.expected.clear()
    for address in range(events.size):
        events.push(events.event(address))
    await events.drain()
