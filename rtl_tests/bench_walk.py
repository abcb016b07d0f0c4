# SPDX-License-Identifier: Apache-2.0
"""delta_walk: which words and weights an event visits in which cycle, when it waits, and which rows are complete."""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Source, generator, this_case
from conv_cases import GRAPHS, JOINS, feeds
from models import Layout, Place, Visit, walk

from codesign.graph import Graph, Join, Spatial
from codesign.rtl.netlist import Parameters
from codesign.rtl.parameters import conv_parameters, located_token

NOT_HERE = ("Window", "WeightLines", "WeightWidth", "AccWidth", "AccSigned", "WeightFile", "BiasFile")
"""Parameters of ``delta_conv`` that belong to its other leaves."""


def layout(parameters: Parameters) -> Layout:
    """Return where the words of a ``delta_conv`` lie."""
    names = ("Rows", "Columns", "Groups", "BankRows", "BankColumns", "Lists")
    rows, columns, groups, bank_rows, bank_columns, lists = (int(str(parameters[name])) for name in names)
    return Layout(
        rows=rows, columns=columns, groups=groups, bank_rows=bank_rows, bank_columns=bank_columns, lists=lists
    )


def case(graph: Graph) -> Case:
    """Return the walk of the convolution at the end of ``graph``."""
    node = graph.output
    assert isinstance(node, Spatial)
    parameters = conv_parameters(graph, node)
    kept = {name: value for name, value in parameters.items() if name not in NOT_HERE}
    return Case(parameters=kept | {"Stride": layout(parameters).stride}, graph=graph)


NAMES = (
    *("taps 2x1, 2 groups", "same 3x3, 2 groups", "taps 1x3, depthwise", "one column, tall kernel"),
    *("upsample 2x3", "concat"),  # the first of these has fewer lists than rows
    *("rows mixed, 3x3", "rows mixed, 1x3"),  # frames of the second one begin anywhere on the ring
)
CASES = {name: case((GRAPHS | JOINS)[name]) for name in NAMES}


SETTLED = 2
"""Cycles after a word in which its row may not be complete."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What one cycle of the walk must show, and the rows of the ring that it may not pass."""

    slots: dict[int, Visit]
    lines: dict[int, int]
    lane: int
    delta: int
    first_frame: bool
    base: int
    last: int


class Walk:
    """Plays the rest of the engine: sweeps when asked to, sends rows at a pace of its own, and watches every output."""

    def __init__(self, dut: Any, source: Source, pace: float) -> None:
        case = this_case(CASES)
        assert case.graph is not None
        assert isinstance(case.graph.output, Spatial)
        self.dut, self.source, self.rng, self.pace = dut, source, generator(), pace
        self.sizes, self.node, self.layout = case.parameters, case.graph.output, layout(case.parameters)
        self.late = int(str(self.sizes.get("Late", 0)))
        self.token = located_token(self.node, feeds(case.graph))
        self.clear()

    def clear(self) -> None:
        self.frame = self.row = self.unsent = 0  # frames are counted without end; so is the oldest unsent row
        self.known = [0, 0]  # what the walk knows of unsent: a cycle late, as where it is made
        self.low = 0
        self.cycles: deque[Cycle] = deque()
        self.due: deque[Cycle | None] = deque([None, None])
        self.rows: deque[int] = deque()  # the first row that is added to, of the last cycles
        self.went_at: list[int] = []
        self.events = self.ended = self.waited = self.swept_at = 0
        self.stream = True  # the next frame starts one

    def number(self, name: str) -> int:
        """Return a parameter."""
        return int(str(self.sizes[name]))

    def send(self, places: list[Place], floors: list[int]) -> None:
        """Queue a frame; its first token starts a stream if ``stream``."""
        stride, node = self.layout.stride, self.node
        places[0] = dataclasses.replace(places[0], first_of_stream=self.stream)
        for place, floor in zip(places, floors, strict=True):
            self.source.waiting.append(place.pack(self.token) | floor << len(self.dut.token_i))
            for at, slots in enumerate(walk(place, node.unroll, None if node.channelwise else node.groups)):
                group = 0 if node.channelwise else at % node.groups
                lines = {slot: self._line(place, visit) + group for slot, visit in slots.items()}
                if place.has_event:
                    self.cycles.append(
                        Cycle(
                            slots=slots,
                            lines=lines,
                            lane=place.lane,
                            delta=place.delta,
                            first_frame=self.stream,
                            base=self.frame * stride,
                            last=self.frame * stride + place.first_row + place.rows - 1,
                        )
                    )
        self.frame += 1
        self.stream = False

    def _line(self, place: Place, visit: Visit) -> int:
        down, right = visit[0] - place.first_row, visit[1] - place.first_column
        return place.line - down * self.number("StepY") - right * self.number("StepX")

    def drive(self) -> None:
        dut, layout = self.dut, self.layout
        if self.unsent < self.low and self.rng.random() < self.pace:
            self.unsent += 1
            if self.unsent % layout.stride > layout.rows:  # the mark of the frame's end is the last one
                self.unsent += layout.stride - self.unsent % layout.stride
        dut.unsent_i.value = self.unsent % layout.ring
        dut.unsent_odd_i.value = self.unsent // layout.stride % 2
        self.sweep = dut.unclean_o.value == 1 and dut.still_o.value == 1 and self.rng.random() < 0.3
        dut.swept_i.value = int(self.sweep and self.unsent == self.low)

    def sample(self, now: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        event, busy, stalled, ended = ((dut.probe_o.value.to_unsigned() >> i) & 1 for i in range(4))
        self._visits(self.due.popleft())
        cycle = self._issue(now) if busy else None
        self.due.append(cycle)
        self.events += event
        self.ended += ended
        self.waited += stalled
        assert dut.event_o.value == 0 or busy or stalled, "weights without an event"
        self._rows()
        return bool(busy or ended or event)

    def _issue(self, now: int) -> Cycle:
        cycle, dut = self.cycles.popleft(), self.dut
        bits = self.number("WeightBits")
        lines = dut.line_o.value.to_unsigned()
        got = {slot: (lines >> slot * bits) % (1 << bits) for slot in cycle.lines}
        assert got == {slot: line % (1 << bits) for slot, line in cycle.lines.items()}
        if self.node.channelwise:
            assert dut.lane_o.value.to_unsigned() == cycle.lane
        assert dut.delta_o.value.to_signed() == cycle.delta
        assert dut.event_o.value == 1
        assert cycle.last - self.unsent < self.layout.lists, "a row without a list"
        self.went_at.append(now)
        return cycle

    def _visits(self, cycle: Cycle | None) -> None:
        """Two cycles after the weights: the slots' words."""
        dut, node = self.dut, self.node
        add = dut.add_o.value.to_unsigned()
        self.rows.append(cycle.base + min(row for row, _, _ in cycle.slots.values()) if cycle else 1 << 62)
        if cycle is None:
            assert add == 0
            return
        assert add == sum(1 << slot for slot in cycle.slots)
        assert dut.group_o.value.to_unsigned() == next(iter(cycle.slots.values()))[2]
        slots = node.unroll[0] * node.unroll[1]
        for slot, visit in cycle.slots.items():
            fields = [self._field(name, slot, slots) for name in ("row_o", "column_o", "bank_o", "spot_o")]
            assert fields == [*visit[:2], *self.layout.place(*visit)]
        assert bool(dut.first_frame_o.value) == cycle.first_frame
        lists = self.layout.lists // self.layout.bank_rows
        assert dut.list_o.value.to_unsigned() == cycle.base // self.layout.bank_rows % lists

    def _field(self, name: str, slot: int, slots: int) -> int:
        signal = getattr(self.dut, name)
        bits = len(signal) // slots
        return int(signal.value.to_unsigned() >> slot * bits) % (1 << bits)

    def _rows(self) -> None:
        """Follow low_o, which never goes back; it passes a row three cycles after the last word there."""
        step = (self.dut.low_o.value.to_unsigned() - self.low) % self.layout.ring
        assert step <= self.layout.stride + self.layout.rows, "low_o went back"
        self.low += step
        assert self.low <= min(self.rows), "a word in a row that was complete"
        assert self.low - self.unsent <= 2 * self.layout.stride, "a third frame in the ring"
        if len(self.rows) > SETTLED:
            self.rows.popleft()


def frame(agent: Walk, density: int, *, bare_end: bool = False) -> None:
    """Queue a frame of up to ``density`` random events."""
    rng, node = agent.rng, agent.node
    reach_rows, reach_columns = int(node.y.counts().max()), int(node.x.counts().max())
    places = []
    for _ in range(rng.randint(0, density)):
        rows = min(node.y.outputs, rng.randint(1, max(1, reach_rows)))
        columns = min(node.x.outputs, rng.randint(1, max(1, reach_columns)))
        places.append(
            Place(
                first_row=rng.randint(0, node.y.outputs - rows),
                rows=rows,
                first_column=rng.randint(0, node.x.outputs - columns),
                columns=columns,
                group=rng.randrange(node.groups) if node.channelwise else 0,
                line=rng.getrandbits(agent.number("WeightBits")),
                lane=rng.randrange(node.pe),
                delta=rng.randrange(-1 << (agent.number("DeltaWidth") - 1), 1 << (agent.number("DeltaWidth") - 1)),
            )
        )
    if not isinstance(node, Join):
        places.sort(key=lambda place: place.first_row + rng.uniform(0, agent.late))
    if places and not bare_end and rng.random() < 0.7:
        places[-1] = dataclasses.replace(places[-1], end_of_frame=True)
    else:
        places.append(Place(has_event=False, end_of_frame=True))
    later = [min((place.first_row for place in places[at:] if place.has_event), default=0) for at in range(len(places))]
    agent.send(places, later if isinstance(node, Join) else [0] * len(places))


async def make(dut: Any, stalls: tuple[float, float], pace: float) -> tuple[Bench, Source, Walk]:
    source = Source(dut.valid_i, dut.ready_o, [dut.token_i, dut.floor_i], pause=stalls[0], rng=generator())
    agent = Walk(dut, source, pace)
    bench = Bench(dut, [source, agent])
    await bench.start()
    return bench, source, agent


async def finish(bench: Bench, agent: Walk) -> None:
    """Wait for every visit, and until all rows are complete and sent."""
    stride = agent.layout.stride
    await bench.until(lambda: agent.ended == agent.frame, timeout=1500)
    await bench.until(lambda: agent.unsent == agent.frame * stride, timeout=1500)
    await bench.cycles(6)
    assert not agent.cycles
    assert agent.low == agent.frame * stride
    assert agent.dut.still_o.value == 1


@cocotb.test()
@cocotb.parametrize(stalls=STALLS[:2], pace=(0.05, 0.3, 1.0))
async def frames(dut: Any, stalls: tuple[float, float], pace: float) -> None:
    bench, _, agent = await make(dut, stalls, pace)
    for at in range(20):
        agent.stream |= at % 5 == 4
        frame(agent, agent.rng.choice((0, 3, 15)))
    await finish(bench, agent)
    assert pace > 0.1 or agent.waited > 50, "the walk has to wait for rows"


@cocotb.test()
async def no_gaps(dut: Any) -> None:
    """A cycle for each block of words, one event right after the other, while there are lists."""
    bench, source, agent = await make(dut, (0.0, 0.0), 1.0)
    frame(agent, 0)
    await finish(bench, agent)
    node = agent.node
    rows, columns = (min(axis.outputs, int(axis.counts().max())) for axis in (node.y, node.x))
    places = [
        Place(first_row=0, rows=1 + at % rows, first_column=0, columns=1 + at % columns, line=at) for at in range(12)
    ]
    taken, since = len(source.taken_at), bench.now
    agent.send([*places, Place(has_event=False, end_of_frame=True)], [0] * 13)
    await finish(bench, agent)
    groups = None if node.channelwise else node.groups
    costs = [len(walk(place, node.unroll, groups)) for place in places]
    assert [at - since for at in agent.went_at] == list(range(1, 1 + sum(costs))), "without gaps"
    starts = [sum(costs[:at]) for at in range(12)]
    assert [at - since for at in source.taken_at[taken : taken + 12]] == starts, "taken with the last word of the last"


@cocotb.test()
async def rows_complete_early(dut: Any) -> None:
    """Rows before the first one of the event at work, or that one may be out of order with, are complete.

    The end of the frame has not come then.
    """
    bench, _, agent = await make(dut, (0.0, 0.0), 1.0)
    frame(agent, 0)
    await finish(bench, agent)
    row = agent.node.y.outputs - 1
    place = Place(first_row=row, rows=1, first_column=0, columns=1)
    agent.send([place], [row])
    agent.frame -= 1
    await bench.cycles(20)
    assert agent.low == agent.frame * agent.layout.stride + row - agent.late


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    bench, _, agent = await make(dut, (0.2, 0.0), 0.3)
    for _ in range(8):
        for _ in range(3):
            frame(agent, 8)
        await bench.cycles(agent.rng.randrange(2, 60))
        await bench.reset()
    frame(agent, 8)
    await finish(bench, agent)
