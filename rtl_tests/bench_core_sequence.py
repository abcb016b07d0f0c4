# SPDX-License-Identifier: Apache-2.0
"""core_sequence: which steps of a program are executed in a frame, in which order, and when."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Any

import cocotb
from bench import Bench, Case, generator
from cocotb.triggers import FallingEdge
from core_bench import CONFIG
from core_tokens import INDEX, packed

from codesign.core.bits import number_words
from codesign.core.program import Step, values_of
from codesign.core.records import STEP

CASES = {"all": Case(parameters={})}
STEP_WORDS = STEP.words(CONFIG)
READ = STEP_WORDS + 2
"""Cycles in which a step is read and looked at."""

Event = tuple[object, ...]
"""What is seen: a sweep with its addresses, a start with the step, a frame's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame: whether it says that it starts a stream, and which engines it touches."""

    first: bool
    dirty: frozenset[int]


def random_program(rng: random.Random, steps: int) -> list[Step]:
    """Return steps of any fields: sources, passes, packets."""
    program = []
    for at in range(steps):
        fields = {field.name: rng.randint(*field.limits(CONFIG)) for field in STEP.fields}
        source = at == 0 or rng.random() < 0.1
        packet = rng.choice((1, 2)) if at == steps - 1 or (not source and rng.random() < 0.2) else 0
        fields |= {"source": int(source and not packet), "packet": packet, "engine": at}
        fields |= {"sweep_words": rng.choice((0, 1, rng.randint(1, 30))), "bias_period": rng.randint(1, 9)}
        program.append(Step(**fields))
    return program


def events(program: list[Step], frame: Frame, fresh: bool) -> list[Event]:
    """Return what a frame does; ``fresh``: it is the first of a stream."""
    seen: list[Event] = []
    for step in program if fresh else ():
        for at in range(step.sweep_words):
            read = step.bias_base + at % step.bias_period
            seen.append(("sweep", read & INDEX, step.sum_base + at & INDEX))
    for index, step in enumerate(program):
        if fresh or step.source or step.packet or step.engine in frame.dirty:
            seen.append(("beats" if step.source else "marks", index, packed(STEP, **values_of(step)), fresh))
    return [*seen, ("frame",)]


class Core:
    """The rest of a core: offers frames, ends passes and packets after a while, takes sweeps at its own pace.

    Attributes:
        delay: largest number of cycles from a start to its end.
        pace: how often a sweep is taken, and a frame is offered.
    """

    def __init__(self, dut: Any, delay: int, pace: float) -> None:
        self.dut, self.delay, self.pace, self.rng = dut, delay, pace, generator()
        self.loaded = True
        self.frames: deque[Frame] = deque()
        self.clear()

    def clear(self) -> None:
        self.frames.clear()
        self.seen: list[Event] = []
        self.seen_at: list[int] = []
        self.offered = self.inside = False
        self.waits: int | None = None  # cycles until a pass or packet ends
        self.kept: tuple[int, ...] | None = None
        self.sweep: tuple[int, ...] | None = None
        self.waited = self.spent = 0
        self.frame: Frame | None = None

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        self.offered = bool(self.frames) and (self.offered or rng.random() < self.pace)
        first = self.frames[0].first if self.offered else rng.random() < 0.5
        dut.beat_valid_i.value, dut.beat_first_i.value = int(self.offered), int(first)
        dut.loaded_i.value = int(self.loaded if dut.idle_o.value == 1 else rng.random() < 0.5)
        engine = STEP.unpack(CONFIG, dut.step_o.value.to_unsigned())["engine"]
        now = self.frame or (self.frames[0] if self.frames else None)
        dut.dirty_i.value = int(now is not None and engine in now.dirty)
        self.taken = rng.random() < self.pace
        dut.sweep_ready_i.value = int(self.taken)
        ends = self.waits == 0
        packet = bool(self.waits is not None and self.kept and STEP.unpack(CONFIG, self.kept[0])["packet"])
        noise = int(self.waits is not None and rng.random() < 0.3)  # of the other kind
        dut.done_i.value, dut.packet_done_i.value = (noise, int(ends)) if packet else (int(ends), noise)

    def sample(self, now: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        before = len(self.seen)
        self._pass(now)
        sweep = (dut.sweep_read_o.value.to_unsigned(), dut.sweep_write_o.value.to_unsigned())
        swept = dut.sweep_valid_o.value == 1
        assert self.sweep is None or (swept and sweep == self.sweep), "a sweep that was not taken went away"
        self.sweep = sweep if swept and not self.taken else None
        if swept and self.taken:
            self._see(now, "sweep", *sweep)
        if dut.frame_o.value == 1:
            assert dut.idle_o.value == 1
            self._see(now, "frame")
            self.inside, self.frame = False, None
        if dut.idle_o.value == 0 and not self.inside:
            self.inside = True
        assert dut.idle_o.value == 1 or self.inside
        assert dut.idle_o.value == 0 or not self.inside
        return len(self.seen) > before

    def _see(self, now: int, *event: object) -> None:
        self.seen.append(event)
        self.seen_at.append(now)
        assert event[0] == "frame" or self.dut.idle_o.value == 0, "idle in a frame"

    def _pass(self, now: int) -> None:
        """Follow a pass: the step stays until its end."""
        dut = self.dut
        step = (dut.step_o.value.to_unsigned(), dut.index_o.value.to_unsigned(), int(dut.fresh_o.value))
        started = [name for name in ("beats", "marks") if getattr(dut, f"{name}_start_o").value == 1]
        if self.waits is not None:
            assert step == self.kept, "the step changed in its pass"
            assert not started, "a step begins before the one before it is done"
            self.waits = None if self.waits == 0 else self.waits - 1
        for name in started:
            self._see(now, name, step[1], step[0], bool(step[2]))
            self.kept, self.waits = step, self.rng.randint(0, self.delay)
            self.spent += self.waits + 2
            if name == "beats" and self.frame is None:  # its first beats are taken: the next frame may be offered
                self.frame, self.offered = self.frames.popleft(), False


class Play:
    """A bench with a program, frames, and what is expected of them."""

    def __init__(self, dut: Any, delay: int, pace: float) -> None:
        self.dut, self.rng = dut, generator()
        self.core = Core(dut, delay, pace)
        self.bench = Bench(dut, [self.core])
        self.program: list[Step] = []
        self.first = True

    async def load(self, steps: int) -> None:
        """Write a program, while there is none; the next frame is the first of a stream."""
        dut = self.dut
        self.program, self.core.loaded = random_program(self.rng, steps), False
        words = [word for step in self.program for word in number_words(packed(STEP, **values_of(step)), STEP_WORDS)]
        for address, word in enumerate(words):
            dut.load_i.value, dut.load_address_i.value, dut.load_data_i.value = 1, address, word
            await self.bench.cycle()
            dut.load_i.value, dut.load_data_i.value = 0, self.rng.getrandbits(32)
            if self.rng.random() < 0.1:
                await self.bench.cycle()
        dut.steps_i.value = steps
        self.core.loaded, self.first = True, True

    def frame(self, first: float = 0.2) -> list[Event]:
        """Queue a frame of any kind; return what it does."""
        rng = self.rng
        density = rng.choice((0.0, 0.5, 1.0))
        dirty = frozenset(step.engine for step in self.program if rng.random() < density)
        frame = Frame(first=rng.random() < first, dirty=dirty)
        self.core.frames.append(frame)
        seen = events(self.program, frame, self.first or frame.first)
        self.first = False
        return seen

    async def check(self, want: list[Event], quiet: int = 40) -> None:
        """Go on until all of ``want`` was seen, and nothing else."""
        seen = self.core.seen
        try:
            await self.bench.until(lambda: len(seen) >= len(want), timeout=200 * (len(self.program) + 1))
            await self.bench.cycles(quiet)
        finally:
            for at, (got, wanted) in enumerate(zip(seen, want, strict=False)):
                assert got == wanted, f"event {at}: got {got}, expected {wanted}"
        assert len(seen) == len(want)
        assert self.dut.idle_o.value == 1


async def make(dut: Any, delay: int, pace: float) -> Play:
    play = Play(dut, delay, pace)
    dut.load_i.value = dut.steps_i.value = 0
    play.core.loaded = False
    await play.bench.start()
    return play


@cocotb.test()
@cocotb.parametrize(delay=(0, 30), pace=(1.0, 0.3))
async def frames(dut: Any, delay: int, pace: float) -> None:
    """Programs one after the other, each with frames of some streams."""
    play = await make(dut, delay, pace)
    for steps in (2, 5, 3, 9):
        await play.load(steps)
        want = [event for _ in range(8) for event in play.frame()]
        await play.check(want)
        play.core.clear()


@cocotb.test()
async def largest(dut: Any) -> None:
    """As many steps as there may be, or as fit."""
    play = await make(dut, 0, 1.0)
    await play.load(min(255, CONFIG.step_words // STEP_WORDS))
    await play.check([event for _ in range(3) for event in play.frame()])


@cocotb.test()
@cocotb.parametrize(delay=(0, 7))
async def cycles(dut: Any, delay: int) -> None:
    """A step that is skipped costs its reading and a cycle; one that is sent another, and as long as it takes."""
    play = await make(dut, delay, 1.0)
    await play.load(6)
    for _ in range(12):
        play.core.seen_at.clear()
        play.core.seen.clear()
        spent, first, start = play.core.spent, play.first, play.bench.now
        want = play.frame()
        fresh = first or play.core.frames[0].first
        await play.check(want, quiet=3)
        sent = sum(event[0] in ("beats", "marks") for event in want)
        sweeps = sum(event[0] == "sweep" for event in want)
        cost = (1 + fresh) * 6 * (READ + 1) + sweeps + sent + play.core.spent - spent
        assert play.core.seen_at[-1] - start == 1 + cost


@cocotb.test()
async def not_loaded(dut: Any) -> None:
    """Without a network no frame begins; the first one after that starts a stream. In a frame it does not matter."""
    play = await make(dut, 3, 1.0)
    await play.load(3)
    want: list[Event] = []
    for _ in range(6):
        for _ in range(3):
            want += play.frame(0.0)
        await play.check(want)
        play.core.loaded, play.first = False, True
        later = play.frame(0.0)
        await play.check(want, quiet=play.rng.choice((1, 2, 60)))
        play.core.loaded = True
        want += later
        await play.check(want)


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    play = await make(dut, 5, 0.5)
    await play.load(4)
    for _ in range(12):
        for _ in range(3):
            play.frame()
        await play.bench.cycles(play.rng.randrange(1, 400))
        await play.bench.reset()
        play.first = True
    await play.check(play.frame())


@cocotb.test()
async def reset_of_a_cycle(dut: Any) -> None:
    """Nothing is started, and no frame ends, after a reset of one cycle, whatever it comes in."""
    play = await make(dut, 0, 1.0)
    await play.load(2)
    seen = set()
    for wait in range(160):
        play.frame()
        await play.bench.cycles(wait)
        seen.add(bool(play.core.seen))
        play.core.clear()
        dut.rst_ni.value, dut.beat_valid_i.value = 0, 0
        await FallingEdge(dut.clk_i)
        dut.rst_ni.value = 1
        await play.bench.cycles(4)
        assert not play.core.seen, f"reset {wait} cycles after the start: {play.core.seen}"
    assert seen == {False, True}, "resets before and after what is seen"
    play.first = True
    await play.check(play.frame())
