# SPDX-License-Identifier: Apache-2.0
"""core_words: words are read and written in the same cycles, in any order; none is read while it is written."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Case, generator
from core_bench import CONFIG

CASES = {"all": Case(parameters={})}
ANSWER = 2
"""Cycles from a read to its answer."""
WORDS = CONFIG.sum_words + CONFIG.cached_words
LOW = 1 << WORDS.bit_length() - 1
"""Words from here on lie in memories of their own."""


class Words:
    """The words as a dictionary; reads and writes them with pauses, and puts noise on all pins that mean nothing."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause, self.rng = dut, pause, generator()
        chosen = self.rng.sample(range(WORDS), min(WORDS, 24))
        alike = [word + LOW for word in chosen if word + LOW < WORDS]  # at the same place above
        self.words = dict.fromkeys(sorted({0, WORDS - 1, LOW - 1, min(LOW, WORDS - 1), *chosen, *alike}), 0)
        self.unwritten = list(self.words)
        self.now = self.answers = 0
        self.due: dict[int, tuple[int, int]] = {}

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        data = rng.getrandbits(CONFIG.lanes * CONFIG.sum_bits)
        write = rng.random() >= self.pause
        written = self.unwritten.pop() if write and self.unwritten else rng.choice(list(self.words))
        dut.write_i.value, dut.write_address_i.value, dut.write_data_i.value = int(write), written, data
        read = not self.unwritten and rng.random() >= self.pause
        word = rng.choice([word for word in self.words if not write or word != written])
        dut.read_i.value, dut.read_address_i.value = int(read), word
        if read:
            self.due[self.now + ANSWER] = (word, self.words[word])
        if write:
            self.words[written] = data

    def sample(self, _: int) -> bool:
        if self.now in self.due:
            word, want = self.due.pop(self.now)
            got = self.dut.word_o.value.to_unsigned()
            assert got == want, f"word {word}: got {got:x}, expected {want:x}"
            self.answers += 1
        self.now += 1
        return True


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.4, 0.9))
async def reads_and_writes(dut: Any, pause: float) -> None:
    agent = Words(dut, pause)
    bench = Bench(dut, [agent])
    await bench.start()
    await bench.until(lambda: agent.answers > 800)
