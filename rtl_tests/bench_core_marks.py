# SPDX-License-Identifier: Apache-2.0
"""core_marks: marks come back in order, once, whatever is marked for other engines meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator
from core_bench import CONFIG, step_record

CASES = {"16 chunks": Case(parameters={})}
LATENCY, CHUNK = 7, 32
ENGINES: tuple[dict[str, int], ...] = (
    {"engine": 0, "mark_base": 0, "words": 70},
    {"engine": 255, "mark_base": 3, "words": 32},
    {"engine": 8, "mark_base": 4, "words": 1},
    {"engine": 130, "mark_base": 5, "words": 345},
)
"""Regions of the marks."""
PAST = {"engine": 1, "mark_base": 0, "words": 0}


@dataclass(slots=True)
class Marks:
    """Marks and dirty bits, and what a pass gives."""

    marks: set[int] = field(default_factory=set)
    dirty: set[int] = field(default_factory=set)

    def mark(self, word: int, engine: int) -> None:
        """Mark a word."""
        self.marks.add(word)
        self.dirty.add(engine)

    def send(self, step: Mapping[str, int], fresh: bool) -> list[int]:
        """Return the words of a pass, and clear what it clears."""
        base, packet = step["mark_base"] * CHUNK, bool(step.get("packet"))
        every = range(step["words"])
        words = [word for word in every if fresh or packet or base + word in self.marks]
        if not packet and not step.get("keep"):
            self.marks -= {base + word for word in every}
            if not step.get("more"):
                self.dirty.discard(step["engine"])
        return words


class Marking:
    """The bench."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        self.dut, self.rng, self.model = dut, generator(), Marks()
        pins = [dut.set_word_i, dut.set_engine_i]
        self.source = Source(dut.set_valid_i, dut.set_ready_o, pins, pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.end_o, dut.word_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [self.source, self.sink])

    async def start(self) -> None:
        """Reset, then clear all marks: nobody knows what the memory holds."""
        self.dut.start_i.value = 0
        self.dut.step_i.value = step_record(**PAST)
        await self.bench.start()
        self.model = Marks()
        for region in ENGINES:
            await self.run(region, True, look=False)

    def mark(self, count: int, but: int = -1) -> None:
        """Mark ``count`` words, often neighbours, of engines other than ``but``."""
        regions = [region for region in ENGINES if region["engine"] != but]
        for _ in range(count):
            region = self.rng.choice(regions)
            first = self.rng.randrange(region["words"])
            for word in range(first, min(region["words"], first + self.rng.choice((1, 1, 2, 40)))):
                at = region["mark_base"] * CHUNK + word
                self.source.waiting.append(region["engine"] << CONFIG.index_bits | at)
                self.model.mark(at, region["engine"])

    async def run(self, step: Mapping[str, int], fresh: bool, meanwhile: int = 0, look: bool = True) -> None:
        """One pass, while ``meanwhile`` words of other engines are marked; then maybe look at all dirty bits."""
        dut = self.dut
        await self.bench.until(lambda: not self.source.waiting)
        dut.step_i.value, dut.fresh_i.value, dut.start_i.value = step_record(**step), int(fresh), 1
        expected: list[Any] = [(0, word) for word in self.model.send(step, fresh)]
        self.mark(meanwhile, step["engine"])
        self.sink.clear()
        await self.bench.cycle()
        dut.start_i.value = 0
        await drain(self.bench, self.source, self.sink, [*expected, "end"], lambda t: "end" if t[0] else t, quiet=15)
        for engine in (0, 1, 8, 130, 255) if look else ():
            dut.step_i.value = step_record(engine=engine)
            await self.bench.cycle()
            assert dut.dirty_o.value == int(engine in self.model.dirty), f"dirty bit of engine {engine}"


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def passes(dut: Any, stalls: tuple[float, float]) -> None:
    marking = Marking(dut, stalls)
    await marking.start()
    rng = marking.rng
    for _ in range(60):
        marking.mark(rng.choice((0, 1, 3, 12)))
        step: dict[str, int] = dict(rng.choice(ENGINES))
        if rng.random() < 0.3:
            step["keep"] = 1
        if rng.random() < 0.3:
            step["more"] = 1
        if rng.random() < 0.2:
            step["packet"] = rng.randint(1, 2)
        await marking.run(step, rng.random() < 0.2, meanwhile=rng.choice((0, 3, 12)))
    await marking.run(PAST, True)
    for region in ENGINES:
        await marking.run(region, False)
        await marking.run(region, False)


@cocotb.test()
async def rate(dut: Any) -> None:
    """A word a cycle, an empty chunk a cycle; marks go first; the latency."""
    marking = Marking(dut, (0.0, 0.0))
    await marking.start()
    region = ENGINES[3]
    every = list(range(region["words"]))
    for fresh, words in ((True, list[int]()), (False, every[-1:]), (False, every[::CHUNK]), (False, every)):
        for word in words:
            marking.source.waiting.append(region["engine"] << CONFIG.index_bits | region["mark_base"] * CHUNK + word)
            marking.model.mark(region["mark_base"] * CHUNK + word, region["engine"])
        marking.source.taken_at = []
        await marking.bench.until(lambda: not marking.source.waiting)
        assert np.diff(marking.source.taken_at).tolist() == [1] * (len(words) - 1 if words else 0)
        begun = marking.bench.now
        await marking.run(region, fresh)
        seen = marking.sink.seen_at
        gap = (words[0] if words else 0) // CHUNK
        first = begun + LATENCY + gap
        assert seen == list(range(first, first + (region["words"] if fresh else len(words)) + 1))


@cocotb.test()
async def reset_in_a_pass(dut: Any) -> None:
    marking = Marking(dut, (0.2, 0.4))
    for _ in range(8):
        await marking.start()
        marking.mark(10)
        await marking.bench.until(lambda: not marking.source.waiting)
        dut.step_i.value, dut.start_i.value = step_record(**ENGINES[3]), 1
        await marking.bench.cycle()
        dut.start_i.value = 0
        marking.mark(10, ENGINES[3]["engine"])
        await marking.bench.cycles(marking.rng.randrange(40))
