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
MEMORY_BITS = (0, 32, 64, 128)
"""Widths of an external memory; 0: none."""


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
        memory_bits: bits of a beat of the external memory; 0: there is none. With one, `sum_words`, `code_rows` and
            `weight_lines` are what lies inside, and what does not fit there lies outside.
        memory_kib: its size in KiB; a power of two.
        cached_words: words of sums of the external memory that are kept inside for a while; a power of two.
        cached_lines: lines of weights of it, as well.
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
    memory_bits: int = limited(0, at_least=0, at_most=128)
    memory_kib: int = limited(0, at_least=0, at_most=1 << 22)
    cached_words: int = limited(0, at_least=0, at_most=1 << 16)
    cached_lines: int = limited(0, at_least=0, at_most=1 << 16)

    def __post_init__(self) -> None:
        check(self, "core")
        self._check_memory()
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

    def _check_memory(self) -> None:
        """Check that the fields of the external memory belong together."""
        if self.memory_bits not in MEMORY_BITS:
            expected = f"one of {', '.join(map(str, MEMORY_BITS))}"
            raise ConfigError(
                "no width of a memory", where="core.memory_bits", expected=expected, received=self.memory_bits
            )
        for name in ("memory_kib", "cached_words", "cached_lines"):
            value = getattr(self, name)
            if bool(value) != bool(self.memory_bits):
                raise ConfigError(
                    "a memory is described in part",
                    where=f"core.{name}",
                    expected="more than 0" if self.memory_bits else "0, as memory_bits is 0",
                    received=value,
                )
            if value == 1 or value.bit_count() > 1:
                raise ConfigError("not a power of two from 2 on", where=f"core.{name}", received=value)

    @property
    def delta_bits(self) -> int:
        """Bits of a delta, signed: the difference of two codes."""
        return self.code_bits + 1

    @property
    def weight_slot(self) -> int:
        """Bits that a weight takes in an image."""
        return _slot(self.weight_bits, 8)

    @property
    def sum_slot(self) -> int:
        """Bits that a sum takes in an image."""
        return _slot(self.sum_bits, 32)

    @property
    def memory_beats(self) -> int:
        """Beats of the external memory."""
        return self.memory_kib * 8192 // self.memory_bits if self.memory_bits else 0

    @property
    def record_beats(self) -> dict[str, int]:
        """Beats of a word of sums, a row of codes and a line of weights in the external memory, by their depth."""
        bits = {
            "sum_words": self.lanes * self.sum_bits,
            "code_rows": self.quantisers * self.code_bits,
            "weight_lines": words_of(self.lanes * self.weight_slot) * WORD_BITS,
        }
        return {depth: -(-count // self.memory_bits) if self.memory_bits else 0 for depth, count in bits.items()}

    @property
    def narrow_bits(self) -> int:
        """Bits of a sum in the external memory where an engine needs no more."""
        return self.sum_bits * 3 // 4

    def word_beats(self, used: int, *, narrow: bool) -> int:
        """Return the beats of a word of sums of which only the first ``used`` lanes count."""
        bits = used * (self.narrow_bits if narrow else self.sum_bits)
        return -(-bits // self.memory_bits) if self.memory_bits else 0

    @property
    def geometry_text(self) -> str:
        """Everything that the meaning of an image depends on, as text."""
        widths = (self.lanes, self.quantisers, self.code_bits, self.weight_bits, self.sum_bits, self.index_bits)
        return ",".join(map(str, (*widths, self.memory_bits)))

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
