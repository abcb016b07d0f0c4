# SPDX-License-Identifier: Apache-2.0
"""core_beats: frames, new streams, short and long frames, error bits: as delta_encode, but only after a start."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator
from core_bench import CONFIG, signed, step_record
from models import Beat, Encode, Word, pack, unpack

CASES = {"4 lanes": Case(parameters={})}
LANES, CODE_BITS, SUM_BITS = CONFIG.quantisers, CONFIG.code_bits, CONFIG.sum_bits


def beats_of(words: list[Word], groups: int) -> list[Any]:
    """Return the tokens of a core for those of a pipeline's input: word, group and codes as sums, and ends."""
    tokens: list[Any] = []
    for word in words:
        codes = [signed(code, CODE_BITS) for code in unpack(word.data, CODE_BITS, LANES)]
        tokens.append((0, word.word, 0, 1, word.word % groups, pack(codes, SUM_BITS)))
        tokens += ["end"] * word.end_of_frame
    return tokens


class Starter:
    """Starts a frame some cycles after it waits, once the end of the one before was taken; counts what is counted."""

    def __init__(self, dut: Any, sink: Sink, pause: float, rng: random.Random) -> None:
        self.dut, self.sink, self.pause, self.rng = dut, sink, pause, rng
        self.clear()

    def clear(self) -> None:
        self.started, self.start, self.fresh = 0, False, 0
        self.begun = self.malformed = 0

    def drive(self) -> None:
        self.dut.start_i.value = int(self.start)
        self.dut.fresh_i.value = self.fresh
        self.started += self.start

    def sample(self, _: int) -> bool:
        dut = self.dut
        self.begun += dut.begin_o.value == 1
        self.malformed += dut.malformed_o.value == 1
        ended = sum(token[0] == 1 for token in self.sink.tokens)
        ready = ended == self.started and not self.start and dut.waiting_o.value == 1
        assert not (ended == self.started and dut.begin_o.value == 1), "a frame that was not started"
        self.start = bool(ready) and self.rng.random() >= self.pause
        if self.start:
            self.fresh = int(dut.fresh_o.value)
        return False


def frame(rng: random.Random, beats: int, user: float) -> list[Beat]:
    """Return ``beats`` random beats; tuser beyond the first is noise."""
    codes = [tuple(rng.choice((0, -1, rng.getrandbits(CODE_BITS))) for _ in range(LANES)) for _ in range(beats)]
    flags = [rng.random() < (user if i == 0 else 0.5) for i in range(beats)]
    return [Beat(codes=c, last=i == beats - 1, user=flags[i]) for i, c in enumerate(codes)]


async def push(
    dut: Any, stalls: tuple[float, float], words: int, lengths: list[int], *, resets: int = 0, user: float = 0.3
) -> list[int]:
    """Push frames of ``lengths`` beats; return when beats were taken."""
    rng = generator()
    groups = rng.randint(1, words + 2)
    dut.step_i.value = step_record(words=words, groups=groups)
    pins = [dut.s_axis_tlast, dut.s_axis_tuser, dut.s_axis_tdata]
    source = Source(dut.s_axis_tvalid, dut.s_axis_tready, pins, pause=stalls[0], rng=rng)
    out = [dut.end_o, dut.word_o, dut.part_o, dut.last_part_o, dut.group_o, dut.z_o]
    sink = Sink(dut.valid_o, dut.ready_i, out, pause=stalls[1], rng=rng)
    starter = Starter(dut, sink, stalls[0], rng)
    bench = Bench(dut, [source, sink, starter])
    await bench.start()
    for left in reversed(range(resets + 1)):
        model, tokens = Encode(beats=words, lanes=LANES), list[Word]()
        for length in lengths:
            for beat in frame(rng, length, user):
                source.waiting.append((pack(beat.codes, CODE_BITS) << 2) | (beat.user << 1) | int(beat.last))
                tokens += model.push(beat, CODE_BITS)
        if left:
            await bench.cycles(rng.randrange(3 * words + 4))
            await bench.reset()
    expected = beats_of(tokens, groups)
    await drain(bench, source, sink, expected, lambda token: "end" if token[0] else token)
    assert (dut.error_late_o.value, dut.error_early_o.value) == (model.late, model.early)
    assert starter.malformed == model.errors
    assert starter.begun == expected.count("end")
    if stalls == (0.0, 0.0) and not model.errors:
        at = [seen - 1 for seen, token in zip(sink.seen_at, sink.tokens, strict=True) if not token[0]]
        assert source.taken_at == at, "latency 1 cycle"
    return source.taken_at


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, words=(1, 5))
async def good_frames(dut: Any, stalls: tuple[float, float], words: int) -> None:
    taken = await push(dut, stalls, words, [words] * 40)
    if stalls == (0.0, 0.0):
        rises = np.diff(taken).reshape(-1)
        assert [int(rise) for at, rise in enumerate(rises, 1) if at % words] == [1] * (40 * (words - 1))


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, words=(1, 5))
async def malformed_frames(dut: Any, stalls: tuple[float, float], words: int) -> None:
    rng = generator()
    lengths = [rng.choice((1, words - 1 or 1, words, words, words + 1, 2 * words)) for _ in range(60)]
    await push(dut, stalls, words, lengths)


@cocotb.test()
@cocotb.parametrize(length=(1, 9), user=(0.0, 0.5))
async def only_short_or_long(dut: Any, length: int, user: float) -> None:
    """One error bit at a time, from the first frame on."""
    await push(dut, (0.2, 0.2), 5, [length] * 8, user=user)


@cocotb.test()
async def reset_in_a_frame(dut: Any) -> None:
    await push(dut, (0.2, 0.2), 5, [5, 7, 5, 1, 5], resets=20)
