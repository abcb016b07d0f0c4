# SPDX-License-Identifier: Apache-2.0
"""delta_dense: accumulators against the golden model; emission, untouched frames, new streams, cycle counts."""

from __future__ import annotations

import dataclasses
from typing import Any

import cocotb
import engine_bench
import numpy as np
from bench import STALLS, Case
from conv_cases import after, passing
from models import Event, Word, kept, pack

from codesign.fixed import Fixed, IntArray
from codesign.graph import Dense, accumulator_format
from codesign.rtl.parameters import dense_parameters
from codesign.rtl.roms import linear_memories


def case(seed: int, n_in: int, words: int, lanes: int, *, bits: int = 4) -> Case:
    """Return a dense layer with random weights after a delta layer that passes its codes."""
    rng = np.random.default_rng(seed)
    delta = passing((n_in,))
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
        parameters=dense_parameters(dense, delta), files=linear_memories(dense, delta), graph=after(delta, dense)
    )


CASES = {
    "1 word": case(1, 7, 1, 3),
    "2 words": case(2, 12, 2, 2, bits=1),
    "3 words": case(3, 5, 3, 1, bits=9),
    "5 words": case(5, 9, 5, 2),
}


class Engine(engine_bench.EngineBench):
    """Event tokens queued, word tokens expected."""

    node: Dense

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        super().__init__(dut, CASES, [dut.token_i], stalls)
        assert isinstance(self.graph.output, Dense)
        self.node, self.delta = self.graph.output, self.graph.deltas[0]

    def frame(self, density: float, *, first_of_stream: bool = False, skip: bool = True) -> int:
        """Queue a frame and what it must cause; return its number of events."""
        if first_of_stream:
            self.restart()
        codes = self.moved(density)
        trace = self.golden.run(codes[None])
        deltas = trace.deltas["d0"][0]
        sent = [i for i in range(len(codes)) if deltas[i] or not skip]
        tokens = [Event(end_of_frame=i == sent[-1], address=i, delta=int(deltas[i])) for i in sent]
        if not sent or self.rng.random() < 0.2:  # the end may also come alone
            tokens = [Event(address=t.address, delta=t.delta) for t in tokens] + [
                Event(has_event=False, end_of_frame=True)
            ]
        if first_of_stream and self.rng.random() < 0.3:
            tokens.insert(0, Event(first_of_stream=True, has_event=False))
        elif first_of_stream:
            tokens[0] = dataclasses.replace(tokens[0], first_of_stream=True)
        self.source.waiting.extend(token.pack(self.node.n_in, self.delta.delta_bits) for token in tokens)
        self.expected += (
            self._words(trace.accumulators["fc"][0])
            if sent or self.first_frame
            else [Word(has_word=False, end_of_frame=True)]
        )
        self.codes, self.first_frame = codes, False
        return len(sent)

    def _words(self, accumulators: IntArray) -> list[Word]:
        node = self.node
        lines, bits = kept(self.graph, accumulators)
        return [
            Word(
                first_of_stream=self.first_frame,
                end_of_frame=i == node.words - 1,
                word=i,
                data=pack(line, bits),
            )
            for i, line in enumerate(lines)
        ]


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, density=(0.0, 0.15, 1.0))
async def frames(dut: Any, stalls: tuple[float, float], density: float) -> None:
    await engine_bench.random_frames(Engine(dut, stalls), 40, density)


@cocotb.test()
async def quiet_between_frames(dut: Any) -> None:
    await engine_bench.quiet_between_frames(Engine(dut, (0.0, 0.3)), 10)


@cocotb.test()
async def skip_off(dut: Any) -> None:
    await engine_bench.skip_off(Engine(dut, (0.0, 0.0)), 5)


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    await engine_bench.reset_anywhere(Engine(dut, (0.2, 0.2)), 0.6, 40)


@cocotb.test()
async def cycle_counts(dut: Any) -> None:
    """Words cycles per event without gaps, emission free; 7 cycles from the issue of a word to its token."""
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
    words = engine.node.words
    assert engine.source.taken_at == list(range(words - 1, words * events, words)), "no gap between events"
    # The last frame is sent by a walk of its own: issued after the last event.
    assert engine.sink.seen_at[-words:] == list(range(words * events + 7, words * events + 7 + words))
    assert engine.sink.seen_at[0] == words * (events // 6) + 7, "the first frame leaves with the second's first walk"
    assert probes == [events, words * events + words, 0, 6]
