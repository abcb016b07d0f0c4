# SPDX-License-Identifier: Apache-2.0
"""Token formats, and what each protocol leaf does to tokens. Arithmetic is that of codesign.graph.golden.

A stream token is one integer: first field of the SystemVerilog concatenation in the high bits, lane 0 in the low bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from codesign.graph import Conv, Delta, Join, Spatial
from codesign.rtl.memories import spatial_bits, weight_lines
from codesign.rtl.top import product_bits


def index_bits(count: int) -> int:
    """Bits of an index below ``count``, at least 1."""
    return max(1, (count - 1).bit_length())


def pack(values: Iterable[int], bits: int) -> int:
    """Pack lanes, the first in the low bits, each cut to ``bits``."""
    packed = 0
    for lane, value in enumerate(values):
        packed |= (int(value) & ((1 << bits) - 1)) << (lane * bits)
    return packed


def unpack(packed: int, bits: int, lanes: int) -> list[int]:
    """Return the unsigned lanes of ``packed``."""
    return [(packed >> (lane * bits)) & ((1 << bits) - 1) for lane in range(lanes)]


def _flags(bits: int) -> tuple[bool, bool, bool]:
    return bool(bits & 4), bool(bits & 2), bool(bits & 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word token; ``data`` packed."""

    fresh: bool = False
    has_word: bool = True
    end: bool = False
    address: int = 0
    data: int = 0

    def pack(self, words: int, data_bits: int) -> int:
        """Return the token of a stream of ``words`` words of ``data_bits`` bits."""
        flags = (self.fresh << 2) | (self.has_word << 1) | int(self.end)
        return (((flags << index_bits(words)) | self.address) << data_bits) | self.data

    @classmethod
    def parse(cls, token: int, words: int, data_bits: int) -> Word:
        """Read a token; a word that is not there has no fields."""
        fresh, has_word, end = _flags(token >> (index_bits(words) + data_bits))
        if not has_word:
            return cls(has_word=False, end=end)
        address = (token >> data_bits) & ((1 << index_bits(words)) - 1)
        return cls(fresh=fresh, end=end, address=address, data=token & ((1 << data_bits) - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event token."""

    new_stream: bool = False
    has_event: bool = True
    end: bool = False
    address: int = 0
    delta: int = 0

    def pack(self, size: int, delta_bits: int) -> int:
        """Return the token of a stream of addresses below ``size``."""
        flags = (self.new_stream << 2) | (self.has_event << 1) | int(self.end)
        return (((flags << index_bits(size)) | self.address) << delta_bits) | (self.delta & ((1 << delta_bits) - 1))

    @classmethod
    def parse(cls, token: int, size: int, delta_bits: int) -> Event:
        """Read a token; an event that is not there has no fields."""
        new_stream, has_event, end = _flags(token >> (index_bits(size) + delta_bits))
        if not has_event:
            return cls(new_stream=new_stream, has_event=False, end=end)
        address = (token >> delta_bits) & ((1 << index_bits(size)) - 1)
        delta = token & ((1 << delta_bits) - 1)
        return cls(
            new_stream=new_stream, end=end, address=address, delta=delta - (delta >> (delta_bits - 1) << delta_bits)
        )


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
    _fresh: bool = True
    _dropping: bool = False

    def push(self, beat: Beat, bits: int) -> list[Word]:
        """Return the words a beat causes; codes are cut to ``bits``."""
        if self._dropping:
            self._dropping = not beat.last
            return []
        fresh = self._fresh or (self._next == 0 and beat.user)
        full = self._next == self.beats - 1
        short = beat.last and not full
        self.early |= short
        self.late |= full and not beat.last
        self.errors += short or (full and not beat.last)
        self._dropping = full and not beat.last
        end = full or (short and not fresh)
        words = [Word(fresh=fresh, end=end, address=self._next, data=pack(beat.codes, bits))]
        if short and fresh:
            rest = range(self._next + 1, self.beats)
            words += [Word(fresh=True, end=i == self.beats - 1, address=i) for i in rest]
        self._fresh = fresh and not (full or short)
        self._next = 0 if full or short else self._next + 1
        return words


def serialize(words: Iterable[tuple[Word, Sequence[int | None]]], lanes: int) -> list[Event]:
    """Return the event tokens of words whose lanes hold a delta, or None where nothing is sent."""
    events: list[Event] = []
    new_stream, started = False, False
    for word, deltas in words:
        new_stream |= word.has_word and word.fresh and not started
        started = not word.end
        sent = [(word.address * lanes + lane, delta) for lane, delta in enumerate(deltas) if delta is not None]
        for index, (address, delta) in enumerate(sent):
            end = word.end and index == len(sent) - 1
            events.append(Event(new_stream=new_stream, end=end, address=address, delta=delta))
            new_stream = False
        if word.end and not sent:
            events.append(Event(new_stream=new_stream, has_event=False, end=True))
            new_stream = False
    return events


@dataclass(slots=True)
class Decode:
    """Word tokens to packets of ``words`` words, one at each end of a frame; what a frame does not bring stays."""

    words: int
    _kept: dict[int, int] = field(default_factory=dict)

    def push(self, token: Word) -> list[tuple[int, bool]]:
        """Return the (data, last) beats a token causes."""
        if token.has_word:
            self._kept[token.address] = token.data
        if not token.end:
            return []
        return [(self._kept[index], index == self.words - 1) for index in range(self.words)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A located token: the output words that an event reaches, the weights of the first, its lane (channelwise)."""

    new_stream: bool = False
    has_event: bool = True
    end: bool = False
    first_row: int = 0
    rows: int = 0
    first_column: int = 0
    columns: int = 0
    group: int = 0
    line: int = 0
    lane: int = 0
    delta: int = 0

    @staticmethod
    def _widths(row: int, column: int, group: int, weight: int, lane: int, delta: int) -> dict[str, int]:
        names = ("first_row", "rows", "first_column", "columns", "group", "line", "lane", "delta")
        return dict(zip(names, (row, row, column, column, group, weight, lane, delta), strict=True))

    def pack(self, *bits: int) -> int:
        """Return the token; ``bits`` of a row, a column, a group, a weight line, a lane and a delta."""
        token = (self.new_stream << 2) | (self.has_event << 1) | int(self.end)
        for name, width in self._widths(*bits).items():
            token = (token << width) | (int(getattr(self, name)) & ((1 << width) - 1))
        return token

    @classmethod
    def parse(cls, token: int, *bits: int) -> Place:
        """Read a token; an event that is not there has no fields."""
        values = {}
        for name, width in reversed(cls._widths(*bits).items()):
            values[name] = token & ((1 << width) - 1)
            token >>= width
        new_stream, has_event, end = _flags(token)
        if not has_event:
            return cls(new_stream=new_stream, has_event=False, end=end)
        values["delta"] -= values["delta"] >> (bits[-1] - 1) << bits[-1]
        return cls(new_stream=new_stream, end=end, **values)


def locate(node: Spatial, event: Event, at: int = 0) -> Place | None:
    """Return where an event of input ``at`` of ``node`` goes; None if it reaches nothing and says nothing."""
    position, channel = divmod(event.address, node.channels_in(at))
    iy, ix = divmod(position, node.x.size)
    rows, columns = int(node.y.counts()[iy]), int(node.x.counts()[ix])
    if not (event.has_event and rows and columns):
        if event.new_stream or event.end:
            return Place(new_stream=event.new_stream, has_event=False, end=event.end)
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
        new_stream=event.new_stream,
        end=event.end,
        first_row=oy,
        rows=rows,
        first_column=ox,
        columns=columns,
        group=group,
        line=line,
        lane=lane,
        delta=event.delta << shift,
    )


def place_bits(node: Spatial, feeds: list[Delta]) -> tuple[int, ...]:
    """Return the widths that `Place.pack` takes."""
    bits = spatial_bits(node)
    lane = index_bits(node.groups), bits["WeightBits"], index_bits(node.pe), product_bits(node, feeds)
    return bits["RowBits"], bits["ColumnBits"], *lane
