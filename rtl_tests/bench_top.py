# SPDX-License-Identifier: Apache-2.0
"""An emitted top: AXI4-Stream in and out against the golden model, frame by frame and counter by counter.

Or the shell around a core that an HLS compiler made, by the tests `frames` and `reset_in_the_middle`.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Sink, Source, drain, generator
from random_graphs import extreme_frames, random_thresholds, random_walk, threshold_walk
from rtl_cases import Beats, CompiledCase, case_of

CASE = case_of(os.environ["BENCH_CASE"])
COMPILED = isinstance(CASE, CompiledCase)
"""The top is a shell around what an HLS compiler made: it has no counters, and takes its time."""
PATIENCE = 100 if COMPILED else 1
Word = tuple[tuple[int, ...], int]
"""Values of an output beat, and its TLAST."""


class Probes:
    """Counts what the engines say they do: the same bits that the harness and the counters see."""

    KINDS = ("events", "busy", "stalled", "frames")

    def __init__(self, dut: Any, engines: tuple[str, ...]) -> None:
        self.probe, self.engines = dut.probe_o, engines
        self.count: Counter[tuple[str, str]] = Counter()

    def clear(self) -> None:
        self.count.clear()

    def drive(self) -> None:
        """Nothing."""

    def sample(self, _: int) -> bool:
        bits = self.probe.value.to_unsigned()
        for e, engine in enumerate(self.engines):
            for k, kind in enumerate(self.KINDS):
                self.count[engine, kind] += (bits >> (4 * e + k)) & 1
        return any((bits >> (4 * e)) & 1 for e in range(len(self.engines)))


class Top:
    """Driver, monitor and probes around a top."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        self.dut, self.graph = dut, CASE.graph()
        self.rng = generator()
        self.numpy_rng = np.random.default_rng(self.rng.getrandbits(32))
        self.spec = CASE.spec(self.graph)
        self.beats = Beats(self.graph, skip=CASE.skip, spec=self.spec)
        inputs = [dut.s_axis_tlast, dut.s_axis_tuser, dut.s_axis_tdata]
        outputs = [dut.m_axis_tdata, dut.m_axis_tlast]
        self.source = Source(dut.s_axis_tvalid, dut.s_axis_tready, inputs, pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.m_axis_tvalid, dut.m_axis_tready, outputs, pause=stalls[1], rng=self.rng)
        self.probes = Probes(dut, self.spec.engines)
        self.bench = Bench(dut, [self.source, self.sink, self.probes])
        dut.stat_addr_i.value = 0
        dut.skip_i.value = int(CASE.skip)
        self.pushed = 0
        self.set_thresholds({})

    def set_thresholds(self, thresholds: dict[str, int]) -> None:
        """Hold by other thresholds in the stream that the next frame starts; no frame may be inside."""
        if self.spec.holds:
            self.dut.threshold_i.value = self.spec.threshold_word(thresholds)
            self.beats.golden.graph = self.graph.with_thresholds(thresholds)

    def walk(self, frames: int, density: float = 0.4) -> np.ndarray:
        """Return a random walk of the network's input, ``[frames, *shape]``."""
        return random_walk(self.numpy_rng, self.graph, frames, density)

    def push(self) -> None:
        """Hand the beats collected since the last time to the driver."""
        mask = (1 << self.spec.in_lane_bits) - 1
        beats = list(zip(self.beats.beats, self.beats.last, self.beats.user, strict=True))
        for beat, last, user in beats[self.pushed :]:
            data = sum((int(code) & mask) << (i * self.spec.in_lane_bits) for i, code in enumerate(beat))
            self.source.waiting.append((data << 2) | (int(user) << 1) | int(last))
        self.pushed = len(beats)

    def forget(self) -> None:
        """Expect nothing any more (reset)."""
        self.beats = Beats(self.graph, skip=CASE.skip, spec=self.spec)
        self.pushed = 0

    def expected(self) -> list[Word]:
        """Return the words of every packet."""
        words, lanes = self.spec.out_words, self.spec.out_lanes
        shaped = [packet.reshape(words, lanes).tolist() for packet in self.beats.packets]
        return [(tuple(word), int(i == words - 1)) for packet in shaped for i, word in enumerate(packet)]

    def parse(self, token: tuple[int, int]) -> Word:
        """Return an output beat as values."""
        data, last = token
        bits, signed = self.spec.out_lane_bits, self.graph.output.fmt.signed
        lanes = [(data >> (i * bits)) & ((1 << bits) - 1) for i in range(self.spec.out_lanes)]
        return tuple(v - (1 << bits) if signed and v >> (bits - 1) else v for v in lanes), last

    async def done(self, *, errors: int) -> None:
        """Every packet came, is right, and nothing else; counters, probes and error bits say what happened."""
        quiet = 40 * PATIENCE
        await drain(self.bench, self.source, self.sink, self.expected(), self.parse, quiet=quiet, patience=PATIENCE)
        frames = len(self.beats.packets)
        assert self.dut.error_o.value == errors
        if COMPILED:
            assert self.probes.count["core", "frames"] == frames
            return
        assert await self.counter(0) == frames
        for e, engine in enumerate(self.spec.engines):
            assert self.probes.count[engine, "events"] == self.beats.events[engine], f"events of {engine}"
            assert self.probes.count[engine, "frames"] == frames, f"frames of {engine}"
            for k, kind in enumerate(Probes.KINDS):
                assert await self.counter(4 + 4 * e + k) == self.probes.count[engine, kind], f"{kind} of {engine}"

    async def counter(self, address: int) -> int:
        """Return a counter; it is registered."""
        self.dut.stat_addr_i.value = address
        await self.bench.cycles(2)
        return int(self.dut.stat_data_o.value.to_unsigned())


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def frames(dut: Any, stalls: tuple[float, float]) -> None:
    """Random walks, extremes, thresholds, unchanged frames back to back, new streams."""
    top = Top(dut, stalls)
    await top.bench.start()
    for part in (
        top.walk(8),
        extreme_frames(top.graph),
        threshold_walk(top.numpy_rng, top.graph, 12),
        np.repeat(top.walk(2), 5, axis=0),
        top.walk(4, 1.0),
    ):
        for t, frame in enumerate(part):
            top.beats.add(frame, new=t == 0 and top.rng.random() < 0.5)
    top.push()
    await top.done(errors=0)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def thresholds(dut: Any, stalls: tuple[float, float]) -> None:
    """Every stream has other thresholds."""
    top = Top(dut, stalls)
    await top.bench.start()
    for _ in range(6):
        top.set_thresholds(random_thresholds(top.numpy_rng, top.graph))
        for t, frame in enumerate(top.walk(5)):
            top.beats.add(frame, new=t == 0)
        top.push()
        await top.done(errors=0)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def reset_in_the_middle(dut: Any, stalls: tuple[float, float]) -> None:
    """A reset anywhere in a frame: the next frame starts a new stream, as after power-up."""
    top = Top(dut, stalls)
    await top.bench.start()
    for _ in range(6):
        for frame in top.walk(6):
            top.beats.add(frame)
        top.push()
        await top.bench.cycles(top.rng.randrange(1, 200 * (10 if COMPILED else 1)))
        await top.bench.reset()
        top.forget()
    for frame in top.walk(4):
        top.beats.add(frame)
    top.push()
    await top.done(errors=0)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def malformed(dut: Any, stalls: tuple[float, float]) -> None:
    """Short frames, long frames and a missing TLAST set their sticky bit; every packet is right all the same."""
    top = Top(dut, stalls)
    full = top.spec.beats
    await top.bench.start()
    walk = iter(top.walk(40))
    top.beats.add(next(walk), beats=1)  # the first frame of a stream, cut short
    for length in (full, full + 1, full, 1, 2 * full + 1, 1, full):
        top.beats.add(next(walk), beats=length)
    top.beats.add(next(walk), last=False)
    top.beats.drop(next(walk))
    top.beats.add(next(walk), beats=1, new=True)
    top.beats.add(next(walk))
    top.push()
    await top.done(errors=2 if full == 1 else 3)
    errors = await top.counter(2)
    assert errors == (3 if full == 1 else 7), "each malformed frame counts once"
    await top.bench.reset()
    top.forget()
    top.beats.add(next(walk))
    top.push()
    await top.done(errors=0)
