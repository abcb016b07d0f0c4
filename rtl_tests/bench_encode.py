# SPDX-License-Identifier: Apache-2.0
"""delta_encode: framing, new streams, short and long frames, error bits."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case
from models import Beat, Encode, Word, pack

CASES = {
    "1 beat": Case(parameters={"Beats": 1, "Lanes": 2, "CodeWidth": 5, "LaneWidth": 8}),
    "5 beats": Case(parameters={"Beats": 5, "Lanes": 3, "CodeWidth": 8, "LaneWidth": 8}),
}


class Malformed:
    """Counts the malformed pulses."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.count = dut, 0

    def clear(self) -> None:
        self.count = 0

    def drive(self) -> None:
        """Nothing."""

    def sample(self, _: int) -> bool:
        self.count += self.dut.malformed_o.value == 1
        return False


class Holder:
    """Holds frames back at random, and checks that they wait before their first beat, and nowhere else."""

    def __init__(self, dut: Any, rate: float, beats: int) -> None:
        self.dut, self.rate, self.beats, self.rng = dut, rate, beats, generator()
        self.clear()

    def clear(self) -> None:
        self.at, self.dropping = 0, False

    def drive(self) -> None:
        self.hold = self.rng.random() < self.rate
        self.dut.hold_i.value = int(self.hold)

    def sample(self, _: int) -> bool:
        dut = self.dut
        taken = bool(dut.s_axis_tvalid.value and dut.s_axis_tready.value)
        first = not self.at and not self.dropping
        assert bool(dut.begin_o.value) == (taken and first)
        assert not (taken and first and self.hold)
        if taken and self.dropping:
            self.dropping = not dut.s_axis_tlast.value
        elif taken:
            full, last = self.at == self.beats - 1, bool(dut.s_axis_tlast.value)
            self.dropping = full and not last
            self.at = 0 if full or last else self.at + 1
        return False


def frame(rng: random.Random, lanes: int, lane_bits: int, beats: int, *, last: bool, user: float) -> list[Beat]:
    """Return ``beats`` random beats; tuser beyond the first is noise."""
    codes = [tuple(rng.choice((0, -1, rng.getrandbits(lane_bits))) for _ in range(lanes)) for _ in range(beats)]
    flags = [rng.random() < (user if i == 0 else 0.5) for i in range(beats)]
    return [Beat(codes=c, last=last and i == beats - 1, user=flags[i]) for i, c in enumerate(codes)]


async def push(
    dut: Any, stalls: tuple[float, float], lengths: list[int], *, resets: int = 0, holds: float = 0.0
) -> None:
    parameters = {key: int(str(value)) for key, value in this_case(CASES).parameters.items()}
    beats, lanes = parameters["Beats"], parameters["Lanes"]
    bits, lane_bits = parameters["CodeWidth"], parameters["LaneWidth"]
    rng = generator()
    pins = [dut.s_axis_tlast, dut.s_axis_tuser, dut.s_axis_tdata]
    source = Source(dut.s_axis_tvalid, dut.s_axis_tready, pins, pause=stalls[0], rng=rng)
    malformed = Malformed(dut)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o], pause=stalls[1], rng=rng)
    bench = Bench(dut, [source, sink, malformed, Holder(dut, holds, beats)])
    await bench.start()
    for left in reversed(range(resets + 1)):
        model, expected = Encode(beats=beats, lanes=lanes), list[Word]()
        for length in lengths:
            for beat in frame(rng, lanes, lane_bits, length, last=True, user=0.3):
                source.waiting.append((pack(beat.codes, lane_bits) << 2) | (beat.user << 1) | int(beat.last))
                expected += model.push(beat, bits)
        if left:
            await bench.cycles(rng.randrange(2 * beats))
            await bench.reset()
    await drain(bench, source, sink, expected, lambda token: Word.parse(token, beats, lanes * bits))
    assert dut.error_o.value == (model.late << 1) | model.early
    assert malformed.count == model.errors
    if (*stalls, holds) == (0.0, 0.0, 0.0) and not model.errors:
        assert source.taken_at == list(range(beats * len(lengths))), "one beat per cycle"
        assert sink.seen_at == [at + 1 for at in source.taken_at], "latency 1 cycle"


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, holds=(0.0, 0.7))
async def good_frames(dut: Any, stalls: tuple[float, float], holds: float) -> None:
    await push(dut, stalls, [int(str(this_case(CASES).parameters["Beats"]))] * 40, holds=holds)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, holds=(0.0, 0.7))
async def malformed_frames(dut: Any, stalls: tuple[float, float], holds: float) -> None:
    beats = int(str(this_case(CASES).parameters["Beats"]))
    rng = generator()
    lengths = [rng.choice((1, beats - 1 or 1, beats, beats, beats + 1, 2 * beats)) for _ in range(60)]
    await push(dut, stalls, lengths, holds=holds)


@cocotb.test()
async def held_back(dut: Any) -> None:
    """A held frame is reported as stalled, not begun; once begun it runs through, the beats to drop, too."""
    parameters = {key: int(str(value)) for key, value in this_case(CASES).parameters.items()}
    beats, rng = parameters["Beats"], generator()
    pins = [dut.s_axis_tlast, dut.s_axis_tuser, dut.s_axis_tdata]
    source = Source(dut.s_axis_tvalid, dut.s_axis_tready, pins, pause=0.0, rng=rng)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o], pause=0.0, rng=rng)
    bench = Bench(dut, [source, sink])
    dut.hold_i.value = 1
    await bench.start()
    for _ in range(3):
        source.waiting.extend([0] * (beats + 2) + [1])  # three beats too many
        for _ in range(5):
            await bench.cycle()
            assert (dut.s_axis_tready.value, dut.busy_o.value, dut.stalled_o.value, dut.begin_o.value) == (0, 0, 1, 0)
        taken = len(source.taken_at)
        dut.hold_i.value = 0
        await bench.cycle()
        dut.hold_i.value = 1
        await bench.cycles(beats + 3)
        assert np.diff(source.taken_at[taken:]).tolist() == [1] * (beats + 2), "one beat per cycle"
        assert not source.waiting


@cocotb.test()
@cocotb.parametrize(length=(1, 9))
async def only_short_or_long(dut: Any, length: int) -> None:
    """One error bit at a time, from the first frame on."""
    await push(dut, (0.2, 0.2), [length] * 8)


@cocotb.test()
async def reset_in_a_frame(dut: Any) -> None:
    beats = int(str(this_case(CASES).parameters["Beats"]))
    await push(dut, (0.2, 0.2), [beats, beats + 2, beats, 1, beats], resets=20)
