# SPDX-License-Identifier: Apache-2.0
"""core_receive: records of what lies outside, asked for by their index, whole and in order."""

from __future__ import annotations

import os
import random
from collections import deque
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, generator
from core_bench import CONFIG

CASES = {
    "records of 8": Case(parameters={"Records": 8, "Beats": 8, "Width": 250}),
    "records of 3": Case(parameters={"Records": 2, "Beats": 3, "Width": 71}),
    "a beat": Case(parameters={"Records": 4, "Beats": 1, "Width": 32}),
}
PARAMETERS = CASES[os.environ.get("BENCH_CASE", "a beat")].parameters
RECORDS, BEATS, WIDTH = (int(PARAMETERS[name]) for name in ("Records", "Beats", "Width"))
BITS = CONFIG.memory_bits or 32
TO_REQUEST, TO_RECORD = 2, 2
"""Cycles from taking an index to its request, and from the last beat to the record."""


def beat(address: int) -> int:
    """Return what lies at an address of a beat."""
    return random.Random(address).getrandbits(BITS)


class Outside:
    """The memory: takes a request when it likes, answers in order when it likes, never more than there is room for."""

    def __init__(self, dut: Any, pause: float, late: float) -> None:
        self.dut, self.pause, self.late, self.rng = dut, pause, late, generator()
        self.clear()

    def clear(self) -> None:
        self.beats: deque[tuple[int, bool]] = deque()
        self.waiting: tuple[int, int] | None = None
        self.asked_at: list[int] = []
        self.last_at: list[int] = []
        self.comes = False

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        self.ready = rng.random() >= self.pause
        dut.read_ready_i.value = int(self.ready)
        self.comes = bool(self.beats) and rng.random() >= self.late
        address, last = self.beats[0] if self.comes else (rng.getrandbits(20), rng.random() < 0.5)
        dut.data_valid_i.value, dut.data_i.value, dut.data_last_i.value = int(self.comes), beat(address), int(last)

    def sample(self, now: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        if self.comes and self.beats.popleft()[1]:
            self.last_at.append(now)
        request = None
        if dut.read_valid_o.value == 1:
            request = (int(dut.read_address_o.value), int(dut.read_beats_o.value))
        assert self.waiting in (None, request), "a request changed while it waited"
        self.waiting = None if self.ready else request
        if request is None or not self.ready:
            return self.comes
        self.asked_at.append(now)
        address, beats = request
        self.beats.extend(((address + at) % CONFIG.memory_beats, at == beats - 1) for at in range(beats))
        return True


class Receiving:
    """The bench of one core_receive; what is at its output may be noise past the beats of its record."""

    def __init__(self, dut: Any, stalls: tuple[float, float], pause: float = 0.0, late: float = 0.0) -> None:
        rng = self.rng = generator()
        self.dut = dut
        self.source = Source(dut.valid_i, dut.ready_o, [dut.index_i, dut.beats_i], pause=stalls[0], rng=rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.data_o], pause=stalls[1], rng=rng)
        self.memory = Outside(dut, pause, late)
        self.bench = Bench(dut, [self.source, self.memory, self.sink])
        self.records: list[tuple[int, int]] = []

    async def start(self) -> None:
        """Start; another origin after each reset."""
        self.origin = self.rng.choice((0, self.rng.randrange(CONFIG.memory_beats)))
        self.dut.origin_i.value = self.origin
        await self.bench.start()

    def put(self, index: int, beats: int) -> None:
        """Queue a request."""
        self.source.waiting.append(index | beats << CONFIG.index_bits)
        self.records.append((index, beats))

    def some(self, count: int) -> None:
        """Queue random requests: whole records, and shorter ones."""
        for _ in range(count):
            most = CONFIG.memory_beats // BEATS
            self.put(self.rng.randrange(most), self.rng.choice((BEATS, self.rng.randint(1, BEATS))))

    async def finish(self) -> None:
        """Go on until everything came, and nothing else; there is never more under way than there is room for."""

        def done() -> bool:
            assert len(self.source.taken_at) - len(self.sink.tokens) <= RECORDS, "asked for too much"
            return len(self.sink.tokens) == len(self.records)

        await self.bench.until(done, timeout=300)
        await self.bench.cycles(20)
        assert len(self.sink.tokens) == len(self.records)
        assert not self.memory.beats
        for got, (index, beats) in zip(self.sink.tokens, self.records, strict=True):
            mask = (1 << min(WIDTH, beats * BITS)) - 1
            places = (self.origin + index * BEATS + at for at in range(beats))
            want = sum(beat(place % CONFIG.memory_beats) << at * BITS for at, place in enumerate(places))
            assert got & mask == want & mask, f"record {index}"


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, late=(0.0, 0.7))
async def records(dut: Any, stalls: tuple[float, float], late: float) -> None:
    receiving = Receiving(dut, stalls, pause=late / 2, late=late)
    await receiving.start()
    receiving.some(100)
    await receiving.finish()


@cocotb.test()
async def rate(dut: Any) -> None:
    """The cycles to a request and from its last beat; a record takes its beats and a cycle."""
    receiving = Receiving(dut, (0.0, 0.0))
    await receiving.start()
    for index in range(40):
        receiving.put(index, BEATS)
    await receiving.finish()
    memory = receiving.memory
    assert memory.asked_at[0] - receiving.source.taken_at[0] == TO_REQUEST
    assert receiving.sink.seen_at[0] - memory.last_at[0] == TO_RECORD
    assert RECORDS < 4 or np.diff(receiving.sink.seen_at[20:]).tolist() == [BEATS + 1] * 19


@cocotb.test()
async def as_many_as_there_is_room_for(dut: Any) -> None:
    """Nothing is taken: requests stop, and what was asked for stays whole."""
    receiving = Receiving(dut, (0.0, 1.0))
    await receiving.start()
    receiving.some(3 * RECORDS)
    await receiving.bench.cycles(20 + 2 * RECORDS * (BEATS + 1))
    assert len(receiving.memory.asked_at) == RECORDS
    assert len(receiving.source.taken_at) == RECORDS
    receiving.sink.pause = 0.0
    await receiving.finish()


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    """What was asked for before is dropped by who answers; the origin may be another one."""
    receiving = Receiving(dut, (0.1, 0.3), 0.3, 0.3)
    await receiving.start()
    for _ in range(12):
        receiving.some(20)
        await receiving.bench.cycles(receiving.rng.randrange(1, 50))
        receiving.records.clear()
        receiving.origin = receiving.rng.randrange(CONFIG.memory_beats)
        dut.origin_i.value = receiving.origin
        await receiving.bench.reset()
        receiving.some(8)
        await receiving.finish()
        receiving.records.clear()
        receiving.sink.clear()
        receiving.source.taken_at.clear()
