# SPDX-License-Identifier: Apache-2.0
"""core_codes: passes as core_send makes them, of words inside and outside; a memory that answers when it likes."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Source, generator
from core_bench import CONFIG, MOST_PARTS, step_record

CASES = {"banks": Case(parameters={"BankRows": 64})}
READ, STAGES = 5, 11
"""Enabled cycles from a part to its codes, and to what they become."""
AHEAD = 16
"""Words that are asked for before they come."""
ROW_BITS, BEAT_BITS = CONFIG.quantisers * CONFIG.code_bits, CONFIG.memory_bits
ROW_BEATS = CONFIG.record_beats["code_rows"]
ORIGINS = 256 if BEAT_BITS else 1
ROWS = (CONFIG.memory_beats - ORIGINS) // ROW_BEATS if BEAT_BITS else CONFIG.code_rows
"""Rows that there are, inside and outside."""


def record(step: Mapping[str, int], origin: int, word: int) -> int | None:
    """Return the address of the first row of a word in the external memory; None: it lies inside."""
    first = step["code_base"] + word * step["parts"]
    outside = BEAT_BITS and first + step["parts"] > CONFIG.code_rows
    return origin + first * ROW_BEATS if outside else None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a word on its way through core_send, or the end of the pass."""

    word: int
    part: int
    row: int
    last: bool
    end: bool = False


END = Part(0, 0, 0, False, True)


class Codes:
    """The rows that a core keeps, wherever they lie, and the records that a pass has to read and to write."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self.reads: list[int] = []
        self.writes: list[tuple[int, list[int]]] = []

    def parts(self, step: Mapping[str, int], words: Iterable[int]) -> list[Part]:
        """Return the parts of words in order."""
        parts, base = step["parts"], step["code_base"]
        return [Part(w, p, base + w * parts + p, p == parts - 1) for w in words for p in range(parts)]

    def begin(self, step: Mapping[str, int], origin: int, words: Iterable[int], *, fresh: bool) -> None:
        """Begin a pass over these words."""
        self.step, self.origin, self.fresh = step, origin, fresh
        self.kept = step["packet"] == 0
        self.needed = step["packet"] == 2 or (self.kept and not fresh)
        found = [address for word in words if (address := record(step, origin, word)) is not None]
        self.reads = found if self.needed else []
        self.writes = []
        self.changed = False

    def replace(self, part: Part, codes: int, *, changed: bool) -> None:
        """Keep the new codes of a part."""
        self.rows[part.row] = codes
        self.changed |= changed
        if part.last:
            address = record(self.step, self.origin, part.word)
            if address is not None and (self.fresh or self.changed):
                first = part.row - part.part
                self.writes.append((address, [self.rows[first + p] for p in range(self.step["parts"])]))
            self.changed = False


class Memory:
    """Plays clients of core_memory: a read sees the records whose last beat was taken before it."""

    def __init__(self, dut: Any, rng: random.Random, *, pause: float, latency: int) -> None:
        self.dut, self.rng, self.pause, self.latency = dut, rng, pause, latency
        self.beats: dict[int, int] = {}
        self.clear()

    def clear(self) -> None:
        """Forget what is under way (reset)."""
        self.coming: deque[tuple[int, int]] = deque()  # the earliest cycle, and a beat
        self.now = 0
        self.reads: list[int] = []
        self.writes: list[tuple[int, list[int]]] = []
        self.record: list[int] = []

    @property
    def idle(self) -> bool:
        return not self.coming and not self.record

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        dut.read_ready_i.value = int(rng.random() >= self.pause)
        dut.write_ready_i.value = int(rng.random() >= self.pause)
        self.given = bool(self.coming) and self.coming[0][0] <= self.now and rng.random() >= self.pause
        dut.data_valid_i.value = int(self.given)
        dut.data_i.value = self.coming[0][1] if self.given else rng.getrandbits(BEAT_BITS or 32)

    def sample(self, _: int) -> bool:
        dut, rng = self.dut, self.rng
        self.now += 1
        if self.given:
            self.coming.popleft()
        if dut.read_valid_o.value == 1 and dut.read_ready_i.value == 1:
            address, wait = int(dut.read_address_o.value), self.now + rng.randint(0, self.latency)
            self.reads.append(address)
            for beat in range(address, address + int(dut.read_beats_o.value)):
                self.coming.append((wait, self.beats.get(beat, rng.getrandbits(BEAT_BITS))))
        if dut.write_valid_o.value == 1 and dut.write_ready_i.value == 1:
            self._write(int(dut.write_address_o.value))
        return self.given

    def _write(self, address: int) -> None:
        dut = self.dut
        self.record.append(int(dut.write_data_o.value))
        if not dut.write_last_o.value:
            return
        assert len(self.record) == int(dut.write_beats_o.value), "beats of a record"
        rows = len(self.record) // ROW_BEATS
        whole = sum(beat << at * BEAT_BITS for at, beat in enumerate(self.record))
        row_mask, row_step = (1 << ROW_BITS) - 1, ROW_BEATS * BEAT_BITS
        self.writes.append((address, [whole >> r * row_step & row_mask for r in range(rows)]))
        self.beats.update(enumerate(self.record, address))
        self.record = []


class Sending:
    """Plays core_send: takes parts, looks at their codes and replaces them."""

    def __init__(self, dut: Any, rng: random.Random, stalls: tuple[float, float]) -> None:
        self.dut, self.rng, self.stalls, self.model = dut, rng, stalls, Codes()
        self.compared, self.change = 0, 0.5
        self.clear()

    def clear(self) -> None:
        """Forget what is inside (reset)."""
        self.waiting: deque[Part] = deque()
        self.stages: deque[Part | None] = deque([None] * STAGES)
        self.new, self.changed, self.offering = 0, False, False
        self.frozen = 0

    @property
    def done(self) -> bool:
        return not self.waiting and not any(self.stages)

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        self.offering = bool(self.waiting) and (self.offering or rng.random() >= self.stalls[0])
        part = (
            self.waiting[0] if self.offering else Part(rng.getrandbits(8), 0, 0, rng.random() < 0.5, rng.random() < 0.5)
        )
        dut.valid_i.value, dut.end_i.value, dut.word_i.value = int(self.offering), int(part.end), part.word
        dut.part_i.value, dut.last_part_i.value = part.part, int(part.last)
        self.frozen = max(0, self.frozen - 1) or (rng.random() < self.stalls[1] / 30) * rng.randrange(60)
        enable = not self.frozen and rng.random() >= self.stalls[1]
        dut.enable_i.value, dut.ready_i.value = int(enable), int(enable and rng.random() >= self.stalls[1] / 4)
        row = self.stages[-1]
        kept = row is not None and not row.end and self.model.kept
        dut.row_i.value = int(kept)
        if row is not None:
            dut.row_word_i.value, dut.row_last_part_i.value = row.word, int(row.last)
        dut.row_changed_i.value = int(self.changed)
        dut.codes_i.value = self.new if kept else rng.getrandbits(ROW_BITS)

    def sample(self, _: int) -> bool:
        dut = self.dut
        read = self.stages[READ - 1]
        if read is not None and not read.end and self.model.needed and read.row in self.model.rows:
            assert int(dut.codes_o.value) == self.model.rows[read.row], f"codes of row {read.row}"
            self.compared += 1
        taken = self.offering and dut.ready_o.value == 1
        assert taken == (dut.valid_o.value == 1 and dut.ready_i.value == 1), "both sides see a part pass"
        if dut.enable_i.value == 1:
            self._move(self.waiting.popleft() if taken else None)
        if taken:
            self.offering = False
        return taken

    def _move(self, part: Part | None) -> None:
        row = self.stages.pop()
        if row is not None and not row.end and self.model.kept:
            self.model.replace(row, self.new, changed=self.changed)
        self.stages.appendleft(part)
        if (row := self.stages[-1]) is not None and not row.end:
            before = self.model.rows.get(row.row)
            self.changed = before is None or self.rng.random() < self.change
            self.new = self.rng.getrandbits(ROW_BITS) if self.changed else before  # type: ignore[assignment]


class Passes:
    """The bench: passes with everything around them."""

    def __init__(self, dut: Any, stalls: tuple[float, float], *, pause: float = 0.3, latency: int = 40) -> None:
        self.dut, self.rng = dut, generator()
        self.sending = Sending(dut, self.rng, stalls)
        self.memory = Memory(dut, self.rng, pause=pause, latency=latency)
        aims = [dut.aim_end_i, dut.aim_word_i]
        self.aims = Source(dut.aim_valid_i, dut.aim_ready_o, aims, pause=stalls[0], rng=self.rng)
        self.bench = Bench(dut, [self.aims, self.sending, self.memory])
        self.origin = 0

    async def start(self) -> None:
        self.dut.start_i.value = 0
        await self.bench.start()

    def step(self) -> dict[str, int]:
        """Return a step whose words lie inside, outside or on both sides."""
        rng, parts = self.rng, self.rng.randint(1, MOST_PARTS)
        words = rng.randint(1, min(60, ROWS // parts))
        inside = max(0, CONFIG.code_rows - rng.randint(0, words * parts + 1))
        base = rng.choice((inside, rng.randint(0, ROWS - words * parts), 0, ROWS - words * parts))
        return {"parts": parts, "words": words, "code_base": min(base, ROWS - words * parts)}

    async def begin(self, step: Mapping[str, int], words: list[int], *, fresh: bool, cut: int | None = None) -> None:
        """Offer a pass over words; a source gives all its words, or only the first ``cut``."""
        self.sending.model.begin(step, self.origin, words, fresh=fresh)
        self.memory.reads, self.memory.writes = [], []
        self.sending.change = self.rng.choice((0.05, 0.5, 1.0))
        dut = self.dut
        dut.step_i.value, dut.fresh_i.value = step_record(**step), int(fresh)
        dut.origin_i.value, dut.start_i.value = self.origin, 1
        await self.bench.cycle()
        dut.start_i.value = 0
        if not step["source"]:
            self.aims.waiting.extend(word << 1 for word in words)
            self.aims.waiting.append(1)
        self.sending.waiting.extend([*self.sending.model.parts(step, words[:cut]), END])

    async def run(self, step: Mapping[str, int], words: list[int], *, fresh: bool, cut: int | None = None) -> None:
        """Make a pass; its records must be those of the model, and nothing be under way when it ends."""
        await self.begin(step, words, fresh=fresh, cut=cut)
        model, memory = self.sending.model, self.memory
        await self.bench.until(lambda: not self.sending.waiting, timeout=2000)
        assert memory.idle, "a pass ends when nothing is under way"
        assert memory.writes == model.writes, "records that were written"
        assert memory.reads == model.reads[: len(memory.reads)], "records that were read"
        needed = (
            len(model.reads)
            if cut is None
            else len([w for w in words[:cut] if record(step, self.origin, w) is not None])
        )
        assert needed * model.needed <= len(memory.reads) <= len(model.reads)
        await self.bench.until(lambda: self.sending.done and not self.aims.waiting, timeout=2000)

    async def random(self, count: int) -> None:
        """Make a step's first pass, then others over some of its words, or packets; all again and again."""
        for _ in range(count):
            step, rng = self.step(), self.rng
            everything = list(range(step["words"]))
            source = int(rng.random() < 0.3)
            await self.run(step | {"source": source, "packet": 0}, everything, fresh=True)
            for _ in range(3):
                packet = rng.choice((0, 0, 1, 2))
                source = int(rng.random() < 0.3 and not packet)
                cut = rng.choice((None, rng.randint(0, step["words"]))) if source else None
                words = everything if source or packet else [w for w in everything if rng.random() < 0.6]
                await self.run(
                    step | {"source": source, "packet": packet}, words, fresh=packet > 0 and rng.random() < 0.5, cut=cut
                )


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def passes(dut: Any, stalls: tuple[float, float]) -> None:
    run = Passes(dut, stalls)
    await run.start()
    for latency, pause in ((0, 0.0), (60, 0.1), (8, 0.6), (300, 0.0)):
        run.memory.latency, run.memory.pause = latency, pause
        run.origin = run.rng.randrange(ORIGINS)
        await run.random(2)
    assert run.sending.compared > 300


@cocotb.test()
async def reset_in_a_pass(dut: Any) -> None:
    """What is under way is gone, in the memory's ports, too; the next pass is right."""
    run = Passes(dut, (0.2, 0.2))
    await run.start()
    for _ in range(12):
        step = run.step() | {"source": int(run.rng.random() < 0.5), "packet": run.rng.choice((0, 0, 2))}
        words = list(range(step["words"]))
        await run.run(step | {"packet": 0}, words, fresh=True)
        await run.begin(step, words, fresh=run.rng.random() < 0.5)
        await run.bench.cycles(run.rng.randrange(90))
        await run.bench.reset()
        await run.run(step | {"packet": 0}, words, fresh=True)
        await run.run(step | {"packet": 2, "source": 0}, words, fresh=True)
