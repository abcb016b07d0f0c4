# SPDX-License-Identifier: Apache-2.0
"""What the module benches share: a clocked bench, stream drivers and monitors, a scoreboard.

Inputs change after the falling clock edge and everything is sampled before the rising one, so a bench sees exactly
what a neighbouring register would. Every payload is one integer (a packed vector).
"""

from __future__ import annotations

import dataclasses
import os
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

from codesign.graph import Graph
from codesign.rtl.netlist import Parameters

TIMEOUT_CYCLES = 20_000
"""Cycles without progress after which a bench gives up."""


class Agent(Protocol):
    """Something that takes part in every cycle."""

    def drive(self) -> None:
        """Set inputs of the module under test."""

    def sample(self, now: int) -> bool:
        """Look at its signals just before the rising edge of cycle ``now``; true if there was progress."""


class Source:
    """Driver of a valid/ready stream: a token stays until it is taken; random bits while there is none.

    A token is spread over the ``data`` signals, its low bits over the first.
    """

    def __init__(self, valid: Any, ready: Any, data: Iterable[Any], *, pause: float, rng: random.Random) -> None:
        self.valid, self.ready, self.fields = valid, ready, list(data)
        self.bits = sum(len(field) for field in self.fields)
        self.pause, self.rng = pause, rng
        self.waiting: deque[int] = deque()
        self.taken_at: list[int] = []
        self.offering = False

    def clear(self) -> None:
        """Forget everything not yet taken (reset)."""
        self.waiting.clear()
        self.taken_at.clear()
        self.offering = False

    def drive(self) -> None:
        self.offering = bool(self.waiting) and (self.offering or self.rng.random() >= self.pause)
        self.valid.value = int(self.offering)
        token = self.waiting[0] if self.offering else self.rng.getrandbits(self.bits)
        for field in self.fields:
            field.value = token & ((1 << len(field)) - 1)
            token >>= len(field)

    def sample(self, now: int) -> bool:
        if not (self.offering and self.ready.value == 1):
            return False
        self.waiting.popleft()
        self.taken_at.append(now)
        self.offering = False
        return True


class Sink:
    """Monitor of a valid/ready stream with a ready of its own; checks that a stalled token stays as it is."""

    def __init__(self, valid: Any, ready: Any, data: Iterable[Any], *, pause: float, rng: random.Random) -> None:
        self.valid, self.ready, self.fields = valid, ready, list(data)
        self.pause, self.rng = pause, rng
        self.tokens: list[Any] = []  # an int each, or a tuple where there are several signals
        self.seen_at: list[int] = []
        self.stalled: int | tuple[int, ...] | None = None

    def clear(self) -> None:
        """Forget what was received (reset)."""
        self.tokens.clear()
        self.seen_at.clear()
        self.stalled = None

    def drive(self) -> None:
        self.accept = self.rng.random() >= self.pause
        self.ready.value = int(self.accept)

    def sample(self, now: int) -> bool:
        valid = self.valid.value == 1
        assert valid or self.stalled is None, "valid fell before ready came"
        if not valid:
            return False
        values = tuple(int(field.value) for field in self.fields)
        token = values[0] if len(values) == 1 else values
        assert self.stalled in (None, token), f"the token changed while stalled: {self.stalled} -> {token}"
        self.stalled = None if self.accept else token
        if self.accept:
            self.tokens.append(token)
            self.seen_at.append(now)
        return self.accept


class Bench:
    """Clock, reset and cycles of a module under test."""

    def __init__(self, dut: Any, agents: Iterable[Agent] = ()) -> None:
        self.dut = dut
        self.agents = list(agents)
        self.now = 0

    async def start(self) -> None:
        """Start the clock and reset."""
        Clock(self.dut.clk_i, 10, unit="ns").start()
        await self.reset()

    async def reset(self) -> None:
        """Hold the reset, if there is one, for two cycles of noise at the inputs; agents forget what they did."""
        for agent in self.agents:
            getattr(agent, "clear", lambda: None)()
        if not hasattr(self.dut, "rst_ni"):
            return
        self.dut.rst_ni.value = 0
        for _ in range(2):
            for agent in self.agents:
                agent.drive()
            await FallingEdge(self.dut.clk_i)
        self.dut.rst_ni.value = 1
        self.now = 0

    async def cycle(self) -> bool:
        """Go on by one cycle; true if an agent made progress."""
        for agent in self.agents:
            agent.drive()
        await ReadOnly()
        progress = [agent.sample(self.now) for agent in self.agents]
        self.now += 1
        await FallingEdge(self.dut.clk_i)
        return any(progress)

    async def cycles(self, count: int) -> None:
        """Go on by ``count`` cycles."""
        for _ in range(count):
            await self.cycle()

    async def until(self, done: Callable[[], bool], *, timeout: int = TIMEOUT_CYCLES) -> None:
        """Go on until ``done()``; fail after ``timeout`` cycles without progress."""
        idle = 0
        while not done():
            idle = 0 if await self.cycle() else idle + 1
            assert idle < timeout, f"no progress for {timeout} cycles"


Parse = Callable[[Any], Any]


async def drain(
    bench: Bench,
    source: Source,
    sink: Sink,
    expected: list[Any],
    parse: Parse = lambda token: token,
    *,
    quiet: int = 40,
    patience: int = 1,
) -> None:
    """Run until all of ``expected`` came out of ``parse``, then ``quiet`` cycles more: nothing else may come.

    patience: how many times as long as ours a top may stand still.
    """
    try:
        await bench.until(
            lambda: len(sink.tokens) > len(expected) or (not source.waiting and len(sink.tokens) == len(expected)),
            timeout=1000 * patience,
        )
        await bench.cycles(quiet)
    finally:
        check(sink, expected, parse)
    assert len(sink.tokens) == len(expected), f"{len(sink.tokens)} tokens, expected {len(expected)}"


def check(sink: Sink, expected: list[Any], parse: Parse = lambda token: token) -> None:
    """The scoreboard: compare in order, as far as tokens came."""
    received = [parse(token) for token in sink.tokens]
    for index, (got, want) in enumerate(zip(received, expected, strict=False)):
        assert got == want, f"token {index}: got {got}, expected {want}"
    extra = received[len(expected) :]
    assert not extra, f"{len(extra)} tokens too many: {extra[:3]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One build of a module: its parameters, its memory files, and the graph the bench computes with."""

    parameters: Parameters
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    graph: Graph | None = None


def this_case(cases: Mapping[str, Case]) -> Case:
    """Return the case this simulation was built for."""
    return cases[os.environ["BENCH_CASE"]]


def generator() -> random.Random:
    """Return the random generator of a cocotb test; cocotb prints its seed."""
    return random.Random(cocotb.RANDOM_SEED)


STALLS = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.6))
"""Probabilities of a pause at the source and at the sink: full rate, slow source, slow sink, both."""
