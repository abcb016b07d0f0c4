# SPDX-License-Identifier: Apache-2.0
"""delta_maximum: the largest value of each lane, one cycle later."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Case, generator, this_case
from models import pack

CASES = {
    "6 signed": Case(parameters={"Lanes": 2, "Window": 6, "Width": 5, "Signed": 1}),
    "5 unsigned": Case(parameters={"Lanes": 3, "Window": 5, "Width": 4, "Signed": 0}),
    "1": Case(parameters={"Lanes": 2, "Window": 1, "Width": 9, "Signed": 1}),
}


class Windows:
    """Random values a cycle, most of them near an end of their range, and a word in most cycles."""

    def __init__(self, dut: Any) -> None:
        sizes = {key: int(str(value)) for key, value in this_case(CASES).parameters.items()}
        self.dut, self.rng, self.sizes = dut, generator(), sizes
        self.before: int | None = None

    def drive(self) -> None:
        bits, signed = self.sizes["Width"], self.sizes["Signed"]
        lo, hi = (-1 << (bits - 1), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        lanes = [
            [self.rng.choice((lo, hi, self.rng.randint(lo, hi))) for _ in range(self.sizes["Window"])]
            for _ in range(self.sizes["Lanes"])
        ]
        self.dut.values_i.value = pack([value for lane in lanes for value in lane], bits)
        self.dut.enable_i.value = int(self.rng.random() < 0.7)
        self.most = pack([max(lane) for lane in lanes], bits)

    def sample(self, _: int) -> bool:
        if self.before is not None:
            assert self.dut.most_o.value.to_unsigned() == self.before
        if self.dut.enable_i.value == 1:
            self.before = self.most
        return True


@cocotb.test()
async def windows(dut: Any) -> None:
    bench = Bench(dut, [Windows(dut)])
    await bench.start()
    await bench.cycles(1500)
