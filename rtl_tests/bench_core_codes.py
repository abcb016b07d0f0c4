# SPDX-License-Identifier: Apache-2.0
"""core_codes: passes over words of rows, as core_send makes them, with rows that change on the way."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, generator
from core_bench import CONFIG, MOST_PARTS, step_record

CASES = {"banks": Case(parameters={"BankRows": 64})}
READ, STAGES = 5, 11
ROW_BITS = CONFIG.quantisers * CONFIG.code_bits


class Codes:
    """The rows that a core keeps."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}

    def before(self, row: int) -> int | None:
        """Return the codes of a row; None if it was never written."""
        return self.rows.get(row)

    def replace(self, row: int, codes: int) -> None:
        """Keep new codes of a row."""
        self.rows[row] = codes


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a word inside core_send."""

    word: int
    part: int
    row: int


class Sending:
    """Plays core_send: takes parts of words, looks at their rows and replaces them."""

    def __init__(self, dut: Any, rng: random.Random, stalls: tuple[float, float]) -> None:
        self.dut, self.rng, self.stalls, self.model = dut, rng, stalls, Codes()
        self.compared = 0
        self.clear()

    def clear(self) -> None:
        """Forget what is inside (reset)."""
        self.waiting: deque[Part] = deque()
        self.stages: deque[Part | None] = deque([None] * STAGES)
        self.new = 0

    @property
    def empty(self) -> bool:
        return not self.waiting and not any(self.stages)

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        self.offered = self.waiting[0] if self.waiting and rng.random() >= self.stalls[0] else None
        self.enable = rng.random() >= self.stalls[1]
        dut.enable_i.value = int(self.enable)
        dut.word_i.value = self.offered.word if self.offered else rng.getrandbits(CONFIG.index_bits)
        dut.part_i.value = self.offered.part if self.offered else rng.randrange(MOST_PARTS)
        dut.row_i.value = int(self.stages[-1] is not None)
        dut.codes_i.value = self.new if self.stages[-1] else rng.getrandbits(ROW_BITS)

    def sample(self, _: int) -> bool:
        read = self.stages[READ - 1]
        before = self.model.before(read.row) if read else None
        if before is not None:
            assert int(self.dut.codes_o.value) == before, f"row {read.row}"  # type: ignore[union-attr]
            self.compared += self.enable
        if not self.enable:
            return False
        if (written := self.stages.pop()) is not None:
            self.model.replace(written.row, self.new)
        self.stages.appendleft(self.offered)
        if self.stages[-1] is not None:
            self.new = self.rng.getrandbits(ROW_BITS)
        if self.offered:
            self.waiting.popleft()
        return True


def parts_of(step: Mapping[str, int], words: Iterable[int]) -> Iterator[Part]:
    """Return the parts of words in order."""
    for word in words:
        for part in range(step["parts"]):
            yield Part(word, part, step["code_base"] + word * step["parts"] + part)


def random_step(rng: random.Random, rows: int) -> dict[str, int]:
    """Return a step whose words take rows of a memory of so many."""
    parts = rng.randint(1, MOST_PARTS)
    words = rng.randint(1, min(40, rows // parts))
    base = rng.choice((0, rng.randint(0, rows - words * parts), rows - words * parts))
    return {"parts": parts, "words": words, "code_base": base}


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def passes(dut: Any, stalls: tuple[float, float]) -> None:
    rng = generator()
    sending = Sending(dut, rng, stalls)
    bench = Bench(dut, [sending])
    await bench.start()
    for _ in range(60):
        step = random_step(rng, CONFIG.code_rows)
        dut.step_i.value = step_record(**step)
        for density in (1.0, rng.random()):
            sending.waiting.extend(parts_of(step, (w for w in range(step["words"]) if rng.random() < density)))
            await bench.until(lambda: sending.empty, timeout=200)
    assert sending.compared > 1000
