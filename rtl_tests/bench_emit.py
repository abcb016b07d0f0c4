# SPDX-License-Identifier: Apache-2.0
"""delta_emit: references over whole and short frames, padding, new streams, thresholds that change; golden model."""

from __future__ import annotations

import dataclasses
import os
import random
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case
from models import Word, pack

from codesign.fixed import Fixed, IntArray
from codesign.graph import Delta, Graph
from codesign.graph import Source as GraphSource
from codesign.graph.golden import Golden
from codesign.rtl import tokens
from codesign.rtl.parameters import delta_parameters
from codesign.rtl.roms import delta_memories

FRAMES = 60


def case(
    size: int, lanes: int, in_fmt: Fixed, fmt: Fixed, *, k: int, hold: float | None, channels: int = 0, **extra: int
) -> Case:
    """Return a layer of ``size`` elements whose steps differ by channel if ``k``; every element is one by default."""
    period = channels or size
    steps = tuple(int(step) for step in np.random.default_rng(size).integers(0, k + 1, period)) if k else (1,)
    delta = Delta(
        name="d0",
        input="in",
        shape=(size,),
        in_fmt=in_fmt,
        fmt=fmt,
        activation="identity" if fmt.signed else "relu",
        step_log2=steps,
        channels=period,
        lo=fmt.lo,
        hi=fmt.hi,
        hold=hold,
    )
    graph = Graph(name="t", nodes=(GraphSource(name="in", shape=(size,), fmt=in_fmt, lanes=lanes), delta))
    parameters = {**delta_parameters(delta, lanes), **extra}
    return Case(parameters=parameters, files=delta_memories(delta, lanes), graph=graph)


Z, R = Fixed(width=11, frac=6, signed=True), Fixed(width=6, frac=3, signed=True)
DENSE = "memoryless, no skip"
"""The case in which ``skip_i`` is low."""
CASES = {
    "1 word, hold": case(3, 3, Z, R, k=0, hold=0.75, SendCodes=0),
    "padded, steps, hold": case(10, 4, Z, Fixed(width=5, frac=3, signed=False), k=2, hold=1.0, SendCodes=0),
    "steps of a period": case(16, 2, Z, R, k=2, hold=1.0, channels=4, SendCodes=0),
    "steps of the lanes": case(18, 3, Z, R, k=2, hold=0.75, channels=3, SendCodes=0),
    DENSE: case(10, 4, Z, R, k=2, hold=None, SendCodes=0),
    "codes": case(9, 2, Z, R, k=0, hold=None, SendCodes=1),
}


class Model:
    """Golden model after word tokens: a word that does not come keeps its reference (its last z is fed again)."""

    def __init__(self, case: Case) -> None:
        assert case.graph is not None
        self.case, self.graph = case, case.graph
        self.delta = self.graph.deltas[0]
        self.lanes = self.graph.source.lanes
        self.golden = Golden(self.graph)
        self.threshold = self.delta.threshold()
        self.z = np.zeros(self.delta.size, np.int64)
        self.token_bits = tokens.word(-(-self.delta.size // self.lanes), self.lanes * self.delta.in_fmt.width).bits

    def set_threshold(self, threshold: int) -> None:
        """Hold by another threshold in the stream that the next frame starts."""
        self.threshold = threshold
        self.golden.graph = self.graph.with_thresholds({self.delta.name: threshold})

    def frame(self, z: IntArray, words: list[int], *, first_frame: bool) -> list[Word]:
        """Return the words out for a frame that brings ``words`` of ``z``; the last one ends it."""
        if first_frame:
            self.golden.reset()
            self.z[:] = 0
        for word in words:
            part = slice(word * self.lanes, (word + 1) * self.lanes)
            self.z[part] = z[part]
        trace = self.golden.run(self.z[None])
        lanes = self.lanes
        codes, deltas = (_padded(x[self.delta.name][0], lanes) for x in (trace.codes, trace.deltas))
        tokens = []
        for word in words:
            part = slice(word * lanes, (word + 1) * lanes)
            data = (
                self._codes(codes[part], word)
                if self.case.parameters["SendCodes"]
                else self._deltas(deltas[part], word)
            )
            tokens.append(Word(first_of_stream=first_frame, end_of_frame=word == words[-1], word=word, data=data))
        return tokens

    def _codes(self, codes: IntArray, word: int) -> int:
        used = min(self.lanes, self.delta.size - word * self.lanes)
        return pack(codes[:used], self.delta.fmt.width)

    def _deltas(self, deltas: IntArray, word: int) -> int:
        inside = np.arange(self.lanes) + word * self.lanes < self.delta.size
        sent = inside if dense() else inside & (deltas != 0)
        bits = self.delta.delta_bits
        return (pack(sent, 1) << (self.lanes * bits)) | pack(np.where(sent, deltas, 0), bits)

    def parse(self, token: int) -> Word:
        """Read an output token; what the lanes beyond the last element hold is not looked at."""
        lanes, send_codes = self.lanes, self.case.parameters["SendCodes"]
        bits = self.delta.fmt.width if send_codes else self.delta.delta_bits
        data_bits = lanes * (bits + (not send_codes))
        word = Word.parse(token, -(-self.delta.size // lanes), data_bits)
        used = max(0, min(lanes, self.delta.size - word.word * lanes))
        mask = ((1 << (used * bits)) - 1) | (0 if send_codes else ((1 << lanes) - 1) << (lanes * bits))
        return dataclasses.replace(word, data=word.data & mask)


def dense() -> bool:
    """Return whether this simulation sends every element."""
    return os.environ["BENCH_CASE"] == DENSE


def _padded(values: IntArray, lanes: int) -> IntArray:
    padded = np.zeros(-(-len(values) // lanes) * lanes, np.int64)
    padded[: len(values)] = values
    return padded


def next_threshold(rng: random.Random, delta: Delta) -> int:
    """Return the layer's threshold, none, half a step, the largest, or another one."""
    half, largest = max(1, 1 << delta.shift + max(delta.step_log2) >> 1), (1 << delta.threshold_bits) - 1
    return rng.choice((delta.threshold(), 0, half, largest, rng.randint(half, largest)))


def next_z(rng: random.Random, delta: Delta, z: IntArray, reference: IntArray) -> IntArray:
    """Return a frame near the old one: unchanged, around the hold threshold, or anywhere."""
    thresholds = delta.thresholds()
    threshold = (1 << delta.shift + delta.steps() >> 1) if thresholds is None else thresholds
    out = z.copy()
    for i in range(len(z)):
        near = (int(reference[i]) << delta.shift) + rng.choice((-1, 1)) * int(threshold[i]) + rng.randint(-1, 1)
        anywhere = rng.choice((delta.in_fmt.lo, delta.in_fmt.hi, rng.randint(delta.in_fmt.lo, delta.in_fmt.hi)))
        out[i] = rng.choice((z[i], z[i], near, anywhere))
    return out.clip(delta.in_fmt.lo, delta.in_fmt.hi)


def stimulus(rng: random.Random, model: Model, source: Source, frames: int) -> list[Word]:
    """Queue random frames and return the words expected: whole, short (repeating few words) and empty frames."""
    delta, lanes = model.delta, model.lanes
    words, bits = -(-delta.size // lanes), delta.in_fmt.width
    expected: list[Word] = []
    for t in range(frames):
        first_frame = t == 0 or rng.random() < 0.15
        if delta.hold is not None and first_frame:
            model.set_threshold(next_threshold(rng, delta))
        held = model.golden.graph.deltas[0]
        z = next_z(rng, held, model.z, model.golden._reference[delta.name])
        brought = list(range(words if first_frame else rng.choice((words, words, 1, rng.randint(1, words)))))
        if not first_frame and rng.random() < 0.1:
            tokens = [Word(has_word=False, end_of_frame=True)]
            expected += tokens
        else:
            expected += model.frame(z, brought, first_frame=first_frame)
            lines = [_padded(z, lanes)[w * lanes : (w + 1) * lanes] for w in brought]
            ends = [w == brought[-1] for w in brought]
            tokens = [
                Word(
                    first_of_stream=first_frame,
                    end_of_frame=end,
                    word=w,
                    data=pack(line, bits) | _noise(rng, delta, lanes, bits, w),
                )
                for w, line, end in zip(brought, lines, ends, strict=True)
            ]
        above = model.threshold << model.token_bits
        source.waiting.extend(above | token.pack(words, lanes * bits) for token in tokens)
    return expected


def _noise(rng: random.Random, delta: Delta, lanes: int, bits: int, word: int) -> int:
    """Random bits in the lanes beyond the last element."""
    used = min(lanes, delta.size - word * lanes)
    return rng.getrandbits(lanes * bits) >> (used * bits) << (used * bits)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def frames(dut: Any, stalls: tuple[float, float]) -> None:
    rng, model = generator(), Model(this_case(CASES))
    source = Source(dut.valid_i, dut.ready_o, [dut.token_i, dut.threshold_i], pause=stalls[0], rng=rng)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o], pause=stalls[1], rng=rng)
    bench = Bench(dut, [source, sink])
    dut.skip_i.value = int(not dense())
    await bench.start()
    expected = stimulus(rng, model, source, FRAMES)
    await drain(bench, source, sink, expected, model.parse)
    if stalls == (0.0, 0.0):
        assert source.taken_at == list(range(len(expected))), "one word per cycle"
        assert sink.seen_at == [at + 4 for at in source.taken_at], "latency 4 cycles"


@cocotb.test()
async def reset_in_a_frame(dut: Any) -> None:
    rng = generator()
    source = Source(dut.valid_i, dut.ready_o, [dut.token_i, dut.threshold_i], pause=0.2, rng=rng)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o], pause=0.2, rng=rng)
    bench = Bench(dut, [source, sink])
    dut.skip_i.value = int(not dense())
    await bench.start()
    for _ in range(5):
        stimulus(rng, Model(this_case(CASES)), source, 10)
        await bench.cycles(rng.randrange(5, 25))
        await bench.reset()
    model = Model(this_case(CASES))
    expected = stimulus(rng, model, source, 20)
    await drain(bench, source, sink, expected, model.parse)
