# SPDX-License-Identifier: Apache-2.0
"""What lies outside, between the order of operations and the lanes: which slot an operation finds what it needs in,
what is filled and saved for it, and when it is issued. All times are cycles.

Follows ``core_cache``, the queue behind it, ``core_receive``, ``core_transmit`` and ``core_lanes``; the constants are
depths and latencies of theirs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.core.config import CoreConfig
from codesign.core.port import NEVER, Port, Read, Write
from codesign.core.program import Program
from codesign.fixed import IntArray

WORDS, LINES, ROWS = range(3)
"""Clients of the port that read."""
BEFORE = 6
"""Operations from the order to the end of ``core_cache``."""
ENTERING = 5
"""Cycles from the order to the decision what has to be done."""
QUEUE = 69
"""Operations from there to their issue."""
QUEUING = 4
"""Cycles from there to their issue."""
RECORDS, RECORDS_OF_LONG, LONG = 8, 4, 16
"""Records that may be asked for, and of words of more than `LONG` beats."""
SAVES = 8
"""Words on their way out."""
ASKING = 2
"""Cycles from an operation that asks to the request at the port."""
MAKING = 3
"""Cycles from the last beat of a record to when it can be taken."""
FILLING, SAVING = 6, 5
"""Cycles between two fills, and two saves."""
LEAVING = 6
"""Cycles from the issue of a save to its request at the port."""
WRITING = 4
"""Cycles from an operation that writes a word to one that reads it."""
FILL, SAVE, PLAIN = range(3)
"""What the lanes do besides, or instead of, an operation."""


@dataclass(slots=True)
class Operation:
    """An operation that left the order.

    Attributes:
        word: of sums, that it reads, or is the first of a chain to add to; -1: neither.
        read: for the sender, at least ``gap`` cycles after the one before; it gets the time of the issue.
        copy: nothing is read of it.
        beats: of the word.
        line: of weights, that has to be filled in; -1: none.
        adds: the word that it adds to; -1: none.
        last: the last of its chain.
        count: operations of the chain, on lines that are inside, that this one stands for.
        done: gets the time of the issue.
    """

    word: int = -1
    read: bool = False
    copy: bool = False
    beats: int = 0
    gap: int = 1
    line: int = -1
    adds: int = -1
    last: bool = False
    count: int = 1
    done: Callable[[int], None] | None = None


class Cache:
    """Slots, and what is done before an operation."""

    def __init__(self, program: Program, lanes: Lanes) -> None:
        config = program.config
        self._lanes, self._inside, self._mask = lanes, config.sum_words, config.cached_words - 1
        self._beats = config.record_beats["sum_words"]
        self._line_beats, self._line_origin = config.record_beats["weight_lines"], program.origins[1]
        self._tags, self._dirty, self._size = ([start] * config.cached_words for start in (-1, 0, 0))
        self._came: deque[tuple[int, Operation]] = deque()
        self._passed: deque[int] = deque([-9] * BEFORE, BEFORE)
        self._done, self._ordered = -9, -9
        self._todo: list[int] = []
        self._at = self._held = 0
        self._both = False

    def free(self) -> int:
        """Return when the next operation can leave the order."""
        full = self._held >= BEFORE
        return NEVER if full else max(self._ordered + 1, self._passed[self._held] + 1)

    def take(self, time: int, operation: Operation) -> None:
        """Take an operation that leaves the order."""
        self._ordered = time + operation.count - 1
        self._held += operation.count
        self._came.append((time + ENTERING, operation))
        if len(self._came) == 1:
            self._decide()

    def _decide(self) -> None:
        """Find what has to be done for the next operation."""
        came, operation = self._came[0]
        self._at = max(came, self._done + 1)
        word, todo, self._both = operation.word, [PLAIN], False
        self._wrote = 0
        if word >= self._inside:
            slot = word & self._mask
            if self._tags[slot] != word:
                todo += [FILL] * (not operation.copy) + [SAVE] * bool(self._tags[slot] >= 0 and self._dirty[slot])
                self._wrote = 1
            elif operation.read == bool(self._dirty[slot]):
                self._both, self._wrote = operation.read, 1
        self._todo = todo
        self._settle = self._at + 1

    def when(self) -> int:
        """Return when the next thing is done."""
        if not self._came:
            return NEVER
        time, what = max(self._at, self._lanes.room()), self._todo[-1]
        if what == FILL:
            word = self._came[0][1].word
            time = max(time, self._settle, self._lanes.saved(word), self._lanes.fills.room())
        elif what == SAVE or self._both:
            time = max(time, self._lanes.save_room())
        if what == PLAIN and self._came[0][1].line >= 0:
            time = max(time, self._lanes.lines.room())
        return time

    def act(self, time: int) -> None:
        """Do it."""
        operation, lanes = self._came[0][1], self._lanes
        what, slot = self._todo.pop(), operation.word & self._mask
        self._at = time + 1
        if what == SAVE:
            lanes.push(time, SAVE, Operation(word=self._tags[slot], beats=self._size[slot]))
        elif what == FILL:
            lanes.fills.ask(time + ASKING, operation.word * self._beats, operation.beats)
            lanes.push(time, FILL, operation)
        else:
            if operation.line >= 0:
                address = self._line_origin + operation.line * self._line_beats
                lanes.lines.ask(time + ASKING, address, self._line_beats)
            lanes.push(time, SAVE if self._both else PLAIN, operation, own=True)
            if self._wrote:
                self._tags[slot], self._dirty[slot] = operation.word, not operation.read
                self._size[slot] = operation.beats
            self._done = time + (self._wrote or operation.line >= 0) + operation.count - 1
            self._passed.extend(range(time, time + operation.count))
            self._held -= operation.count
            self._came.popleft()
            if self._came:
                self._decide()


class Lanes:
    """Operations are issued, in order."""

    def __init__(self, program: Program, port: Port) -> None:
        config = program.config
        self._port, self._inside, self._mask = port, config.sum_words, config.cached_words - 1
        self._beats = config.record_beats["sum_words"]
        self.fills = Records(port, WORDS, RECORDS_OF_LONG if self._beats > LONG else RECORDS)
        self.lines = Records(port, LINES, RECORDS)
        self._queue: deque[tuple[int, int, Operation, bool]] = deque()
        self._issued: deque[int] = deque([-9] * QUEUE, QUEUE)
        self._next = self._held = 0
        self._filled = self._saved_at = self._read_at = -9
        self._saves: deque[Write] = deque(maxlen=SAVES)
        self._added = -1  # the word of the addition before
        self._committed = 0  # saves that are in the queue
        self._leaving: dict[int, int] = {}  # words that are saved in the queue, how often
        self._saving: dict[int, Write] = {}
        self._written: dict[int, int] = {}

    def room(self) -> int:
        """Return when the next one can enter the queue."""
        return NEVER if self._held >= QUEUE else self._issued[self._held] + 1

    def save_room(self) -> int:
        """Return when one of the places of words on their way out is free."""
        place = len(self._saves) + self._committed - SAVES
        if place < 0:
            return 0
        if place >= len(self._saves) or self._saves[place].taken < 0:
            return NEVER
        return self._saves[place].taken + 2

    def saved(self, word: int) -> int:
        """Return when a word is not on its way out any more."""
        if self._leaving.get(word):
            return NEVER
        record = self._saving.get(word)
        return 0 if record is None else NEVER if record.taken < 0 else record.taken + 2

    def push(self, time: int, what: int, operation: Operation, *, own: bool = False) -> None:
        """Take what `Cache` lets pass; own: the operation itself."""
        self._queue.append((time + QUEUING, what, operation, own))
        self._held += operation.count if own else 1
        if what == SAVE:
            self._committed += 1
            self._leaving[operation.word] = self._leaving.get(operation.word, 0) + 1

    def _place(self, word: int) -> int:
        return word if word < self._inside else self._inside + (word & self._mask)

    def when(self) -> int:
        """Return when the next one is issued."""
        if not self._queue:
            return NEVER
        time, what, operation, own = self._queue[0]
        time = max(time, self._next)
        if what == FILL:
            return max(time, self._filled + FILLING, self.fills.there())
        if own and operation.line >= 0:
            time = max(time, self.lines.there())
        if operation.word >= 0 and (operation.word != self._added or operation.read):
            time = max(time, self._written.get(self._place(operation.word), -9) + WRITING)
        if own and operation.read:
            time = max(time, self._read_at + operation.gap)
        if what == SAVE:
            time = max(time, self._saved_at + SAVING)
            if self._saves:
                taken = self._saves[-1].taken
                time = NEVER if taken < 0 else max(time, taken + 1)
        return time

    def act(self, time: int) -> None:
        """Issue it."""
        _, what, operation, own = self._queue.popleft()
        count = operation.count if own else 1
        self._issued.extend(range(time, time + count))
        self._held -= count
        self._next = time + count
        if what == FILL:
            self._filled = time
            self.fills.take(time + FILLING - 1)
            self._written[self._place(operation.word)] = time
        elif what == SAVE:
            self._saved_at = time
            word = operation.word
            record = self._port.write(time + LEAVING, word * self._beats, operation.beats)
            self._saves.append(record)
            self._saving[word] = record
            self._committed -= 1
            self._leaving[word] -= 1
        self._added = -1
        if own:
            if operation.line >= 0:
                self.lines.take(time)
            self._added = operation.adds
            if operation.read:
                self._read_at = time
            if operation.last:
                self._written[self._place(operation.adds)] = time + count - 1
            if operation.done:
                operation.done(time)


class Records:
    """What one client asks for, in order (``core_receive``)."""

    def __init__(self, port: Port, client: int, count: int) -> None:
        self._port, self._client, self._count = port, client, count
        self._taken: deque[int] = deque([-9] * count, count)
        self._asked: deque[Read] = deque()
        self._last: deque[Read] = deque(maxlen=2)

    def room(self) -> int:
        """Return when the next record can be asked for."""
        if len(self._asked) >= self._count:
            return NEVER
        time = self._taken[len(self._asked)] + 1
        if len(self._last) == 2:
            before = self._last[0].taken
            time = NEVER if before < 0 else max(time, before + 1 - ASKING)
        return time

    def ask(self, time: int, address: int, beats: int) -> None:
        """Ask for a record."""
        record = self._port.read(time, self._client, address, beats)
        self._asked.append(record)
        self._last.append(record)

    def there(self) -> int:
        """Return when the first record that was not taken can be."""
        record = self._asked[0]
        return NEVER if record.last < 0 else max(record.last + MAKING, self._taken[-1] + 1 + record.beats)

    def take(self, time: int) -> None:
        """Take it."""
        self._taken.append(time)
        self._asked.popleft()


class LineSlots:
    """Which lines of weights are inside: a line has one slot, by its low bits."""

    def __init__(self, config: CoreConfig) -> None:
        self._first, self._mask = config.weight_lines, config.cached_lines - 1
        self._tags = np.full(max(1, config.cached_lines), -1, np.int64)

    def missing(self, lines: IntArray) -> NDArray[np.bool_]:
        """Return which of consecutive lines have to be filled in, ``[N]``."""
        found = np.zeros(len(lines), np.bool_)
        at = np.flatnonzero(lines >= self._first)
        if not len(at):
            return found
        line, slot = lines[at], lines[at] & self._mask
        order = np.argsort(slot, kind="stable")
        line, slot = line[order], slot[order]
        begins = np.append(True, slot[1:] != slot[:-1])
        before = np.where(begins, self._tags[slot], np.append(0, line[:-1]))
        found[at[order[line != before]]] = True
        ends = np.append(begins[1:], True)
        self._tags[slot[ends]] = line[ends]
        return found
