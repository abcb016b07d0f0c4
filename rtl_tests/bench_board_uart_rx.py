# SPDX-License-Identifier: Apache-2.0
"""board_uart_rx: bytes at rates that are off, glitches, framing errors, breaks, reset."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Case, generator, this_case
from cocotb.clock import Clock
from serial_line import Events, Talker

CASES = {
    "25 MHz, 3 Mbaud": Case(parameters={"ClockHz": 25_000_000, "Baud": 3_000_000}),
    "48 MHz, 3 Mbaud": Case(parameters={"ClockHz": 48_000_000, "Baud": 3_000_000}),
    "100 MHz, 3 Mbaud": Case(parameters={"ClockHz": 100_000_000, "Baud": 3_000_000}),
    "8 cycles a bit": Case(parameters={"ClockHz": 80, "Baud": 10}),
}


class Line:
    """A talker, and what the receiver made of it."""

    def __init__(self, dut: Any, *, off: float = 0.0, pause: float = 0.0) -> None:
        parameters = this_case(CASES).parameters
        self.period = int(str(parameters["ClockHz"])) / int(str(parameters["Baud"]))
        self.rng = generator()
        self.talker = Talker(dut.rx_i, self.period / (1 + off), self.rng, pause=pause)
        self.heard = Events([dut.valid_o, dut.error_o], [dut.data_o])
        self.bench = Bench(dut, [self.talker, self.heard])

    async def finish(self) -> list[int | None]:
        """Return the bytes that came, None for a framing error."""
        await self.bench.until(lambda: not self.talker.busy)
        await self.bench.cycles(int(2 * self.period))
        for (valid, error), _ in self.heard.seen:
            assert valid != error, "a byte or an error"
        heard = [data if valid else None for (valid, _), (data,) in self.heard.seen]
        self.heard.clear()
        return heard

    def bytes(self, count: int) -> list[int]:
        return [self.rng.choice((0x00, 0xFF, 0x7E, 0x55, self.rng.getrandbits(8))) for _ in range(count)]


@cocotb.test()
@cocotb.parametrize(off=(-0.02, 0.0, 0.02), pause=(0.0, 0.5))
async def rates(dut: Any, off: float, pause: float) -> None:
    line = Line(dut, off=off, pause=pause)
    await line.bench.start()
    await line.bench.cycles(10)
    data = line.bytes(30)
    line.talker.say(data)
    assert await line.finish() == data


@cocotb.test()
async def latency(dut: Any) -> None:
    line = Line(dut)
    await line.bench.start()
    await line.bench.cycles(10)
    for _ in range(20):
        before = line.bench.now
        line.talker.left = 0.0
        line.talker.say([0x00])
        await line.bench.until(lambda: bool(line.heard.seen))
        waited = line.bench.now - 1 - before
        assert abs(waited - (9.5 * line.period + 5)) <= 1.5, waited
        line.heard.clear()
        await line.finish()


@cocotb.test()
async def glitches(dut: Any) -> None:
    """A single wrong sample in a bit, and a short low level in a quiet line, are no bits."""
    line = Line(dut)
    await line.bench.start()
    await line.bench.cycles(10)
    for cycles in (1.0, 3.0):  # too short for a majority; seen, but over in the middle of the start bit
        for _ in range(20):
            line.talker.hold(0, cycles / line.period)
            line.talker.hold(1, 12)
        assert await line.finish() == []
    for _ in range(20):
        byte = line.rng.getrandbits(8)
        for bit in (0, *(byte >> i & 1 for i in range(8)), 1):
            middle = round(line.period / 2) / line.period  # a cycle around the sample is turned over
            line.talker.hold(bit, middle)
            line.talker.hold(1 - bit, 1 / line.period)
            line.talker.hold(bit, 1 - middle - 1 / line.period)
        line.talker.hold(1, 3)
        assert await line.finish() == [byte]


@cocotb.test()
async def framing_errors(dut: Any) -> None:
    line = Line(dut)
    await line.bench.start()
    await line.bench.cycles(10)
    for _ in range(10):
        byte = line.rng.getrandbits(8)
        line.talker.say([0x5A], stop=0)
        line.talker.hold(1, 1.5)
        line.talker.say([byte])
        assert await line.finish() == [None, byte]
    line.talker.hold(0, 45)  # a break is one error
    line.talker.hold(1, 1.5)
    line.talker.say([0xA5])
    assert await line.finish() == [None, 0xA5]


@cocotb.test()
async def reset_within_a_byte(dut: Any) -> None:
    line = Line(dut)
    await line.bench.start()
    for _ in range(10):
        await line.bench.cycles(10)
        line.talker.say(line.bytes(2))
        await line.bench.cycles(line.rng.randrange(5, int(15 * line.period)))
        await line.bench.reset()
        line.talker.hold(1, 10)  # what was under way ends
        await line.finish()
        data = line.bytes(5)
        line.talker.say(data)
        assert await line.finish() == data


@cocotb.test()
async def line_low_after_reset(dut: Any) -> None:
    """Nothing is a start bit before the line was 1."""
    line = Line(dut)
    line.talker.hold(0, 3)
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.rst_ni.value = 0
    await line.bench.cycles(8)
    dut.rst_ni.value = 1
    line.talker.hold(0, 20)
    line.talker.hold(1, 2)
    line.talker.say([0x42])
    assert await line.finish() == [0x42]
