# SPDX-License-Identifier: Apache-2.0
"""core_gather: words from parts, without those that did not change."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator
from core_bench import CONFIG, MOST_PARTS
from models import pack

CASES = {"parts": Case(parameters={})}
Q, DELTA_BITS, INDEX_BITS = CONFIG.quantisers, CONFIG.delta_bits, CONFIG.index_bits


def gathered(word: int, deltas: list[int]) -> tuple[int, ...] | None:
    """Return the token of a word: end, word, mask, deltas; None if nothing changed."""
    mask = sum(int(delta != 0) << lane for lane, delta in enumerate(deltas))
    return (0, word, mask, pack(deltas, DELTA_BITS)) if mask else None


def tokens(word: int, deltas: list[int], widths: list[int], *, end: bool = False) -> list[int]:
    """Return the parts of a word, as one number each."""
    made = []
    for at in range(0, len(deltas), Q):
        part = deltas[at : at + Q]
        mask = sum(int(delta != 0) << lane for lane, delta in enumerate(part))
        token, shift = 0, 0
        fields = (int(end), word, int(at + Q == len(deltas)), mask, pack(part, DELTA_BITS))
        for value, width in zip(fields, widths, strict=True):
            token, shift = token | value << shift, shift + width
        made.append(token)
    return made


async def push(dut: Any, stalls: tuple[float, float], density: float, resets: int = 0) -> tuple[Source, Sink]:
    """Push passes of words of as many parts as there may be, some of them unchanged."""
    rng = generator()
    pins = [dut.end_i, dut.word_i, dut.last_part_i, dut.mask_i, dut.deltas_i]
    widths = [len(pin) for pin in pins]
    source = Source(dut.valid_i, dut.ready_o, pins, pause=stalls[0], rng=rng)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.end_o, dut.word_o, dut.mask_o, dut.deltas_o], pause=stalls[1], rng=rng)
    bench = Bench(dut, [source, sink])
    await bench.start()
    for left in reversed(range(resets + 1)):
        expected: list[Any] = []
        for _ in range(12):
            end = [rng.getrandbits(DELTA_BITS) for _ in range(Q)]
            for _ in range(rng.randint(0, 30)):
                parts = rng.randint(1, MOST_PARTS)
                word = rng.getrandbits(INDEX_BITS)
                least = -(1 << DELTA_BITS - 1)
                deltas = [
                    rng.choice((least, 1, rng.randint(least, -least - 1))) if rng.random() < density else 0
                    for _ in range(parts * Q)
                ]
                source.waiting.extend(tokens(word, deltas, widths))
                expected += [token for token in [gathered(word, deltas)] if token is not None]
            source.waiting.extend(tokens(0, end * rng.randint(1, 2), widths, end=True)[:1])  # perhaps not a last part
            expected.append("end")
        if left:
            await bench.cycles(rng.randrange(60))
            await bench.reset()
    await drain(bench, source, sink, expected, lambda t: ("end" if t[2] == 0 else t) if t[0] else t)
    return source, sink


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, density=(0.02, 0.2, 1.0))
async def words(dut: Any, stalls: tuple[float, float], density: float) -> None:
    source, sink = await push(dut, stalls, density)
    if stalls == (0.0, 0.0):
        assert np.diff(source.taken_at).tolist() == [1] * (len(source.taken_at) - 1), "1 part a cycle"
        assert set(sink.seen_at) <= {at + 1 for at in source.taken_at}, "latency 1 cycle"


@cocotb.test()
async def reset_in_a_word(dut: Any) -> None:
    await push(dut, (0.3, 0.3), 0.3, resets=20)
