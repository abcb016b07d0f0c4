# SPDX-License-Identifier: Apache-2.0
"""delta_fifo: order, capacity, latency, full rate, reset."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case

CASES = {
    "depth 1": Case(parameters={"Width": 5, "Depth": 1}),
    "depth 5": Case(parameters={"Width": 12, "Depth": 5}),
    "depth 5 without register": Case(parameters={"Width": 12, "Depth": 5, "Registered": False}),
}


async def make(dut: Any, stalls: tuple[float, float]) -> tuple[Bench, Source, Sink]:
    rng = generator()
    source = Source(dut.valid_i, dut.ready_o, [dut.data_i], pause=stalls[0], rng=rng)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.data_o], pause=stalls[1], rng=rng)
    bench = Bench(dut, [source, sink])
    await bench.start()
    return bench, source, sink


def tokens(dut: Any, count: int) -> list[int]:
    rng = generator()
    return [rng.getrandbits(len(dut.data_i)) for _ in range(count)]


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def order(dut: Any, stalls: tuple[float, float]) -> None:
    bench, source, sink = await make(dut, stalls)
    expected = tokens(dut, 300)
    source.waiting.extend(expected)
    await drain(bench, source, sink, expected)
    if stalls == (0.0, 0.0):
        assert source.taken_at == list(range(300)), "one token per cycle"
        assert sink.seen_at == [at + 1 for at in source.taken_at], "latency 1 cycle"


@cocotb.test()
async def capacity_and_reset(dut: Any) -> None:
    bench, source, sink = await make(dut, (0.0, 1.0))
    for _ in range(2):
        source.waiting.extend(tokens(dut, 40))
        await bench.cycles(60)
        parameters = {"Registered": True, **this_case(CASES).parameters}
        room = int(str(parameters["Depth"])) + bool(parameters["Registered"])
        assert len(source.taken_at) == room, "Depth tokens and one in the output register"
        await bench.reset()
    sink.pause = 0.0
    expected = tokens(dut, 40)
    source.waiting.extend(expected)
    await drain(bench, source, sink, expected)
