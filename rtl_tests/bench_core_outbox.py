# SPDX-License-Identifier: Apache-2.0
"""core_outbox: words and kept packets of any length as bytes, in order; packets of the core are taken at any time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case

CASES = {
    "2 lanes": Case(parameters={"Lanes": 2, "Words": 8}),
    "1 lane": Case(parameters={"Lanes": 1, "Words": 2}),
    "4 lanes": Case(parameters={"Lanes": 4, "Words": 4}),
}


class Outbox:
    """Words in, bytes out, and a core that sends packets."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        parameters = this_case(CASES).parameters
        self.dut, self.rng = dut, generator()
        self.lanes, self.words = int(str(parameters["Lanes"])), int(str(parameters["Words"]))
        words = [dut.word_i, dut.bytes_i, dut.packet_i, dut.last_i]
        self.outside = Source(dut.word_valid_i, dut.word_ready_o, words, pause=stalls[0], rng=self.rng)
        axis = [dut.s_axis_tdata, dut.s_axis_tlast]
        self.core = Source(dut.s_axis_tvalid, dut.s_axis_tready, axis, pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.data_o, dut.last_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.outside, self.core, self.sink])
        dut.cut_off_i.value = 0

    async def packet(self) -> bytes:
        """Let the core send a packet, at times more than is kept, and return what is kept of it."""
        beats = self.rng.randint(1, self.words // self.lanes + 2)
        data = self.rng.randbytes(4 * self.lanes * beats)
        for at in range(beats):
            beat = data[4 * self.lanes * at : 4 * self.lanes * (at + 1)]
            self.core.waiting.append(int.from_bytes(beat, "little") | int(at == beats - 1) << 32 * self.lanes)
        await self.bench.until(lambda: not self.core.waiting)
        await self.bench.cycles(2)
        assert int(self.dut.words_o.value) == min(beats * self.lanes, self.words)
        assert int(self.dut.cut_o.value) == int(beats * self.lanes > self.words)
        return data[: 4 * self.words]

    def word(self, *, last: bool) -> bytes:
        count, word = self.rng.randrange(1, 5), self.rng.getrandbits(32)
        self.outside.waiting.append(word | count << 32 | int(last) << 36)
        return word.to_bytes(4, "little")[:count]

    def whole(self, *, last: bool) -> None:
        self.outside.waiting.append(self.rng.getrandbits(35) | 1 << 35 | int(last) << 36)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def answers(dut: Any, stalls: tuple[float, float]) -> None:
    box = Outbox(dut, stalls)
    await box.bench.start()
    for _ in range(12):
        kept = await box.packet()
        expected: list[tuple[int, int]] = []
        for _ in range(box.rng.randrange(1, 4)):
            parts = []
            for last in (False, False, True):
                whole = box.rng.random() < 0.4
                parts.append(kept if whole else box.word(last=last))
                if whole:
                    box.whole(last=last)
            data = b"".join(parts)
            expected += [(byte, int(at == len(data) - 1)) for at, byte in enumerate(data)]
        await drain(box.bench, box.outside, box.sink, expected)
        box.sink.clear()


@cocotb.test()
async def cycles(dut: Any) -> None:
    box = Outbox(dut, (0.0, 0.0))
    await box.bench.start()
    kept = await box.packet()
    taken = box.core.taken_at
    assert [b - a for a, b in pairwise(taken)] == [box.lanes] * (len(taken) - 1)
    box.outside.waiting.append(0x11223344 | 4 << 32)
    box.whole(last=True)
    await box.bench.until(lambda: len(box.sink.tokens) == 4 + len(kept))
    word, packet = box.outside.taken_at
    assert box.sink.seen_at[:4] == [word + 2 + i for i in range(4)], "latency 2, a byte a cycle"
    for at in range(len(kept) // 4):
        first = packet + 4 + 6 * at
        assert box.sink.seen_at[4 + 4 * at : 8 + 4 * at] == [first + i for i in range(4)], "2 cycles between words"


@cocotb.test()
async def reset_within_an_answer(dut: Any) -> None:
    box = Outbox(dut, (0.0, 0.3))
    await box.bench.start()
    for _ in range(12):
        await box.packet()
        box.whole(last=True)
        await box.bench.cycles(box.rng.randrange(12))
        box.core.waiting.append(0)  # a packet that will not be finished
        await box.bench.cycles(box.rng.randrange(2 * box.lanes))
        await box.bench.reset()
        kept = await box.packet()
        box.whole(last=True)
        expected = [(byte, int(at == len(kept) - 1)) for at, byte in enumerate(kept)]
        await drain(box.bench, box.outside, box.sink, expected)
        box.sink.clear()


@cocotb.test()
async def packets_cut_off(dut: Any) -> None:
    """The packet after one that was cut off anywhere is kept from its start, and an answer on its way is not harmed."""
    box = Outbox(dut, (0.0, 0.3))
    await box.bench.start()
    for _ in range(24):
        word = box.word(last=True)
        for _ in range(box.rng.randrange(box.words // box.lanes + 1)):
            box.core.waiting.append(box.rng.getrandbits(32 * box.lanes))
        await box.bench.until(lambda: not box.core.waiting)
        if box.rng.random() < 0.5:  # within a beat
            box.core.waiting.append(0)
            await box.bench.cycles(box.rng.randrange(1, box.lanes + 1))
        box.core.clear()
        dut.cut_off_i.value = 1
        await box.bench.cycle()
        dut.cut_off_i.value = 0
        kept = await box.packet()
        box.whole(last=True)
        expected = [(byte, int(at == len(part) - 1)) for part in (word, kept) for at, byte in enumerate(part)]
        await drain(box.bench, box.outside, box.sink, expected)
        box.sink.clear()
