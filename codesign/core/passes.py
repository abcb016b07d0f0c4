# SPDX-License-Identifier: Apache-2.0
"""Clock cycles of the steps of a core with an external memory, and the bytes that they move.

A step is played operation by operation, whatever happens next first: words that are visited are asked for, sent, and
added, in the order in which ``core_order`` lets them through, as the order decides what the slots hold. What a word
waits for is modelled: its sums, its rows of codes, room in the queues, and the memory; see `codesign.core.sending`,
`codesign.core.outside` and `codesign.core.port`. All times are cycles.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from codesign.core.interpret import Work
from codesign.core.outside import Cache, Lanes, LineSlots, Operation
from codesign.core.port import NEVER, Port
from codesign.core.program import EVENTS, Program, Step
from codesign.core.sending import SENDING, Sender
from codesign.core.timing import MemoryTiming
from codesign.fixed import IntArray

RECORD = 13
"""Cycles of a step that does nothing: its record is read."""
PLACING = 37
"""Cycles from a word in the queue of those with a change to its first operation."""
DROPPING = 3
"""Cycles between the last operation of a word leaving the walk and the order."""
ENDING = 6
"""Cycles from the issue of the end of a pass to the next step."""
AT_ONCE = 4
"""Operations of a chain that are played as one, where nothing can come in between."""
PACKET = 6
"""Cycles from the last part to the end of the packet's step."""
PORT, LANES, CACHE, ORDER, ENTER, SEND, AIM = range(7)
"""What acts in a pass."""
CHANGES = {
    PORT: (PORT, LANES, CACHE, ORDER, SEND, AIM),
    LANES: (PORT, LANES, CACHE, ORDER, SEND),
    CACHE: (PORT, LANES, CACHE, ORDER),
    ORDER: (CACHE, ORDER, ENTER, AIM),
    ENTER: (ORDER, ENTER, SEND),
    SEND: (PORT, ORDER, ENTER, SEND, AIM),
    AIM: (PORT, SEND, AIM),
}
"""When what acts next may change, by what acted."""


class Passes:
    """Step after step, frame after frame, from the first frame of a stream on. ``now``: the cycle that it is."""

    def __init__(self, program: Program, timing: MemoryTiming) -> None:
        self.program, self.now = program, 0
        self.port = Port(timing, program.config.memory_bits)
        self._lanes = Lanes(program, self.port)
        self._cache = Cache(program, self._lanes)
        self._slots = program.config.cached_words - 1
        self._lines = LineSlots(program.config)
        kept = sorted({(step.sum_base, step.word_beats) for step in program.steps if step.sweep_words})
        self._bases, self._beats = np.array([*kept] or [(0, 0)], np.int64).T

    def sweep(self) -> list[int]:
        """Set the sums of all engines to the biases; return the cycles of each step."""
        cycles = []
        for step in self.program.steps:
            time = self.now + RECORD
            for word in range(step.sum_base, step.sum_base + step.sweep_words):
                while (free := self._cache.free()) > time:
                    time = max(time, self._next()) if free == NEVER else free
                self._cache.take(time, Operation(word=word, copy=True, beats=step.word_beats, adds=word, last=True))
                time += 1
            cycles.append(time - self.now)
            self.now = time
        return cycles

    def step(self, step: Step, work: Work, *, fresh: bool) -> int:
        """Return the cycles of a step that sends events."""
        if not work.begun:
            self.now += RECORD
            return RECORD
        return self._run(step, work, fresh=fresh)

    def packet(self) -> int:
        """Return the cycles of the step that sends the packet."""
        step, none = self.program.output, np.zeros(0, np.int64)
        words = np.arange(step.words)
        work = Work(begun=True, words=words, sent=none, placed=none, token=none, sums=none, operations=none, lines=none)
        return self._run(step, work, fresh=False)

    def moved(self) -> tuple[int, int]:
        """Return the bytes that were read and written since it was last asked."""
        return self.port.moved_until(self.now)

    def _next(self) -> int:
        """Let what is outside go on by one thing; return when."""
        agents = (self.port, self._lanes, self._cache)
        time, agent = min(((agent.when(), agent) for agent in agents), key=lambda item: item[0])
        agent.act(time)
        return time

    def _run(self, step: Step, work: Work, *, fresh: bool) -> int:
        """Run a pass, and return its cycles."""
        begin = self.now
        missing = self._lines.missing(work.lines)
        beats = self._beats[np.searchsorted(self._bases, work.sums, side="right") - 1]
        adder = _Adder(step, work, missing, beats)
        sender = Sender(
            self.program, self.port, step, work, begin=begin, fresh=fresh, freed=adder.freed, take=adder.take
        )
        order = _Order(step, sender, adder, self._cache, self._slots)
        when = (
            *(self.port.when, self._lanes.when, self._cache.when, order.when),
            *(sender.enters, sender.when, sender.aims),
        )
        act = (
            *(self.port.act, self._lanes.act, self._cache.act, order.act),
            *(sender.enter, sender.act, sender.codes.act),
        )
        times = [one() for one in when]
        while order.ended < 0:
            time = min(times)
            agent = times.index(time)
            act[agent](time)
            for other in CHANGES[agent]:
                times[other] = when[other]()
        self.now = order.ended
        while (time := self.port.when()) <= self.now:
            self.port.act(time)
        return self.now - begin


class _Order:
    """Additions and reads of sums, in one order; then the end of the pass."""

    def __init__(self, step: Step, sender: Sender, adder: _Adder, cache: Cache, slots: int) -> None:
        self._step, self._sender, self._adder, self._cache, self._slots = step, sender, adder, cache, slots
        self._gap = step.parts if step.taps == 1 else 1
        self._chain = self._over = False
        self.ended = -1

    def when(self) -> int:
        """Return when the next operation leaves."""
        asked, added, free = self._sender.asks(), self._adder.comes(), self._cache.free()
        if asked == NEVER and added == NEVER:
            return self._end(free)
        return max(free, added if self._chain else min(asked, added))

    def _end(self, free: int) -> int:
        """Return when the end of the pass leaves, if it is next."""
        ends = self._sender.ends()
        if self._over or ends == NEVER or not self._adder.empty:
            return NEVER
        if self._step.packet != EVENTS:
            return ends
        return max(free, ends + SENDING + PLACING, self._adder.ended + 1)

    def act(self, time: int) -> None:
        """Let it leave."""
        sender, adder = self._sender, self._adder
        asked, added = sender.asks(), adder.comes()
        if asked == NEVER and added == NEVER:
            self._finish(time)
            return
        if self._chain:
            act, read = True, asked <= time and bool((sender.address ^ adder.word) & self._slots)
        else:
            act = added <= time and (asked > time or adder.opens())
            read = not act
        operation = Operation()
        if act:
            operation.adds, operation.line, operation.last = adder.word, adder.line(), adder.last
            if adder.first:
                operation.word, operation.beats = adder.word, adder.beats
            elif asked > time and operation.line < 0:
                operation.count = adder.inside(min(AT_ONCE, asked - time))
                operation.last = adder.ends(operation.count)
        if read:
            operation.read, operation.word = True, sender.address
            operation.beats, operation.gap = self._step.word_beats, self._gap
            operation.done = sender.read(time)
        self._cache.take(time, operation)
        if act:
            self._chain = not operation.last
            adder.next(time, operation.count)

    def _finish(self, time: int) -> None:
        """Let the end of the pass leave; of a packet there is none."""
        self._over = True
        if self._step.packet != EVENTS:
            self.ended = time + PACKET
        else:
            self._cache.take(time, Operation(done=self._written))

    def _written(self, issue: int) -> None:
        self.ended = issue + ENDING


class _Adder:
    """Operations of the words with a change.

    Args:
        missing: whether the line of an operation has to be filled in, ``[sum(operations)]``.
        beats: of the word of each touch, ``[M]``.
    """

    def __init__(self, step: Step, work: Work, missing: np.ndarray, beats: IntArray) -> None:
        readers = step.readers if step.readers > 1 else 0
        self._least = np.maximum(1, work.placed + readers).tolist() if len(work.sent) else []
        self._sums, self._count, self._beats = work.sums.tolist(), work.operations.tolist(), beats.tolist()
        self._lines = np.where(missing, work.lines, -1).tolist()
        self._tokens = np.bincount(work.token, minlength=len(work.sent)).tolist()
        self._at = self._operation = self._of = 0  # touch, operation, operation of the touch
        self._token, self._left = -1, 0
        self._ready: deque[int] = deque()
        self._placed, self._time = 0, 0
        self.freed: list[int] = []
        """When each word left."""
        self.ended = 0
        """When the last operation left the order."""

    def take(self, time: int) -> None:
        """Take a word with a change, that is there at a time."""
        token = self._token + 1 + len(self._ready)
        self._placed = max(time, self._placed)
        self._ready.append(self._placed + PLACING)
        self._placed += self._least[token]
        self._begin()

    def _begin(self) -> None:
        """Go to the next word that reaches anything."""
        while not self._left and self._ready:
            self._token += 1
            self._left, time = self._tokens[self._token], self._ready.popleft()
            if self._left:
                self._time = max(time, self.ended + 1)
            else:
                self.freed.append(time - DROPPING)

    @property
    def empty(self) -> bool:
        """Whether every word that came has left."""
        return not self._left and not self._ready

    def comes(self) -> int:
        """Return when the next operation is there."""
        return self._time if self._left else NEVER

    @property
    def word(self) -> int:
        """The word that it adds to."""
        return int(self._sums[self._at])

    @property
    def beats(self) -> int:
        """Beats of that word."""
        return int(self._beats[self._at])

    @property
    def first(self) -> bool:
        """Whether it is the first of its chain."""
        return self._of == 0

    @property
    def last(self) -> bool:
        """Whether it is the last of its chain."""
        return self.ends(1)

    def ends(self, count: int) -> bool:
        """Return whether the chain ends after so many operations."""
        return bool(self._of + count == self._count[self._at])

    def inside(self, most: int) -> int:
        """Return how many operations of the chain, at least one and at most ``most``, need no line from outside."""
        most = min(most, self._count[self._at] - self._of)
        count = 1
        while count < most and self._lines[self._operation + count] < 0:
            count += 1
        return count

    def opens(self) -> bool:
        """Return whether others of its chain follow the first."""
        return self._of == 0 and self._count[self._at] > 1

    def line(self) -> int:
        """Return its line of weights, if it has to be filled in; else -1."""
        return int(self._lines[self._operation])

    def next(self, time: int, count: int) -> None:
        """Go on after ``count`` operations, the first of which leaves the order at a time."""
        time += count - 1
        self.ended, self._time = time, time + 1
        self._operation += count
        self._of += count
        if self._of < self._count[self._at]:
            return
        self._of = 0
        self._at += 1
        self._left -= 1
        if not self._left:
            self.freed.append(time - DROPPING)
            self._begin()
