# SPDX-License-Identifier: Apache-2.0
"""delta_banks: additions in several banks at once, readings beside them, first additions, the sweep to the biases."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, generator, this_case
from models import pack, unpack

from codesign.rtl.netlist import Parameter
from codesign.rtl.roms import memory_text


def case(banks: int, words: int, slots: int, lanes: int, *, groups: int = 0, acc: int = 9) -> Case:
    """Return banks with random biases of ``groups``; 0: without."""
    parameters: dict[str, Parameter] = {"Banks": banks, "Words": words, "Slots": slots, "Lanes": lanes, "AccWidth": acc}
    if not groups:
        return Case(parameters=parameters)
    biases = np.random.default_rng(1).integers(0, 1 << acc, (groups, lanes))
    parameters |= {"Groups": groups, "BiasFile": "bias.mem"}
    return Case(parameters=parameters, files={"bias.mem": memory_text(biases, acc)})


CASES = {
    "4 banks, 2 slots, 3 groups": case(4, 6, 2, 2, groups=3),
    "2 banks, 1 group": case(2, 5, 1, 3, groups=1),
    "2 banks of one word": case(2, 1, 1, 1),
    "8 banks, 6 slots": case(8, 2, 6, 1),
}
SETTLED = 4
"""Cycles from the last addition to a word, or the end of the sweep, to its reading."""


@dataclass(slots=True)
class Words:
    """The model: lanes of every word, and which were added to since they were read."""

    biases: list[tuple[int, ...]]
    bits: int
    values: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)
    marked: set[tuple[int, int]] = field(default_factory=set)

    def sweep(self, banks: int, words: int) -> None:
        """Set every word to its bias."""
        self.marked.clear()
        for bank in range(banks):
            for spot in range(words):
                self.values[bank, spot] = self.biases[spot % len(self.biases)]

    def add(self, word: tuple[int, int], addend: tuple[int, ...]) -> bool:
        """Add to a word; true if that is the first time since it was read."""
        before = self.values[word]
        self.values[word] = tuple((a + b) % (1 << self.bits) for a, b in zip(before, addend, strict=True))
        first = word not in self.marked
        self.marked.add(word)
        return first

    def read(self, word: tuple[int, int]) -> tuple[int, ...]:
        """Read a word."""
        self.marked.discard(word)
        return self.values[word]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What happened in one cycle: what the slots add, which banks add for the first time, what must be read."""

    addends: tuple[tuple[int, ...], ...] = ()
    first: int = 0
    seen: tuple[int, ...] | None = None


class Accesses:
    """A sweep, then additions and readings at random; now and then everything stops for another sweep."""

    def __init__(self, dut: Any, gap: float) -> None:
        case = this_case(CASES)
        sizes = {key: int(str(value)) for key, value in case.parameters.items() if key != "BiasFile"}
        self.dut, self.rng, self.gap = dut, generator(), gap
        self.banks, self.words, self.slots = sizes["Banks"], sizes["Words"], sizes["Slots"]
        self.lanes, self.bits = sizes["Lanes"], sizes["AccWidth"]
        lines = [int(line, 16) for line in case.files.get("bias.mem", "0").split()]
        self.biases = [tuple(unpack(line, self.bits, self.lanes)) for line in lines]
        self.clear()

    def clear(self) -> None:
        self.model = Words(self.biases, self.bits)
        self.pipe = deque([Access(), Access()])
        self.changed: dict[tuple[int, int], int] = {}
        self.now = self.read = self.sweeps = 0
        self.quiet = 0  # cycles until the sweep starts
        self.sweeping: int | None = None  # cycles since it has started

    def drive(self) -> None:
        rng, dut = self.rng, self.dut
        if self.sweeping is None and self.quiet == 0 and rng.random() < 0.01:
            self.quiet = SETTLED
        start = self.sweeping is None and (not self.model.values or self.quiet == 1)
        self.starting = start
        idle = self.sweeping is not None or self.quiet > 0 or not self.model.values
        banks = rng.sample(range(self.banks), self.slots)
        spots = [rng.randrange(self.words) for _ in banks]
        adds = [not idle and rng.random() >= self.gap for _ in banks]
        self.busy = sum(1 << bank for bank, add in zip(banks, adds, strict=True) if add)
        addends = tuple(self._noise() for _ in banks)
        first = 0
        for bank, spot, add, addend in zip(banks, spots, adds, addends, strict=True):
            if add:
                first |= int(self.model.add((bank, spot), addend)) << bank
                self.changed[bank, spot] = self.now
        word = rng.randrange(self.banks), rng.randrange(self.words)
        old = self.now - self.changed.get(word, -SETTLED) >= SETTLED
        reads = not idle and old and not self.busy >> word[0] & 1 and rng.random() < 0.7
        self.access = Access(addends=addends, first=first, seen=self.model.read(word) if reads else None)
        dut.start_i.value = int(start or (self.sweeping is not None and self.rng.random() < 0.5))
        dut.add_i.value = sum(int(add) << slot for slot, add in enumerate(adds))
        dut.bank_i.value = pack(banks, len(dut.read_bank_i))
        dut.spot_i.value = pack(spots, len(dut.read_spot_i))
        dut.read_i.value = int(reads)
        dut.ask_i.value = int(reads or rng.random() < 0.5)
        dut.read_bank_i.value, dut.read_spot_i.value = word
        late = self.pipe[0].addends or [self._noise() for _ in banks]
        dut.addend_i.value = pack([pack(lanes, self.bits) for lanes in late], self.lanes * self.bits)

    def sample(self, _: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        assert dut.busy_o.value.to_unsigned() == self.busy
        late = self.pipe.popleft()
        if self.model.values and self.now > 1:
            assert dut.first_o.value.to_unsigned() == late.first, f"cycle {self.now}"
        if late.seen is not None:
            got = tuple(unpack(dut.data_o.value.to_unsigned(), self.bits, self.lanes))
            assert got == late.seen, f"cycle {self.now}: read {got}, expected {late.seen}"
            self.read += 1
        self.pipe.append(self.access)
        self.now += 1
        self._sweep()
        return True

    def _sweep(self) -> None:
        """Follow the sweep: it takes one cycle per word, from the one after its start on."""
        swept = self.dut.swept_o.value == 1
        assert swept == (self.sweeping == self.words), f"swept after {self.sweeping} cycles"
        self.quiet = max(0, self.quiet - 1)
        if swept:
            self.model.sweep(self.banks, self.words)
            self.changed = dict.fromkeys(self.model.values, self.now - 1)
            self.sweeping = None
            self.sweeps += 1
        elif self.sweeping is not None:
            self.sweeping += 1
        elif self.starting:
            self.sweeping = 1

    def _noise(self) -> tuple[int, ...]:
        return tuple(self.rng.getrandbits(self.bits) for _ in range(self.lanes))


@cocotb.test()
@cocotb.parametrize(gap=(0.0, 0.4, 0.9))
async def accesses(dut: Any, gap: float) -> None:
    agent = Accesses(dut, gap)
    bench = Bench(dut, [agent])
    await bench.start()
    for _ in range(3):
        await bench.cycles(1500)
        assert agent.sweeps > 1
        assert agent.read > 20 or (gap == 0.0 and agent.slots == 1)
        await bench.reset()
