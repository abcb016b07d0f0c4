# SPDX-License-Identifier: Apache-2.0
"""The executable specification of the core: a program, frame after frame, as the RTL executes it.

Nothing here knows a layer. A step sends what changed among the words that are marked (of the first frame of a stream:
all), and each of its readers walks what that reaches. Sums wrap around at ``sum_bits``, addresses at ``index_bits``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codesign.core.config import CHUNK_BITS
from codesign.core.program import CODES, EVENTS, Place, Program, Step, Walk
from codesign.core.records import ENGINES
from codesign.errors import FrameError
from codesign.fixed import IntArray

AT_ONCE = 1 << 15
"""Operations whose lanes are computed as one array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a program did in each of ``T`` frames.

    Attributes:
        visited: words that each step visited, ``[T, steps]``.
        tokens: words with a change that it sent, ``[T, steps]``.
        events: lanes that count as changed in them, ``[T, steps]``.
        placed: events or words whose place each reader looked up, ``[T, readers]``.
        hits: those that reach anything, ``[T, readers]``.
        marked: words that each reader touched, every touch counted, ``[T, readers]``.
        operations: cycles of the lanes, ``[T, readers]``.
        swept: words of sums set to biases, ``[T]``.
    """

    visited: IntArray
    tokens: IntArray
    events: IntArray
    placed: IntArray
    hits: IntArray
    marked: IntArray
    operations: IntArray
    swept: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of consecutive frames.

    Attributes:
        packets: beats of the output, ``[T, beats, quantisers]``.
        counts: what was done for it.
    """

    packets: IntArray = field(repr=False)
    counts: Counts = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a step did in a frame, word by word.

    Attributes:
        begun: whether it looked for words: it does not where nothing has touched its engine.
        words: words that it visited, in order, ``[N]``.
        sent: which of them had a change: indices of ``words``, ``[K]``.
        placed: for each of these, the places that all readers looked up, ``[K]``.
        token: of each word of sums that is touched, in order, for which of ``sent``, ``[M]``.
        sums: its address, ``[M]``.
        operations: operations on it, ``[M]``.
        lines: line of weights of each operation, in order, ``[sum(operations)]``.
    """

    begun: bool
    words: IntArray
    sent: IntArray
    placed: IntArray
    token: IntArray
    sums: IntArray
    operations: IntArray
    lines: IntArray


Observe = Callable[[int, int, Work], None]
"""Called after each step that sends events: frame, step, its work."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words with a change: their numbers ``[N]``; which lanes count as changed, and by how much, ``[N, lanes]``."""

    words: IntArray
    mask: NDArray[np.bool_]
    deltas: IntArray

    def taken(self, some: NDArray[np.bool_]) -> Tokens:
        """Return some of them."""
        return Tokens(self.words[some], self.mask[some], self.deltas[some])


class Interpreter:
    """A core with a program. Its state persists between runs; `reset` starts a new stream.

    Attributes:
        skip: what does not change is skipped; else every lane counts as changed (the dense baseline).
        sums: the memory of sums, ``[sum_words, lanes]``.
        codes: the memory of codes, ``[code_rows, quantisers]``.
        marks: marks of words, ``[chunks * 32]``.
        dirty: of each engine, whether a word was marked since it was last sent whole.
    """

    def __init__(self, program: Program, *, skip: bool = True) -> None:
        self.program, self.skip, config = program, skip, program.config
        needs = program.needs()
        self.sums: IntArray = np.zeros((needs["sum_words"], config.lanes), np.int64)
        self.sums[: len(program.sums)] = program.sums
        self.codes: IntArray = np.zeros((needs["code_rows"], config.quantisers), np.int64)
        self.marks: NDArray[np.bool_] = np.zeros(needs["chunks"] * CHUNK_BITS, np.bool_)
        self.dirty: NDArray[np.bool_] = np.zeros(ENGINES, np.bool_)
        self._weights = program.weights.astype(np.int64)
        self.reset()

    def reset(self) -> None:
        """Let the next frame be the first of a stream."""
        self._first = True

    def run(self, beats: IntArray, observe: Observe | None = None) -> Run:
        """Execute the program once for each of consecutive frames, ``[T, beats, quantisers]`` codes.

        observe: is called after each step.

        Raises:
            FrameError: another number of beats or lanes.
        """
        expected = (self.program.beats, self.program.config.quantisers)
        if beats.shape[1:] != expected:
            raise FrameError("wrong beats", expected=f"[T, {expected[0]}, {expected[1]}]", received=beats.shape)
        frames, steps, walks = len(beats), len(self.program.steps), len(self.program.walks)
        packets = np.zeros((frames, self.program.output_beats, expected[1]), np.int64)
        sent, walked, swept = np.zeros((3, frames, steps), np.int64), np.zeros((4, frames, walks), np.int64), []
        for t, frame in enumerate(beats):
            swept.append(self._sweep() if self._first else 0)
            for number, step in enumerate(self.program.steps):
                if step.packet != EVENTS:
                    packets[t] = self._packet(step)
                    sent[0, t, number] = step.words
                    continue
                begun = bool(step.source or self._first or self.dirty[step.engine])
                tokens, visited = self._send(step, frame)
                sent[:, t, number] = len(visited), len(tokens.words), np.count_nonzero(tokens.mask)
                done = [_Done.nothing(len(tokens.words))]
                for reader in range(step.reader_base, step.reader_base + step.readers):
                    done.append(self._read(reader, tokens, observed=observe is not None))
                    walked[:, t, reader] = done[-1].counts()
                if observe is not None:
                    observe(t, number, _work(begun, visited, tokens, done))
            self._first = False
        counts = Counts(
            visited=sent[0],
            tokens=sent[1],
            events=sent[2],
            placed=walked[0],
            hits=walked[1],
            marked=walked[2],
            operations=walked[3],
            swept=np.array(swept, np.int64),
        )
        return Run(packets=packets, counts=counts)

    def _sweep(self) -> int:
        """Set all sums to biases; return how many words."""
        total = 0
        for step in self.program.steps:
            word = np.arange(step.sweep_words)
            self.sums[step.sum_base + word] = self.sums[step.bias_base + word % step.bias_period]
            total += step.sweep_words
        return total

    def _send(self, step: Step, frame: IntArray) -> tuple[Tokens, IntArray]:
        """Return what changed in the words that a step visits, and these words."""
        config = self.program.config
        words = np.arange(step.words) if step.source or self._first else self._marked(step)
        if not (step.source or step.keep):
            first = step.mark_base * CHUNK_BITS
            self.marks[first : first + step.words] = False
            self.dirty[step.engine] &= bool(step.more)
        lanes = step.parts * config.quantisers
        if not len(words):
            return Tokens(words, np.zeros((0, config.lanes), np.bool_), np.zeros((0, config.lanes), np.int64)), words
        z = frame[words] if step.source else self._fetch(step, words, lanes)
        group = words - divided(words, step.group_recip, step.group_shift) * step.groups
        params = self._rows(self.program.params, step.param_base + group * step.parts, step.parts)
        valid, k, threshold, align, low = (params[..., at].reshape(len(words), lanes) for at in range(5))
        z = self._aligned(z, align, low)
        rows = (step.code_base + words * step.parts)[:, None] + np.arange(step.parts)
        stored = self.codes[rows].reshape(len(words), lanes)
        if self._first:
            stored = np.zeros_like(stored)
        now = sent(step, z, stored, k, threshold)
        now = np.where(valid == 1, now, stored)
        self.codes[rows] = now.reshape(len(words), step.parts, config.quantisers)
        deltas = np.zeros((len(words), config.lanes), np.int64)
        deltas[:, :lanes] = now - stored
        mask = deltas != 0
        if not self.skip:
            mask[:, :lanes] = valid == 1
        return Tokens(words, mask, deltas).taken(mask.any(axis=1)), words

    def _marked(self, step: Step) -> IntArray:
        first = step.mark_base * CHUNK_BITS
        return np.flatnonzero(self.marks[first : first + step.words])

    def _fetch(self, step: Step, words: IntArray, lanes: int) -> IntArray:
        """Return the sums of words, the maximum over their taps, ``[N, lanes]``."""
        taps = self._rows(self.sums, step.sum_base + words * step.taps, step.taps)
        largest: IntArray = taps.max(axis=1)
        return largest[:, :lanes]

    @staticmethod
    def _rows(memory: IntArray, first: IntArray, count: int) -> IntArray:
        """Return ``count`` rows of a memory from each address on, ``[N, count, ...]``."""
        result: IntArray = memory[first[:, None] + np.arange(count)]
        return result

    def _packet(self, step: Step) -> IntArray:
        """Return the packet of the output, ``[beats, quantisers]``."""
        quantisers = self.program.config.quantisers
        if step.packet == CODES:
            return self.codes[step.code_base : step.code_base + step.words * step.parts].copy()
        words = np.arange(step.words)
        params = self._rows(self.program.params, step.param_base + words % step.groups * step.parts, step.parts)
        align, low = params[..., 3], params[..., 4]
        z = self._fetch(step, words, step.parts * quantisers).reshape(align.shape)
        return self._aligned(z, align, low).reshape(-1, quantisers)

    def _aligned(self, sums: IntArray, align: IntArray, low: IntArray) -> IntArray:
        """Return sums on the lattice that is sent, or the nearest number that a core has."""
        most = 1 << self.program.config.sum_bits - 1
        shifted = sums << align
        nearest = np.clip(shifted, -most, most - 1)
        return np.where(nearest == shifted, shifted + low, nearest)

    def _read(self, reader: int, tokens: Tokens, *, observed: bool) -> _Done:
        """Let a reader take what was sent; return what it did, with the lines of its operations only if observed."""
        place, walk, count = self.program.places[reader], self.program.walks[reader], len(tokens.words)
        if not count:
            return _Done.nothing(0)
        at = np.arange(count)
        if place.element:
            at, lane = np.nonzero(tokens.mask)
            index, deltas = tokens.words[at] * place.used + lane, tokens.deltas[at, lane][:, None]
        else:
            index, deltas = tokens.words, tokens.deltas
        remainder, row, column = self._locate(place, index)
        hit = (row[:, 2] > 0) & (column[:, 2] > 0)
        ops = _Operations.of(self.program, walk, remainder[hit], row[hit], column[hit])
        self.marks[(walk.mark_base * CHUNK_BITS + ops.word) & self._mask] = True
        self.dirty[walk.engine] |= bool(len(ops.word))
        mask = None if walk.channelwise or place.element else tokens.mask[hit]
        for first in range(0, len(ops.event), AT_ONCE):
            self._accumulate(ops.some(first), deltas[hit], mask)
        token = at[hit][ops.event]
        lanes = np.ones_like(token) if mask is None else np.count_nonzero(tokens.mask, axis=1)[token]
        lines = self._lines(ops, mask) if observed else ops.line[:0]
        return _Done(np.bincount(at, minlength=count), int(hit.sum()), token, ops.sum, lanes, lines)

    def _lines(self, ops: _Operations, mask: NDArray[np.bool_] | None) -> IntArray:
        """Return the line of weights of each operation, a lane after the other where there is a mask."""
        if mask is None:
            return ops.line
        at, lane = np.nonzero(mask[ops.event])
        lines: IntArray = (ops.line[at] + lane) & self._mask
        return lines

    @property
    def _mask(self) -> int:
        return (1 << self.program.config.index_bits) - 1

    def _locate(self, place: Place, index: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return remainder, entry of the row, and entry of the column, of each index."""
        position = divided(index, place.recip, place.rshift)
        y = divided(position, place.column_recip, place.column_shift)
        tables = self.program.tables
        row, column = tables[place.row_table + y], tables[place.column_table + position - y * place.columns]
        return index - position * place.divisor, row, column

    def _accumulate(self, ops: _Operations, deltas: IntArray, mask: NDArray[np.bool_] | None) -> None:
        """Multiply and add, one lane after the other where there is a mask."""
        taken = deltas[ops.event]
        if mask is None:
            self._add(ops.sum, self._weights[ops.line] * taken)
            return
        at, lane = np.nonzero(mask[ops.event])
        self._add(ops.sum[at], self._weights[(ops.line[at] + lane) & self._mask] * taken[at, lane][:, None])

    def _add(self, address: IntArray, values: IntArray) -> None:
        """Add values to words of sums, several to the same one, too; modulo ``2**sum_bits``."""
        order = np.argsort(address, kind="stable")
        address = address[order]
        first = np.flatnonzero(np.append(True, address[1:] != address[:-1]))
        total = self.sums[address[first]] + np.add.reduceat(values[order], first, axis=0)
        spare = 64 - self.program.config.sum_bits
        self.sums[address[first]] = total << spare >> spare


@dataclass(frozen=True, slots=True)
class _Operations:
    """Words that events reach: which event, the word of the engine, the address of its sums, that of its weights."""

    event: IntArray
    word: IntArray
    sum: IntArray
    line: IntArray

    @classmethod
    def of(cls, program: Program, walk: Walk, remainder: IntArray, row: IntArray, column: IntArray) -> _Operations:
        """Return all in the order of the walk: event, output row, output column, group."""
        groups = 1 if walk.channelwise else walk.groups
        counts = row[:, 2] * column[:, 2] * groups
        event = np.repeat(np.arange(len(counts)), counts)
        rest = np.arange(len(event)) - np.repeat(np.cumsum(counts) - counts, counts)
        rest, go = np.divmod(rest, groups)
        oy, ox = np.divmod(rest, np.maximum(1, column[event, 2]))
        word = row[event, 0] + oy * walk.word_row + column[event, 0] + ox * walk.word_column
        line = row[event, 1] - oy * walk.line_row + column[event, 1] - ox * walk.line_column
        m = remainder[event]
        mask = (1 << program.config.index_bits) - 1
        word = word + (m if walk.channelwise else go) & mask
        sums = walk.sum_base + word * walk.taps + (line if walk.maximum else 0) & mask
        weights = walk.weight_base + (np.zeros_like(line) if walk.maximum else line)
        if not walk.channelwise:
            weights = weights + go * walk.group_stride + m * walk.used
        elif walk.group_lines:
            weights = weights + m
        return cls(event, word, sums, weights & mask)

    def some(self, first: int) -> _Operations:
        """Return `AT_ONCE` of them."""
        part = slice(first, first + AT_ONCE)
        return _Operations(self.event[part], self.word[part], self.sum[part], self.line[part])


@dataclass(frozen=True, slots=True)
class _Done:
    """What a reader did: places for each token ``[K]``, hits; token, address and operations of each touch ``[M]``; the
    line of each operation.
    """

    placed: IntArray
    hits: int
    token: IntArray
    sums: IntArray
    operations: IntArray
    lines: IntArray

    @classmethod
    def nothing(cls, tokens: int) -> _Done:
        """Return what is no work."""
        none = np.zeros(0, np.int64)
        return cls(np.zeros(tokens, np.int64), 0, none, none, none, none)

    def counts(self) -> tuple[int, int, int, int]:
        """Return what was placed, hit, marked and computed."""
        return int(self.placed.sum()), self.hits, len(self.token), int(self.operations.sum())


def _work(begun: bool, visited: IntArray, tokens: Tokens, done: list[_Done]) -> Work:
    """Return the work of all readers, word after word."""
    token = np.concatenate([item.token for item in done])
    order = np.argsort(token, kind="stable")
    operations = np.concatenate([item.operations for item in done])
    each = np.argsort(np.repeat(token, operations), kind="stable")
    return Work(
        begun=begun,
        words=visited,
        sent=np.searchsorted(visited, tokens.words),
        placed=np.sum([item.placed for item in done if len(item.placed) == len(tokens.words)], axis=0),
        token=token[order],
        sums=np.concatenate([item.sums for item in done])[order],
        operations=operations[order],
        lines=np.concatenate([item.lines for item in done])[each],
    )


def divided(index: IntArray, recip: int, shift: int) -> IntArray:
    """Return ``(index * recip) >> shift``, as the hardware divides."""
    product = index.astype(np.uint64) * np.uint64(recip) >> np.uint64(shift)
    return product.astype(np.int64)


def sent(step: Step, z: IntArray, stored: IntArray, k: IntArray, threshold: IntArray) -> IntArray:
    """Return the codes of sums ``z`` after quantising, clipping and holding, given the ``stored`` ones; same shapes."""
    f = np.maximum(z, 0) if step.relu else z
    bits = step.shift + k
    floor = f >> bits
    rest = f - (floor << bits)
    half = (np.int64(1) << bits) >> 1
    up = (rest > half) | ((rest == half) & (half > 0) & (floor & 1 == 1))
    q = np.minimum(np.maximum(floor + up << k, step.lo), step.hi)
    moved = (threshold == 0) | (np.abs(f - (stored << step.shift)) >= threshold)
    result: IntArray = np.where(moved, q, stored)
    return result
