# SPDX-License-Identifier: Apache-2.0
"""A program as records: exactly what an image holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from codesign.core.config import CoreConfig, words_of
from codesign.core.records import STEP
from codesign.fixed import IntArray

EVENTS, SUMS, CODES = 0, 1, 2
"""What a step sends (`Step.packet`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A delta activation, or the packet of the output; the fields are those of `codesign.core.records.STEP`."""

    source: int
    relu: int
    keep: int
    more: int
    packet: int
    engine: int
    words: int
    mark_base: int
    sum_base: int
    taps: int
    groups: int
    group_recip: int
    group_shift: int
    parts: int
    code_base: int
    param_base: int
    lo: int
    hi: int
    shift: int
    reader_base: int
    readers: int
    bias_base: int
    bias_period: int
    sweep_words: int
    narrow: int
    word_beats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader finds an event; the fields are those of `codesign.core.records.PLACE`."""

    element: int
    used: int
    divisor: int
    recip: int
    rshift: int
    columns: int
    column_recip: int
    column_shift: int
    row_table: int
    column_table: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a located event does; the fields are those of `codesign.core.records.WALK`."""

    channelwise: int
    maximum: int
    group_lines: int
    groups: int
    group_stride: int
    used: int
    word_row: int
    line_row: int
    word_column: int
    line_column: int
    sum_base: int
    taps: int
    mark_base: int
    engine: int
    weight_base: int
    narrow: int
    word_beats: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """What a core executes.

    Attributes:
        config: the core that it is made for.
        design: a hash of everything else; tells one network from another.
        beats: beats of ``quantisers`` codes in a frame of the input.
        steps: in the order of execution, the source first; the last one sends the packet of the output.
        places: of each reader.
        walks: of each reader.
        tables: ``word, line, count`` of rows and columns, ``[N, 3]``.
        params: ``valid, step, threshold, align, low`` of the lanes of each row, ``[N, quantisers, 5]``.
        weights: lines, ``[N, lanes]``.
        sums: words of biases, from address 0 on, ``[N, lanes]``.
    """

    config: CoreConfig
    design: int
    beats: int
    steps: tuple[Step, ...]
    places: tuple[Place, ...]
    walks: tuple[Walk, ...]
    tables: IntArray = field(repr=False)
    params: IntArray = field(repr=False)
    weights: NDArray[np.int32] = field(repr=False)
    sums: IntArray = field(repr=False)

    @property
    def output(self) -> Step:
        """The step that sends the packet."""
        return self.steps[-1]

    @property
    def output_beats(self) -> int:
        """Beats of ``quantisers`` sums or codes in a packet of the output."""
        return self.output.words * self.output.parts

    def needs(self) -> dict[str, int]:
        """Return how much of each memory is used, by the name of its depth in `CoreConfig`."""
        steps = self.steps
        sums = [step.sum_base + step.words * step.taps for step in steps if not step.source and step.packet != CODES]
        codes = [step.code_base + step.words * step.parts for step in steps if step.packet == EVENTS]
        chunks = [step.mark_base + -(-step.words // 32) for step in steps if not step.source and step.packet != CODES]
        return {
            "sum_words": max([len(self.sums), *sums]),
            "code_rows": max(codes, default=0),
            "weight_lines": len(self.weights),
            "table_rows": len(self.tables),
            "param_rows": len(self.params),
            "step_words": len(steps) * words_of(STEP.bits(self.config)),
            "places": len(self.places),
            "walks": len(self.walks),
            "chunks": max(chunks, default=0),
        }

    @property
    def origins(self) -> tuple[int, int]:
        """Where the external memory has the first row of codes and the first line of weights; the sums begin at 0."""
        needs, beats = self.needs(), self.config.record_beats
        codes = needs["sum_words"] * beats["sum_words"]
        return codes, codes + needs["code_rows"] * beats["code_rows"]

    @property
    def memory_beats(self) -> int:
        """Beats of the external memory up to the last line of weights, those of what lies inside included."""
        return self.origins[1] + len(self.weights) * self.config.record_beats["weight_lines"]


def values_of(record: Step | Place | Walk) -> dict[str, int]:
    """Return the fields of a record by name."""
    return asdict(record)


def reciprocal(divisor: int, index_bits: int) -> tuple[int, int]:
    """Return ``recip, shift`` with ``i // divisor == (i * recip) >> shift`` for all ``0 <= i < 2**index_bits``.

    With ``l = ceil(log2 d)`` and ``m = ceil(2**(n+l) / d)``: Granlund and Montgomery, Division by Invariant Integers
    using Multiplication (1994), theorem 4.2.
    """
    shift = index_bits + (divisor - 1).bit_length()
    return -(-(1 << shift) // divisor), shift
