# SPDX-License-Identifier: Apache-2.0
"""Clock cycles of a core, step by step, from what an interpreter does: no simulation of the RTL is needed.

In a step two units work at the same time. The *sender* takes word after word: its sums are read, quantised and
compared, a part per cycle. The *adder* takes the words with a change: an operation per cycle. What couples them is
modelled: the queue of words between them, which holds a word until its last operation; the reads of sums, which take a
cycle where no addition carries them; operations that wait for a sum that is being written; and how long a word is under
way. A step begins when the one before is written, so the cycles of a frame are those of its steps. The constants are
depths and latencies of the RTL's queues and stages; docs/core.md says how close this comes. With an external memory
nothing is that simple: `codesign.core.passes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from codesign.core.compiler import Compiled
from codesign.core.config import CHUNK_BITS
from codesign.core.frames import pack_input
from codesign.core.interpret import Counts, Interpreter, Work
from codesign.core.passes import Passes
from codesign.core.program import CODES, EVENTS, Step
from codesign.core.timing import DDR, MemoryTiming
from codesign.fixed import IntArray

FRAME = 1
"""Cycles of a frame besides its steps: the one in which it begins."""
RECORD = 13
"""Cycles of a step that does nothing: its record is read."""
FIRST_WORD = 29
"""Cycles from the beginning of a step to the read of the sums of its first word."""
FIRST_BEAT = 27
"""Cycles from the beginning of the source's step to when its first beat is quantised."""
SENDING = 26
"""Cycles from the read of a word's sums to when its last part is compared, less its parts."""
PLACING = 39
"""Cycles from there to the word's first operation."""
ENDING = 10
"""Cycles from the last operation of a step to its end."""
PACKET, PACKET_OF_CODES = 54, 48
"""Cycles of the step that sends the packet, besides its beats: of sums, of codes."""
WORDS = 18
"""Words that wait between sender and adder (``WordQueue`` of ``core_adder``, and 2)."""
PARTS = 18
"""Parts that wait between the read of sums and quantising (``Room`` of ``core_fetch``, and 2)."""
BEHIND = 13
"""Cycles that the room of a part is free before its word is compared."""
WRITING = 4
"""Cycles from an operation to the first that may read the same sums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreCycles:
    """What the model gives for consecutive frames of a stream.

    Attributes:
        steps: cycles of each step, ``[T, steps]``.
        frames: cycles of each frame, ``[T]``.
        counts: what the interpreter counted.
        read_bytes: from the external memory, in the cycles of each step, ``[T, steps]``; None without one.
        written_bytes: to it, the same.
    """

    steps: IntArray
    frames: IntArray
    counts: Counts = field(repr=False)
    read_bytes: IntArray | None = None
    written_bytes: IntArray | None = None

    @property
    def bytes(self) -> IntArray | None:
        """Both ways together, ``[T, steps]``; None without an external memory."""
        if self.read_bytes is None or self.written_bytes is None:
            return None
        both: IntArray = self.read_bytes + self.written_bytes
        return both


def core_cycles(compiled: Compiled, frames: np.ndarray, *, skip: bool = True, memory: MemoryTiming = DDR) -> CoreCycles:
    """Return the cycles of frames of codes, ``[T, *shape]``, from the first one of a stream on.

    memory: when the external memory answers, if the core has one; its stalls are not modelled.

    Raises:
        FrameError: they are no frames of the network.
    """
    if compiled.program.config.memory_bits:
        return _outside(compiled, frames, memory, skip=skip)
    program = compiled.program
    cycles = np.zeros((len(frames), len(program.steps)), np.int64)

    def observe(frame: int, number: int, work: Work) -> None:
        cycles[frame, number] = step_cycles(program.steps[number], work)

    counts = Interpreter(program, skip=skip).run(pack_input(compiled, frames), observe).counts
    for number, step in enumerate(program.steps):
        if step.packet != EVENTS:
            more = PACKET_OF_CODES if step.packet == CODES else PACKET
            cycles[:, number] = more + step.words * step.parts * step.taps
        cycles[:1, number] += RECORD + step.sweep_words
    return CoreCycles(steps=cycles, frames=cycles.sum(axis=1) + FRAME, counts=counts)


def _outside(compiled: Compiled, frames: np.ndarray, memory: MemoryTiming, *, skip: bool) -> CoreCycles:
    """Return the same of a core with an external memory."""
    program, passes = compiled.program, Passes(compiled.program, memory)
    found = np.zeros((3, len(frames), len(program.steps)), np.int64)
    last = len(program.steps) - 1

    def observe(frame: int, number: int, work: Work) -> None:
        if number == 0:
            passes.now += FRAME
            if frame == 0:
                found[0, 0] = passes.sweep()
        found[0, frame, number] += passes.step(program.steps[number], work, fresh=frame == 0)
        found[1:, frame, number] = passes.moved()
        if number + 1 == last:
            found[0, frame, last] += passes.packet()
            found[1:, frame, last] = passes.moved()

    counts = Interpreter(program, skip=skip).run(pack_input(compiled, frames), observe).counts
    cycles, read, written = found
    return CoreCycles(
        steps=cycles, frames=cycles.sum(axis=1) + FRAME, counts=counts, read_bytes=read, written_bytes=written
    )


def step_cycles(step: Step, work: Work) -> int:
    """Return the cycles of a step that sends events."""
    if not work.begun:
        return RECORD
    adder = _Adder(step, work)
    sender = _Sender(step, adder)
    token = dict(zip(work.sent.tolist(), range(len(work.sent)), strict=True))
    for number, word in enumerate(work.words.tolist()):
        sender.take(number, word, token.get(number))
    scanned = 0 if step.source else FIRST_WORD + step.words // CHUNK_BITS + SENDING
    last = max(sender.compared[-1] if sender.compared else 0, scanned)
    return max(last + PLACING, adder.end) + ENDING


class _Adder:
    """When the words with a change are added; all times in cycles from the beginning of the step."""

    def __init__(self, step: Step, work: Work) -> None:
        count = len(work.sent)
        self._cycles, self._port = [0] * count, [-1] * count  # -1: every cycle has a read of sums
        self._measure(work)
        readers = step.readers if step.readers > 1 else 0
        placed = work.placed.tolist()
        self._least = [max(1, placed[at] + readers) for at in range(count)]
        self.begins: list[int] = []
        self.ends: list[int] = []
        self._free: list[int] = []
        self._looked = 0

    def _measure(self, work: Work) -> None:
        """Find how long each word is added, and after how many cycles the port of sums has a cycle to spare."""
        written: dict[int, int] = {}
        now, before = 0, -1
        touched = (work.token.tolist(), work.sums.tolist(), work.operations.tolist())
        for token, address, operations in zip(*touched, strict=True):
            begin, cycles = now, self._cycles[token]
            shared = address == before
            if not shared:
                now = max(now, written.get(address, -WRITING) + WRITING)
            if self._port[token] < 0:
                if shared or now > begin:
                    self._port[token] = cycles
                elif operations > 1:
                    self._port[token] = cycles + 1
            now += operations
            written[address], before = now - 1, address
            self._cycles[token] = cycles + now - begin

    @property
    def end(self) -> int:
        """When the last word so far is added."""
        return self.ends[-1] if self.ends else 0

    def take(self, token: int, arrives: int) -> None:
        """Take a word that is there at a time."""
        begin = max(arrives, self.end)
        self.begins.append(begin)
        self.ends.append(begin + max(self._cycles[token], self._least[token]))
        own = self._cycles[token] if self._port[token] < 0 else self._port[token]
        self._free.append(begin + own)

    def read(self, time: int, need: int) -> None:
        """Let ``need`` words of sums be read from ``time`` on; times may not go back.

        They ride on additions that read nothing; where each has a read of its own, the adder goes on that much later.
        """
        while self._looked < len(self.ends) and self.ends[self._looked] <= time:
            self._looked += 1
        at = self._looked
        if at == len(self.ends) or self.begins[at] > time or self._free[at] <= time:
            return
        for later in range(at, len(self.ends)):
            self.ends[later] += need
            self._free[later] += need
            self.begins[later] += need if later > at else 0


class _Sender:
    """When the words that are visited are compared."""

    def __init__(self, step: Step, adder: _Adder) -> None:
        self._source, self._adder = bool(step.source), adder
        self._parts, self._gap = step.parts, step.parts * step.taps
        self._need = 1 if step.taps == 1 else self._gap
        self._room = max(1, PARTS // step.parts)
        self._found = self._read = FIRST_WORD
        self.compared: list[int] = []

    def take(self, number: int, word: int, token: int | None) -> None:
        """Take a word; ``token``: which of those with a change it is."""
        before = self.compared[-1] if self.compared else 0
        if self._source:
            time = max(before + 1, FIRST_BEAT)
        else:
            self._read = self._ready(number, word)
            self._adder.read(self._read, self._need)
            time = max(before + self._parts, self._read + SENDING + self._parts - 1)
        if token is not None:
            if token >= WORDS:
                time = max(time, self._adder.ends[token - WORDS])
            self._adder.take(token, time + PLACING)
        self.compared.append(time)

    def _ready(self, number: int, word: int) -> int:
        """Return when the sums of a word could be read."""
        self._found = max(self._found + 1, FIRST_WORD + word // CHUNK_BITS)
        time = max(self._read + self._gap if number else self._found, self._found)
        if number >= self._room:
            time = max(time, self.compared[number - self._room] - BEHIND)
        return time
