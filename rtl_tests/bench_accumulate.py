# SPDX-License-Identifier: Apache-2.0
"""delta_accumulate: additions at every distance and in any bank, beside readings of the other banks, and set words."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import cocotb
from bench import Bench, Case, generator, this_case
from models import pack, unpack

CASES = {
    "one bank": Case(parameters={"Banks": 1, "Words": 3, "Lanes": 1, "AccWidth": 7}),
    "2 banks of one word": Case(parameters={"Banks": 2, "Words": 1, "Lanes": 2, "AccWidth": 9}),
    "4 banks": Case(parameters={"Banks": 4, "Words": 5, "Lanes": 3, "AccWidth": 8}),
}
SETTLED = 4
"""Cycles between the last addition to a word and its reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What happens in one cycle: ``add`` and ``read`` are (bank, word), ``set`` is a word of all banks.

    ``data`` are the lanes of the addend or of the value set, ``seen`` what the reading must give.
    """

    add: tuple[int, int] | None = None
    set: int | None = None
    data: tuple[int, ...] = ()
    seen: tuple[int, ...] | None = None


class Accesses:
    """Every word is set first; then additions, one in ten a word set, and readings of words that have settled."""

    def __init__(self, dut: Any, rng: random.Random, *, gap: float) -> None:
        parameters = {key: int(str(value)) for key, value in this_case(CASES).parameters.items()}
        self.banks, self.words = parameters["Banks"], parameters["Words"]
        self.lanes, self.bits = parameters["Lanes"], parameters["AccWidth"]
        self.dut, self.rng, self.gap = dut, rng, gap
        self.clear()

    def clear(self) -> None:
        self.values: dict[tuple[int, int], tuple[int, ...]] = {}
        self.changed: dict[tuple[int, int], int] = {}  # cycle of the last access
        self.pipe = [Access(), Access()]  # of the cycles before
        self.now = self.seen = 0

    def drive(self) -> None:
        rng, dut = self.rng, self.dut
        add, word = None, None
        if len(self.values) < self.banks * self.words:
            word = len(self.values) // self.banks
        elif rng.random() >= self.gap:
            if rng.random() < 0.1:
                word = rng.randrange(self.words)
            else:
                add = rng.randrange(self.banks), rng.randrange(self.words)
        data = tuple(rng.getrandbits(self.bits) for _ in range(self.lanes))
        bank = rng.randrange(self.banks)
        if add and self.banks > 1:
            bank = (add[0] + rng.randrange(1, self.banks)) % self.banks
        spot = bank, rng.randrange(self.words)
        settled = self.now - self.changed.get(spot, self.now) >= SETTLED and not (add and self.banks == 1)
        seen = self.values[spot] if settled else None
        self.access = Access(add=add, set=word, data=data, seen=seen)
        dut.add_i.value, dut.set_i.value = int(add is not None), int(word is not None)
        dut.add_bank_i.value, dut.add_word_i.value = add or (rng.randrange(self.banks), rng.randrange(self.words))
        dut.set_word_i.value = rng.randrange(self.words) if word is None else word
        dut.read_bank_i.value, dut.read_word_i.value = spot
        dut.read_i.value = int(seen is not None)
        late = self.pipe[1]
        dut.addend_i.value = pack(late.data if late.add else self._noise(), self.bits)
        dut.set_value_i.value = pack(late.data if late.set is not None else self._noise(), self.bits)

    def sample(self, _: int) -> bool:
        if self.dut.rst_ni.value == 0:
            return False
        want = self.pipe[1].seen
        if want is not None:
            got = tuple(unpack(self.dut.data_o.value.to_unsigned(), self.bits, self.lanes))
            assert got == want, f"cycle {self.now}: read {got}, expected {want}"
            self.seen += 1
        self._follow(self.access)
        self.pipe = [self.access, self.pipe[0]]
        self.now += 1
        return True

    def _follow(self, access: Access) -> None:
        """Do in the model what the access does."""
        words = [access.add] if access.add else []
        if access.set is not None:
            words = [(bank, access.set) for bank in range(self.banks)]
        for word in words:
            before = self.values[word] if access.add else (0,) * self.lanes
            self.values[word] = tuple((a + b) % (1 << self.bits) for a, b in zip(before, access.data, strict=True))
            self.changed[word] = self.now

    def _noise(self) -> list[int]:
        return [self.rng.getrandbits(self.bits) for _ in range(self.lanes)]


@cocotb.test()
@cocotb.parametrize(gap=(0.0, 0.5, 0.9))
async def accesses(dut: Any, gap: float) -> None:
    agent = Accesses(dut, generator(), gap=gap)
    bench = Bench(dut, [agent])
    await bench.start()
    for _ in range(3):
        await bench.cycles(2500)
        assert agent.seen > 20
        await bench.reset()
