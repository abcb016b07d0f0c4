# SPDX-License-Identifier: Apache-2.0
"""The external memory and the port of a core in front of it: when a record that is read is there, and one that is
written is stored. All times are cycles.

``core_memory`` takes a record after the other, other clients first if it waits for a write of the same record; the
memory serves bursts in the order in which they come, reads with their address, writes with their last beat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush

from codesign.core.timing import UNIT, MemoryTiming

READS, WRITES = 8, 4
"""Records under way (``ReadsOpen``, ``WritesOpen`` of ``core_memory``)."""
TAKING = 2
"""Cycles from a request to when it is taken, and from there to the memory."""
AGAIN = 3
"""Cycles between two records that one client reads; of two clients it is one less."""
NEVER = 1 << 62
"""When happens what waits for something that has not happened yet."""
PAGE = 4096
"""Bytes that no burst crosses the end of."""


@dataclass(slots=True)
class Read:
    """A record that is read: its client, its first beat, its beats; then when it was taken, and its first and last beat
    came.
    """

    client: int
    address: int
    beats: int
    taken: int = -1
    first: int = -1
    last: int = -1


@dataclass(slots=True)
class Write:
    """A record that is written; then when its last beat was taken, and when the memory had stored it."""

    address: int
    beats: int
    taken: int = -1
    stored: int = -1


class Port:
    """A port of ``memory_bits`` in front of a memory. Requests come in the order of time.

    `act` at `when` lets the next thing happen.
    """

    def __init__(self, timing: MemoryTiming, memory_bits: int) -> None:
        self._timing, self._bytes = timing, memory_bits // 8
        self._beat = round(timing.beat_cycles * UNIT)
        self._events: list[tuple[int, int, Callable[[int], None]]] = []
        self._number = 0
        self._last_take, self._last_client, self._data = -AGAIN, -1, -1
        self._reads: deque[Read] = deque(maxlen=READS)
        self._writes: deque[Write] = deque(maxlen=WRITES)
        self._open: dict[int, Write] = {}
        self._rows = [-1] * timing.banks
        self._free, self._least = [0, 0], 0  # free: for reads and writes, the same if they take turns
        self._bank, self._wrote = 0, False
        self._refresh_at = timing.refresh_every
        self._moved: list[tuple[int, int, int]] = []  # last beat, bytes read, bytes written, of each record

    def read(self, time: int, client: int, address: int, beats: int) -> Read:
        """Ask for a record."""
        record = Read(client, address, beats)
        self._at(time, lambda now: self._take(now, record))
        return record

    def write(self, time: int, address: int, beats: int) -> Write:
        """Offer a record."""
        record = Write(address, beats)
        self._at(time, lambda now: self._grant(now, record))
        return record

    def when(self) -> int:
        """Return when something happens next."""
        return self._events[0][0] if self._events else NEVER

    def act(self, time: int) -> None:
        """Let it happen."""
        heappop(self._events)[2](time)

    def moved_until(self, time: int) -> tuple[int, int]:
        """Return the bytes that were read and written until a time, and not returned before."""
        done = [item for item in self._moved if item[0] <= time]
        self._moved = [item for item in self._moved if item[0] > time]
        return sum(read for _, read, _ in done), sum(written for _, _, written in done)

    def _at(self, time: int, what: Callable[[int], None]) -> None:
        self._number += 1
        heappush(self._events, (time, self._number, what))

    def _take(self, now: int, record: Read) -> None:
        """Take a record that is asked for, if there is room and nobody writes it."""
        writing = self._open.get(record.address)
        if writing is not None and (writing.stored < 0 or writing.stored >= now + 1):
            self._at(max(now + 1, writing.stored), lambda time: self._take(time, record))
            return
        oldest = self._reads[0] if len(self._reads) == READS else None
        if oldest is not None and oldest.last < 0:
            self._at(now + 1, lambda time: self._take(time, record))
            return
        gap = AGAIN if record.client == self._last_client else AGAIN - 1
        time = max(now + TAKING, self._last_take + gap, 0 if oldest is None else oldest.last + 1)
        self._last_take, self._last_client, record.taken = time, record.client, time
        self._reads.append(record)
        self._at(time + TAKING, lambda time: self._answer(time, record))

    def _answer(self, now: int, record: Read) -> None:
        """Let the memory serve what is read."""
        for beats, address in self._bursts(record.address, record.beats):
            start = self._serve(now, address, beats, write=False)
            first = max(-(-start // UNIT), self._data + 1)
            last = max(first + beats - 1, -(-(start + (beats - 1) * self._beat) // UNIT))
            record.first = first if record.first < 0 else record.first
            self._data = record.last = last
        self._moved.append((record.last, record.beats * self._bytes, 0))

    def _grant(self, now: int, record: Write) -> None:
        """Let a client write, once the one before it is done and one of four places is free."""
        before = self._writes[-1] if self._writes else None
        oldest = self._writes[0] if len(self._writes) == WRITES else None
        if oldest is not None and oldest.stored < 0:
            self._at(now + 1, lambda time: self._grant(time, record))
            return
        time = max(now + 1, 0 if before is None else before.taken, 0 if oldest is None else oldest.stored + 1)
        record.taken = time + record.beats + (record.beats > 1)
        self._writes.append(record)
        self._open[record.address] = record
        self._at(time + record.beats + TAKING, lambda time: self._store(time, record))

    def _store(self, now: int, record: Write) -> None:
        """Let the memory serve what was written."""
        for beats, address in self._bursts(record.address, record.beats):
            self._serve(now, address, beats, write=True)
        record.stored = -(-self._free[self._timing.duplex] // UNIT)
        self._moved.append((now, 0, record.beats * self._bytes))

    def _bursts(self, address: int, beats: int) -> list[tuple[int, int]]:
        """Return beats and first byte of each burst of a record."""
        first = address * self._bytes
        most = (PAGE - first % PAGE) // self._bytes
        if beats <= most:
            return [(beats, first)]
        return [(most, first), (beats - most, first + most * self._bytes)]

    def _serve(self, now: int, address: int, beats: int, *, write: bool) -> int:
        """Return when the first beat is there, in sixteenths; the same as ``serve`` of sim/memory.h."""
        timing, came = self._timing, now * UNIT
        if timing.refresh_every and now >= self._refresh_at:
            self._rows = [-1] * timing.banks
            self._free = [max(free, came) + timing.refresh_cycles * UNIT for free in self._free]
            self._refresh_at += -(-(now + 1 - self._refresh_at) // timing.refresh_every) * timing.refresh_every
        row = address // timing.row_bytes
        bank = row % timing.banks
        open_row = self._rows[bank] == row
        latency = (timing.open_cycles if open_row else timing.closed_cycles) * UNIT
        way = timing.duplex and write
        ready = self._free[way] + (timing.turn_cycles * UNIT if write and not self._wrote else 0)
        if not open_row:
            ready = max(ready + (timing.conflict_cycles * UNIT if bank == self._bank else 0), self._least)
        self._rows[bank], self._wrote, self._bank = row, write, bank
        start = max(came + latency, ready) if timing.overlap else max(came, ready) + latency
        self._free[way] = start + beats * self._beat
        self._least = start + timing.least_cycles * UNIT
        return start
