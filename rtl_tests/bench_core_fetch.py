# SPDX-License-Identifier: Apache-2.0
"""core_fetch: groups, addresses, parts and the largest of the taps, with sums that come some time after a request."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, Sink, Source, drain, generator
from bench_core_divide import reciprocal
from core_bench import CONFIG, MOST_PARTS, signed, step_record
from models import pack

CASES = {"parts": Case(parameters={})}
LATENCY = 19
LEAST = 2
"""Cycles from a request to the sums, at least; LATENCY has them in it."""
CODES = 2
"""Packet of the codes."""
Q, SB, INDEX_BITS = CONFIG.quantisers, CONFIG.sum_bits, CONFIG.index_bits
STALLS = ((0.0, 0.0, 0.0), (0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.5), (0.3, 0.6, 0.3), (0.0, 0.4, 0.8))
"""Pauses of the words, of the sums, and after it."""


@lru_cache(maxsize=4096)
def sums(address: int) -> list[int]:
    """Return what a word of sums holds in these benches."""
    rng = random.Random(address % (1 << INDEX_BITS))
    return [signed(rng.getrandbits(SB), SB) if rng.random() < 0.7 else rng.randint(-2, 2) for _ in range(CONFIG.lanes)]


def fetched(step: Mapping[str, int], word: int) -> list[tuple[int, ...]]:
    """Return the tokens of a word: end, word, part, last part, group, sums."""
    taps = [sums(step["sum_base"] + word * step["taps"] + tap) for tap in range(step["taps"])]
    largest = np.max(taps, axis=0).tolist()
    parts = step["parts"]
    return [
        (0, word, part, int(part == parts - 1), word % step["groups"], pack(largest[part * Q : part * Q + Q], SB))
        for part in range(parts)
    ]


class Sums:
    """The memory of sums: takes a request when it likes, answers in order, ``gap_o`` cycles or more after each other.

    An answer comes ``wait`` cycles after its request, and up to ``late`` cycles later than that.
    """

    def __init__(self, dut: Any, pause: float, late: int) -> None:
        self.dut, self.pause, self.late, self.rng = dut, pause, late, generator()
        self.wait = LEAST
        self.clear()

    def clear(self) -> None:
        self.under_way: deque[tuple[int, int]] = deque()  # from when on it may come, and the address
        self.next_at = self.now = self.most = 0
        self.waiting: int | None = None
        self.taken_at: list[int] = []
        self.noise = 2  # cycles of a reset, which begins now

    def drive(self) -> None:
        dut = self.dut
        self.ready = self.rng.random() >= self.pause
        dut.sum_ready_i.value = int(self.ready)
        comes = bool(self.under_way) and max(self.under_way[0][0], self.next_at) <= self.now
        dut.sum_valid_i.value = int(comes) if not self.noise else self.rng.getrandbits(1)
        self.noise = max(0, self.noise - 1)
        bits = CONFIG.lanes * SB
        dut.sum_data_i.value = pack(sums(self.under_way.popleft()[1]), SB) if comes else self.rng.getrandbits(bits)
        self.comes = comes

    def sample(self, now: int) -> bool:
        dut = self.dut
        if self.comes:
            self.next_at = self.now + int(dut.gap_o.value) + 1
        asked = dut.sum_valid_o.value == 1
        address = int(dut.sum_address_o.value) if asked else None
        assert self.waiting in (None, address), "a request changed while it waited"
        taken = asked and self.ready
        self.waiting = None if taken else address
        if address is not None and taken:
            self.taken_at.append(now)
            self.under_way.append((self.now + self.wait + self.rng.randrange(self.late + 1), address))
            self.most = max(self.most, len(self.under_way))
        self.now += 1
        return taken or self.comes


class Fetching:
    """The bench of one core_fetch."""

    def __init__(self, dut: Any, stalls: tuple[float, float, float], late: int = 0) -> None:
        rng = self.rng = generator()
        self.dut = dut
        self.source = Source(dut.valid_i, dut.ready_o, [dut.end_i, dut.word_i], pause=stalls[0], rng=rng)
        self.sums = Sums(dut, stalls[1], late)
        pins = [dut.end_o, dut.word_o, dut.part_o, dut.last_part_o, dut.group_o, dut.z_o]
        self.sink = Sink(dut.valid_o, dut.ready_i, pins, pause=stalls[2], rng=rng)
        self.bench = Bench(dut, [self.source, self.sums, self.sink])

    def step(self, taps: int, parts: int, **fields: int) -> dict[str, int]:
        groups = self.rng.randint(1, 9)
        recip, shift = reciprocal(groups, INDEX_BITS)
        base = self.rng.choice((0, self.rng.randrange(1 << INDEX_BITS)))
        made = {"groups": groups, "group_recip": recip, "group_shift": shift, "sum_base": base}
        return made | {"taps": taps, "parts": parts, **fields}

    async def run(self, step: Mapping[str, int], words: list[int]) -> None:
        self.dut.step_i.value = step_record(**step)
        expected: list[Any] = []
        for word in words:
            self.source.waiting.append(word << 1)
            expected += fetched(step, word)
        self.source.waiting.append(self.rng.getrandbits(INDEX_BITS) << 1 | 1)
        expected.append("end")
        self.sink.clear()
        self.source.taken_at, self.sums.taken_at = [], []
        fields = 5 if step.get("packet") == CODES else 6  # a packet of codes needs no sums
        expected = [token[:fields] if token != "end" else token for token in expected]
        await drain(self.bench, self.source, self.sink, expected, lambda t: "end" if t[0] else t[:fields], quiet=25)
        requests = 0 if step.get("packet") == CODES else step["taps"] * (step["parts"] if step["taps"] > 1 else 1)
        assert len(self.sums.taken_at) == requests * len(words), "a word of sums is asked for once"


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, late=(0, 9))
async def passes(dut: Any, stalls: tuple[float, float, float], late: int) -> None:
    fetching = Fetching(dut, stalls, late)
    await fetching.bench.start()
    for taps in (1, 1, 1, 2, 4, 9):
        for parts in sorted({1, MOST_PARTS, fetching.rng.randint(1, MOST_PARTS)}):
            rng = fetching.rng
            words = sorted(rng.sample(range(200), rng.randint(0, 60)))
            if rng.random() < 0.3:
                words = sorted(rng.randrange(1 << INDEX_BITS) for _ in range(30))
            await fetching.run(fetching.step(taps, parts, packet=rng.choice((0, 0, 1, CODES))), words)


@cocotb.test()
@cocotb.parametrize(taps=(1, 4), parts=(1, 2))
async def rate(dut: Any, taps: int, parts: int) -> None:
    """A part a cycle with one tap, else a request a cycle; the latency."""
    fetching, parts = Fetching(dut, (0.0, 0.0, 0.0)), min(parts, MOST_PARTS)
    await fetching.bench.start()
    await fetching.run(fetching.step(taps, parts), list(range(100)))
    asked, seen = fetching.sums.taken_at, fetching.sink.seen_at
    assert np.diff(asked).tolist() == [parts if taps == 1 else 1] * (len(asked) - 1)
    assert np.diff(seen[:-1]).tolist() == [taps] * (100 * parts - 1)
    assert seen[0] - fetching.source.taken_at[0] == LATENCY + taps - 1


@cocotb.test()
@cocotb.parametrize(taps=(1, 3), parts=(1, 2))
async def far_away(dut: Any, taps: int, parts: int) -> None:
    """Sums that come late do not cost time where there is room for what was asked for in the meantime."""
    fetching, parts = Fetching(dut, (0.0, 0.0, 0.0)), min(parts, MOST_PARTS)
    fetching.sums.wait = 8 // parts if taps == 1 else 4
    await fetching.bench.start()
    await fetching.run(fetching.step(taps, parts), list(range(60)))
    assert np.diff(fetching.sums.taken_at).tolist() == [parts if taps == 1 else 1] * (len(fetching.sums.taken_at) - 1)
    assert fetching.sums.most >= 2, "several requests are under way"


@cocotb.test()
@cocotb.parametrize(parts=(1, 2))
async def codes_without_sums(dut: Any, parts: int) -> None:
    """A packet of codes does not wait for a memory of sums that takes nothing."""
    fetching = Fetching(dut, (0.0, 1.0, 0.0))
    await fetching.bench.start()
    await fetching.run(fetching.step(1, min(parts, MOST_PARTS), packet=CODES), list(range(40)))


@cocotb.test()
async def reset_in_a_pass(dut: Any) -> None:
    fetching = Fetching(dut, (0.1, 0.3, 0.3), 9)
    await fetching.bench.start()
    for _ in range(12):
        dut.step_i.value = step_record(
            **fetching.step(fetching.rng.choice((1, 3)), fetching.rng.randint(1, MOST_PARTS))
        )
        fetching.source.waiting.extend(word << 1 for word in range(60))
        await fetching.bench.cycles(fetching.rng.randrange(60))
        await fetching.bench.reset()
        await fetching.run(fetching.step(fetching.rng.choice((1, 3)), MOST_PARTS), list(range(10)))
