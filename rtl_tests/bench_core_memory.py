# SPDX-License-Identifier: Apache-2.0
"""core_memory: records of random clients in a memory that answers late; what a read may see, and what is in the end."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, generator
from core_axi import PAGE, AxiMemory
from core_bench import CONFIG

PATIENCE = 300
"""Cycles after which the memory is silent."""
CASES = {"all": Case(parameters={"Patience": PATIENCE})}
BITS, BEATS = CONFIG.memory_bits or 32, CONFIG.memory_beats or 2  # as core_pkg has them without a memory
EACH = PAGE * 8 // BITS
READERS, WRITERS = 4, 3
ADDRESS_BITS = (BEATS - 1).bit_length()


@dataclass(slots=True)
class Record:
    """A record: what it has held since the bench began, oldest first; ``ended`` of them were written to the end."""

    start: int
    beats: int
    contents: list[list[int]]
    ended: int = 1

    def may_be(self, since: int, beat: int) -> set[int]:
        """Return what a read that was taken after ``since`` writes had ended may see."""
        return {values[beat] for values in self.contents[max(0, since - 1) :]}


@dataclass(slots=True)
class Reader:
    """A client that reads."""

    plan: deque[Record] = field(default_factory=deque)
    offering: bool = False
    due: deque[tuple[Record, int, int]] = field(default_factory=deque)  # record, ended writes, beat
    taken_at: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Writer:
    """A client that writes; ``beat`` of its first record is next."""

    plan: deque[tuple[Record, list[int]]] = field(default_factory=deque)
    offering: bool = False
    beat: int = 0
    taken_at: list[int] = field(default_factory=list)


class Records:
    """All clients. A record is written by one client after the other; reads may see what is being written."""

    def __init__(self, dut: Any, memory: AxiMemory, rng: random.Random, pause: float) -> None:
        self.dut, self.memory, self.rng, self.pause = dut, memory, rng, pause
        self.records: list[Record] = []
        self.seen_at: list[int] = []
        self.reset()

    def reset(self) -> None:
        """Forget what was asked for, as clients do."""
        self.readers = [Reader() for _ in range(READERS)]
        self.writers = [Writer() for _ in range(WRITERS)]

    def drop(self) -> None:
        """Forget it in the middle: a record that was offered may be begun, whether a beat was taken or not."""
        for writer in self.writers:
            if writer.offering and len(writer.plan[0][0].contents) == writer.plan[0][0].ended:
                writer.plan[0][0].contents.append(writer.plan[0][1])
        self.reset()

    def lay_out(self, count: int, most: int) -> None:
        """Make records in random places that do not overlap, some across 4 KiB."""
        at = 0
        while len(self.records) < count:
            at += self.rng.choice((0, 0, 1, self.rng.randrange(20)))
            beats = self.rng.choice((1, 2, most, self.rng.randint(1, most)))
            each = max(2, count * EACH // BEATS)
            if len(self.records) % each == each - 1 and at % EACH < EACH - beats < EACH - 1 and at + EACH < BEATS:
                at += EACH - at % EACH - self.rng.randint(1, beats - 1)
            assert at + beats <= BEATS, "more records than the memory has room for"
            self.records.append(Record(at, beats, [self.memory.words[at : at + beats]]))
            at += beats

    @property
    def done(self) -> bool:
        """Whether everything is done."""
        return not any(reader.plan or reader.due for reader in self.readers) and not any(
            writer.plan for writer in self.writers
        )

    def read(self, reader: int, record: Record) -> None:
        """Queue a read."""
        self.readers[reader].plan.append(record)

    def write(self, writer: int, record: Record) -> None:
        """Queue a write of random data."""
        self.writers[writer].plan.append((record, [self.rng.getrandbits(BITS) for _ in range(record.beats)]))

    def drive(self) -> None:
        self._drive_reads()
        self._drive_writes()

    def _drive_reads(self) -> None:
        valid = addresses = beats = 0
        for at, reader in enumerate(self.readers):
            reader.offering = bool(reader.plan) and (reader.offering or self.rng.random() >= self.pause)
            start, count = self.rng.randrange(BEATS), self.rng.randrange(256)
            if reader.offering:
                start, count = reader.plan[0].start, reader.plan[0].beats
            valid |= reader.offering << at
            addresses, beats = addresses | start << at * ADDRESS_BITS, beats | count << at * 8
        pins = self.dut.read_valid_i, self.dut.read_address_i, self.dut.read_beats_i
        for pin, value in zip(pins, (valid, addresses, beats), strict=True):
            pin.value = value

    def _drive_writes(self) -> None:
        values = [0] * 5
        for at, writer in enumerate(self.writers):
            writer.offering = bool(writer.plan) and (writer.offering or self.rng.random() >= self.pause)
            start, count = self.rng.randrange(BEATS), self.rng.randrange(256)
            data, last = self.rng.getrandbits(BITS), self.rng.getrandbits(1)
            if writer.offering or writer.beat:
                start, count = writer.plan[0][0].start, writer.plan[0][0].beats
            if writer.offering:
                data, last = writer.plan[0][1][writer.beat], writer.beat == count - 1
            for index, (value, bits) in enumerate(
                ((writer.offering, 1), (start, ADDRESS_BITS), (count, 8), (data, BITS), (last, 1))
            ):
                values[index] |= int(value) << at * bits
        dut = self.dut
        pins = dut.write_valid_i, dut.write_address_i, dut.write_beats_i, dut.write_data_i, dut.write_last_i
        for pin, value in zip(pins, values, strict=True):
            pin.value = value

    def sample(self, now: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        ready, write_ready = dut.read_ready_o.value.to_unsigned(), dut.write_ready_o.value.to_unsigned()
        data = dut.data_valid_o.value.to_unsigned()
        assert ready.bit_count() <= 1 >= write_ready.bit_count()
        assert data.bit_count() <= 1
        moved = bool(data)
        if data:
            self._data(data.bit_length() - 1, now)
        for at, reader in enumerate(self.readers):
            if reader.offering and ready >> at & 1:
                record = reader.plan.popleft()
                reader.due.extend((record, record.ended, beat) for beat in range(record.beats))
                reader.offering, moved = False, True
                reader.taken_at.append(now)
        for at, writer in enumerate(self.writers):
            if writer.offering and write_ready >> at & 1:
                self._take(writer, now)
                moved = True
        return moved

    def _data(self, at: int, now: int) -> None:
        assert self.readers[at].due, f"data for {at}, who asked for nothing"
        record, since, beat = self.readers[at].due.popleft()
        got = self.dut.data_o.value.to_unsigned()
        assert got in record.may_be(since, beat), f"record {record.start}, beat {beat}: {got:x} is of no time"
        assert self.dut.data_last_o.value == (beat == record.beats - 1)
        self.seen_at.append(now)

    def _take(self, writer: Writer, now: int) -> None:
        record, values = writer.plan[0]
        if writer.beat == 0:
            assert len(record.contents) == record.ended, "two writes of a record at once"
            record.contents.append(values)
        writer.beat, writer.offering = writer.beat + 1, False
        writer.taken_at.append(now)
        if writer.beat == record.beats:
            record.ended, writer.beat = record.ended + 1, 0
            writer.plan.popleft()

    def check(self) -> None:
        """Compare the memory with the last write of every record; what lies between them is as it was."""
        for record in self.records:
            place = slice(record.start, record.start + record.beats)
            assert self.memory.words[place] == record.contents[-1], f"record {record.start} in the end"
            self.memory.words[place] = record.contents[0]
        assert self.memory.words == self.before, "something else was written"
        for record in self.records:
            self.memory.words[record.start : record.start + record.beats] = record.contents[-1]

    def begin(self) -> None:
        """Note what the memory holds."""
        self.before = list(self.memory.words)

    def broken_off(self) -> None:
        """Take what the memory holds of records whose write was broken off as their contents."""
        for record in self.records:
            if record.ended < len(record.contents):
                record.contents[-1] = self.memory.words[record.start : record.start + record.beats]
                record.ended += 1


@dataclass(slots=True)
class Play:
    """A bench with a memory and its clients."""

    bench: Bench
    memory: AxiMemory
    records: Records
    rng: random.Random

    async def settle(self) -> None:
        """Go on until everything is answered."""
        await self.bench.until(lambda: self.records.done, timeout=2000)
        await self.bench.until(lambda: self.bench.dut.idle_o.value == 1, timeout=2000)
        await self.bench.cycles(3)
        assert not any((self.memory.reads, self.memory.writes, self.memory.answers))

    def traffic(self, count: int, among: int) -> None:
        """Queue reads and writes of some of the records."""
        some = self.rng.sample(self.records.records, among)
        for _ in range(count):
            record = self.rng.choice(some)
            if self.rng.random() < 0.5:
                self.records.read(self.rng.randrange(READERS), record)
            else:
                self.records.write(self.rng.randrange(WRITERS), record)


async def make(
    dut: Any, pause: float = 0.0, stalls: float = 0.0, latency: int = 0, count: int = 40, most: int = 12
) -> Play:
    rng = generator()
    memory = AxiMemory(dut, bits=BITS, beats=BEATS, rng=rng, pause=stalls, latency=latency)
    records = Records(dut, memory, rng, pause)
    records.lay_out(count, most)
    records.begin()
    dut.restart_i.value = 0
    bench = Bench(dut, [memory, records])
    await bench.start()
    return Play(bench, memory, records, rng)


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.5), stalls=(0.0, 0.6), latency=(4, 60))
async def traffic(dut: Any, pause: float, stalls: float, latency: int) -> None:
    """Many clients on few records, and on many."""
    play = await make(dut, pause, stalls, latency)
    for among in (1, 2, 5, 40):
        play.traffic(70, among)
        await play.settle()
    play.records.check()
    assert (dut.silent_o.value, dut.error_o.value) == (0, 0)


@cocotb.test()
async def across_4_kib(dut: Any) -> None:
    """Records that begin anywhere before the end of 4 KiB, up to the longest."""
    play = await make(dut, count=0, latency=3, stalls=0.1)
    for at, page in enumerate(range(1, BEATS // EACH, 1 if EACH > 510 else 2)):
        beats = play.rng.choice((2, 255, play.rng.randint(2, 255)))
        start = page * EACH - (beats, 1, beats - 1, play.rng.randrange(beats))[at % 4]
        play.records.records.append(Record(start, beats, [play.memory.words[start : start + beats]]))
    for record in play.records.records * 2:
        play.records.write(play.rng.randrange(WRITERS), record)
        await play.settle()
        play.records.read(play.rng.randrange(READERS), record)
        await play.settle()
    play.records.check()
    assert len(play.memory.addresses) > 4 * len(play.records.records)


@cocotb.test()
async def others_go_first(dut: Any) -> None:
    """A read of a record that is being written waits; one of another record is answered meanwhile, a write as well."""
    play = await make(dut, count=10)
    play.memory.stopped.add("b")
    first, second, third = play.records.records[:3]
    play.records.write(0, first)
    await play.bench.cycles(20)
    play.records.read(0, first)
    await play.bench.cycles(10)
    play.records.read(1, second)
    play.records.write(1, third)
    await play.bench.until(lambda: not play.records.readers[1].due and not play.records.readers[1].plan, timeout=100)
    await play.bench.until(lambda: not play.records.writers[1].plan, timeout=100)
    await play.bench.cycles(50)
    assert play.records.readers[0].plan, "read before its write is answered"
    assert dut.idle_o.value == 0
    play.memory.stopped.clear()
    await play.settle()
    play.records.check()


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """A beat every cycle each way, as the header says; the first ones after the cycles that it says."""
    play = await make(dut, count=0)
    for at in range(12):
        start = at * 16 + (EACH - 8 if at == 11 else 0)
        play.records.records.append(Record(start, 8, [play.memory.words[start : start + 8]]))
    for at in range(6):
        play.records.read(at % 2, play.records.records[at])
        play.records.write(at % 3, play.records.records[6 + at])
    began = play.bench.now
    play.memory.addresses.clear()
    seen = len(play.records.seen_at)
    await play.settle()
    data = np.array(play.records.seen_at[seen:])
    assert np.diff(data).tolist() == [1] * 47, "a beat of data every cycle"
    assert data[0] == began + 6, "data"
    taken = sorted(at for writer in play.records.writers for at in writer.taken_at)
    assert np.diff(taken).tolist() == [1] * 47, "a beat is taken every cycle"
    assert taken[0] == began + 2
    play.records.check()


@cocotb.test()
@cocotb.parametrize(stalls=(0.0, 0.5), latency=(0, 40))
async def restarts(dut: Any, stalls: float, latency: int) -> None:
    """Clients are reset anywhere: nothing of what they asked for comes later, other records are not touched."""
    play = await make(dut, 0.2, stalls, latency)
    for at in range(60):
        play.traffic(60 if at % 4 == 0 else 2, play.rng.choice((2, 40)))
        await play.bench.cycles(play.rng.randrange(1, 60 if at % 4 == 0 else 8))
        dut.restart_i.value = 1
        await play.bench.cycle()
        dut.restart_i.value = 0
        play.records.drop()
        if play.rng.random() < 0.5:
            play.traffic(3, 3)  # at once: it waits
            held = [len(reader.plan) for reader in play.records.readers]
            assert dut.idle_o.value == 1 or held == [len(reader.plan) for reader in play.records.readers]
        for _ in range(2000):
            if dut.idle_o.value == 1:
                break
            assert not any(writer.beat for writer in play.records.writers)
            await play.bench.cycle()
        else:
            raise AssertionError("never idle")
        play.records.broken_off()
        await play.settle()
        play.records.check()
    assert (dut.silent_o.value, dut.error_o.value) == (0, 0)


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset of both sides anywhere."""
    play = await make(dut, 0.2, 0.3, 10)
    for _ in range(10):
        play.traffic(60, 10)
        await play.bench.cycles(play.rng.randrange(1, 60))
        play.records.drop()
        await play.bench.reset()
        play.records.broken_off()
        play.records.records = [
            Record(old.start, old.beats, [play.memory.words[old.start : old.start + old.beats]])
            for old in play.records.records
        ]
        play.records.begin()
        assert dut.idle_o.value == 1
        play.traffic(20, 10)
        await play.settle()
        play.records.check()


@cocotb.test()
@cocotb.parametrize(channel=("ar", "r", "aw", "w", "b"))
async def silence(dut: Any, channel: str) -> None:
    """A channel that stops is told after Patience cycles without any other, and a restart makes it good again."""
    play = await make(dut, 0.0, 0.2, 5)
    play.traffic(30, 10)
    await play.settle()
    play.memory.stopped.add(channel)
    play.traffic(60, 10)
    quiet = 0
    while dut.silent_o.value == 0:
        quiet = 0 if await play.bench.cycle() else quiet + 1
        assert quiet < PATIENCE + 10
    assert quiet + 5 >= PATIENCE
    await play.bench.cycles(5)
    play.memory.stopped.clear()
    await play.settle()
    assert dut.silent_o.value == 1, "it stays"
    dut.restart_i.value = 1
    await play.bench.cycle()
    dut.restart_i.value = 0
    await play.bench.cycle()
    assert dut.silent_o.value == 0
    play.traffic(30, 10)
    await play.settle()
    play.records.check()
    assert dut.silent_o.value == 0


@cocotb.test()
async def silent_clients(dut: Any) -> None:
    """A client that does not go on with its record, or none that asks, is no fault of the memory."""
    play = await make(dut, 0.0, 0.0, 3)
    record = next(record for record in play.records.records if record.beats > 3)
    play.records.write(0, record)
    while not play.records.writers[0].beat:
        await play.bench.cycle()
    play.records.pause, play.records.writers[0].offering = 1.0, False
    await play.bench.cycles(3 * PATIENCE)
    assert dut.silent_o.value == 0
    play.records.pause = 0.0
    await play.settle()
    await play.bench.cycles(2 * PATIENCE)
    assert dut.silent_o.value == 0
    play.records.check()


@cocotb.test()
@cocotb.parametrize(kind=("r", "b", "short"))
async def errors(dut: Any, kind: str) -> None:
    """An error response, or a burst without an end, is told until a restart."""
    play = await make(dut, 0.1, 0.2, 5)
    play.traffic(30, 10)
    await play.settle()
    assert dut.error_o.value == 0
    play.memory.wrong, play.memory.short = {kind} & {"r", "b"}, kind == "short"
    play.traffic(30, 10)
    await play.settle()
    play.memory.short = False
    assert dut.error_o.value == 1
    dut.restart_i.value = 1
    await play.bench.cycle()
    dut.restart_i.value = 0
    await play.bench.cycle()
    play.traffic(30, 10)
    await play.settle()
    assert dut.error_o.value == 0
    play.records.check()
