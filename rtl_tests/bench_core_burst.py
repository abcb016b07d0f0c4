# SPDX-License-Identifier: Apache-2.0
"""core_burst: records as bursts of AXI4, across 4 KiB and up to them."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator
from core_axi import PAGE, bursts
from core_bench import CONFIG

CASES = {"all": Case(parameters={})}
BITS = CONFIG.memory_bits or 32  # as core_pkg has it without a memory
ADDRESSES = CONFIG.memory_beats
EACH = PAGE * 8 // BITS
"""Beats of 4 KiB."""


def token(address: int, beats: int) -> int:
    """Return a record as the pins take it."""
    return address | beats << (ADDRESSES - 1).bit_length()


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def records(dut: Any, stalls: tuple[float, float]) -> None:
    """Records anywhere, most of them about the end of 4 KiB."""
    rng = generator()
    source = Source(dut.valid_i, dut.ready_o, [dut.address_i, dut.beats_i], pause=stalls[0], rng=rng)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.address_o, dut.length_o], pause=stalls[1], rng=rng)
    bench = Bench(dut, [source, sink])
    await bench.start()
    expected = []
    for _ in range(600):
        beats = rng.choice((1, 2, 255, rng.randint(1, 255)))
        end = rng.randrange(1, ADDRESSES // EACH + 1) * EACH
        address = rng.choice((end - beats, end - beats + 1, end - 1, end - 254, rng.randrange(ADDRESSES)))
        address = min(max(0, address), ADDRESSES - beats)
        source.waiting.append(token(address, beats))
        expected += list(bursts(address, beats, BITS))
    await drain(bench, source, sink, expected)
    assert len(expected) > 650


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """A record every 2 cycles, its burst 2 cycles after it is taken; one of two bursts takes 3."""
    rng = generator()
    source = Source(dut.valid_i, dut.ready_o, [dut.address_i, dut.beats_i], pause=0.0, rng=rng)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.address_o, dut.length_o], pause=0.0, rng=rng)
    bench = Bench(dut, [source, sink])
    await bench.start()
    expected = []
    for at in range(20):
        address = EACH - (8 if at % 5 else 4)
        source.waiting.append(token(address, 8))
        expected += list(bursts(address, 8, BITS))
    await drain(bench, source, sink, expected)
    assert np.diff(source.taken_at).tolist() == [2 + (at % 5 == 0) for at in range(19)]
    assert sink.seen_at[0] == source.taken_at[0] + 2


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    rng = generator()
    source = Source(dut.valid_i, dut.ready_o, [dut.address_i, dut.beats_i], pause=0.2, rng=rng)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.address_o, dut.length_o], pause=0.5, rng=rng)
    bench = Bench(dut, [source, sink])
    await bench.start()
    for _ in range(20):
        source.waiting.extend(token(EACH - 4, 8) for _ in range(10))
        await bench.cycles(rng.randrange(1, 20))
        await bench.reset()
        source.waiting.append(token(5, 3))
        await drain(bench, source, sink, list(bursts(5, 3, BITS)), quiet=10)
        sink.clear()
