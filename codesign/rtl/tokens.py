# SPDX-License-Identifier: Apache-2.0
"""The tokens that travel between the leaves: every format, its fields and their widths, once.

A stream has valid, ready and one token: a packed vector, first field in the high bits. A `Format` names the fields in
order; a `Token` is a format with the widths that they have in one stream. ``docs/architecture.md`` shows the formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A field of a format.

    Attributes:
        name: name in the generated SystemVerilog.
        width: number of bits, in words.
        meaning: meaning in words; a line of the table in ``docs/architecture.md``.
        signed: whether it is two's complement.
    """

    name: str
    width: str = "1"
    meaning: str
    signed: bool = False


FIRST_OF_STREAM = "first_of_stream"
_LANE_0_LOW = "lane 0 in the low bits"
_END = Part(name="end_of_frame", meaning="the frame is complete")
_WORD = (
    Part(name=FIRST_OF_STREAM, meaning="the frame starts a new stream: every word comes, and nothing before it counts"),
    Part(name="has_word", meaning="there is a word; 0: only the end of a frame"),
    _END,
    Part(name="word", width="index of a word", meaning="which word of the frame"),
)
_EVENT = (
    Part(name=FIRST_OF_STREAM, meaning="first token of a frame that starts a new stream"),
    Part(name="has_event", meaning="there is an event; 0: only the other flags"),
    _END,
)
EVENT_FLAGS = tuple(part.name for part in _EVENT)
_DELTA = Part(
    name="delta", width="delta", meaning="new code minus the code that was last sent, two's complement", signed=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """The fields of a kind of token.

    Attributes:
        name: name of the format.
        between: the leaves that send and take it.
        parts: fields, the first in the high bits.
    """

    name: str
    between: str
    parts: tuple[Part, ...]

    def token(self, **bits: int) -> Token:
        """Return the token whose fields have these widths; flags have one bit."""
        given = [part.name for part in self.parts if part.width != "1"]
        if sorted(given) != sorted(bits):
            raise TypeError(f"widths of {', '.join(given)} are needed, not of {', '.join(bits)}")
        fields = (Field(name=part.name, bits=bits.get(part.name, 1), signed=part.signed) for part in self.parts)
        return Token(format=self.name, fields=tuple(fields))


WORD = Format(
    name="word",
    between="encode, dense, conv -> emit, decode",
    parts=(*_WORD, Part(name="data", width="lanes x value", meaning=f"the values of the word, {_LANE_0_LOW}")),
)
CHANGES = Format(
    name="changes",
    between="emit -> serialize",
    parts=(
        *_WORD,
        Part(name="mask", width="lanes", meaning=f"which lanes have an event, {_LANE_0_LOW}"),
        Part(name="deltas", width="lanes x delta", meaning=f"the delta of each lane, {_LANE_0_LOW}"),
    ),
)
EVENT = Format(
    name="event",
    between="serialize -> locate, dense",
    parts=(*_EVENT, Part(name="address", width="index of an element", meaning="which element of the frame"), _DELTA),
)
LOCATED = Format(
    name="located",
    between="locate -> join, conv",
    parts=(
        *_EVENT,
        Part(name="first_row", width="row", meaning="first output row that the event reaches"),
        Part(name="rows", width="row", meaning="how many"),
        Part(name="first_column", width="column", meaning="first output column that it reaches"),
        Part(name="columns", width="column", meaning="how many"),
        Part(name="group", width="index of a group", meaning="channelwise: word of an output position"),
        Part(name="line", width="index of a weight line", meaning="weights of the first output position"),
        Part(name="lane", width="index of a lane", meaning="channelwise: lane of the word"),
        _DELTA,
    ),
)
FLAGS = frozenset(part.name for part in (*_WORD, *_EVENT) if part.width == "1")
FORMATS = (WORD, CHANGES, EVENT, LOCATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field with its width; ``signed``: two's complement."""

    name: str
    bits: int
    signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What one stream carries: the name of its format, and its fields, the first in the high bits."""

    format: str
    fields: tuple[Field, ...]

    @property
    def bits(self) -> int:
        """Width of the token."""
        return sum(field.bits for field in self.fields)

    def bit(self, name: str) -> int:
        """Return the position of the lowest bit of a field."""
        return next(low for field, low in self._placed() if field.name == name)

    def pack(self, **values: int) -> int:
        """Return the token with these fields, each cut to its width; the others are 0."""
        token = 0
        for field, low in self._placed():
            token |= (int(values.pop(field.name, 0)) & ((1 << field.bits) - 1)) << low
        if values:
            raise TypeError(f"a {self.format} token has no {', '.join(values)}")
        return token

    def unpack(self, token: int) -> dict[str, int]:
        """Return the value of every field of a token."""
        values = {}
        for field, low in self._placed():
            value = (token >> low) & ((1 << field.bits) - 1)
            values[field.name] = value - (value >> (field.bits - 1) << field.bits) if field.signed else value
        return values

    def _placed(self) -> Iterator[tuple[Field, int]]:
        """Yield each field with the position of its lowest bit."""
        low = self.bits
        for field in self.fields:
            low -= field.bits
            yield field, low


def index_bits(count: int) -> int:
    """Return the bits of an index below ``count``, at least 1."""
    return max(1, (count - 1).bit_length())


def word(words: int, data_bits: int) -> Token:
    """Return the token of a stream of ``words`` words per frame, with ``data_bits`` of values in each."""
    return WORD.token(word=index_bits(words), data=data_bits)


def changes(words: int, lanes: int, delta_bits: int) -> Token:
    """Return the token of a stream of ``words`` words per frame, each with the deltas of ``lanes`` lanes."""
    return CHANGES.token(word=index_bits(words), mask=lanes, deltas=lanes * delta_bits)


def event(size: int, delta_bits: int) -> Token:
    """Return the token of a stream of changes of frames of ``size`` elements."""
    return EVENT.token(address=index_bits(size), delta=delta_bits)


def located(*, row: int, column: int, group: int, line: int, lane: int, delta: int) -> Token:
    """Return the token of a stream of located events, from the bits of a row, a column and so on."""
    places = {"first_row": row, "rows": row, "first_column": column, "columns": column}
    return LOCATED.token(**places, group=group, line=line, lane=lane, delta=delta)
