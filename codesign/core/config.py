# SPDX-License-Identifier: Apache-2.0
"""What a core is built with: lanes, widths and the depths of its memories."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from codesign.errors import ConfigError
from codesign.records import check, limited

WORD_BITS = 32
"""Bits of a word of an image."""
CHUNK_BITS = 32
"""Marks (of sum words) in a word of the memory of marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreConfig:
    """The parameters of a core. An image only runs on a core of the same `geometry` that is deep enough.

    Attributes:
        lanes: sums in a word, and multiplications in a cycle; a power of two.
        quantisers: lanes that are quantised and sent in a cycle, and codes in a beat of the input; a power of two
            that divides ``lanes``, and at least an eighth of them.
        code_bits: bits of a code, signed; a delta has one more.
        weight_bits: bits of a weight, signed.
        sum_bits: bits of a sum, signed.
        index_bits: bits of every index and address.
        sum_words: words of ``lanes`` sums.
        code_rows: rows of ``quantisers`` codes.
        weight_lines: lines of ``lanes`` weights.
        table_rows: entries of the tables of rows and columns that an event reaches.
        param_rows: rows of ``quantisers`` steps and thresholds.
        step_words: 32-bit words of the program's steps.
        places: readers, by what finds an event's place.
        walks: readers, by what an event does there.
        chunks: words of 32 marks.
    """

    lanes: int = limited(32, at_least=1, at_most=64)
    quantisers: int = limited(8, at_least=1, at_most=64)
    code_bits: int = limited(16, at_least=2, at_most=30)
    weight_bits: int = limited(16, at_least=2, at_most=30)
    sum_bits: int = limited(32, at_least=8, at_most=48)
    index_bits: int = limited(20, at_least=4, at_most=31)
    sum_words: int = limited(16384, at_least=1)
    code_rows: int = limited(32768, at_least=1)
    weight_lines: int = limited(8192, at_least=1)
    table_rows: int = limited(4096, at_least=1)
    param_rows: int = limited(2048, at_least=1)
    step_words: int = limited(4096, at_least=1)
    places: int = limited(256, at_least=1)
    walks: int = limited(256, at_least=1)
    chunks: int = limited(1024, at_least=1)

    def __post_init__(self) -> None:
        check(self, "core")
        for name in ("lanes", "quantisers"):
            if getattr(self, name).bit_count() != 1:
                raise ConfigError("not a power of two", where=f"core.{name}", received=getattr(self, name))
        if not self.lanes // 8 <= self.quantisers <= self.lanes:
            raise ConfigError(
                "the quantisers do not divide the lanes into at most 8 parts",
                where="core.quantisers",
                expected=f"a power of two from {max(1, self.lanes // 8)} to {self.lanes}, the lanes",
                received=self.quantisers,
            )
        if self.sum_bits <= self.code_bits:
            raise ConfigError(
                "a sum is not wider than a code",
                where="core.sum_bits",
                expected=f"more than code_bits = {self.code_bits}",
                received=self.sum_bits,
            )
        for name in DEPTHS:
            if getattr(self, name) > 1 << self.index_bits:
                raise ConfigError(
                    "more words than addresses",
                    where=f"core.{name}",
                    expected=f"at most 2**index_bits = {1 << self.index_bits}",
                    received=getattr(self, name),
                )

    @property
    def delta_bits(self) -> int:
        """Bits of a delta, signed: the difference of two codes."""
        return self.code_bits + 1

    @property
    def weight_slot(self) -> int:
        """Bits that a weight takes in an image."""
        return _slot(self.weight_bits, 16)

    @property
    def sum_slot(self) -> int:
        """Bits that a sum takes in an image."""
        return _slot(self.sum_bits, 32)

    @property
    def geometry_text(self) -> str:
        """Everything that the meaning of an image depends on, as text."""
        widths = (self.lanes, self.quantisers, self.code_bits, self.weight_bits, self.sum_bits, self.index_bits)
        return ",".join(map(str, widths))

    @property
    def geometry(self) -> int:
        """The CRC-32 of `geometry_text`: an image of another one is refused."""
        return zlib.crc32(self.geometry_text.encode())


DEPTHS = (
    *("sum_words", "code_rows", "weight_lines", "table_rows", "param_rows"),
    *("step_words", "places", "walks", "chunks"),
)
"""The fields of `CoreConfig` that are depths of memories: they limit what fits, not what an image means."""


def _slot(bits: int, least: int) -> int:
    return max(least, 1 << (bits - 1).bit_length())


def words_of(bits: int) -> int:
    """Return how many 32-bit words ``bits`` take."""
    return -(-bits // WORD_BITS)
