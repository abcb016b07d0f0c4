# SPDX-License-Identifier: Apache-2.0
"""board_outbox: words and kept beats as bytes, in order; packets of the core are taken at any time."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, drain, generator, this_case
from serial_line import Always

CASES = {
    "5 beats of 3 bytes": Case(parameters={"Beats": 5, "BeatBytes": 3}),
    "2 beats of 9 bytes": Case(parameters={"Beats": 2, "BeatBytes": 9}),
    "1 byte": Case(parameters={"Beats": 1, "BeatBytes": 1}),
}


class Outbox:
    """Words in, bytes out, and a core that sends packets."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        parameters = this_case(CASES).parameters
        self.beats, self.bytes = int(str(parameters["Beats"])), int(str(parameters["BeatBytes"]))
        self.rng = generator()
        words = [dut.word_i, dut.bytes_i, dut.beats_i, dut.last_i]
        self.words = Source(dut.word_valid_i, dut.word_ready_o, words, pause=stalls[0], rng=self.rng)
        axis = [dut.s_axis_tdata, dut.s_axis_tlast]
        self.core = Source(dut.s_axis_tvalid, Always(), axis, pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.data_o, dut.last_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.words, self.core, self.sink])

    async def packet(self) -> bytes:
        """Let the core send a packet, and return its bytes."""
        beats = [self.rng.randbytes(self.bytes) for _ in range(self.beats)]
        for at, beat in enumerate(beats):
            last = int(at == self.beats - 1)
            self.core.waiting.append(int.from_bytes(beat, "little") | last << 8 * self.bytes)
        await self.bench.until(lambda: not self.core.waiting)
        await self.bench.cycles(2)
        return b"".join(beats)

    def word(self, *, last: bool) -> bytes:
        count, word = self.rng.randrange(1, 5), self.rng.getrandbits(32)
        self.words.waiting.append(word | count << 32 | int(last) << 36)
        return word.to_bytes(4, "little")[:count]

    def all_beats(self, *, last: bool) -> None:
        self.words.waiting.append(self.rng.getrandbits(35) | 1 << 35 | int(last) << 36)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def answers(dut: Any, stalls: tuple[float, float]) -> None:
    box = Outbox(dut, stalls)
    await box.bench.start()
    for _ in range(10):
        kept = await box.packet()
        expected: list[tuple[int, int]] = []
        for _ in range(box.rng.randrange(1, 4)):
            parts = []
            for last in (False, False, True):
                beats = box.rng.random() < 0.4
                parts.append(kept if beats else box.word(last=last))
                if beats:
                    box.all_beats(last=last)
            data = b"".join(parts)
            expected += [(byte, int(at == len(data) - 1)) for at, byte in enumerate(data)]
        await drain(box.bench, box.words, box.sink, expected)
        box.sink.clear()


@cocotb.test()
async def cycles(dut: Any) -> None:
    box = Outbox(dut, (0.0, 0.0))
    await box.bench.start()
    await box.packet()
    box.words.waiting.append(0x11223344 | 4 << 32)
    box.all_beats(last=True)
    await box.bench.until(lambda: len(box.sink.tokens) == 4 + box.beats * box.bytes)
    word, beats = box.words.taken_at
    assert box.sink.seen_at[:4] == [word + 4 + 2 * i for i in range(4)], "latency 4, a byte in two cycles"
    assert beats == word + 11
    assert box.sink.seen_at[4 : 4 + box.bytes] == [beats + 6 + 2 * i for i in range(box.bytes)], "2 cycles to read one"


@cocotb.test()
async def reset_within_an_answer(dut: Any) -> None:
    box = Outbox(dut, (0.0, 0.3))
    await box.bench.start()
    for _ in range(12):
        await box.packet()
        box.all_beats(last=True)
        await box.bench.cycles(box.rng.randrange(12))
        box.core.waiting.append(0)  # a packet that will not be finished
        await box.bench.cycles(box.rng.randrange(3))
        await box.bench.reset()
        kept = await box.packet()
        box.all_beats(last=True)
        expected = [(byte, int(at == len(kept) - 1)) for at, byte in enumerate(kept)]
        await drain(box.bench, box.words, box.sink, expected)
        box.sink.clear()
