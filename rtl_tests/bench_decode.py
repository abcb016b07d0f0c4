# SPDX-License-Identifier: Apache-2.0
"""delta_decode: one packet a frame, of what came in any order and what was kept."""

from __future__ import annotations

import dataclasses
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case
from models import Decode, Word, unpack

CASES = {
    "1 word, signed": Case(
        parameters={"Words": 1, "Lanes": 2, "ValueWidth": 5, "ValueSigned": 1, "LaneWidth": 8},
    ),
    "4 words, unsigned": Case(
        parameters={"Words": 4, "Lanes": 3, "ValueWidth": 9, "ValueSigned": 0, "LaneWidth": 16},
    ),
}


class Packets:
    """Random frames for the case of this build."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        parameters = {key: int(str(value)) for key, value in this_case(CASES).parameters.items()}
        self.words, self.lanes, self.bits = parameters["Words"], parameters["Lanes"], parameters["ValueWidth"]
        self.signed, self.lane_bits = parameters["ValueSigned"], parameters["LaneWidth"]
        self.rng, self.model = generator(), Decode(words=self.words)
        self.source = Source(dut.valid_i, dut.ready_o, [dut.token_i], pause=stalls[0], rng=self.rng)
        out = [dut.m_axis_tdata, dut.m_axis_tlast]
        self.sink = Sink(dut.m_axis_tvalid, dut.m_axis_tready, out, pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.source, self.sink])
        self.expected: list[tuple[list[int], bool]] = []

    def frame(self, brought: int) -> None:
        """Queue a frame that brings ``brought`` words, in any order."""
        bits = self.lanes * self.bits
        addresses = self.rng.sample(range(self.words), brought)
        tokens = [
            Word(word=address, data=self.rng.getrandbits(bits), first_of_stream=self.rng.random() < 0.5)
            for address in addresses
        ]
        if tokens and self.rng.random() < 0.5:  # the end rides on the last word, or comes alone
            tokens[-1] = dataclasses.replace(tokens[-1], end_of_frame=True)
        else:
            noise = self.rng.randrange(self.words)
            tokens.append(Word(has_word=False, end_of_frame=True, word=noise, data=self.rng.getrandbits(bits)))
        for token in tokens:
            self.source.waiting.append(token.pack(self.words, bits))
            self.expected += [(self._lanes(data), last) for data, last in self.model.push(token)]

    def _lanes(self, data: int) -> list[int]:
        values = unpack(data, self.bits, self.lanes)
        sign = 1 << (self.bits - 1)
        return [value - ((value & sign) << 1) if self.signed else value for value in values]

    def parse(self, beat: tuple[int, int]) -> tuple[list[int], bool]:
        """Return the values of a beat, read as the wide lane type says."""
        sign = 1 << (self.lane_bits - 1)
        values = unpack(beat[0], self.lane_bits, self.lanes)
        return [value - ((value & sign) << 1) if self.signed else value for value in values], bool(beat[1])

    async def drain(self) -> None:
        """Wait for everything expected."""
        await drain(self.bench, self.source, self.sink, self.expected, self.parse)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def packets(dut: Any, stalls: tuple[float, float]) -> None:
    packets = Packets(dut, stalls)
    await packets.bench.start()
    packets.frame(packets.words)
    for _ in range(80):
        packets.frame(packets.rng.choice((packets.words, packets.words, 0, packets.rng.randint(0, packets.words))))
    await packets.drain()


@cocotb.test()
async def rates(dut: Any) -> None:
    packets = Packets(dut, (0.0, 0.0))
    await packets.bench.start()
    packets.rng.random = lambda: 0.0  # type: ignore[method-assign]
    words = packets.words
    for _ in range(5):
        packets.frame(words)
    await packets.drain()
    first = packets.source.taken_at[0]
    assert packets.source.taken_at[:words] == [first + i for i in range(words)], "one word per cycle"
    assert packets.sink.seen_at[:words] == [first + words + 1 + i for i in range(words)], "2 cycles to the packet"
    beats = [start + i for start in packets.sink.seen_at[::words] for i in range(words)]
    assert packets.sink.seen_at == beats, "one beat per cycle"
    start, since = len(packets.sink.seen_at), packets.bench.now
    packets.frame(0)
    packets.frame(0)
    await packets.drain()
    again = [since + 2 + i for i in range(words)] + [since + words + 3 + i for i in range(words)]
    assert packets.sink.seen_at[start:] == again, "what was kept leaves at full rate"


@cocotb.test()
async def frames_overlap(dut: Any) -> None:
    """Words in order take the places of those that have left: a frame costs its words and a cycle."""
    packets = Packets(dut, (0.0, 0.0))
    await packets.bench.start()
    in_order: Any = packets.rng
    in_order.sample = lambda words, _: list(words)
    in_order.random = lambda: 0.0
    for _ in range(6):
        packets.frame(packets.words)
    await packets.drain()
    starts = packets.sink.seen_at[:: packets.words]
    assert np.diff(starts).tolist() == [packets.words + 1] * 5


@cocotb.test()
async def reset_in_a_packet(dut: Any) -> None:
    packets = Packets(dut, (0.1, 0.5))
    await packets.bench.start()
    for _ in range(8):
        packets.frame(packets.words)
        packets.frame(0)
        await packets.bench.cycles(packets.rng.randrange(1, 12))
        await packets.bench.reset()
        packets.expected.clear()
        packets.model = Decode(words=packets.words)
    packets.frame(packets.words)
    packets.frame(0)
    await packets.drain()
