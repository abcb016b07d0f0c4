# SPDX-License-Identifier: Apache-2.0
"""core_send: rows of parameters, what is sent, what codes become, and packets."""

from __future__ import annotations

import operator
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator
from core_bench import (
    CONFIG,
    MOST_PARTS,
    SUM_HI,
    SUM_LO,
    aligned,
    lane,
    param_record,
    random_lane,
    random_shared,
    random_z,
    sent,
    step_record,
    unaligned,
)
from models import pack

CASES = {"parts": Case(parameters={})}
LATENCY, BEAT_LATENCY, READ = 11, 6, 5
Q, SB, CB, DB = CONFIG.quantisers, CONFIG.sum_bits, CONFIG.code_bits, CONFIG.delta_bits

BEYOND = {"relu": 0, "shift": SB - 3, "lo": -9, "hi": 9}
"""Clip bounds that are no sums."""


@dataclass(slots=True)
class Sender:
    """What a core sends: the codes that it keeps, and the deltas or the beats of a part."""

    params: dict[int, list[dict[str, int]]] = field(default_factory=dict)
    codes: dict[int, list[int]] = field(default_factory=dict)

    def rows(self, step: Mapping[str, int], word: int, part: int) -> tuple[int, int]:
        """Return the rows of parameters and codes of a part."""
        group = word % step["groups"]
        return step["param_base"] + group * step["parts"] + part, step["code_base"] + word * step["parts"] + part

    def before(self, row: int, fresh: bool) -> list[int]:
        """Return the codes of a row that deltas are against."""
        return [0] * Q if fresh or row not in self.codes else self.codes[row]

    def deltas(self, step: Mapping[str, int], fresh: bool, word: int, part: int, z: list[int]) -> list[int]:
        """Return what the lanes of a part send, and keep their codes."""
        params, row = self.rows(step, word, part)
        old, shared = (
            self.before(row, fresh),
            {"relu": bool(step["relu"])} | {k: step[k] for k in ("shift", "lo", "hi")},
        )
        new = [
            sent(lane(**shared, step=p["step"], threshold=p["threshold"]), aligned(p, value), code)
            if p["valid"]
            else code
            for p, value, code in zip(self.params[params], z, old, strict=True)
        ]
        self.codes[row] = new
        return [after - code for after, code in zip(new, old, strict=True)]

    def beat(self, step: Mapping[str, int], word: int, part: int, z: list[int]) -> list[int]:
        """Return the values of a part in a packet."""
        params, row = self.rows(step, word, part)
        if step["packet"] == 1:
            return [aligned(p, value) for p, value in zip(self.params[params], z, strict=True)]
        return self.codes[row]


class Rows:
    """Plays core_codes: the codes of rows, and what they become."""

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.dut, self.rng = dut, rng
        self.codes: dict[int, int] = {}
        self.row: Callable[[int, int], int] = operator.add  # of a word's part
        self.clear()

    def clear(self) -> None:
        self.stages: deque[int | None] = deque([None] * LATENCY)

    def drive(self) -> None:
        row = self.stages[READ - 1]
        noise = self.rng.getrandbits(Q * CB)
        self.dut.codes_i.value = noise if row is None else self.codes.get(row, noise)

    def sample(self, _: int) -> bool:
        dut = self.dut
        if dut.row_o.value == 1:
            assert self.stages[-1] is not None, "a row that came is kept"
            self.codes[self.stages[-1]] = int(dut.codes_o.value)
        if dut.enable_o.value == 1:
            part = dut.valid_i.value == 1 and dut.ready_o.value == 1 and dut.end_i.value == 0
            self.stages.pop()
            self.stages.appendleft(self.row(int(dut.word_i.value), int(dut.part_i.value)) if part else None)
        return False


class Sending:
    """The bench: loads parameters, pushes passes, keeps the model beside it."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        self.dut, self.rng, self.model = dut, generator(), Sender()
        z = [dut.end_i, dut.word_i, dut.part_i, dut.last_part_i, dut.group_i, dut.z_i]
        out = [dut.end_o, dut.word_o, dut.last_part_o, dut.mask_o, dut.deltas_o]
        self.source = Source(dut.valid_i, dut.ready_o, z, pause=stalls[0], rng=self.rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, out, pause=stalls[1], rng=self.rng)
        axis = [dut.m_axis_tlast, dut.m_axis_tdata]
        self.beats = Sink(dut.m_axis_tvalid, dut.m_axis_tready, axis, pause=stalls[1], rng=self.rng)
        self.rows = Rows(dut, self.rng)
        self.bench = Bench(dut, [self.source, self.sink, self.beats, self.rows, self])
        self.done, self.done_at = 0, -1

    def clear(self) -> None:
        self.done = 0

    def drive(self) -> None:
        """Nothing."""

    def sample(self, now: int) -> bool:
        if self.dut.packet_done_o.value == 1:
            self.done, self.done_at = self.done + 1, now
        return False

    async def start(self) -> None:
        self.dut.start_i.value = self.dut.param_we_i.value = 0
        self.dut.skip_i.value = 1
        await self.bench.start()

    async def load(self, shared: dict[str, Any], base: int, rows: int) -> None:
        dut = self.dut
        for row in range(base, base + rows):
            lanes = []
            for _ in range(Q):
                step, threshold = random_lane(self.rng, shared)
                align = self.rng.choice((0, 0, self.rng.randint(1, 16)))
                low = {"align": align, "low": self.rng.randrange(1 << align)}
                lanes.append({"valid": int(self.rng.random() < 0.9), "step": step, "threshold": threshold} | low)
            self.model.params[row] = lanes
            dut.param_we_i.value, dut.param_waddr_i.value = 1, row
            dut.param_wdata_i.value = pack([param_record(**p) for p in lanes], len(dut.param_wdata_i) // Q)
            await self.bench.cycle()
        dut.param_we_i.value = 0

    async def begin(self, step: Mapping[str, int], fresh: bool) -> None:
        self.rows.row = lambda word, part: self.model.rows(step, word, part)[1]
        self.dut.step_i.value, self.dut.fresh_i.value, self.dut.start_i.value = step_record(**step), int(fresh), 1
        await self.bench.cycle()
        self.dut.start_i.value = 0

    def offer(self, step: Mapping[str, int], word: int, part: int, z: list[int], *, end: bool = False) -> None:
        token, at = 0, 0
        last = int(part == step["parts"] - 1)
        fields = (int(end), word, part, last, word % step["groups"], pack(z, SB))
        for pin, value in zip(self.source.fields, fields, strict=True):
            token, at = token | value << at, at + len(pin)
        self.source.waiting.append(token)

    def sums(self, step: Mapping[str, int], fresh: bool, word: int, part: int) -> list[int]:
        params, row = self.model.rows(step, word, part)
        shared = {"relu": bool(step["relu"])} | {k: step[k] for k in ("shift", "lo", "hi")}
        aims = [
            random_z(self.rng, lane(**shared, step=p["step"], threshold=p["threshold"]), code, p["threshold"])
            for p, code in zip(self.model.params[params], self.model.before(row, fresh), strict=True)
        ]
        beyond = self.rng.random() < 0.1  # sums that only a coarse lattice has
        return [
            self.rng.randint(SUM_LO, SUM_HI) if beyond else unaligned(p, z)
            for p, z in zip(self.model.params[params], aims, strict=True)
        ]

    async def send(self, step: Mapping[str, int], fresh: bool, words: list[int], *, skip: bool = True) -> None:
        self.dut.skip_i.value = int(skip)
        await self.begin(step, fresh)
        expected: list[Any] = []
        for word in words:
            for part in range(step["parts"]):
                z = self.sums(step, fresh, word, part)
                self.offer(step, word, part, z)
                d = self.model.deltas(step, fresh, word, part, z)
                used = [bool(p["valid"]) for p in self.model.params[self.model.rows(step, word, part)[0]]]
                mask = sum(int(value != 0 if skip else used[i]) << i for i, value in enumerate(d))
                expected.append((0, word, int(part == step["parts"] - 1), mask, pack(d, DB)))
        self.offer(step, 0, 0, [self.rng.randrange(SUM_HI) for _ in range(Q)], end=True)
        expected.append("end")
        self.sink.clear()
        await drain(self.bench, self.source, self.sink, expected, lambda t: "end" if t[0] else t, quiet=16)
        kept = {row: pack(codes, CB) for row, codes in self.model.codes.items()}
        assert {row: self.rows.codes[row] for row in kept} == kept

    async def packet(self, step: Mapping[str, int], fresh: bool) -> None:
        self.beats.clear()
        await self.begin(step, fresh)
        expected, parts, done = [], step["parts"], self.done
        for word in range(step["words"]):
            for part in range(parts):
                params = self.model.params[self.model.rows(step, word, part)[0]]
                z = [unaligned(p, self.rng.randint(SUM_LO, SUM_HI)) for p in params]
                self.offer(step, word, part, z)
                last = word == step["words"] - 1 and part == parts - 1
                expected.append((int(last), pack(self.model.beat(step, word, part, z), SB)))
        self.offer(step, 0, 0, [0] * Q, end=True)
        await drain(self.bench, self.source, self.beats, expected, quiet=16)
        assert self.done == done + 1, "one pulse per packet"
        assert self.done_at > self.beats.seen_at[-1], "the packet has left"
        assert not self.sink.tokens

    def step(self, shared: dict[str, Any], **fields: int) -> dict[str, int]:
        rng, parts = self.rng, self.rng.randint(1, MOST_PARTS)
        groups, words = rng.randint(1, 8), rng.randint(1, 30)
        param_base = rng.randint(0, CONFIG.param_rows - groups * parts)
        bases = {"param_base": param_base, "code_base": rng.randint(0, CONFIG.code_rows - 30 * parts)}
        made = {"parts": parts, "groups": groups, "words": words, **bases, **fields}
        return {key: int(value) for key, value in shared.items()} | made


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def frames(dut: Any, stalls: tuple[float, float]) -> None:
    run = Sending(dut, stalls)
    await run.start()
    for number in range(12):
        shared = random_shared(run.rng) if number else BEYOND
        step = run.step(shared)
        await run.load(shared, step["param_base"], step["groups"] * step["parts"])
        await run.send(step, True, list(range(step["words"])))
        for _ in range(3):
            run.sink.clear()
            words = sorted(run.rng.sample(range(step["words"]), run.rng.randint(0, step["words"])))
            await run.send(step, False, words, skip=run.rng.random() < 0.7)
        run.sink.clear()
        await run.packet(step | {"packet": 1}, run.rng.random() < 0.5)
        await run.packet(step | {"packet": 2}, run.rng.random() < 0.5)
        await run.bench.cycles(5)


@cocotb.test()
async def rate(dut: Any) -> None:
    """One part a cycle from the cycle in which the clip range is ready; both latencies."""
    run = Sending(dut, (0.0, 0.0))
    await run.start()
    shared = {"relu": 0, "shift": 7, "lo": -9, "hi": 9}
    step = run.step(shared, words=30)
    await run.load(shared, step["param_base"], step["groups"] * step["parts"])
    begun = run.bench.now
    await run.send(step, True, list(range(30)))
    taken = run.source.taken_at
    assert taken == list(range(begun + 8, begun + 9 + 30 * step["parts"]))
    assert run.sink.seen_at == [at + LATENCY for at in taken]
    run.source.taken_at = []
    run.sink.clear()
    await run.packet(step | {"packet": 2}, False)
    taken = run.source.taken_at
    assert np.diff(taken).tolist() == [1] * (30 * step["parts"])
    assert run.beats.seen_at == [at + BEAT_LATENCY for at in taken[:-1]]
    assert run.done_at == taken[-1] + BEAT_LATENCY


@cocotb.test()
async def reset_in_a_pass(dut: Any) -> None:
    """Tokens inside are gone; the next pass is right."""
    run = Sending(dut, (0.2, 0.3))
    await run.start()
    for _ in range(10):
        shared = random_shared(run.rng)
        step = run.step(shared)
        await run.load(shared, step["param_base"], step["groups"] * step["parts"])
        await run.send(step, True, list(range(step["words"])))
        await run.begin(step | {"packet": run.rng.randrange(3)}, True)
        for word in range(step["words"]):
            run.offer(step, word, 0, [SUM_HI] * Q)
        await run.bench.cycles(run.rng.randrange(20))
        await run.bench.reset()
        run.beats.clear()
        await run.send(step, True, list(range(step["words"])))
