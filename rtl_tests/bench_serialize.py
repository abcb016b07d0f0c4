# SPDX-License-Identifier: Apache-2.0
"""delta_serialize: which tokens leave, in which order, and when."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case
from models import Event, Word, pack, serialize

CASES = {
    "1 element": Case(parameters={"Size": 1, "Lanes": 1, "DeltaWidth": 3, "Depth": 2}),
    "5 of 3 lanes": Case(parameters={"Size": 14, "Lanes": 3, "DeltaWidth": 5, "Depth": 4}),
    "4 lanes": Case(parameters={"Size": 32, "Lanes": 4, "DeltaWidth": 9, "Depth": 8}),
}
Frame = list[tuple[Word, list[int | None]]]


class Words:
    """Random frames of words for the case of this build."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        parameters = {key: int(str(value)) for key, value in this_case(CASES).parameters.items()}
        self.size, self.lanes, self.bits = parameters["Size"], parameters["Lanes"], parameters["DeltaWidth"]
        self.words = -(-self.size // self.lanes)
        self.rng = generator()
        self.source = Source(dut.valid_i, dut.ready_o, [dut.token_i], pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.source, self.sink])

    def frame(self, density: float, *, first_frame: bool) -> Frame:
        """Return a frame; a mask bit may come with delta 0 (skip off)."""
        rng, frame = self.rng, Frame()
        for index in range(self.words):
            used = min(self.lanes, self.size - index * self.lanes)
            deltas: list[int | None] = [None] * self.lanes
            for lane in range(used):
                if rng.random() < density:
                    deltas[lane] = rng.choice((0, 1, -1, rng.randrange(-(1 << self.bits - 1), 1 << self.bits - 1)))
            frame.append((Word(first_of_stream=first_frame, end_of_frame=index == self.words - 1, word=index), deltas))
        return frame

    def push(self, frame: Frame) -> None:
        """Queue the tokens of a frame; deltas without a mask bit are noise."""
        for word, deltas in frame:
            data = [self.rng.getrandbits(self.bits) if delta is None else delta for delta in deltas]
            mask = pack((delta is not None for delta in deltas), 1) if word.has_word else 0
            packed = (mask << (self.lanes * self.bits)) | pack(data, self.bits)
            token = dataclasses.replace(word, data=packed)
            self.source.waiting.append(token.pack(self.words, self.lanes * (self.bits + 1)))

    async def drain(self, frames: list[Frame]) -> None:
        """Wait for all events of ``frames``."""
        expected = serialize((word for frame in frames for word in frame), self.lanes)
        await drain(self.bench, self.source, self.sink, expected, lambda t: Event.parse(t, self.size, self.bits))


def empty() -> Frame:
    """Return an untouched frame."""
    return [(Word(first_of_stream=random.random() < 0.5, has_word=False, end_of_frame=True), [None])]


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, density=(0.05, 0.3, 1.0))
async def frames(dut: Any, stalls: tuple[float, float], density: float) -> None:
    words = Words(dut, stalls)
    await words.bench.start()
    frames = [
        empty() if words.rng.random() < 0.15 else words.frame(density, first_frame=words.rng.random() < 0.3)
        for _ in range(60)
    ]
    for frame in frames:
        words.push(frame)
    await words.drain(frames)


@cocotb.test()
async def rates(dut: Any) -> None:
    """Back-to-back full words lose no cycle; unchanged words pass at one per cycle; latency 2."""
    words = Words(dut, (0.0, 0.0))
    await words.bench.start()
    frames = [words.frame(1.0, first_frame=False) for _ in range(8)]
    for frame in frames:
        words.push(frame)
    await words.drain(frames)
    assert words.sink.seen_at == list(range(2, 2 + 8 * words.size)), "one event a cycle, latency 2 cycles"
    await words.bench.reset()
    frames = [words.frame(0.0, first_frame=False) for _ in range(8)]
    for frame in frames:
        words.push(frame)
    await words.drain(frames)
    assert words.source.taken_at == list(range(8 * words.words)), "one unchanged word per cycle"


@cocotb.test()
async def reset_in_a_frame(dut: Any) -> None:
    words = Words(dut, (0.2, 0.4))
    await words.bench.start()
    for _ in range(8):
        words.push(words.frame(0.2, first_frame=True))
        await words.bench.cycles(words.rng.randrange(2, 12))
        await words.bench.reset()
    frames = [words.frame(0.3, first_frame=True) for _ in range(10)]
    for frame in frames:
        words.push(frame)
    await words.drain(frames)
