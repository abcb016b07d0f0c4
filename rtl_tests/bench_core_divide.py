# SPDX-License-Identifier: Apache-2.0
"""core_divide: quotients and remainders by a reciprocal against Python's, and the order of what is carried along."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator

CASES = {"20 bits": Case(parameters={"Width": 12})}
LATENCY = 9


def divided(index: int, divisor: int) -> tuple[int, int]:
    """Return quotient and remainder."""
    return divmod(index, divisor)


def reciprocal(divisor: int, bits: int) -> tuple[int, int]:
    """Return the reciprocal and the shift that divide indices of ``bits`` bits exactly."""
    shift = bits + (divisor - 1).bit_length()
    return -(-(1 << shift) // divisor), shift


def operands(rng: random.Random, bits: int) -> tuple[int, int]:
    """Return an index and a divisor; often where the quotient changes, or small, or near a power of two."""
    most = 1 << bits
    near = 1 << rng.randrange(bits)
    divisor = rng.choice((rng.randint(1, 64), rng.randrange(1, most), near, near + 1, max(1, near - 1), most - 1))
    divisor = min(divisor, most - 1)
    multiple = divisor * rng.randint(0, (most - 1) // divisor)
    return rng.choice((rng.randrange(most), multiple, max(0, multiple - 1), most - 1, rng.randrange(64))), divisor


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def quotients(dut: Any, stalls: tuple[float, float]) -> None:
    rng, bits, width = generator(), len(dut.index_i), len(dut.payload_i)
    pins = [dut.index_i, dut.recip_i, dut.shift_i, dut.divisor_i, dut.payload_i]
    source = Source(dut.valid_i, dut.ready_o, pins, pause=stalls[0], rng=rng)
    outputs = [dut.quotient_o, dut.remainder_o, dut.payload_o]
    sink = Sink(dut.valid_o, dut.ready_i, outputs, pause=stalls[1], rng=rng)
    bench, expected = Bench(dut, [source, sink]), []
    await bench.start()
    for left in (1, 0):
        for _ in range(2000):
            (index, divisor), payload = operands(rng, bits), rng.getrandbits(width)
            recip, shift = reciprocal(divisor, bits)
            at, token = 0, 0
            for pin, value in zip(pins, (index, recip, shift, divisor, payload), strict=True):
                token, at = token | value << at, at + len(pin)
            source.waiting.append(token)
            expected.append((*divided(index, divisor), payload))
        if left:
            await bench.cycles(rng.randrange(60))
            await bench.reset()
            expected.clear()
    await drain(bench, source, sink, expected)
    if stalls == (0.0, 0.0):
        assert np.diff(source.taken_at).tolist() == [1] * (len(expected) - 1), "1 a cycle"
        assert sink.seen_at == [at + LATENCY for at in source.taken_at]
