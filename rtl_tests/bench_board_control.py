# SPDX-License-Identifier: Apache-2.0
"""board_control: thresholds between frames only, new streams and what is reported of them, resets of the core."""

from __future__ import annotations

from collections import deque
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Source, generator

CASES = {"9 bits": Case(parameters={"ThresholdWidth": 9})}
RESET_CYCLES = 4


class Core:
    """Takes beats at random and answers every frame with a packet some time later; sees one threshold a frame."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause, self.rng = dut, pause, generator()
        self.frames: list[tuple[int, int, int]] = []  # cycle and tuser of the first beat, threshold of the frame
        self.answers = True
        self.clear()

    def clear(self) -> None:
        self.inside: deque[int] = deque()  # thresholds of the frames in it
        self.first, self.began = True, False
        self.opening = (0, 0)  # cycle and tuser of the frame that began
        self.after_reset, self.told = True, 0  # nothing began since the reset; whether the last frame started a stream

    def drive(self) -> None:
        self.dut.core_tready_i.value = int(self.rng.random() >= self.pause)
        self.answer = bool(self.inside) and self.answers and self.rng.random() < 0.2
        self.dut.packet_i.value = int(self.answer)

    def sample(self, now: int) -> bool:
        dut = self.dut
        if not dut.core_rst_no.value:
            assert not dut.core_tvalid_o.value, "a beat in reset"
            assert not dut.s_axis_tready.value, "a beat in reset"
            self.clear()
            assert not dut.new_stream_o.value
            return False
        beat = bool(dut.core_tvalid_o.value and dut.core_tready_i.value)
        assert beat == bool(dut.s_axis_tvalid.value and dut.s_axis_tready.value)
        assert dut.new_stream_o.value == self.told, "what is reported of the last frame that began"
        if self.began:  # the first beat came one cycle ago: now the core needs its thresholds
            self.inside.append(int(dut.threshold_o.value))
            self.frames.append((*self.opening, self.inside[-1]))
            self.told, self.after_reset = int(self.after_reset or self.opening[1]), False  # a cycle later
        for threshold in self.inside:
            assert dut.threshold_o.value == threshold, "thresholds changed under a frame"
        if self.answer:
            self.inside.popleft()
        self.began = beat and self.first
        if self.began:
            self.opening = now, int(dut.core_tuser_o.value)
        if beat:
            self.first = bool(dut.s_axis_tlast.value)
        return beat or self.answer


class Control:
    """Frames, thresholds and pulses around the module."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        self.dut, self.rng = dut, generator()
        self.core = Core(dut, stalls[1])
        axis = [dut.s_axis_tlast, dut.s_axis_tuser]
        self.source = Source(dut.s_axis_tvalid, dut.s_axis_tready, axis, pause=stalls[0], rng=self.rng)
        self.bench = Bench(dut, [self.source, self.core])
        dut.reset_i.value = dut.new_stream_i.value = dut.threshold_i.value = 0

    def frames(self, lengths: list[int]) -> None:
        """Append frames without tuser."""
        for length in lengths:
            self.source.waiting.extend([0] * (length - 1) + [1])

    async def pulse(self, pin: Any) -> None:
        pin.value = 1
        await self.bench.cycle()
        pin.value = 0

    async def idle(self) -> None:
        await self.bench.until(lambda: not (self.source.waiting or self.core.inside or self.core.began))


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def thresholds(dut: Any, stalls: tuple[float, float]) -> None:
    """A frame has the thresholds that stood when it could begin, to its end, whatever is written meanwhile; other ones
    start a new stream."""
    control = Control(dut, stalls)
    await control.bench.start()
    written: list[tuple[int, int]] = [(0, 0)]
    control.frames([control.rng.randrange(1, 6) for _ in range(150)])
    for _ in range(25):
        await control.bench.cycles(control.rng.randrange(1, 40))
        written.append((control.bench.now, control.rng.getrandbits(9)))
        dut.threshold_i.value = written[-1][1]
    await control.idle()
    assert len(control.core.frames) == 150
    before, streams = control.core.frames[0][2], 0  # those before the first frame need no new stream
    for at, user, threshold in control.core.frames:
        allowed = [[value for since, value in written if since <= at - wait][-1:] for wait in range(3)]  # to notice
        assert [threshold] in allowed, f"the frame at {at} has {threshold}, not {allowed}"
        assert user or threshold == before, "other thresholds in the same stream"
        before, streams = threshold, streams + user
    assert 0 < streams < len(written), "a new stream without a reason"


@cocotb.test()
async def nothing_waits_without_need(dut: Any) -> None:
    """Without a change every beat passes at once; with one, the next frame waits until the last one has left."""
    control = Control(dut, (0.0, 0.0))
    await control.bench.start()
    await control.bench.cycles(RESET_CYCLES)
    control.frames([3, 1, 4, 1, 5])
    await control.bench.cycles(14)
    assert not control.source.waiting, "one beat per cycle"
    await control.idle()
    control.core.answers = False
    control.frames([2])
    await control.bench.cycles(5)
    dut.threshold_i.value = 77
    await control.bench.cycle()
    control.frames([2])
    await control.bench.cycles(20)
    assert len(control.source.waiting) == 2, "waits for the frame inside"
    control.core.answers = True
    await control.idle()
    assert [threshold for *_, threshold in control.core.frames][-2:] == [0, 77]


@cocotb.test()
async def new_stream(dut: Any) -> None:
    """The pulse marks the first beat of the next frame that begins, and only that."""
    control = Control(dut, (0.3, 0.3))
    await control.bench.start()
    for _ in range(15):
        before = len(control.core.frames)
        control.frames([6])
        await control.bench.until(lambda: len(control.source.waiting) in (3, 4))  # within a frame
        await control.pulse(dut.new_stream_i)
        control.frames([2, 2])
        await control.idle()
        control.source.waiting.extend([2, 1])  # the stream's own tuser
        await control.idle()
        assert [user for _, user, _ in control.core.frames[before:]] == [0, 1, 0, 1]


@cocotb.test()
async def resets(dut: Any) -> None:
    """The core is in reset for exactly four cycles; frames in it, and a new stream asked for, are forgotten."""
    control = Control(dut, (0.2, 0.2))
    await control.bench.start()
    for _ in range(20):
        control.core.answers = False
        control.frames([2, 3])
        await control.bench.until(lambda: not control.source.waiting)
        await control.pulse(dut.new_stream_i)
        dut.threshold_i.value = control.rng.getrandbits(9)
        await control.pulse(dut.reset_i)
        for _ in range(RESET_CYCLES):
            assert dut.core_rst_no.value == 0
            await control.bench.cycle()
        assert dut.core_rst_no.value == 1
        control.core.answers = True
        control.frames([2])
        await control.idle()
        assert control.core.frames[-1][1:] == (0, dut.threshold_i.value)
