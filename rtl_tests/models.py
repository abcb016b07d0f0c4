# SPDX-License-Identifier: Apache-2.0
"""What each protocol leaf does to tokens. Formats come from codesign.rtl.tokens, arithmetic from the golden model.

A token is one integer, packed values have lane 0 in the low bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from codesign.fixed import IntArray
from codesign.graph import Conv, Delta, Dense, Graph, Join, Spatial
from codesign.graph.channels import channel_lattices
from codesign.rtl import tokens
from codesign.rtl.parameters import weight_lines
from codesign.rtl.tokens import Token


def pack(values: Iterable[int], bits: int) -> int:
    """Pack lanes, the first in the low bits, each cut to ``bits``."""
    packed = 0
    for lane, value in enumerate(values):
        packed |= (int(value) & ((1 << bits) - 1)) << (lane * bits)
    return packed


def unpack(packed: int, bits: int, lanes: int) -> list[int]:
    """Return the unsigned lanes of ``packed``."""
    return [(packed >> (lane * bits)) & ((1 << bits) - 1) for lane in range(lanes)]


def kept(graph: Graph, accumulators: IntArray) -> tuple[IntArray, int]:
    """Return what the last engine of ``graph`` keeps of the accumulators of a frame, ``[words, lanes]``, and its bits.

    Each channel is on a lattice of its own, see `codesign.graph.channels`.
    """
    node, feed = graph.output, graph[graph.output.inputs[0]]
    assert not isinstance(node, Delta)
    if not isinstance(node, Dense | Conv):
        return accumulators.reshape(-1, node.pe), node.fmt.width
    assert isinstance(feed, Delta)
    lattices = channel_lattices(node, feed)
    return (accumulators >> np.resize(lattices.shifts, node.size)).reshape(-1, node.pe), lattices.sum_bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word token; ``data`` packed."""

    first_of_stream: bool = False
    has_word: bool = True
    end_of_frame: bool = False
    word: int = 0
    data: int = 0

    def pack(self, words: int, data_bits: int) -> int:
        """Return the token of a stream of ``words`` words of ``data_bits`` bits."""
        return tokens.word(words, data_bits).pack(**asdict(self))

    @classmethod
    def parse(cls, token: int, words: int, data_bits: int) -> Word:
        """Read a token; a word that is not there has no fields."""
        read: dict[str, Any] = tokens.word(words, data_bits).unpack(token)
        return cls(**read) if read["has_word"] else cls(has_word=False, end_of_frame=read["end_of_frame"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event token."""

    first_of_stream: bool = False
    has_event: bool = True
    end_of_frame: bool = False
    address: int = 0
    delta: int = 0

    def pack(self, size: int, delta_bits: int) -> int:
        """Return the token of a stream of addresses below ``size``."""
        return tokens.event(size, delta_bits).pack(**asdict(self))

    @classmethod
    def parse(cls, token: int, size: int, delta_bits: int) -> Event:
        """Read a token; an event that is not there has no fields."""
        return cls(**_event(tokens.event(size, delta_bits), token))


def _event(token: Token, raw: int) -> dict[str, Any]:
    """Read a token of events; an event that is not there has flags only."""
    read = token.unpack(raw)
    return read if read["has_event"] else {flag: read[flag] for flag in tokens.EVENT_FLAGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """An AXI4-Stream input beat; ``codes`` of its lanes."""

    codes: tuple[int, ...]
    last: bool
    user: bool


@dataclass(slots=True)
class Encode:
    """Frames of ``beats`` beats, malformed ones too, to word tokens."""

    beats: int
    lanes: int
    errors: int = 0
    early: bool = False
    late: bool = False
    _next: int = 0
    _first_frame: bool = True
    _dropping: bool = False

    def push(self, beat: Beat, bits: int) -> list[Word]:
        """Return the words a beat causes; codes are cut to ``bits``."""
        if self._dropping:
            self._dropping = not beat.last
            return []
        first_frame = self._first_frame or (self._next == 0 and beat.user)
        full = self._next == self.beats - 1
        short = beat.last and not full
        self.early |= short
        self.late |= full and not beat.last
        self.errors += short or (full and not beat.last)
        self._dropping = full and not beat.last
        end = full or (short and not first_frame)
        words = [Word(first_of_stream=first_frame, end_of_frame=end, word=self._next, data=pack(beat.codes, bits))]
        if short and first_frame:
            rest = range(self._next + 1, self.beats)
            words += [Word(first_of_stream=True, end_of_frame=i == self.beats - 1, word=i) for i in rest]
        self._first_frame = first_frame and not (full or short)
        self._next = 0 if full or short else self._next + 1
        return words


def serialize(words: Iterable[tuple[Word, Sequence[int | None]]], lanes: int) -> list[Event]:
    """Return the event tokens of words whose lanes hold a delta, or None where nothing is sent."""
    events: list[Event] = []
    first, started = False, False
    for word, deltas in words:
        first |= word.has_word and word.first_of_stream and not started
        started = not word.end_of_frame
        sent = [(word.word * lanes + lane, delta) for lane, delta in enumerate(deltas) if delta is not None]
        for index, (address, delta) in enumerate(sent):
            end = word.end_of_frame and index == len(sent) - 1
            events.append(Event(first_of_stream=first, end_of_frame=end, address=address, delta=delta))
            first = False
        if word.end_of_frame and not sent:
            events.append(Event(first_of_stream=first, has_event=False, end_of_frame=True))
            first = False
    return events


@dataclass(slots=True)
class Decode:
    """Word tokens to packets of ``words`` words, one at each end of a frame; what a frame does not bring stays."""

    words: int
    _kept: dict[int, int] = field(default_factory=dict)

    def push(self, token: Word) -> list[tuple[int, bool]]:
        """Return the (data, last) beats a token causes."""
        if token.has_word:
            self._kept[token.word] = token.data
        if not token.end_of_frame:
            return []
        return [(self._kept[index], index == self.words - 1) for index in range(self.words)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A located token: the output words that an event reaches, the weights of the first, its lane (channelwise)."""

    first_of_stream: bool = False
    has_event: bool = True
    end_of_frame: bool = False
    first_row: int = 0
    rows: int = 0
    first_column: int = 0
    columns: int = 0
    group: int = 0
    line: int = 0
    lane: int = 0
    delta: int = 0

    def pack(self, token: Token) -> int:
        """Return the token."""
        return token.pack(**asdict(self))

    @classmethod
    def parse(cls, raw: int, token: Token) -> Place:
        """Read a token; an event that is not there has no fields."""
        return cls(**_event(token, raw))


def locate(node: Spatial, event: Event, at: int = 0) -> Place | None:
    """Return where an event of input ``at`` of ``node`` goes; None if it reaches nothing and says nothing."""
    position, channel = divmod(event.address, node.channels_in(at))
    iy, ix = divmod(position, node.x.size)
    rows, columns = int(node.y.counts()[iy]), int(node.x.counts()[ix])
    if not (event.has_event and rows and columns):
        if event.first_of_stream or event.end_of_frame:
            return Place(first_of_stream=event.first_of_stream, has_event=False, end_of_frame=event.end_of_frame)
        return None
    oy, ox = node.y.first(iy), node.x.first(ix)
    row_lines, column_lines, lines = weight_lines(node)
    line = node.y.tap(iy, oy) * row_lines + node.x.tap(ix, ox) * column_lines
    offset, shift = (node.offsets[at], node.shifts[at]) if isinstance(node, Join) else (0, 0)
    group, lane = divmod(channel + offset, node.pe) if node.channelwise else (0, 0)
    if isinstance(node, Conv):
        line += group if node.depthwise else channel * node.groups
    assert line < lines
    return Place(
        first_of_stream=event.first_of_stream,
        end_of_frame=event.end_of_frame,
        first_row=oy,
        rows=rows,
        first_column=ox,
        columns=columns,
        group=group,
        line=line,
        lane=lane,
        delta=event.delta << shift,
    )


Visit = tuple[int, int, int]
"""Row, column and group of a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the words of a layer are spread over banks, and its rows over a ring (delta_spot, delta_walk)."""

    rows: int
    columns: int
    groups: int
    bank_rows: int = 2
    bank_columns: int = 1
    lists: int = 8

    def place(self, row: int, column: int, group: int) -> tuple[int, int]:
        """Return bank and spot of a word."""
        bank = row % self.bank_rows * self.bank_columns + column % self.bank_columns
        across = -(-self.columns // self.bank_columns)
        return bank, (row // self.bank_rows * across + column // self.bank_columns) * self.groups + group

    @property
    def banks(self) -> int:
        """Memories."""
        return self.bank_rows * self.bank_columns

    @property
    def bank_words(self) -> int:
        """Words of a bank."""
        return -(-self.rows // self.bank_rows) * -(-self.columns // self.bank_columns) * self.groups

    @property
    def stride(self) -> int:
        """Rows from one frame to the next on the ring."""
        return -(-max(self.rows + 1, self.lists) // self.bank_rows) * self.bank_rows

    @property
    def ring(self) -> int:
        """Rows of the ring."""
        return 1 << (2 * self.stride + 1).bit_length()


def walk(place: Place, taps: tuple[int, int], groups: int | None) -> list[dict[int, Visit]]:
    """Return for each cycle which word each slot visits; ``groups`` of a position, None: only that of the event."""
    tap_rows, tap_columns = taps
    return [
        {
            row * tap_columns + column: (place.first_row + y + row, place.first_column + x + column, group)
            for row in range(min(tap_rows, place.rows - y))
            for column in range(min(tap_columns, place.columns - x))
        }
        for y in range(0, place.rows, tap_rows)
        for x in range(0, place.columns, tap_columns)
        for group in ([place.group] if groups is None else range(groups))
    ]


def addend(
    weights: Sequence[int], delta: int, *, lane: int | None = None, field: int | None = None, fields: int = 1
) -> list[int]:
    """Return what an event adds to the ``fields`` values of each lane of a word; to one ``lane``, one ``field``."""
    return [
        weight * delta if lane in (None, i) and field in (None, f) else 0
        for i, weight in enumerate(weights)
        for f in range(fields)
    ]
