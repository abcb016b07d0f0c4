# SPDX-License-Identifier: Apache-2.0
"""core_quantise: activation, rounding, step, clip and hold of one lane against the golden model."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Case, generator
from core_bench import CONFIG, lane, param_record, random_lane, random_shared, random_z, sent

CASES = {"all": Case(parameters={})}
LATENCY = 6
PASSES, VALUES = 60, 150


class Lane:
    """Pushes a value in most enabled cycles; reads each result ``LATENCY`` enabled cycles later."""

    def __init__(self, dut: Any, freeze: float) -> None:
        self.dut, self.freeze, self.rng = dut, freeze, generator()
        self.waiting: list[tuple[int, int, int]] = []
        self.inside: list[bool] = [False] * LATENCY
        self.results: list[tuple[int, int, int]] = []

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        self.enabled = rng.random() >= self.freeze
        self.pushed = self.enabled and bool(self.waiting) and rng.random() >= self.freeze
        noise = tuple(rng.getrandbits(len(pin)) for pin in (dut.z_i, dut.code_i, dut.param_i))
        z, code, param = self.waiting[0] if self.pushed else noise
        dut.enable_i.value = int(self.enabled)
        dut.z_i.value = z & ((1 << len(dut.z_i)) - 1)
        dut.code_i.value = code & ((1 << len(dut.code_i)) - 1)
        dut.param_i.value = param

    def sample(self, _: int) -> bool:
        dut = self.dut
        if self.enabled:
            if self.inside[-1]:
                code, delta = dut.code_o.value.to_signed(), dut.delta_o.value.to_signed()
                self.results.append((code, delta, int(dut.changed_o.value)))
            if self.pushed:
                del self.waiting[0]
            self.inside = [self.pushed, *self.inside[:-1]]
        return self.enabled


def limit(value: int) -> int:
    """Return the bound of a clip range on the lattice of the sums, as far as it goes."""
    most = 1 << CONFIG.sum_bits
    return min(most - 1, max(-most, value)) & (2 * most - 1)


@cocotb.test()
@cocotb.parametrize(freeze=(0.0, 0.3))
async def values(dut: Any, freeze: float) -> None:
    rng = generator()
    pins = Lane(dut, freeze)
    bench = Bench(dut, [pins])
    await bench.start()
    for _ in range(PASSES):
        shared, skip = random_shared(rng), rng.random() < 0.8
        dut.skip_i.value = int(skip)
        dut.relu_i.value, dut.shift_i.value = int(shared["relu"]), shared["shift"]
        for name, bound in (("lo", dut.low_i), ("hi", dut.high_i)):
            getattr(dut, f"{name}_i").value = shared[name] & ((1 << CONFIG.code_bits) - 1)
            bound.value = limit(shared[name] << shared["shift"])
        expected, shown = [], []
        for _ in range(VALUES):
            step, threshold = random_lane(rng, shared)
            delta = lane(**shared, step=step, threshold=threshold)
            code = rng.choice((0, sent(delta, random_z(rng, delta, rng.randint(-99, 99), threshold), 0)))
            z, valid = random_z(rng, delta, code, threshold), rng.random() < 0.9
            pins.waiting.append((z, code, param_record(int(valid), step, threshold)))
            after = sent(delta, z, code) if valid else code
            expected.append((after, after - code, int(after != code if skip else valid)))
            shown.append((shared, step, threshold, z, code))
        done = len(pins.results) + VALUES
        await bench.until(lambda done=done: len(pins.results) == done)  # type: ignore[misc]
        for got, want, of in zip(pins.results[-VALUES:], expected, shown, strict=True):
            assert got == want, f"{of}: got {got}, expected {want}"
