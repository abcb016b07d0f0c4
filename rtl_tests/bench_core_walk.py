# SPDX-License-Identifier: Apache-2.0
"""core_walk: operations, marks and freed words of located events against the loops of a walk."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, check, generator
from core_bench import CONFIG
from core_tokens import FLAGS, INDEX, LANES, LOCATED, OPERATION, check_width, extreme, lanes_of, noise, packed, word_of

from codesign.core.config import CHUNK_BITS
from codesign.core.interpret import _Operations
from codesign.core.program import Walk
from codesign.core.records import TABLE, WALK

CASES = {"all": Case(parameters={})}
LATENCY = 6
NUMBERS = [0, 1, 2, 63, 128, 254, 255]
"""Of the readers that there are."""

PROGRAM: Any = SimpleNamespace(config=CONFIG)

Values = dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A located event, and what it does: a step each in the loops, with its mark and its operations."""

    token: int
    visits: tuple[Visit, ...] = ()
    end: bool = False

    @property
    def cycles(self) -> int:
        """Cycles that it takes."""
        return max(1, sum(len(visit.operations) for visit in self.visits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A word that an event reaches: its mark, and line and deltas of each operation."""

    mark: tuple[int, int]
    sum: int
    beats: int
    operations: tuple[tuple[int, tuple[int, ...]], ...]


def visits(walk: Values, event: Values, lanes: Sequence[int], deltas: Sequence[int]) -> Iterator[Visit]:
    """Return what an event that hits does, in order; ``lanes`` of the mask."""
    element = event["element"]
    walk = walk | {"used": 1} if element else walk
    row, column = (list(TABLE.unpack(CONFIG, event[name]).values()) for name in ("row", "column"))
    ops = _Operations.of(PROGRAM, Walk(**walk), *map(np.array, ([event["remainder"]], [row], [column])))
    for word, address, line in zip(*(values.tolist() for values in (ops.word, ops.sum, ops.line)), strict=True):
        if walk["channelwise"]:
            operations = [(line, tuple(deltas))]
        else:
            operations = [(line + (0 if element else lane) & INDEX, (deltas[lane],) * LANES) for lane in lanes]
        mark = (walk["mark_base"] * CHUNK_BITS + word) & INDEX
        yield Visit(
            mark=(mark, walk["engine"]),
            sum=address,
            beats=walk["narrow"] << 7 | walk["word_beats"],
            operations=tuple(operations),
        )


class Deltas:
    """Shows the deltas of the oldest word that is not free, noise if there is none."""

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.dut, self.rng = dut, rng
        self.words: deque[int] = deque()
        self.freed = 0

    def clear(self) -> None:
        self.words.clear()
        self.freed = 0

    def drive(self) -> None:
        bits = LANES * CONFIG.delta_bits
        self.dut.deltas_i.value = self.words[0] if self.words else self.rng.getrandbits(bits)

    def sample(self, _: int) -> bool:
        free = bool(self.dut.free_o.value == 1 and self.dut.rst_ni.value == 1)
        if free:
            assert self.words, "freed twice"
            self.words.popleft()
            self.freed += 1
        return free


class Marked(Sink):
    """The operations; the mark of a word is taken before its first operation comes."""

    def __init__(self, marks: Sink, *pins: Any, pause: float, rng: random.Random) -> None:
        super().__init__(*pins, pause=pause, rng=rng)
        self.marks, self.firsts = marks, 0

    def clear(self) -> None:
        super().clear()
        self.firsts = 0

    def sample(self, now: int) -> bool:
        progress = super().sample(now)
        if progress:
            operation = OPERATION.unpack(CONFIG, self.tokens[-1][0])
            self.firsts += operation["first"] and not operation["end_of_pass"]
            assert len(self.marks.tokens) >= self.firsts, "an operation without its mark"
        return progress


def parse(token: tuple[int, int]) -> tuple[object, ...]:
    """Return an operation; of the end of a pass only that."""
    fields = OPERATION.unpack(CONFIG, token[0])
    flags = {name for name in FLAGS if fields[name]}
    if fields["end_of_pass"]:
        assert flags == {"end_of_pass"}
        return ("end",)
    deltas = tuple(lanes_of(token[1], CONFIG.delta_bits))
    assert not fields["first"] or fields["from"] == fields["sum"]
    numbers = (fields["sum"], fields["line"], fields["beats"], fields["engine"])
    return (flags - {"first", "last"} == {"add"}, bool(fields["first"]), bool(fields["last"]), *numbers, deltas)


def operations(event: Event) -> list[tuple[object, ...]]:
    """Return what `parse` makes of the operations of an event."""
    if event.end:
        return [("end",)]
    return [
        (True, at == 0, at == len(visit.operations) - 1, visit.sum, line, visit.beats, visit.mark[1], deltas)
        for visit in event.visits
        for at, (line, deltas) in enumerate(visit.operations)
    ]


class Play:
    """Events of words with all their readers, and what they do."""

    def __init__(self, dut: Any, stalls: tuple[float, float, float]) -> None:
        check_width(dut.event_i, LOCATED)
        check_width(dut.op_o, OPERATION)
        rng = self.rng = generator()
        self.dut = dut
        self.source = Source(dut.valid_i, dut.ready_o, [dut.event_i], pause=stalls[0], rng=rng)
        marks = [dut.mark_word_o, dut.mark_engine_o]
        self.marks = Sink(dut.mark_valid_o, dut.mark_ready_i, marks, pause=stalls[2], rng=rng)
        pins = (dut.op_valid_o, dut.op_ready_i, [dut.op_o, dut.deltas_o])
        self.sink = Marked(self.marks, *pins, pause=stalls[1], rng=rng)
        self.deltas = Deltas(dut, rng)
        self.bench = Bench(dut, [self.source, self.marks, self.sink, self.deltas])
        self.events: list[Event] = []
        self.words = 0

    async def load(self) -> None:
        """Write the records of all readers."""
        dut, rng = self.dut, self.rng
        self.walks = {}
        for number in NUMBERS:
            walk = {field.name: rng.getrandbits(field.bits(CONFIG)) for field in WALK.fields}
            walk["groups"] = 1 if walk["channelwise"] else rng.choice((1, 1, 2, 5))
            walk["taps"] = rng.choice((1, walk["taps"], walk["taps"]))
            self.walks[number] = walk
            dut.load_i.value, dut.load_address_i.value = 1, number
            dut.load_data_i.value = packed(WALK, **walk)
            await self.bench.cycle()
            dut.load_i.value, dut.load_address_i.value = 0, rng.choice(NUMBERS)
            dut.load_data_i.value = noise(WALK, rng)
            await self.bench.cycle()

    def put(self, event: Event) -> None:
        """Queue an event."""
        self.events.append(event)
        self.source.waiting.append(event.token)

    def word(self, readers: int, *, hit: float = 0.8) -> None:
        """Queue the events of a word for its readers: one, or one for each of its changed lanes; the last is free."""
        rng = self.rng
        deltas = [extreme(rng, CONFIG.delta_bits) for _ in range(LANES)]
        lanes = sorted(rng.sample(range(LANES), rng.choice((1, rng.randint(1, LANES), LANES))))
        given: list[tuple[Values, tuple[Visit, ...]]] = []
        for _ in range(readers):
            number, element = rng.choice(NUMBERS), rng.random() < 0.4
            walk = self.walks[number]
            element &= not walk["channelwise"]
            given += [
                self._event(number, int(element), picked, deltas, rng.random() < hit)
                for picked in ([[lane] for lane in lanes] if element else [lanes])
            ]
        self.deltas.words.append(word_of(deltas, CONFIG.delta_bits))
        self.words += 1
        for at, (fields, reached) in enumerate(given):
            token = packed(LOCATED, **fields, free=int(at == len(given) - 1))
            self.put(Event(token=token, visits=reached))

    def _event(
        self, number: int, element: int, lanes: Sequence[int], deltas: Sequence[int], hit: bool
    ) -> tuple[Values, tuple[Visit, ...]]:
        """Return the fields and the visits of an event; one that reaches nothing has noise elsewhere."""
        rng = self.rng
        counts = (rng.choice((1, 1, 2, 3)), rng.choice((1, 1, 2, 4)))
        spans = [noise(TABLE, rng, count=count) if hit else noise(TABLE, rng) for count in counts]
        event = {"walk": number, "element": element, "remainder": rng.getrandbits(CONFIG.index_bits)}
        event |= {"row": spans[0], "column": spans[1], "mask": sum(1 << lane for lane in lanes), "hit": int(hit)}
        return event, tuple(visits(self.walks[number], event, lanes, deltas)) if hit else ()

    def free_only(self) -> None:
        """Queue a word that nothing reads."""
        self.deltas.words.append(self.rng.getrandbits(LANES * CONFIG.delta_bits))
        self.words += 1
        self.put(Event(token=noise(LOCATED, self.rng, end_of_pass=0, hit=0, free=1)))

    def end(self) -> None:
        """Queue the end of a pass; all other fields are noise."""
        self.put(Event(token=noise(LOCATED, self.rng, end_of_pass=1), end=True))

    def _ended(self, operations: int) -> bool:
        """Return whether everything came, or too much."""
        came = len(self.sink.tokens)
        return came > operations or (came == operations and not self.source.waiting and not self.deltas.words)

    async def finish(self) -> None:
        """Go on until everything came, and nothing else."""
        want = [operation for event in self.events for operation in operations(event)]
        marks = [visit.mark for event in self.events for visit in event.visits]
        try:
            await self.bench.until(lambda: self._ended(len(want)), timeout=200)
            await self.bench.cycles(30)
        finally:
            check(self.sink, want, parse)
            check(self.marks, marks)
        assert (len(self.sink.tokens), len(self.marks.tokens)) == (len(want), len(marks))
        assert (self.deltas.freed, len(self.deltas.words)) == (self.words, 0)


async def make(dut: Any, stalls: tuple[float, float, float]) -> Play:
    play = Play(dut, stalls)
    dut.load_i.value = 0
    await play.bench.start()
    await play.load()
    return play


@cocotb.test()
@cocotb.parametrize(stalls=[(*both, marks) for both in STALLS for marks in (0.0, 0.5)])
async def events(dut: Any, stalls: tuple[float, float, float]) -> None:
    play = await make(dut, stalls)
    for _ in range(12):
        for _ in range(play.rng.choice((0, 3, 12))):
            play.word(play.rng.choice((1, 1, 2, 3)))
            if play.rng.random() < 0.2:
                play.free_only()
        play.end()
    await play.finish()


@cocotb.test()
async def no_gaps(dut: Any) -> None:
    """An operation in each cycle, and a cycle for each event without one."""
    play = await make(dut, (0.0, 0.0, 0.0))
    start = play.bench.now
    for _ in range(12):
        play.word(2)
    play.free_only()
    play.end()
    play.end()
    await play.finish()
    at, want = play.source.taken_at[0] + LATENCY, []
    for event in play.events:
        want += [at + later for later in range(len(operations(event)))]
        at += event.cycles
    assert play.source.taken_at[0] == start
    assert play.sink.seen_at == want


@cocotb.test()
async def one_after_the_other(dut: Any) -> None:
    """Each kind of reader by itself: what it does is seen before the next event comes."""
    play = await make(dut, (0.0, 0.0, 0.0))
    for _ in range(30):
        play.word(1, hit=1.0)
        await play.finish()


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    play = await make(dut, (0.1, 0.2, 0.2))
    for _ in range(10):
        for _ in range(4):
            play.word(2)
        play.end()
        await play.bench.cycles(play.rng.randrange(1, 60))
        play.events.clear()
        play.words = 0
        await play.bench.reset()
    play.word(3)
    play.end()
    await play.finish()
