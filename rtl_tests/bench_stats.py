# SPDX-License-Identifier: Apache-2.0
"""delta_stats: every counter counts its own pulse; unused addresses read 0."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from bench import Bench, Case, generator, this_case

CASES = {"2 engines": Case(parameters={"Engines": 2})}


class Pulses:
    """Random pulses, counted."""

    def __init__(self, dut: Any, engines: int, rng: random.Random) -> None:
        self.dut, self.engines, self.rng = dut, engines, rng
        self.counts = dict.fromkeys(range(4 + 4 * engines), 0)

    def clear(self) -> None:
        self.counts = dict.fromkeys(self.counts, 0)

    def drive(self) -> None:
        rate = self.rng.choice((0.1, 0.9))
        self.bits = [self.rng.random() < rate for _ in range(2 + 4 * self.engines)]
        self.dut.frame_i.value, self.dut.error_i.value = self.bits[0], self.bits[1]
        self.dut.probe_i.value = sum(bit << i for i, bit in enumerate(self.bits[2:]))

    def sample(self, _: int) -> bool:
        self.before = dict(self.counts)
        self.counts[0] += self.bits[0]
        self.counts[1] += 1
        self.counts[2] += self.bits[1]
        for i, bit in enumerate(self.bits[2:]):
            self.counts[4 + i] += bit
        return True


@cocotb.test()
async def counters(dut: Any) -> None:
    engines = int(str(this_case(CASES).parameters["Engines"]))
    pulses = Pulses(dut, engines, generator())
    bench = Bench(dut, [pulses])
    dut.stat_addr_i.value = 0
    await bench.start()
    for _ in range(2):
        await bench.cycles(300)
        for address in range(256):
            dut.stat_addr_i.value = address
            expected = pulses.before.get(address, 0)  # of two cycles before the answer's
            await bench.cycle()
            assert dut.stat_data_o.value == expected, f"counter {address}"
        await bench.reset()
