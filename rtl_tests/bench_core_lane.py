# SPDX-License-Identifier: Apache-2.0
"""core_lane: weight times delta, added to a sum or to the total, in the cycles that it names; sums that are loaded."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Case, generator
from core_bench import CONFIG, signed
from core_tokens import extreme

CASES = {"all": Case(parameters={})}
ADD, TOTAL = 4, 5
"""Cycles after issue in which an operation is added, and from which on its total is there."""
LINES = 32
WEIGHT_LINES = CONFIG.weight_lines + CONFIG.cached_lines


class Operations:
    """Issues chains of operations; sums are loaded while none is under way, and weights written now and then.

    Each pin gets its value in its cycle, and noise in all others. The total is looked at in every cycle.
    """

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause, self.rng = dut, pause, generator()
        self.weights = dict.fromkeys(self.rng.sample(range(WEIGHT_LINES), LINES), 0)
        self.now = self.done = self.loaded = self.quiet_at = 0
        self.left = 0
        self.total: int | None = None
        self.last: int | None = None
        self.plan: dict[int, dict[str, int]] = {}
        self.totals: dict[int, int] = {}
        self.running = False

    def _at(self, later: int, **pins: int) -> None:
        self.plan.setdefault(self.now + later, {"valid_i": 0}).update(pins)

    def _issue(self) -> None:
        first = self.left == 0
        if first:
            self.left = self.rng.choice((1, 1, 2, 5))
            self.last = extreme(self.rng, CONFIG.sum_bits)
            self._at(ADD, sum_i=self.last)
        self.left -= 1
        line, delta = self.rng.choice(list(self.weights)), extreme(self.rng, CONFIG.delta_bits)
        if self.rng.random() < 0.2:
            self._weight(line)
        assert self.last is not None
        self.last = signed(self.last + self.weights[line] * delta, CONFIG.sum_bits)
        self._at(0, delta_i=delta)
        self._at(1, line_i=line)
        self._at(ADD, first_i=int(first))
        for stage in range(ADD + 1):
            self._at(stage)
            self.plan[self.now + stage]["valid_i"] |= 1 << stage
        self.quiet_at = self.now + TOTAL
        self.totals[self.quiet_at] = self.last
        self.done += 1

    def _weight(self, line: int) -> None:
        """Write a line of weights, which is seen from the next cycle on, unless it is read in this one."""
        if self.plan.get(self.now, {}).get("line_i") != line:
            self.weights[line] = extreme(self.rng, CONFIG.weight_bits)
            self._at(0, write_weight_i=1, weight_address_i=line, weight_data_i=self.weights[line])

    def _load(self) -> None:
        """Load a sum, to which chains may be added, as to any other total."""
        self.last = self.totals[self.now + 1] = extreme(self.rng, CONFIG.sum_bits)
        self._at(0, load_sum_i=1, load_data_i=self.last)
        self.left = self.rng.randrange(2)
        self.loaded += 1

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        if self.running:
            if self.now >= self.quiet_at and rng.random() < 0.5 * self.pause:
                self._load()
            elif rng.random() >= self.pause:
                self._issue()
            read = self.plan.get(self.now + 1, {}).get("line_i")
            if rng.random() < 0.1 and "write_weight_i" not in self.plan.get(self.now, {}):
                self._weight(rng.choice([line for line in self.weights if line != read]))
        pins = self.plan.pop(self.now, {})
        names = ["line_i", "delta_i", "first_i", "sum_i", "load_data_i"]
        if self.running:
            dut.write_weight_i.value = pins.pop("write_weight_i", 0)
            names += ["weight_address_i", "weight_data_i"]
        for name in ("valid_i", "load_sum_i"):
            getattr(dut, name).value = pins.pop(name, 0)
        for name in names:
            pin = getattr(dut, name)
            pin.value = pins.pop(name, rng.getrandbits(len(pin))) & ((1 << len(pin)) - 1)
        assert not pins

    def sample(self, _: int) -> bool:
        self.total = self.totals.pop(self.now, self.total)
        if self.total is not None:
            got = self.dut.total_o.value.to_signed()
            assert got == self.total, f"got {got}, expected {self.total}"
        self.now += 1
        return True


async def load(bench: Bench, agent: Operations) -> None:
    """Write all weights; while none is written, the address is noise."""
    dut, rng, bits = bench.dut, agent.rng, CONFIG.weight_bits
    dut.write_weight_i.value = 0
    for line in agent.weights:
        agent.weights[line] = extreme(rng, bits)
        for write, address, data in (
            (1, line, agent.weights[line] & ((1 << bits) - 1)),
            (0, rng.choice(list(agent.weights)), rng.getrandbits(bits)),
        ):
            dut.write_weight_i.value, dut.weight_address_i.value, dut.weight_data_i.value = write, address, data
            await bench.cycle()


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.4, 0.9))
async def operations(dut: Any, pause: float) -> None:
    agent = Operations(dut, pause)
    bench = Bench(dut, [agent])
    await bench.start()
    await load(bench, agent)
    agent.running = True
    await bench.until(lambda: agent.done > 800)
    agent.running = False
    await bench.cycles(TOTAL + 1)
    assert not agent.totals, "every total was looked at"
    assert not pause or agent.loaded > 4, "sums were loaded"
