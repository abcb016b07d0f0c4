# SPDX-License-Identifier: Apache-2.0
"""delta_admit: frames inside and stalls of a while ago decide whether the next frame waits."""

from __future__ import annotations

from collections import deque
from typing import Any

import cocotb
from bench import Bench, Case, generator, this_case

CASES = {
    "2 frames, 3 streams": Case(parameters={"Frames": 2, "Streams": 3, "Quiet": 5}),
    "3 frames, 1 stream": Case(parameters={"Frames": 3, "Streams": 1, "Quiet": 32}),
}


class Admit:
    """Drives frames and stalls at random, and says in every cycle what ``hold_o`` must be."""

    def __init__(self, dut: Any) -> None:
        parameters = {key: int(str(value)) for key, value in this_case(CASES).parameters.items()}
        self.dut, self.rng = dut, generator()
        self.frames, self.streams, self.quiet = parameters["Frames"], parameters["Streams"], parameters["Quiet"]
        self.stall_rate = self.enter_rate = 0.0
        self.held, self.let_in = 0, 0
        self.clear()

    def clear(self) -> None:
        self.inside, self.since = 0, self.quiet  # cycles since the last stall
        self.hurry = 6  # cycles in which frames begin at once, so that a stall from before the reset would show
        self.expected = deque([False] * 3)

    def drive(self) -> None:
        self.enter = self.rng.random() < (0.8 if self.hurry else self.enter_rate)
        self.hurry = max(0, self.hurry - 1)
        self.leave = self.inside > 0 and self.rng.random() < 0.1
        stalled = self.rng.random() < self.stall_rate
        self.stalled = 1 << self.rng.randrange(self.streams) if stalled else 0
        self.dut.enter_i.value, self.dut.leave_i.value = int(self.enter), int(self.leave)
        self.dut.stalled_i.value = self.stalled

    def sample(self, _: int) -> bool:
        """Compare with what was seen three cycles ago."""
        expected = self.expected.popleft()
        assert bool(self.dut.hold_o.value) == expected
        self.held += expected
        self.let_in += not expected
        self.since = 0 if self.stalled else self.since + 1
        self.inside += self.enter - self.leave
        self.expected.append(self.inside >= self.frames and self.since < self.quiet)
        return False


@cocotb.test()
@cocotb.parametrize(stall_rate=(0.0, 0.03, 0.3), enter_rate=(0.05, 0.15))
async def decisions(dut: Any, stall_rate: float, enter_rate: float) -> None:
    admit = Admit(dut)
    admit.stall_rate, admit.enter_rate = stall_rate, enter_rate
    bench = Bench(dut, [admit])
    await bench.start()
    for _ in range(3):
        await bench.cycles(500)
        await bench.reset()
    assert admit.let_in
    assert bool(admit.held) == (stall_rate > 0)
