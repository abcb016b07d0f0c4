# SPDX-License-Identifier: Apache-2.0
"""core_place: where the readers of a word find it, or each of its changed lanes, and which event is the word's last."""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Sink, Source, drain, generator
from bench_core_divide import LATENCY as DIVIDE
from core_bench import CONFIG
from core_tokens import CHANGED, INDEX, LANES, LOCATED, check_width, noise, packed

from codesign.core.interpret import Interpreter
from codesign.core.program import Place, reciprocal, values_of
from codesign.core.records import PLACE, TABLE

CASES = {"all": Case(parameters={})}
LATENCY = 9 + 2 * DIVIDE
SWITCH = 1
"""Cycles more for another reader than the one before."""
BASES = [0, 3, 100, 255 - 6]
"""First readers of steps."""
MOST_READERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader, and the number of indices that it knows."""

    place: Place
    size: int


def random_reader(rng: random.Random) -> Reader:
    """Return a reader of any shape: divisors small, large, powers of two and their neighbours; one column or many."""
    near = 1 << rng.randrange(CONFIG.index_bits)
    divisor = rng.choice((1, rng.randint(1, 9), rng.randint(1, INDEX), near, near + 1, max(1, near - 1), INDEX))
    columns = rng.choice((1, 2, rng.randint(1, 40), rng.randint(1, CONFIG.table_rows)))
    rows = rng.choice((1, 2, rng.randint(1, 40), rng.randint(1, CONFIG.table_rows - LANES)))
    divisor = min(divisor, INDEX)
    recip, rshift = reciprocal(divisor, CONFIG.index_bits)
    column_recip, column_shift = reciprocal(columns, CONFIG.index_bits)
    place = Place(
        element=int(rng.random() < 0.5),
        used=rng.randint(1, LANES),
        divisor=divisor,
        recip=recip,
        rshift=rshift,
        columns=columns,
        column_recip=column_recip,
        column_shift=column_shift,
        row_table=rng.randrange(CONFIG.table_rows - LANES - rows + 1),  # word 0 has so many lanes
        column_table=rng.randrange(CONFIG.table_rows - columns + 1),
    )
    return Reader(place=place, size=min(INDEX + 1, divisor * columns * rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """What leaves of an event: one that hits with all fields, else only that it frees its word, or ends the pass."""

    end: bool = False
    free: bool = False
    event: tuple[tuple[str, int], ...] | None = None


def parse(token: int) -> Located:
    """Return what counts of a token."""
    fields = LOCATED.unpack(CONFIG, token)
    if fields.pop("end_of_pass"):
        return Located(end=True)
    free, hit = (bool(fields.pop(name)) for name in ("free", "hit"))
    return Located(free=free, event=tuple(fields.items()) if hit else None)


class Play:
    """Words of a step with its readers, and what has to come of them."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        check_width(dut.changed_i, CHANGED)
        check_width(dut.event_o, LOCATED)
        rng = self.rng = generator()
        self.dut = dut
        self.source = Source(dut.valid_i, dut.ready_o, [dut.changed_i], pause=stalls[0], rng=rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.event_o], pause=stalls[1], rng=rng)
        self.bench = Bench(dut, [self.source, self.sink])
        self.expected: list[Located] = []
        self.readers: dict[int, Reader] = {}
        self.costs: list[int] = []  # events of each word for each reader, with those that do not leave

    async def load(self) -> None:
        """Write all tables and readers."""
        dut, rng = self.dut, self.rng
        self.tables = np.array(
            [
                (rng.getrandbits(CONFIG.index_bits), rng.getrandbits(CONFIG.index_bits), rng.choice((0, 1, 3, 255)))
                for _ in range(CONFIG.table_rows)
            ]
        )
        for address, entry in enumerate(self.tables.tolist()):
            fields = dict(zip(("word", "line", "count"), entry, strict=True))
            await self._write(dut.load_table_i, dut.load_table_data_i, address, packed(TABLE, **fields))
        numbers = sorted({base + later for base in BASES for later in range(MOST_READERS)})
        self.readers = {number: random_reader(rng) for number in numbers}
        for number, reader in self.readers.items():
            record = packed(PLACE, **values_of(reader.place))
            await self._write(dut.load_place_i, dut.load_place_data_i, number, record)

    async def _write(self, pin: Any, data: Any, address: int, record: int) -> None:
        """Write a line; on the other pins there is noise."""
        dut, rng = self.dut, self.rng
        for strobe in (dut.load_place_i, dut.load_table_i):
            strobe.value = int(strobe is pin)
        dut.load_address_i.value = address
        dut.load_place_data_i.value, dut.load_table_data_i.value = noise(PLACE, rng), noise(TABLE, rng)
        data.value = record
        await self.bench.cycle()
        pin.value = 0

    async def step(self, base: int, readers: int) -> None:
        """Take the next words for these readers: they come a cycle later at the earliest."""
        self.base, self.count = base, readers
        self.dut.reader_base_i.value, self.dut.readers_i.value = base, readers
        await self.bench.cycle()

    def word(self, lanes: int | None = None) -> None:
        """Queue a word, or one with so many changed lanes."""
        rng = self.rng
        readers = [(number, self.readers[number]) for number in range(self.base, self.base + self.count)]
        limits = [
            (reader.size - LANES) // reader.place.used if reader.place.element else reader.size for _, reader in readers
        ]
        most = max(1, min([INDEX + 1, *limits]))
        word = rng.choice((0, most - 1, rng.randrange(most), rng.randrange(min(most, 50))))
        changed = sorted(rng.sample(range(LANES), lanes or rng.choice((1, rng.randint(1, LANES), LANES))))
        self.source.waiting.append(packed(CHANGED, word=word, mask=sum(1 << lane for lane in changed)))
        events: list[Located] = []
        for number, reader in readers:
            element = reader.place.element
            picked = [[lane] for lane in changed] if element else [changed]
            index = [word * reader.place.used + lane for lane in changed] if element else [word]
            self.costs.append(len(picked))
            events += [
                self._located(number, reader.place, at, chosen) for at, chosen in zip(index, picked, strict=True)
            ]
        last = Located(free=True, event=events[-1].event if events else None)
        self.expected += [event for event in events[:-1] if event.event is not None] + [last]

    def _located(self, number: int, place: Place, index: int, lanes: list[int]) -> Located:
        """Return the event of an index, as the interpreter locates it."""
        interpreter: Any = SimpleNamespace(program=SimpleNamespace(tables=self.tables))
        found = Interpreter._locate(interpreter, place, np.array([index]))
        (remainder,), (row,), (column,) = (values.tolist() for values in found)
        if not (row[2] and column[2]):
            return Located()
        entries = [packed(TABLE, word=entry[0], line=entry[1], count=entry[2]) for entry in (row, column)]
        fields = {"walk": number, "mask": sum(1 << lane for lane in lanes), "element": place.element}
        fields |= {"remainder": remainder, "row": entries[0], "column": entries[1]}
        return Located(event=tuple(fields.items()))

    def end(self) -> None:
        """Queue the end of a pass; all other fields are noise."""
        self.source.waiting.append(noise(CHANGED, self.rng, end_of_pass=1))
        self.expected.append(Located(end=True))

    async def finish(self) -> None:
        """Go on until everything came, and nothing else."""
        await drain(self.bench, self.source, self.sink, self.expected, parse)

    def clear(self) -> None:
        """Forget what came."""
        self.sink.clear()
        self.source.taken_at.clear()
        self.expected.clear()
        self.costs.clear()


async def make(dut: Any, stalls: tuple[float, float]) -> Play:
    play = Play(dut, stalls)
    dut.load_place_i.value = dut.load_table_i.value = 0
    await play.bench.start()
    await play.step(0, 1)
    await play.load()
    return play


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def words(dut: Any, stalls: tuple[float, float]) -> None:
    """Passes with 0 to 6 readers, each of any kind."""
    play = await make(dut, stalls)
    for readers in (1, 0, 2, 3, 1, 6, 0, 1, 4):
        await play.step(play.rng.choice(BASES), readers)
        for _ in range(play.rng.choice((0, 10, 30))):
            play.word()
        play.end()
        await play.finish()
        play.clear()


@cocotb.test()
async def every_reader(dut: Any) -> None:
    """Each reader by itself, with all lanes and with one."""
    play = await make(dut, (0.0, 0.0))
    for number in play.readers:
        await play.step(number, 1)
        for lanes in (LANES, 1, None, None):
            play.word(lanes)
        play.end()
        await play.finish()
        play.clear()


@cocotb.test()
@cocotb.parametrize(readers=(0, 1, 2, 5))
async def full_rate(dut: Any, readers: int) -> None:
    """An event a cycle; a reader other than the one before costs a cycle more."""
    play = await make(dut, (0.0, 0.0))
    await play.step(BASES[1], readers)
    for _ in range(20):
        play.word()
    play.end()
    await play.finish()
    costs = [sum(play.costs[at * readers : (at + 1) * readers]) or 1 for at in range(20)]
    switches = [readers * at if readers > 1 else min(readers, at) for at in range(21)]
    want = [sum(costs[:at]) + SWITCH * switches[at] for at in range(21)]
    taken = play.source.taken_at
    assert [at - taken[0] for at in taken] == want
    if readers == 0:
        assert play.sink.seen_at == [at + LATENCY - SWITCH for at in taken]


@cocotb.test()
async def latency(dut: Any) -> None:
    """From a word to its first event."""
    play = await make(dut, (0.0, 0.0))
    measured = 0
    for number in [*play.readers] * 3:
        await play.step(number, 1)
        play.word(1)
        hit = play.expected[0].event is not None
        await play.finish()
        measured += hit
        assert not hit or play.sink.seen_at[0] - play.source.taken_at[0] == LATENCY
        play.clear()
        await play.bench.cycles(5)
    assert measured > 5


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    play = await make(dut, (0.2, 0.2))
    for _ in range(10):
        await play.step(play.rng.choice(BASES), play.rng.randint(0, 3))
        for _ in range(6):
            play.word()
        play.end()
        await play.bench.cycles(play.rng.randrange(1, 60))
        await play.bench.reset()
        play.clear()
    await play.step(BASES[0], 2)
    play.word()
    play.end()
    await play.finish()
