# SPDX-License-Identifier: Apache-2.0
"""delta_dense: accumulators against the golden model; emission, untouched frames, new streams, cycle counts."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case
from models import Event, Word, pack

from codesign.fixed import Fixed, IntArray
from codesign.golden import Golden
from codesign.graph import Delta, Dense, Graph, accumulator_format
from codesign.graph import Source as GraphSource
from codesign.rtl.memories import dense_memories
from codesign.rtl.top import dense_parameters

CODE = Fixed(width=5, frac=0, signed=True)


def case(seed: int, n_in: int, words: int, lanes: int, *, bits: int = 4) -> Case:
    """Return a dense layer with random weights behind a delta layer that passes its codes."""
    rng = np.random.default_rng(seed)
    source = GraphSource(name="in", shape=(n_in,), fmt=CODE)
    delta = Delta(
        name="d0", input="in", shape=(n_in,), in_fmt=CODE, fmt=CODE, activation="identity", lo=CODE.lo, hi=CODE.hi
    )
    weight_fmt = Fixed(width=bits, frac=0, signed=True)
    weight = rng.integers(weight_fmt.lo, weight_fmt.hi, (n_in, words * lanes), endpoint=True)
    bias = rng.integers(-200, 200, words * lanes)
    dense = Dense(
        name="fc",
        input="d0",
        weight=weight,
        bias=bias,
        weight_fmt=weight_fmt,
        fmt=accumulator_format("fc", weight, bias, weight_fmt=weight_fmt, delta=delta),
        pe=lanes,
    )
    return Case(
        parameters=dense_parameters(dense, delta),
        files=dense_memories(dense),
        graph=Graph(name="t", nodes=(source, delta, dense)),
    )


CASES = {
    "1 word": case(1, 7, 1, 3),
    "2 words": case(2, 12, 2, 2, bits=1),
    "3 words": case(3, 5, 3, 1, bits=9),
    "5 words": case(5, 9, 5, 2),
}


class Engine:
    """Frames of codes in, event tokens queued, word tokens expected."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        graph = this_case(CASES).graph
        assert graph is not None
        self.graph, self.golden, self.rng = graph, Golden(graph, "delta"), generator()
        self.delta, self.dense = graph.deltas[0], graph.linears[0]
        self.source = Source(dut.valid_i, dut.ready_o, [dut.token_i], pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.source, self.sink])
        self.codes = np.zeros(self.dense.n_in, np.int64)
        self.first = True
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
        self.first = True

    def frame(self, density: float, *, new_stream: bool = False, skip: bool = True) -> int:
        """Queue a frame and what it must cause; return its number of events."""
        rng = self.rng
        if new_stream:
            self.restart()
        codes = self.codes.copy()
        for i in range(len(codes)):
            if rng.random() < density:
                codes[i] = rng.choice((CODE.lo, CODE.hi, rng.randint(CODE.lo, CODE.hi)))
        trace = self.golden.run(codes[None])
        deltas = trace.deltas["d0"][0]
        sent = [i for i in range(len(codes)) if deltas[i] or not skip]
        tokens = [Event(end=i == sent[-1], address=i, delta=int(deltas[i])) for i in sent]
        if not sent or rng.random() < 0.2:  # the end may also come alone
            tokens = [Event(address=t.address, delta=t.delta) for t in tokens] + [Event(has_event=False, end=True)]
        if new_stream and rng.random() < 0.3:
            tokens.insert(0, Event(new_stream=True, has_event=False))
        elif new_stream:
            head = tokens[0]
            tokens[0] = Event(
                new_stream=True, has_event=head.has_event, end=head.end, address=head.address, delta=head.delta
            )
        self.source.waiting.extend(token.pack(self.dense.n_in, self.delta.delta_bits) for token in tokens)
        self.expected += (
            self._words(trace.accumulators["fc"][0]) if sent or self.first else [Word(has_word=False, end=True)]
        )
        self.codes, self.first = codes, False
        return len(sent)

    def _words(self, accumulators: IntArray) -> list[Word]:
        dense, words = self.dense, self.dense.words
        lines = accumulators.reshape(words, dense.pe)
        return [
            Word(fresh=self.first, end=i == words - 1, address=i, data=pack(line, dense.fmt.width))
            for i, line in enumerate(lines)
        ]

    async def drain(self) -> None:
        """Wait for everything expected."""
        words, bits = self.dense.words, self.dense.pe * self.dense.fmt.width
        await drain(self.bench, self.source, self.sink, self.expected, lambda t: Word.parse(t, words, bits))


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, density=(0.0, 0.15, 1.0))
async def frames(dut: Any, stalls: tuple[float, float], density: float) -> None:
    engine = Engine(dut, stalls)
    await engine.bench.start()
    for _ in range(40):
        engine.frame(density * engine.rng.random(), new_stream=engine.rng.random() < 0.2)
    await engine.drain()


@cocotb.test()
async def quiet_between_frames(dut: Any) -> None:
    """Frames far apart: every one is sent without waiting for the next."""
    engine = Engine(dut, (0.0, 0.3))
    await engine.bench.start()
    for t in range(10):
        engine.frame(0.5, new_stream=t % 4 == 3)
        await engine.drain()


@cocotb.test()
async def skip_off(dut: Any) -> None:
    engine = Engine(dut, (0.0, 0.0))
    await engine.bench.start()
    for _ in range(5):
        engine.frame(0.2, skip=False)
    await engine.drain()


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    engine = Engine(dut, (0.2, 0.2))
    await engine.bench.start()
    for _ in range(12):
        for _ in range(3):
            engine.frame(0.6)
        await engine.bench.cycles(engine.rng.randrange(2, 40))
        await engine.reset()
    engine.frame(0.6)
    await engine.drain()


@cocotb.test()
async def cycle_counts(dut: Any) -> None:
    """Words cycles an event without gaps, emission free; 6 cycles from the issue of a word to its token."""
    engine = Engine(dut, (0.0, 0.0))
    await engine.bench.start()
    probes = [0, 0, 0, 0]

    class Probe:
        def drive(self) -> None:
            """Nothing."""

        def sample(self, _: int) -> bool:
            for i in range(4):
                probes[i] += (dut.probe_o.value.to_unsigned() >> i) & 1
            return False

    engine.bench.agents.append(Probe())
    engine.rng.random = lambda: 0.99  # type: ignore[method-assign]
    events = sum(engine.frame(1.0, skip=False) for _ in range(6))
    await engine.drain()
    words = engine.dense.words
    assert engine.source.taken_at == list(range(words - 1, words * events, words)), "no gap between events"
    # The last frame is sent by a walk of its own: issued behind the last event.
    assert engine.sink.seen_at[-words:] == list(range(words * events + 6, words * events + 6 + words))
    assert engine.sink.seen_at[0] == words * (events // 6) + 6, "the first frame leaves with the second's first walk"
    assert probes == [events, words * events + words, 0, 6]
