# SPDX-License-Identifier: Apache-2.0
"""board_uart_tx: bytes, exact rate, edges within a cycle, pauses, reset."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Case, Source, generator, this_case
from serial_line import Listener

CASES = {
    "25 MHz, 3 Mbaud": Case(parameters={"ClockHz": 25_000_000, "Baud": 3_000_000}),
    "100 MHz, 3 Mbaud": Case(parameters={"ClockHz": 100_000_000, "Baud": 3_000_000}),
}


def make(dut: Any, pause: float) -> tuple[Bench, Source, Listener]:
    parameters = this_case(CASES).parameters
    source = Source(dut.valid_i, dut.ready_o, [dut.data_i], pause=pause, rng=generator())
    listener = Listener(dut.tx_o, int(str(parameters["ClockHz"])) / int(str(parameters["Baud"])))
    return Bench(dut, [source, listener]), source, listener


async def finish(bench: Bench, listener: Listener, count: int) -> None:
    await bench.until(lambda: len(listener.data) >= count)
    await bench.cycles(int(12 * listener.period))
    assert len(listener.data) == count
    assert listener.edge_error <= 1.0, "no edge is a cycle off"


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.99))
async def sends(dut: Any, pause: float) -> None:
    bench, source, listener = make(dut, pause)
    await bench.start()
    data = [source.rng.getrandbits(8) for _ in range(60)]
    source.waiting.extend(data)
    await finish(bench, listener, len(data))
    assert listener.data == data
    assert listener.started_at[0] == source.taken_at[0] + 1, "latency 1 cycle"
    if pause == 0:
        took = listener.started_at[-1] - listener.started_at[0]
        assert abs(took - 10 * listener.period * (len(data) - 1)) <= 1, "10 bits per byte"


@cocotb.test()
async def reset_within_a_byte(dut: Any) -> None:
    bench, source, listener = make(dut, 0.0)
    await bench.start()
    for _ in range(8):
        source.waiting.extend([0x00, 0x00])
        await bench.cycles(source.rng.randrange(5, int(9 * listener.period)))
        await bench.reset()
        assert dut.tx_o.value == 1
        source.waiting.append(0x35)
        await finish(bench, listener, 1)
        assert listener.data == [0x35]
