# SPDX-License-Identifier: Apache-2.0
"""delta_rows: the words that were reached leave, row by row and bank by bank, once their row is complete."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import cocotb
from bench import Bench, Case, check, generator, this_case
from models import Layout, Visit, pack


def case(rows: int, columns: int, groups: int, slots: int = 1, **banks: int) -> Case:
    """Return rows of ``columns`` x ``groups`` words; ``slots`` in one column of positions."""
    layout = Layout(rows=rows, columns=columns, groups=groups, **banks)
    parameters = {
        "Rows": rows,
        "Columns": columns,
        "Groups": groups,
        "Slots": slots,
        "BankRows": layout.bank_rows,
        "BankColumns": layout.bank_columns,
        "Lists": layout.lists,
        "Stride": layout.stride,
        "RowBits": rows.bit_length(),
        "ColumnBits": columns.bit_length(),
    }
    return Case(parameters=parameters)


CASES = {
    "12 rows, 2 banks": case(12, 3, 2, lists=8),
    "4 x 2 banks, 4 slots": case(7, 5, 1, 4, bank_rows=4, bank_columns=2, lists=8),
    "one word": case(1, 1, 1, lists=4),
    "more lists than rows": case(3, 4, 2, lists=16),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A word that leaves, or the end of a frame."""

    visit: Visit | None
    first_frame: bool


@dataclass(slots=True)
class Frames:
    """The model: for each row a deque for each column of banks, and the order in which they leave."""

    layout: Layout
    rows: dict[int, dict[int, deque[Visit]]] = field(default_factory=dict)

    def reach(self, visit: Visit) -> None:
        """Note a word, the first time."""
        column = visit[1] % self.layout.bank_columns
        words = self.rows.setdefault(visit[0], defaultdict(deque))[column]
        if visit not in words:
            words.append(visit)

    def end(self, *, first_frame: bool) -> list[Sent]:
        """Return what leaves of the frame, which ends."""
        layout = self.layout
        words = [visit for row in sorted(self.rows) for _, words in sorted(self.rows[row].items()) for visit in words]
        if first_frame:
            every = ((row, column) for row in range(layout.rows) for column in range(layout.columns))
            words = [(*at, group) for at in every for group in range(layout.groups)]
        self.rows.clear()
        return [
            *(Sent(visit=visit, first_frame=first_frame) for visit in words),
            Sent(visit=None, first_frame=first_frame),
        ]


class Words:
    """Random words from a row that moves down a frame; takes what leaves, except from a bank that is added to.

    A row may be reached if a list for it exists; two frames may be under way.
    """

    def __init__(self, dut: Any, gap: float, pause: float) -> None:
        sizes = {key: int(str(value)) for key, value in this_case(CASES).parameters.items()}
        self.dut, self.rng, self.gap, self.pause = dut, generator(), gap, pause
        self.slots, self.down = sizes["Slots"], 0.2  # how fast the row moves
        self.layout = Layout(
            rows=sizes["Rows"],
            columns=sizes["Columns"],
            groups=sizes["Groups"],
            bank_rows=sizes["BankRows"],
            bank_columns=sizes["BankColumns"],
            lists=sizes["Lists"],
        )
        self.restarts = 0.2  # frames that start a stream
        self.clear()

    def clear(self) -> None:
        self.model = Frames(self.layout)
        self.first_frame, self.restarting = True, False
        self.began = -1  # the frame for which it is known whether it starts a stream
        self.frame = self.row = self.left = self.unsent = 0
        self.running = 0  # frames to send
        self.marks: set[Visit] = set()
        self.firsts: deque[int] = deque([0, 0])
        self.lows: deque[int] = deque([0, 0, 0])
        self.driven = 0
        self.was_idle: deque[int] = deque([-1] * 3)  # rows before which there was nothing left
        self.expected: list[Sent] = []
        self.tokens: list[Sent] = []
        self.seen_at: list[int] = []
        self.forced: deque[list[Visit]] = deque()  # instead of random words
        self.held = False  # the row stays
        self.stalled: Sent | None = None

    def drive(self) -> None:
        rng, dut, layout = self.rng, self.dut, self.layout
        self._restart()
        visits = self._visits(rng)
        banks = [layout.place(*visit)[0] for visit in visits]
        free = [bank for bank in range(layout.banks) if bank not in banks]
        slots = [*visits, *[(0, 0, 0)] * (self.slots - len(visits))]
        order = [*banks, *rng.sample(free, self.slots - len(banks))]
        dut.add_i.value = (1 << len(visits)) - 1
        dut.bank_i.value = pack(order, len(dut.bank_i) // self.slots)
        dut.row_i.value = pack([row for row, _, _ in slots], len(dut.row_i) // self.slots)
        dut.column_i.value = pack([column for _, column, _ in slots], len(dut.column_i) // self.slots)
        dut.group_i.value = slots[0][2]
        dut.first_frame_i.value = int(self.first_frame)
        lists = layout.lists // layout.bank_rows
        dut.list_i.value = self.frame * layout.stride // layout.bank_rows % lists
        firsts = 0
        for visit, bank in zip(visits, banks, strict=True):
            firsts |= int(visit not in self.marks) << bank
            self.marks.add(visit)
            if not self.first_frame:
                self.model.reach(visit)
        idle = sum(1 << bank for bank in free if rng.random() < 0.5)  # of no word
        self.firsts.append(firsts | idle)
        dut.first_i.value = self.firsts.popleft()
        self._move(rng)
        self.lows.append(self.frame * layout.stride + self.row)
        self.driven = self.lows.popleft()
        dut.low_i.value = self.driven % layout.ring
        busy = dut.valid_o.value == 1 and dut.end_o.value == 0 and dut.bank_o.value.to_unsigned() in banks
        self.accept = not busy and rng.random() >= self.pause
        dut.ready_i.value = int(self.accept)

    def _restart(self) -> None:
        """Between frames, and once all has left: the next frame starts a stream."""
        if self.began != self.frame and self.running:
            self.began, self.restarting = self.frame, not self.first_frame and self.rng.random() < self.restarts
        low = self.frame * self.layout.stride
        still = self.restarting and {self.driven, *self.lows} == {low} and self.dut.idle_o.value == 1
        self.dut.restart_i.value = int(still)
        if still:
            self.first_frame, self.restarting = True, False

    def _visits(self, rng: random.Random) -> list[Visit]:
        """Words of different banks, in rows that have a list, if anything is reached."""
        if self.forced:
            return self.forced.popleft()
        if not self.running or self.restarting or rng.random() < self.gap:
            return []
        layout = self.layout
        room = self.unsent + layout.lists - self.frame * layout.stride
        rows = min(layout.rows, room, self.row + layout.bank_rows)
        if rows <= self.row:
            return []
        row, column = rng.randrange(self.row, rows), rng.randrange(layout.columns)
        group, most = rng.randrange(layout.groups), rng.randint(1, self.slots)
        block = [
            (y, x, group)
            for y in range(row, min(rows, row + layout.bank_rows))
            for x in range(column, min(layout.columns, column + layout.bank_columns))
        ]
        return rng.sample(block, min(most, len(block)))

    def _move(self, rng: random.Random) -> None:
        """Go on to another row, or to the next frame if all of the frame before this one has left."""
        layout = self.layout
        if not self.running or self.held or self.restarting or rng.random() >= self.down:
            return
        if self.row < layout.rows and rng.random() < 0.8:
            self.row += rng.randint(1, layout.rows - self.row)
        elif self.left >= self.frame:
            self.expected += self.model.end(first_frame=self.first_frame)
            self.first_frame = False
            self.frame, self.row, self.running = self.frame + 1, 0, self.running - 1

    def sample(self, now: int) -> bool:
        dut, layout = self.dut, self.layout
        if dut.rst_ni.value == 0:
            return False
        ring = dut.unsent_o.value.to_unsigned()
        step = (ring - self.unsent) % layout.ring
        assert step <= 2 * layout.stride, "the oldest row went back"
        self.unsent += step
        assert dut.unsent_odd_o.value == self.unsent // layout.stride % 2
        assert self.unsent <= self.left * layout.stride + layout.rows, "the end of a frame counts as sent, but is not"
        since = [was for was in self.was_idle if was == self.driven]
        self.was_idle.append(self.driven if dut.idle_o.value == 1 else -1)
        self.was_idle.popleft()
        if dut.valid_o.value == 0:
            assert self.stalled is None
            return False
        assert not since, "a word left from rows that were done with"
        assert dut.idle_o.value == 0
        sent = self._sent()
        assert self.stalled in (None, sent)
        self.stalled = None if self.accept else sent
        if not self.accept:
            return False
        self.tokens.append(sent)
        self.seen_at.append(now)
        if sent.visit is None:
            self.left += 1
        else:
            self.marks.discard(sent.visit)
        return True

    def _sent(self) -> Sent:
        dut = self.dut
        first_frame = bool(dut.first_frame_o.value)
        if dut.end_o.value == 1:
            return Sent(visit=None, first_frame=first_frame)
        row, column, group, bank, spot = (
            int(signal.value.to_unsigned()) for signal in (dut.row_o, dut.column_o, dut.group_o, dut.bank_o, dut.spot_o)
        )
        assert (bank, spot) == self.layout.place(row, column, group)
        assert self.left * self.layout.stride + row >= self.unsent
        return Sent(visit=(row, column, group), first_frame=first_frame)


async def make(dut: Any, gap: float, pause: float) -> tuple[Bench, Words]:
    agent = Words(dut, gap, pause)
    bench = Bench(dut, [agent])
    await bench.start()
    return bench, agent


async def finish(bench: Bench, agent: Words) -> None:
    """Wait for everything expected, and for nothing more."""
    try:
        await bench.until(lambda: not agent.running and len(agent.tokens) >= len(agent.expected), timeout=2000)
        await bench.cycles(30)
    finally:
        check(agent, agent.expected)  # type: ignore[arg-type]
    assert len(agent.tokens) == len(agent.expected)
    assert agent.dut.idle_o.value == 1
    assert agent.unsent == agent.frame * agent.layout.stride


@cocotb.test()
@cocotb.parametrize(gap=(0.0, 0.5, 0.95), pause=(0.0, 0.6))
async def frames(dut: Any, gap: float, pause: float) -> None:
    bench, agent = await make(dut, gap, pause)
    for down in (0.05, 0.2, 0.9):
        agent.running, agent.down = 12, down
        await finish(bench, agent)


@cocotb.test()
async def times(dut: Any) -> None:
    """One word per cycle, 3 cycles after its row is complete and 1 for each row before; empty frames are quick."""
    bench, agent = await make(dut, 1.0, 0.0)
    agent.running, agent.down = 1, 1.0
    await finish(bench, agent)
    layout = agent.layout
    row, agent.held, agent.running = min(layout.rows, layout.lists) - 1, True, 1
    visits = [(row, column, group) for column in range(layout.columns) for group in range(layout.groups)]
    agent.forced.extend([visit] for visit in visits)
    await bench.cycles(len(visits) + 4)
    start, agent.row = bench.now, layout.rows
    await bench.cycles(8 + 4 * len(visits))
    seen = agent.seen_at[-len(visits) :]
    complete = start + len(agent.lows)  # low_i
    assert seen == [complete + 3 + row + at for at in range(len(visits))]
    agent.held = False
    await finish(bench, agent)
    start, agent.running = bench.now, 10
    agent.rng.random = lambda: 0.99  # type: ignore[method-assign]
    agent.down = 1.0
    await finish(bench, agent)
    ends = agent.seen_at[-10:]
    assert ends[-1] - ends[0] <= 9 * 12, "cycles of a frame without words"


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    bench, agent = await make(dut, 0.2, 0.3)
    for _ in range(8):
        agent.running = 3
        await bench.cycles(agent.rng.randrange(5, 120))
        await bench.reset()
    agent.running = 3
    await finish(bench, agent)
