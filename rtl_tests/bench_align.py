# SPDX-License-Identifier: Apache-2.0
"""delta_align: sums of channels on lattices of their own become the accumulators of the golden model, word by word."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case
from conv_cases import after, passing
from models import Word, kept, pack

from codesign.fixed import Fixed, IntArray
from codesign.graph import Axis, Conv, accumulator_format
from codesign.graph.channels import channel_lattices
from codesign.rtl.parameters import align_lines, align_parameters
from codesign.rtl.roms import linear_memories

WORDS = 300


def case(spread: list[int], lanes: int, *, fine: bool, lines: int) -> Case:
    """Return a convolution of 5 positions whose channels have steps ``2**spread``, with ``lines`` lines of shifts.

    ``fine``: the biases are finer than the weights, so that they have bits of their own below the sums.
    """
    rng, steps = np.random.default_rng(len(spread)), np.array(spread)
    delta, weight_fmt = passing((5, 1, 2)), Fixed(width=5 + max(spread), frac=0, signed=True)
    weight = rng.integers(-16, 16, (1, 1, 2, len(spread)))
    weight[0, 0] = np.where(weight[0, 0] % 2 == 0, weight[0, 0] + 1, weight[0, 0]) << steps  # odd: no more to shift by
    bias = rng.integers(-200, 200, len(spread)) << (0 if fine else steps)
    node = Conv(
        name="conv",
        input="d0",
        weight=weight,
        bias=bias,
        weight_fmt=weight_fmt,
        fmt=accumulator_format("conv", weight, bias, weight_fmt=weight_fmt, delta=delta),
        y=Axis(size=5),
        x=Axis(size=1),
        pe=lanes,
    )
    lattices = channel_lattices(node, delta)
    assert lattices.shifts.max() == max(spread)
    assert (bool(lattices.low.any()), align_lines(node, lattices)) == (fine, lines)
    parameters = align_parameters(node, lattices)
    return Case(parameters=parameters, files=linear_memories(node, delta), graph=after(delta, node))


CASES = {
    "wires": case([0, 3, 6], 3, fine=False, lines=1),
    "wires, fine biases": case([2, 3, 6], 3, fine=True, lines=1),
    "4 lines": case([0, 6, 3, 5, 6, 1, 2, 4], 2, fine=True, lines=4),
    "a line a word": case([0, 5, 2, 6, 4, 1], 2, fine=False, lines=15),
}


class Frames:
    """Random sums of the engine's range, in words of any order."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        case = this_case(CASES)
        assert case.graph is not None
        assert isinstance(case.graph.output, Conv)
        self.graph, self.node, self.rng = case.graph, case.graph.output, generator()
        self.source = Source(dut.valid_i, dut.ready_o, [dut.token_i], pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.source, self.sink])
        self.latency = int(case.parameters["Lines"] != 1)

    def accumulators(self) -> IntArray:
        """Return those of a frame of random codes."""
        lo, hi = self.graph.source.fmt.lo, self.graph.source.fmt.hi
        ends = (lo, hi, self.rng.randint(lo, hi))
        codes = np.array([self.rng.choice(ends) for _ in range(self.graph.source.size)])
        weight, inputs = self.node.weight[0, 0], codes.reshape(5, 2)
        return np.asarray(inputs @ weight + self.node.bias).ravel()

    def queue(self, words: int) -> list[Word]:
        """Queue ``words`` tokens of random words of a frame; return what must come."""
        node, expected = self.node, []
        whole = self.accumulators()
        lines, bits = kept(self.graph, whole)
        common = whole.reshape(-1, node.pe)
        for _ in range(words):
            flags = {"first_of_stream": self.rng.random() < 0.3, "end_of_frame": self.rng.random() < 0.3}
            at = self.rng.randrange(node.words)
            token = Word(word=at, data=pack(lines[at], bits), **flags)
            if self.rng.random() < 0.1:
                token = Word(has_word=False, end_of_frame=True, data=self.rng.getrandbits(bits))
            self.source.waiting.append(token.pack(node.words, bits * node.pe))
            there = token.has_word
            expected.append(
                Word(word=at, data=pack(common[at], node.fmt.width), **flags)
                if there
                else Word(has_word=False, end_of_frame=True)
            )
        return expected

    def parse(self, token: int) -> Word:
        """Read an output token."""
        return Word.parse(token, self.node.words, self.node.pe * self.node.fmt.width)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def frames(dut: Any, stalls: tuple[float, float]) -> None:
    stream = Frames(dut, stalls)
    await stream.bench.start()
    expected = [word for _ in range(WORDS // 10) for word in stream.queue(10)]
    await drain(stream.bench, stream.source, stream.sink, expected, stream.parse)
    if stalls == (0.0, 0.0):
        assert stream.source.taken_at == list(range(len(expected))), "one word per cycle"
        assert stream.sink.seen_at == [at + stream.latency for at in stream.source.taken_at], "latency"


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    stream = Frames(dut, (0.2, 0.8))
    await stream.bench.start()
    for _ in range(20):
        stream.queue(30)
        await stream.bench.cycles(stream.rng.randrange(5, 30))
        await stream.bench.reset()
        await drain(stream.bench, stream.source, stream.sink, stream.queue(2), stream.parse, quiet=5)
