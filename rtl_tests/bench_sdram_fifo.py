# SPDX-License-Identifier: Apache-2.0
"""sdram_fifo: order, capacity, latency, rate and reset, between clocks of many ratios."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, check, generator, this_case
from cocotb.clock import Clock
from cocotb.task import Task
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge

CASES = {
    "depth 4": Case(parameters={"Width": 5, "Depth": 4}),
    "depth 16": Case(parameters={"Width": 12, "Depth": 16}),
}
PERIODS_PS = {
    "same": (10_000, 10_000),
    "nearly the same": (10_000, 10_002),
    "75 to 120 MHz": (13_334, 8334),
    "120 to 75 MHz": (8334, 13_334),
    "100 to 13 MHz": (10_000, 76_924),
    "13 to 100 MHz": (76_924, 10_000),
}
"""Periods of the clock that writes and the one that reads."""
EDGES = 3
"""Edges of its clock after which one side knows what the other one did."""
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "1"))


class Fifo:
    """Both sides of the module, each with the cycles of its clock."""

    def __init__(self, dut: Any, periods: tuple[int, int], stalls: tuple[float, float]) -> None:
        self.dut, self.periods, self.rng = dut, periods, generator()
        self.source = Source(dut.valid_i, dut.ready_o, [dut.data_i], pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.data_o], pause=stalls[1], rng=self.rng)
        write = SimpleNamespace(clk_i=dut.write_clk_i, rst_ni=dut.write_rst_ni)
        read = SimpleNamespace(clk_i=dut.read_clk_i, rst_ni=dut.read_rst_ni)
        self.write, self.read = Bench(write, [self.source]), Bench(read, [self.sink])
        self.task: Task[None] | None = None

    async def start(self) -> None:
        """Start both clocks and reset."""
        for clock, period in zip((self.dut.write_clk_i, self.dut.read_clk_i), self.periods, strict=True):
            Clock(clock, period, unit="ps").start()
        await self.reset()

    async def reset(self) -> None:
        """Hold both resets together for some cycles of the slower clock, with noise; the ends are anywhere."""
        if self.task is not None:
            self.task.cancel()
        self.source.clear()
        self.sink.clear()
        sides = [self.write, self.read]
        self.rng.shuffle(sides)
        slow = self.write if self.periods[0] > self.periods[1] else self.read
        for side in sides:
            await FallingEdge(side.dut.clk_i)
            side.dut.rst_ni.value = 0
        for turn in range(7):
            for agent in (self.source, self.sink):
                agent.drive()
            await FallingEdge(slow.dut.clk_i)
            assert turn == 0 or (self.dut.ready_o.value, self.dut.valid_o.value) == (0, 0), "in reset"
        for side in sides:
            await FallingEdge(side.dut.clk_i)
            side.dut.rst_ni.value = 1
        self.task = cocotb.start_soon(self._write())
        await FallingEdge(self.dut.read_clk_i)

    async def _write(self) -> None:
        await FallingEdge(self.dut.write_clk_i)
        await self.write.cycles(1_000_000)

    async def wait(self, cycles: int) -> None:
        """Let cycles of the slower clock go by."""
        await self.read.cycles(cycles * max(1, self.periods[0] // self.periods[1]))

    def send(self, count: int) -> list[int]:
        """Offer random tokens, and return them."""
        made = [self.rng.getrandbits(len(self.dut.data_i)) for _ in range(count)]
        self.source.waiting.extend(made)
        return made

    async def expect(self, tokens: list[int]) -> None:
        """Wait for these tokens, and see that none comes after them."""
        try:
            await self.read.until(lambda: len(self.sink.tokens) >= len(tokens), timeout=2000)
            await self.wait(100)
        finally:
            check(self.sink, tokens)
        assert len(self.sink.tokens) == len(tokens)


async def make(dut: Any, periods: str, stalls: tuple[float, float] = (0.0, 0.0)) -> Fifo:
    fifo = Fifo(dut, PERIODS_PS[periods], stalls)
    await fifo.start()
    return fifo


@cocotb.test()
@cocotb.parametrize(periods=tuple(PERIODS_PS), stalls=STALLS)
async def order(dut: Any, periods: str, stalls: tuple[float, float]) -> None:
    fifo = await make(dut, periods, stalls)
    count = 300 * ROUNDS
    await fifo.expect(fifo.send(count))
    if stalls == (0.0, 0.0) and this_case(CASES).parameters["Depth"] == 16:
        slow = PERIODS_PS[periods].index(max(PERIODS_PS[periods]))
        times = (fifo.source.taken_at, fifo.sink.seen_at)[slow][20:-20]
        assert times[-1] - times[0] == len(times) - 1, "one token per cycle of the slower clock"


@cocotb.test()
@cocotb.parametrize(periods=tuple(PERIODS_PS))
async def capacity_and_reset(dut: Any, periods: str) -> None:
    fifo = await make(dut, periods, (0.0, 1.0))
    for _ in range(3):
        fifo.send(60)
        await fifo.wait(100)
        room = int(str(this_case(CASES).parameters["Depth"])) + 1
        assert len(fifo.source.taken_at) == room, "Depth tokens and one in the output register"
        await fifo.reset()
    fifo.sink.pause = 0.0
    await fifo.expect(fifo.send(60))
    fifo.sink.pause = 1.0
    sent = fifo.send(9)
    await fifo.wait(200)
    fifo.sink.clear()
    fifo.sink.pause = 0.3
    await fifo.expect(sent)


async def edges_until(clock: Any, signal: Any) -> int:
    """Return the rising edges of a clock from now on after which a signal is high."""
    count = 0
    while signal.value == 0:
        await RisingEdge(clock)
        await ReadOnly()
        count += 1
        assert count < 100
    return count


@cocotb.test()
@cocotb.parametrize(periods=("nearly the same", "75 to 120 MHz", "13 to 100 MHz", "100 to 13 MHz"))
async def latency(dut: Any, periods: str) -> None:
    """After which edge a token is there, and after which there is room again."""
    fifo = await make(dut, periods, (0.0, 1.0))
    fifo.task.cancel() if fifo.task else None
    for _ in range(20):
        dut.valid_i.value, dut.ready_i.value = 0, 0
        for _ in range(fifo.rng.randrange(3, 9)):
            await FallingEdge(dut.write_clk_i)
        dut.valid_i.value = 1
        await RisingEdge(dut.write_clk_i)
        found = cocotb.start_soon(edges_until(dut.read_clk_i, dut.valid_o))
        await FallingEdge(dut.write_clk_i)
        dut.valid_i.value = 0
        assert await found == EDGES
        await FallingEdge(dut.write_clk_i)
        dut.valid_i.value = 1
        for _ in range(300):
            await FallingEdge(dut.write_clk_i)
        assert dut.ready_o.value == 0
        await FallingEdge(dut.read_clk_i)
        dut.ready_i.value = 1
        await RisingEdge(dut.read_clk_i)
        room = cocotb.start_soon(edges_until(dut.write_clk_i, dut.ready_o))
        assert await room == EDGES
        await FallingEdge(dut.write_clk_i)
        dut.valid_i.value = 0
        for _ in range(40):
            await FallingEdge(dut.read_clk_i)
        for _ in range(8):
            await FallingEdge(dut.write_clk_i)
        assert dut.valid_o.value == 0
