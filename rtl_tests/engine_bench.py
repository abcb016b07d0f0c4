# SPDX-License-Identifier: Apache-2.0
"""What the benches of ``delta_dense`` and ``delta_conv`` share: an engine beside its model, and tests that fit both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from bench import Bench, Case, Sink, Source, drain, generator, this_case
from conv_cases import CODE
from models import Word

from codesign.fixed import IntArray
from codesign.graph import Dense, Spatial
from codesign.graph.golden import Golden


class EngineBench:
    """Frames of codes in, tokens queued, word tokens expected.

    Args:
        dut: the engine.
        cases: it was built for one of these, whose graph ends with the engine.
        token: signals of an input token, low bits first.
        stalls: probability of a pause at the source and at the sink.
    """

    node: Dense | Spatial

    def __init__(self, dut: Any, cases: Mapping[str, Case], token: Iterable[Any], stalls: tuple[float, float]) -> None:
        graph = this_case(cases).graph
        assert graph is not None
        self.graph, self.golden, self.rng = graph, Golden(graph, "delta"), generator()
        self.source = Source(dut.valid_i, dut.ready_o, token, pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.source, self.sink])
        self.codes = np.zeros(graph.source.size, np.int64)
        self.first_frame = True
        self.expected: list[Word] = []

    async def reset(self) -> None:
        """Reset the engine and the model."""
        await self.bench.reset()
        self.restart()
        self.expected.clear()

    def restart(self) -> None:
        """Start a new stream in the model."""
        self.golden.reset()
        self.codes[:] = 0
        self.first_frame = True

    def moved(self, density: float) -> IntArray:
        """Return the codes of the last frame, each drawn anew with probability ``density``."""
        codes, rng = self.codes.copy(), self.rng
        for i in range(len(codes)):
            if rng.random() < density:
                codes[i] = rng.choice((CODE.lo, CODE.hi, rng.randint(CODE.lo, CODE.hi)))
        return codes

    def frame(self, density: float, *, first_of_stream: bool = False, skip: bool = True) -> Any:
        """Queue a frame in which ``density`` of the codes are drawn anew, and what it must cause."""
        raise NotImplementedError

    async def drain(self) -> None:
        """Wait for everything expected."""
        words, bits = self.node.words, self.node.pe * self.node.fmt.width
        await drain(self.bench, self.source, self.sink, self.expected, lambda t: Word.parse(t, words, bits))


async def random_frames(engine: EngineBench, count: int, density: float) -> None:
    """Frames of up to ``density``, one after the other; about every fifth starts a new stream."""
    await engine.bench.start()
    for _ in range(count):
        engine.frame(density * engine.rng.random(), first_of_stream=engine.rng.random() < 0.2)
    await engine.drain()


async def quiet_between_frames(engine: EngineBench, count: int) -> None:
    """Frames far apart: every one is sent without waiting for the next."""
    await engine.bench.start()
    for t in range(count):
        engine.frame(0.5, first_of_stream=t % 4 == 3)
        await engine.drain()


async def skip_off(engine: EngineBench, count: int) -> None:
    """Every element an event, most of them 0: every word is touched and sent."""
    await engine.bench.start()
    for _ in range(count):
        engine.frame(0.2, skip=False)
    await engine.drain()


async def reset_anywhere(engine: EngineBench, density: float, before_cycle: int) -> None:
    """Three frames and a reset in one of their first ``before_cycle`` cycles, again and again; then a whole frame."""
    await engine.bench.start()
    for _ in range(12):
        for _ in range(3):
            engine.frame(density)
        await engine.bench.cycles(engine.rng.randrange(2, before_cycle))
        await engine.reset()
    engine.frame(density)
    await engine.drain()
