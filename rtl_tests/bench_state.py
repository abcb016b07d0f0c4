# SPDX-License-Identifier: Apache-2.0
"""delta_state: every access sees the results of all before it, at every distance, frozen or not."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from bench import Bench, Case, generator, this_case

CASES = {
    "one word": Case(parameters={"Words": 1, "Width": 9, "Distance": 1}),
    "any distance": Case(parameters={"Words": 4, "Width": 9, "Distance": 1}),
    "in turn": Case(parameters={"Words": 4, "Width": 9, "Distance": 4}),
}


class Accesses:
    """Random accesses with random freezes; the result of each is a function of its operand and its number."""

    def __init__(self, dut: Any, words: int, distance: int, rng: random.Random, *, freeze: float, gap: float) -> None:
        self.dut, self.words, self.distance, self.rng = dut, words, distance, rng
        self.freeze, self.gap = freeze, gap
        self.values: dict[int, int] = {}
        self.pipe: list[tuple[int, int | None] | None] = [None, None]  # (word, initial) in stages 1 and 2
        self.turn = self.done = 0

    def clear(self) -> None:
        self.values.clear()
        self.pipe = [None, None]

    def drive(self) -> None:
        dut, bits = self.dut, len(self.dut.initial_i)
        self.enabled = self.rng.random() >= self.freeze
        self.access: tuple[int, int | None] | None = None
        if self.rng.random() >= self.gap:
            word = self.turn % self.words if self.distance > 1 else self.rng.randrange(self.words)
            started = word in self.values or any(access and access[0] == word for access in self.pipe)
            load = not started or self.rng.random() < 0.1
            self.access = (word, self.rng.getrandbits(bits) if load else None)
        dut.enable_i.value = int(self.enabled)
        dut.valid_i.value = int(self.access is not None)
        dut.word_i.value = self.access[0] if self.access else self.rng.randrange(self.words)
        dut.load_i.value = int(self.access[1] is not None) if self.access else self.rng.getrandbits(1)
        initial = self.pipe[0][1] if self.pipe[0] else None
        dut.initial_i.value = self.rng.getrandbits(bits) if initial is None else initial
        self.operand = dut.operand_o.value.to_unsigned() if dut.operand_o.value.is_resolvable else 0
        self.result = (self.operand * 5 + self.done + 1) % (1 << bits)
        dut.result_i.value = self.result

    def sample(self, _: int) -> bool:
        if not self.enabled or self.dut.rst_ni.value == 0:
            return False
        if self.pipe[1]:
            word, initial = self.pipe[1]
            want = self.values[word] if initial is None else initial
            assert self.operand == want, f"access {self.done} of word {word}: got {self.operand}, expected {want}"
            self.values[word] = self.result
            self.done += 1
        self.pipe = [self.access, self.pipe[0]]
        self.turn += self.access is not None
        return True


@cocotb.test()
@cocotb.parametrize(freeze=(0.0, 0.4), gap=(0.0, 0.5))
async def accesses(dut: Any, freeze: float, gap: float) -> None:
    parameters = this_case(CASES).parameters
    words, distance = int(str(parameters["Words"])), int(str(parameters["Distance"]))
    agent = Accesses(dut, words, distance, generator(), freeze=freeze, gap=gap)
    bench = Bench(dut, [agent])
    await bench.start()
    for _ in range(3):
        await bench.until(lambda: agent.done >= 200)
        agent.done = 0
        await bench.reset()
