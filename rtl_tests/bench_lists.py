# SPDX-License-Identifier: Apache-2.0
"""delta_lists: words of several slots into the lists of their rows, counts, reading and emptying."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import cocotb
from bench import Bench, Case, generator, this_case
from models import pack

CASES = {
    "2 banks": Case(parameters={"Lists": 4, "RowWords": 3, "RowBits": 3, "EntryBits": 5}),
    "4 x 2 banks, 6 slots": Case(
        parameters={
            "Slots": 6,
            "BankRows": 4,
            "BankColumns": 2,
            "Lists": 16,
            "RowWords": 5,
            "RowBits": 5,
            "EntryBits": 7,
        }
    ),
    "one word a row": Case(parameters={"Lists": 8, "RowWords": 1, "RowBits": 1, "EntryBits": 1}),
}
LANDING = 3
"""Cycles from a word to its count."""


@dataclass(slots=True)
class Lists:
    """The model: a list for each (row, column of banks), and the rows that a word has filled since they were taken."""

    words: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: int, column: int, entry: int) -> None:
        """Append a word."""
        self.words[row, column].append(entry)

    def counts(self, row: int, columns: int) -> list[int]:
        """Return how many words a row has in each column."""
        return [len(self.words[row, column]) for column in range(columns)]

    def take(self, row: int, columns: int) -> list[list[int]]:
        """Empty the lists of a row and return them."""
        return [self.words.pop((row, column), []) for column in range(columns)]


class Rows:
    """Words for open rows; a row is closed, taken and read now and then, and may not get words in that time."""

    def __init__(self, dut: Any, gap: float) -> None:
        sizes = {key: int(str(value)) for key, value in this_case(CASES).parameters.items()}
        self.dut, self.rng, self.gap = dut, generator(), gap
        self.slots, self.lists = sizes.get("Slots", 1), sizes["Lists"]
        self.bank_rows, self.columns = sizes.get("BankRows", 2), sizes.get("BankColumns", 1)
        self.most, self.row_bits, self.entry_bits = sizes["RowWords"], sizes["RowBits"], sizes["EntryBits"]
        self.seen = 0
        self.clear()

    def clear(self) -> None:
        self.model = Lists()
        self.landing: deque[list[tuple[int, int, int]]] = deque([[] for _ in range(LANDING - 1)])
        self.firsts = deque([0, 0])
        self.busy: dict[int, int] = {}  # closed rows: cycles until they can be taken
        self.reading: list[tuple[int, int, int, int]] = []  # row, column, index, expected
        self.asked: int | None = None  # entry that the last reading must give
        self.falling: list[int] = [0] * self.columns  # counts that a row still shows after it was taken
        self.taken: int | None = None

    def drive(self) -> None:
        rng, dut = self.rng, self.dut
        self._add(rng)
        dut.first_i.value = self.firsts.popleft()
        ready = [row for row, wait in self.busy.items() if wait == 0]
        self.take = not self.reading and bool(ready) and rng.random() < 0.5
        self.oldest = rng.choice(ready) if self.take else rng.randrange(self.lists)
        dut.take_i.value, dut.oldest_i.value = int(self.take), self.oldest
        self.read = bool(self.reading) and rng.random() < 0.8
        row, column, index, self.wanted = self.reading[0] if self.read else (0, 0, 0, 0)
        dut.read_i.value, dut.read_row_i.value = int(self.read), row
        dut.read_column_i.value, dut.read_index_i.value = column, index

    def _add(self, rng: random.Random) -> None:
        """Words of slots in different banks, all of one frame; a word that is not the first goes nowhere."""
        dut, base = self.dut, rng.randrange(self.lists // self.bank_rows)
        banks = rng.sample(range(self.bank_rows * self.columns), self.slots)
        first_frame = rng.random() < 0.1
        added: list[tuple[int, int, int]] = []
        adds = firsts = 0
        rows, entries = [], []
        for slot, bank in enumerate(banks):
            line = rng.randrange(self.lists // self.bank_rows)
            row, column = line * self.bank_rows + bank // self.columns, bank % self.columns
            entry, first = rng.getrandbits(self.entry_bits), rng.random() < 0.8
            own = (line - base) % (self.lists // self.bank_rows) * self.bank_rows + bank // self.columns
            add = own < 1 << self.row_bits and row not in self.busy and rng.random() >= self.gap
            under_way = sum(word[:2] == (row, column) for words in self.landing for word in words)
            if first and not first_frame and len(self.model.words[row, column]) + under_way >= self.most:
                add = False
                self.busy[row] = LANDING
            rows.append(own % (1 << self.row_bits))
            entries.append(entry)
            adds |= add << slot
            if first and (add or rng.random() < 0.5):  # the mark of a bank that adds nothing means nothing
                firsts |= 1 << bank
            if add and first and not first_frame:
                added.append((row, column, entry))
        dut.add_i.value, dut.first_frame_i.value, dut.list_i.value = adds, int(first_frame), base
        dut.bank_i.value, dut.row_i.value = pack(banks, (len(dut.bank_i) // self.slots)), pack(rows, self.row_bits)
        dut.entry_i.value = pack(entries, self.entry_bits)
        self.firsts.append(firsts)
        self.added = added

    def sample(self, _: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        counts = self.falling if self.taken == self.oldest else self.model.counts(self.oldest, self.columns)
        got = [(dut.counts_o.value.to_unsigned() // (1 << at * self._count_bits())) for at in range(self.columns)]
        got = [value % (1 << self._count_bits()) for value in got]
        assert got == counts, f"row {self.oldest} has {got} words, expected {counts}"
        assert bool(dut.filled_o.value) == any(self.model.counts(self.oldest, self.columns))
        assert bool(dut.some_o.value) == any(self.model.words.values())
        if self.asked is not None:
            assert dut.entry_o.value.to_unsigned() == self.asked
            self.seen += 1
        self._follow()
        return True

    def _count_bits(self) -> int:
        return len(self.dut.counts_o) // self.columns

    def _follow(self) -> None:
        """Do in the model what this cycle does."""
        self.busy = {row: max(0, wait - 1) for row, wait in self.busy.items()}
        if self.read:
            self.asked = self.wanted
            done = self.reading.pop(0)[0]
            if not self.reading:
                del self.busy[done]
        self.taken = None
        if self.take:
            self.taken, self.falling = self.oldest, self.model.counts(self.oldest, self.columns)
            taken = self.model.take(self.oldest, self.columns)
            self.reading = [(self.oldest, c, i, e) for c, words in enumerate(taken) for i, e in enumerate(words)]
            if not self.reading:
                del self.busy[self.oldest]
        self.landing.append(self.added)
        for row, column, entry in self.landing.popleft():
            self.model.add(row, column, entry)


@cocotb.test()
@cocotb.parametrize(gap=(0.0, 0.6, 0.9))
async def rows(dut: Any, gap: float) -> None:
    agent = Rows(dut, gap)
    bench = Bench(dut, [agent])
    await bench.start()
    for _ in range(3):
        await bench.cycles(1500)
        assert agent.seen > 50
        await bench.reset()
