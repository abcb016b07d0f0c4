# SPDX-License-Identifier: Apache-2.0
"""core_transmit: words of sums as records of beats at their places outside, whole or each sum in fewer bits."""

from __future__ import annotations

from collections import deque
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, Sink, generator
from core_bench import CONFIG

CASES = {"all": Case(parameters={})}
BEATS = CONFIG.record_beats["sum_words"]
LATENCY, BETWEEN = 2, 2
"""Cycles from a word to its first beat; what a word takes beside its beats."""
BITS = CONFIG.lanes * CONFIG.sum_bits
RESET = 2
"""Cycles that `Bench.reset` takes, with anything at the inputs."""

Save = tuple[int, int, int]


def written(save: Save) -> list[tuple[int, ...]]:
    """Return the beats of a word, its form (beats, and whether it is narrow) and data: address, beats, data, last."""
    word, form, data = save
    beats = form & 127
    if form >> 7:
        low, each = (1 << CONFIG.narrow_bits) - 1, CONFIG.sum_bits
        lanes = [(data >> lane * each & low) << lane * CONFIG.narrow_bits for lane in range(CONFIG.lanes)]
        used = CONFIG.lanes * CONFIG.narrow_bits
        data = sum(lanes) | data >> used << used
    address = word * BEATS % CONFIG.memory_beats
    most = (1 << CONFIG.memory_bits) - 1
    return [(address, beats, data >> beat * CONFIG.memory_bits & most, int(beat == beats - 1)) for beat in range(beats)]


class Saves:
    """Gives a word when there is room for it; the oldest one that is not saved stays at its pins."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause, self.rng = dut, pause, generator()
        self.waiting: deque[Save] = deque()
        self.clear()

    def clear(self) -> None:
        self.waiting.clear()
        self.under_way: Save | None = None
        self.given_at: list[int] = []
        self.saved = 0
        self.giving = False
        self.noise = RESET

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        ready = dut.save_ready_o.value == 1 and dut.rst_ni.value == 1
        self.giving = bool(ready and self.waiting and rng.random() >= self.pause)
        if self.giving:
            assert self.under_way is None, "room for a second word"
            self.under_way = self.waiting.popleft()
        word, beats, data = self.under_way or (rng.getrandbits(CONFIG.index_bits), rng.getrandbits(8), 0)
        dut.save_word_i.value, dut.save_beats_i.value = word, beats
        dut.save_valid_i.value = rng.getrandbits(1) if self.noise else int(self.giving)
        self.noise = max(0, self.noise - 1)
        dut.save_data_i.value = data if self.giving else rng.getrandbits(BITS)

    def sample(self, now: int) -> bool:
        saved = self.dut.saved_o.value == 1 and self.dut.rst_ni.value == 1
        if saved:
            assert self.under_way is not None, "nothing was to be saved"
            self.under_way = None
            self.saved += 1
        if self.giving:
            self.given_at.append(now)
        return bool(saved or self.giving)


class Transmitting:
    """The bench of one core_transmit."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        self.rng = generator()
        self.saves = Saves(dut, stalls[0])
        pins = [dut.write_address_o, dut.write_beats_o, dut.write_data_o, dut.write_last_o]
        self.sink = Sink(dut.write_valid_o, dut.write_ready_i, pins, pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.saves, self.sink])

    def put(self, beats: int) -> list[tuple[int, ...]]:
        """Queue a word, and return its beats."""
        word = self.rng.choice((self.rng.randrange(CONFIG.memory_beats // BEATS), self.rng.getrandbits(8)))
        save = (word, beats | self.rng.getrandbits(1) << 7, self.rng.getrandbits(BITS))
        self.saves.waiting.append(save)
        return written(save)

    async def finish(self, expected: list[tuple[int, ...]], words: int) -> None:
        """Go on until all words are saved; nothing else comes."""
        await self.bench.until(lambda: self.saves.saved == words, timeout=400)
        await self.bench.cycles(10)
        assert self.sink.tokens == expected
        assert self.saves.saved == words


@cocotb.test()
@cocotb.parametrize(stalls=((0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.5, 0.5)))
async def words(dut: Any, stalls: tuple[float, float]) -> None:
    """Whole words, and those of which few lanes count."""
    transmitting = Transmitting(dut, stalls)
    await transmitting.bench.start()
    rng, expected = transmitting.rng, []
    for _ in range(60):
        expected += transmitting.put(rng.choice((1, rng.randint(1, BEATS), BEATS)))
    await transmitting.finish(expected, 60)


@cocotb.test()
@cocotb.parametrize(beats=sorted({1, 2, BEATS} & set(range(1, BEATS + 1))))
async def rate(dut: Any, beats: int) -> None:
    transmitting = Transmitting(dut, (0.0, 0.0))
    await transmitting.bench.start()
    expected = [beat for _ in range(10) for beat in transmitting.put(beats)]
    await transmitting.finish(expected, 10)
    given, seen = transmitting.saves.given_at, transmitting.sink.seen_at
    assert seen[0] - given[0] == LATENCY
    assert np.diff(seen[:beats]).tolist() == [1] * (beats - 1)
    assert np.diff(given).tolist() == [beats + BETWEEN] * 9


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    transmitting = Transmitting(dut, (0.1, 0.3))
    await transmitting.bench.start()
    for _ in range(12):
        for _ in range(8):
            transmitting.put(transmitting.rng.randint(1, BEATS))
        await transmitting.bench.cycles(transmitting.rng.randrange(1, 40))
        await transmitting.bench.reset()
        expected = [beat for _ in range(3) for beat in transmitting.put(transmitting.rng.randint(1, BEATS))]
        await transmitting.finish(expected, 3)
