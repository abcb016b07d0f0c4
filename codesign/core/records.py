# SPDX-License-Identifier: Apache-2.0
"""The records of a program: every field and its width, once.

The encoder of images and the SystemVerilog package ``core_pkg`` are made of these tables. The first field of a record
lies in its high bits; in an image a record is padded at the top to whole 32-bit words, the lowest bits first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from codesign.core.config import CoreConfig, words_of
from codesign.errors import ConversionError

MAGIC = 0x524F4344
"""First word of an image: "DCOR" as bytes."""
VERSION = 4
ENGINES = 256
"""Dirty bits: engines that a program can have."""
SECTIONS = {"steps": 1, "places": 2, "walks": 3, "tables": 4, "params": 5, "weights": 6, "sums": 7}
"""Number of each section of an image; 0 ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a record.

    Attributes:
        name: its name, here and in SystemVerilog.
        width: bits, or the name of a width: ``index``, ``reciprocal``, ``code``, ``sum``.
        meaning: what it means; a comment in SystemVerilog.
        signed: whether it is two's complement.
    """

    name: str
    width: int | str
    meaning: str
    signed: bool = False

    def bits(self, config: CoreConfig) -> int:
        """Return its width in a core."""
        if isinstance(self.width, int):
            return self.width
        index = config.index_bits
        return {"index": index, "reciprocal": index + 1, "code": config.code_bits, "sum": config.sum_bits}[self.width]

    def limits(self, config: CoreConfig) -> tuple[int, int]:
        """Return the smallest and the largest value that it holds."""
        bits = self.bits(config)
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if self.signed else (0, (1 << bits) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record: ``typedef struct packed`` in SystemVerilog.

    Attributes:
        name: its name without ``_t``.
        meaning: what one describes.
        fields: its fields, the first in the high bits.
    """

    name: str
    meaning: str
    fields: tuple[Field, ...]

    def bits(self, config: CoreConfig) -> int:
        """Return the bits of one."""
        return sum(field.bits(config) for field in self.fields)

    def words(self, config: CoreConfig) -> int:
        """Return the 32-bit words of one in an image."""
        return words_of(self.bits(config))

    def check(self, config: CoreConfig, values: Mapping[str, int], where: str) -> None:
        """Check that every value fits its field.

        Raises:
            ConversionError: one does not; names ``where``, the layer.
        """
        for field in self.fields:
            low, high = field.limits(config)
            if not low <= values[field.name] <= high:
                raise ConversionError(
                    f"{self.name}.{field.name} ({field.meaning}) does not fit the core",
                    where=where,
                    expected=f"{low} to {high}",
                    received=values[field.name],
                    fix="build the core with wider fields (index_bits), or make the layer smaller",
                )

    def pack(self, config: CoreConfig, values: Mapping[str, int], where: str = "program") -> int:
        """Return a record as one number.

        Raises:
            ConversionError: see `check`.
        """
        self.check(config, values, where)
        packed = 0
        for field in self.fields:
            bits = field.bits(config)
            packed = packed << bits | int(values[field.name]) & (1 << bits) - 1
        return packed

    def unpack(self, config: CoreConfig, packed: int) -> dict[str, int]:
        """Return the value of every field."""
        values = {}
        for field, low in self._placed(config):
            bits = field.bits(config)
            value = packed >> low & (1 << bits) - 1
            values[field.name] = value - (value >> bits - 1 << bits) if field.signed else value
        return values

    def _placed(self, config: CoreConfig) -> Iterator[tuple[Field, int]]:
        low = self.bits(config)
        for field in self.fields:
            low -= field.bits(config)
            yield field, low


STEP = Record(
    name="step",
    meaning="what is sent: a delta activation, or the packet of the output",
    fields=(
        Field(name="source", width=1, meaning="takes the beats of the input, not the sums of an engine"),
        Field(name="relu", width=1, meaning="negative sums count as 0"),
        Field(name="keep", width=1, meaning="marks stay, as a later step sends the same words"),
        Field(name="more", width=1, meaning="the dirty bit stays, as a later step sends other words of the engine"),
        Field(name="packet", width=2, meaning="0: events; 1: a packet of the sums; 2: a packet of the codes"),
        Field(name="engine", width=8, meaning="dirty bit of the engine that is sent"),
        Field(name="words", width="index", meaning="words of a frame"),
        Field(name="mark_base", width="index", meaning="chunk of the first word's mark"),
        Field(name="sum_base", width="index", meaning="address of the first word's sums"),
        Field(name="taps", width=8, meaning="words of sums kept for each word"),
        Field(name="groups", width="index", meaning="words after which the rows of parameters repeat"),
        Field(name="group_recip", width="reciprocal", meaning="reciprocal of groups"),
        Field(name="group_shift", width=6, meaning="shift of the reciprocal"),
        Field(name="parts", width=4, meaning="rows of codes of each word"),
        Field(name="code_base", width="index", meaning="address of the first row of codes"),
        Field(name="param_base", width="index", meaning="address of the first row of parameters"),
        Field(name="lo", width="code", meaning="smallest code", signed=True),
        Field(name="hi", width="code", meaning="largest code", signed=True),
        Field(name="shift", width=6, meaning="fraction bits of a sum over a code's"),
        Field(name="reader_base", width=12, meaning="the first reader"),
        Field(name="readers", width=8, meaning="how many readers"),
        Field(name="bias_base", width="index", meaning="address of the biases among the sums"),
        Field(name="bias_period", width="index", meaning="words of biases"),
        Field(name="sweep_words", width="index", meaning="sums set to biases when a stream starts; 0: none"),
        Field(name="narrow", width=1, meaning="sums take NarrowBits in the external memory"),
        Field(name="word_beats", width=7, meaning="of the external memory, for a word of sums; 0: there is none"),
    ),
)
PLACE = Record(
    name="place",
    meaning="where a reader finds an event: position, row, column",
    fields=(
        Field(name="element", width=1, meaning="each changed lane is placed by itself; else the word is"),
        Field(name="used", width=7, meaning="element = word * used + lane"),
        Field(name="divisor", width="index", meaning="index = position * divisor + remainder"),
        Field(name="recip", width="reciprocal", meaning="reciprocal of the divisor"),
        Field(name="rshift", width=6, meaning="shift of the reciprocal"),
        Field(name="columns", width="index", meaning="position = row * columns + column"),
        Field(name="column_recip", width="reciprocal", meaning="reciprocal of the columns"),
        Field(name="column_shift", width=6, meaning="shift of the reciprocal"),
        Field(name="row_table", width="index", meaning="address of the entry of row 0"),
        Field(name="column_table", width="index", meaning="address of the entry of column 0"),
    ),
)
WALK = Record(
    name="walk",
    meaning="what a located event does for a reader",
    fields=(
        Field(name="channelwise", width=1, meaning="lane for lane; else one lane to all"),
        Field(name="maximum", width=1, meaning="the line chooses the word of sums, not the weights"),
        Field(name="group_lines", width=1, meaning="channelwise: a line of weights for each group"),
        Field(name="groups", width=12, meaning="words of an output position that are looped over"),
        Field(name="group_stride", width="index", meaning="lines of weights from one of them to the next"),
        Field(name="used", width=7, meaning="first line of a word's lanes = remainder * used"),
        Field(name="word_row", width="index", meaning="words from one output row to the next"),
        Field(name="line_row", width="index", meaning="lines back from one output row to the next"),
        Field(name="word_column", width="index", meaning="words from one output column to the next"),
        Field(name="line_column", width="index", meaning="lines back from one output column to the next"),
        Field(name="sum_base", width="index", meaning="address of the engine's first sums"),
        Field(name="taps", width=8, meaning="words of sums kept for each word"),
        Field(name="mark_base", width="index", meaning="chunk of the first word's mark"),
        Field(name="engine", width=8, meaning="dirty bit of the engine"),
        Field(name="weight_base", width="index", meaning="address of the first line of weights"),
        Field(name="narrow", width=1, meaning="sums take NarrowBits in the external memory"),
        Field(name="word_beats", width=7, meaning="of the external memory, for a word of sums; 0: there is none"),
    ),
)
TABLE = Record(
    name="table",
    meaning="what a row or a column of an event reaches",
    fields=(
        Field(name="word", width="index", meaning="word of the first one"),
        Field(name="line", width="index", meaning="line of weights there"),
        Field(name="count", width=8, meaning="how many"),
    ),
)
PARAM = Record(
    name="param",
    meaning="how a lane is sent",
    fields=(
        Field(name="valid", width=1, meaning="0: the lane holds no channel and is never sent"),
        Field(name="step", width=5, meaning="log2 of the step, in codes"),
        Field(name="threshold", width="sum", meaning="smallest change that is sent; 0: memoryless"),
        Field(
            name="align",
            width=5,
            meaning="left shift of the lane's sums, to the lattice that is sent; up to the largest number",
        ),
        Field(name="low", width=16, meaning="what is added to them there"),
    ),
)
RECORDS = (STEP, PLACE, WALK, TABLE, PARAM)


def row_bits(config: CoreConfig) -> dict[str, int]:
    """Return the bits of a line of each section of an image."""
    return {
        "steps": STEP.bits(config),
        "places": PLACE.bits(config),
        "walks": WALK.bits(config),
        "tables": TABLE.bits(config),
        "params": config.quantisers * PARAM.bits(config),
        "weights": config.lanes * config.weight_slot,
        "sums": config.lanes * config.sum_slot,
    }
