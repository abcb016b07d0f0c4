# SPDX-License-Identifier: Apache-2.0
"""Words that a step visits, from when they are found to when it is known what changed, with codes that lie outside. All
times are cycles; the constants are depths and latencies of the RTL's queues and stages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from codesign.core.config import CHUNK_BITS
from codesign.core.interpret import Work
from codesign.core.outside import ROWS
from codesign.core.port import NEVER, Port, Read, Write
from codesign.core.program import CODES, EVENTS, Program, Step
from codesign.fixed import IntArray

FIRST_WORD = 19
"""Cycles from the beginning of a step to its first word."""
ASKING = 15
"""Cycles from a word to when its sums are asked for."""
SOURCE, SOURCE_ROWS = 21, 13
"""Cycles from the beginning of the source's step to its first beat, and to the first word whose rows are asked for."""
ORDERING = 1
"""Cycles from the request for sums to the order."""
COMING = 10
"""Cycles from the issue of a read to its first part."""
SENDING = 12
"""Cycles from a part to the word's place in the queue of those with a change."""
WORDS = 18
"""Words that wait there."""
PARTS, BETWEEN = 16, 2
"""Parts that wait between the read of sums and quantising: in the queue (``Room`` of ``core_fetch``), and after it."""
ROOM = 4
"""Cycles from a part that goes on to a request for another one, in the queue."""
WORDS_AHEAD, AHEAD = 16, 16
"""Words whose rows are under way or there; words between one whose rows are asked for and one whose sums are."""
ASKING_ROWS = 5
"""Cycles from a word to the request for its rows."""
ROW_THERE = 5
"""Cycles from the last beat of a row to when its part may go on."""
BACK = 32
"""Rows on their way out."""
COMMITTING = 10
"""Cycles from a part to when it is known that its word changed."""
LEAVING = 8
"""Cycles from there to the request at the port."""


class Sender:
    """Words of a step, in order.

    Args:
        begin: cycle in which the step begins.
        freed: when the words with a change that were sent left the adder, as far as they did.
        take: takes a word with a change, that is there at a time.
    """

    def __init__(
        self,
        program: Program,
        port: Port,
        step: Step,
        work: Work,
        *,
        begin: int,
        fresh: bool,
        freed: list[int],
        take: Callable[[int], None],
    ) -> None:
        self._step, self._fresh, self._freed, self._take = step, fresh, freed, take
        self.words = work.words.tolist()
        changed = np.zeros(len(self.words), np.bool_)
        changed[work.sent] = True
        self._changed = changed.tolist()
        self.asks_sums = not step.source and step.packet != CODES
        self._found = _found(step, work.words, begin)
        self.codes = _Codes(program, port, step, work, self._changed, fresh=fresh)
        self._begin = begin
        self._came: list[int] = []  # when each part did
        self._left: list[int] = []  # when each part went on
        self._sent = self._tokens = self._gate = 0
        self._pending: deque[int] = deque()  # when each word with a change enters the adder, if it can
        self._asked: list[int] = []  # when the sums of a word were
        self._tap = self._part = self._ready = 0

    # Sums.
    @property
    def address(self) -> int:
        """The word of sums that is asked for."""
        return int(self._step.sum_base + self.words[len(self._asked)] * self._step.taps + self._tap)

    def asks(self) -> int:
        """Return when it is."""
        step, number = self._step, len(self._asked)
        if not self.asks_sums or number == len(self.words):
            return NEVER
        time = max(self._found[number] + ASKING, self._ready)
        if self._tap == 0:
            parts = step.parts if step.taps == 1 else 1
            before = number * step.parts + self._part + max(2, parts) - PARTS - 1
            if before >= len(self._came) or before - BETWEEN >= len(self._left):
                return NEVER
            if before >= 0:
                time = max(time, self._came[before] + ROOM - BETWEEN)
            if before >= BETWEEN:
                time = max(time, self._left[before - BETWEEN] + ROOM)
        return time + ORDERING

    def read(self, time: int) -> Callable[[int], None] | None:
        """Note that it left the order; return what takes the time of its issue."""
        step = self._step
        if step.taps == 1:
            self._ready = max(time, self._ready + step.parts)
            self._asked.append(time)
            return self._arrive
        self._ready = time
        self._tap += 1
        if self._tap < step.taps:
            return None
        self._tap = 0
        self._part += 1
        if self._part == step.parts:
            self._part = 0
            self._asked.append(time)
        return self._arrive

    def _arrive(self, issue: int) -> None:
        parts = self._step.parts if self._step.taps == 1 else 1
        self._came += range(issue + COMING, issue + COMING + parts)

    # Parts.
    def when(self) -> int:
        """Return when the next word goes on."""
        number, parts = self._sent, self._step.parts
        if number == len(self.words):
            return NEVER
        time = self._gate
        if self.asks_sums:
            if len(self._came) < (number + 1) * parts:
                return NEVER
            time = max(time, self._came[number * parts])
        else:
            time = max(time, self._found[number])
        time = max(time, self.codes.there(number), self.codes.room(number))
        return NEVER if self._pending and time >= self._pending[0] else time  # nothing moves until that has entered

    def act(self, time: int) -> None:
        """Let its parts go on."""
        number, parts = self._sent, self._step.parts
        for part in range(parts):
            if self.asks_sums:
                time = max(time, self._came[number * parts + part])
            time = max(time, self.codes.there(number, part))
            self._left.append(time)
            time += 1
        self._gate, last = time, time - 1
        self.codes.leave(number, last)
        self._sent += 1
        if self._step.packet == EVENTS and self._changed[number]:
            self._pending.append(last + SENDING)

    def enters(self) -> int:
        """Return when the next word with a change enters the queue of the adder."""
        if not self._pending:
            return NEVER
        before = self._tokens - WORDS
        if before < 0:
            return self._pending[0]
        return NEVER if before >= len(self._freed) else max(self._pending[0], self._freed[before] + 2)

    def enter(self, time: int) -> None:
        """Let it; what is behind it waited, too."""
        waited = time - self._pending.popleft()
        if waited:
            self._gate = max(self._gate, time)
            self._pending = deque(later + waited for later in self._pending)
        self._tokens += 1
        self._take(time + 1)

    def aims(self) -> int:
        """Return when the rows of the next word are asked for."""
        number = self.codes.aimed
        if number == len(self.words):
            return NEVER
        time = self._found[number] - (SOURCE - SOURCE_ROWS if self._step.source else 0)
        if self.asks_sums and number >= AHEAD:
            if len(self._asked) <= number - AHEAD:
                return NEVER
            time = max(time, self._asked[number - AHEAD])
        return self.codes.aims(time)

    def ends(self) -> int:
        """Return when the end of the pass goes on."""
        if self._sent < len(self.words) or self._pending:
            return NEVER
        first = SOURCE if self._step.source else FIRST_WORD + ASKING + COMING + 4 + self._step.words // CHUNK_BITS
        return max(self._gate, self._begin + first, self.codes.ends())


def _found(step: Step, words: IntArray, begin: int) -> list[int]:
    """Return when each word is found."""
    number = np.arange(len(words))
    if step.source:
        return list((begin + SOURCE + number).tolist())
    scanned = begin + FIRST_WORD + words // CHUNK_BITS
    return list((np.maximum.accumulate(scanned - number) + number).tolist())


class _Codes:
    """Rows of codes that lie outside: asked for ahead, and written back."""

    def __init__(
        self, program: Program, port: Port, step: Step, work: Work, changed: list[bool], *, fresh: bool
    ) -> None:
        config = program.config
        self._port, self._parts, self._changed, self._fresh = port, step.parts, changed, fresh
        self._beats = config.record_beats["code_rows"]
        rows = step.code_base + work.words * step.parts
        outside = rows + step.parts > config.code_rows
        reads = step.packet == CODES or (step.packet == EVENTS and not fresh)
        self._reads = (outside & reads).tolist()
        self._writes = (outside & (step.packet == EVENTS)).tolist()
        self._address = (program.origins[0] + rows * self._beats).tolist()
        self._most = WORDS_AHEAD * (config.lanes // config.quantisers) // step.parts
        self.aimed = 0
        self._asked: dict[int, Read] = {}
        self._last: Read | None = None
        self._popped: deque[int] = deque([0] * self._most, self._most)
        self._back: deque[tuple[int, Write | int]] = deque()
        self._used = self._free = 0
        self._written: Write | None = None
        self._committed = 0

    def aims(self, time: int) -> int:
        """Return when the rows of the next word are asked for, which is found at a time."""
        if not self._reads[self.aimed]:
            return time + ASKING_ROWS
        if len(self._asked) >= self._most:
            return NEVER
        time = max(time + ASKING_ROWS, self._popped[len(self._asked)] + 2)
        if self._last is not None:
            time = NEVER if self._last.taken < 0 else max(time, self._last.taken + 2)
        return time

    def act(self, time: int) -> None:
        """Ask for them."""
        number = self.aimed
        if self._reads[number]:
            record = self._port.read(time, ROWS, self._address[number], self._parts * self._beats)
            self._asked[number] = self._last = record
        self.aimed += 1

    def there(self, number: int, part: int = 0) -> int:
        """Return when a part may go on, as far as its row is concerned."""
        if not self._reads[number]:
            return 0
        record = self._asked.get(number)
        if record is None or record.last < 0:
            return NEVER
        beat = (part + 1) * self._beats - 1
        return record.first + (record.last - record.first) * beat // max(1, record.beats - 1) + ROW_THERE

    def room(self, number: int) -> int:
        """Return when there is room for its rows to be written back."""
        if not self._writes[number]:
            return 0
        while self._used + self._parts > BACK and self._back:
            rows, left = self._back[0]
            time = left if isinstance(left, int) else left.taken
            if time < 0:
                return NEVER
            self._free = max(self._free, time + 1)
            self._used -= rows
            self._back.popleft()
        return self._free

    def leave(self, number: int, time: int) -> None:
        """Let the rows of a word go, whose last part goes on at a time."""
        if self._reads[number]:
            del self._asked[number]
            self._popped.append(time)
        if not self._writes[number]:
            return
        self._used += self._parts
        self._committed = time + COMMITTING
        if not (self._fresh or self._changed[number]):
            self._back.append((self._parts, self._committed))
            return
        self._written = self._port.write(self._committed + LEAVING, self._address[number], self._parts * self._beats)
        self._back.append((self._parts, self._written))

    def ends(self) -> int:
        """Return when nothing is under way."""
        if self._written is None:
            return self._committed + 2 if self._committed else 0
        return NEVER if self._written.taken < 0 else max(self._written.taken + 3, self._committed + 2)
