# SPDX-License-Identifier: Apache-2.0
"""core_region: bursts get the base of their region, none begins without one, and none is forgotten while under way."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, generator

CASES = {"a channel": Case(parameters={})}
PAGE = 4096


class Region:
    """A core that asks for bursts, a memory that answers them, and a processor that gives regions and takes them."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        self.dut, self.rng = dut, generator()
        self.core = Source(dut.valid_i, dut.ready_o, [dut.address_i, dut.length_i], pause=stalls[0], rng=self.rng)
        self.memory = Sink(dut.valid_o, dut.ready_i, [dut.address_o, dut.length_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self, self.core, self.memory])
        self.expected: list[tuple[int, int]] = []
        self.answers, self.slow, self.answered = 0, 0.6, False
        self.give(0, given=False)

    def give(self, page: int, *, given: bool = True) -> None:
        self.dut.base_i.value, self.dut.given_i.value, self.page = page, int(given), page

    def ask(self, count: int) -> None:
        for _ in range(count):
            address, length = self.rng.getrandbits(24), self.rng.getrandbits(8)
            self.core.waiting.append(address | length << 32)
            self.expected.append(((self.page * PAGE + address) % 2**32, length))

    @property
    def open(self) -> int:
        """Bursts that the core was rid of and that are not answered."""
        return len(self.core.taken_at) - self.answers

    def drive(self) -> None:
        self.answered = len(self.memory.tokens) > self.answers and self.rng.random() >= self.slow
        self.dut.done_i.value = int(self.answered)

    def sample(self, _: int) -> bool:
        assert int(self.dut.busy_o.value) == int(self.open > 0)
        self.answers += self.answered
        return self.answered

    async def drain(self) -> None:
        await self.bench.until(lambda: not self.core.waiting and not self.open)
        assert self.memory.tokens == self.expected
        await self.bench.cycle()
        assert not self.dut.busy_o.value


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def bursts(dut: Any, stalls: tuple[float, float]) -> None:
    """Each lies in the region that was given when it was taken; the address wraps around at 32 bits."""
    region = Region(dut, stalls)
    await region.bench.start()
    for page in (0, 1, 0xFFFFF, region.rng.getrandbits(20)):
        region.give(page)
        region.ask(40)
        await region.drain()


@cocotb.test()
async def none_begins_without_a_region(dut: Any) -> None:
    region = Region(dut, (0.0, 0.5))
    await region.bench.start()
    for page in (5, 9):
        region.ask(30)
        region.expected = region.expected[:-30]
        before = len(region.core.taken_at)
        await region.bench.cycles(20)
        assert len(region.core.taken_at) == before
        region.give(page)
        region.expected += [(page * PAGE + (token & 0xFFFFFF), token >> 32) for token in region.core.waiting]
        await region.bench.cycles(10)
        region.give(0, given=False)
        await region.bench.cycle()
        taken = len(region.core.taken_at)
        await region.bench.cycles(60)
        assert len(region.core.taken_at) == taken, "what began before goes on, nothing else does"
        assert before < taken < before + 30
        assert not region.open
        region.give(page)
        await region.drain()
        region.give(0, given=False)


@cocotb.test()
async def a_burst_keeps_its_base(dut: Any) -> None:
    region = Region(dut, (0.0, 1.0))
    await region.bench.start()
    region.give(3)
    region.ask(1)
    await region.bench.cycles(3)
    region.give(8)
    await region.bench.cycles(3)
    region.memory.pause = 0.0
    await region.drain()


@cocotb.test()
async def no_more_than_can_be_counted(dut: Any) -> None:
    region = Region(dut, (0.0, 0.0))
    region.slow = 1.0
    await region.bench.start()
    region.give(1)
    region.ask(80)
    await region.bench.cycles(100)
    assert region.open == 63
    region.slow = 0.0
    await region.drain()


@cocotb.test()
async def cycles(dut: Any) -> None:
    region = Region(dut, (0.0, 0.0))
    region.slow = 0.0
    await region.bench.start()
    region.give(2)
    region.ask(10)
    await region.drain()
    first = region.core.taken_at[0]
    assert region.core.taken_at == list(range(first, first + 10))
    assert region.memory.seen_at == [at + 1 for at in region.core.taken_at]


@cocotb.test()
async def after_a_reset(dut: Any) -> None:
    region = Region(dut, (0.0, 0.0))
    region.slow = 1.0
    await region.bench.start()
    region.give(2)
    region.ask(3)
    await region.bench.cycles(5)
    assert region.dut.busy_o.value
    region.expected, region.answers = [], 0
    await region.bench.reset()
    region.slow = 0.0
    region.ask(3)
    await region.drain()
