# SPDX-License-Identifier: Apache-2.0
"""The tokens of ``core_types.sv`` as records, and what an operation does to the sums of a delta core."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from core_bench import CONFIG

from codesign.core.records import TABLE, Field, Record

INDEX = (1 << CONFIG.index_bits) - 1
"""Addresses are modulo ``INDEX + 1``."""
LANES = CONFIG.lanes


def _record(name: str, **widths: int | str) -> Record:
    fields = (Field(name=field, width=width, meaning=field) for field, width in widths.items())
    return Record(name=name, meaning=name, fields=tuple(fields))


_ROW = TABLE.bits(CONFIG)
CHANGED = _record("changed", end_of_pass=1, word="index", mask=LANES)
LOCATED = _record(
    "located", end_of_pass=1, hit=1, free=1, walk=8, mask=LANES, element=1, remainder="index", row=_ROW, column=_ROW
)
FLAGS = ("end_of_pass", "add", "copy", "read", "save", "fill", "fill_line", "first", "last")
_NUMBERS: dict[str, int | str] = {"sum": "index", "from": "index", "line": "index", "beats": 8, "engine": 8}
OPERATION = _record("operation", **dict.fromkeys(FLAGS, 1) | _NUMBERS)


def packed(record: Record, **values: int) -> int:
    """Return a record as one number; each value is cut to its field, what is not given is 0."""
    number = 0
    for field in record.fields:
        bits = field.bits(CONFIG)
        number = number << bits | values.pop(field.name, 0) & (1 << bits) - 1
    assert not values, f"{record.name} has no {', '.join(values)}"
    return number


def noise(record: Record, rng: random.Random, **values: int) -> int:
    """Return a record whose other fields are random."""
    kept = {field.name: rng.getrandbits(field.bits(CONFIG)) for field in record.fields}
    return packed(record, **kept | values)


def lanes_of(number: int, bits: int, lanes: int = LANES) -> list[int]:
    """Return the signed values of a word, lane 0 in the low bits."""
    values = ((number >> lane * bits) % (1 << bits) for lane in range(lanes))
    return [value - (value >> bits - 1 << bits) for value in values]


def word_of(values: Iterable[int], bits: int) -> int:
    """Return a word of values, lane 0 in the low bits, each cut to ``bits``."""
    return sum((value % (1 << bits)) << lane * bits for lane, value in enumerate(values))


def extreme(rng: random.Random, bits: int) -> int:
    """Return a signed value, often at an end of its range."""
    most = 1 << bits - 1
    return rng.choice((rng.randrange(-most, most), rng.randrange(-most, most), -most, most - 1, 0, -1))


class Sums:
    """Both memories of ``core_lanes``: ``weights`` of lines and ``sums`` of words, a value per lane.

    What is read without having been written raises KeyError.
    """

    def __init__(self) -> None:
        self.weights: dict[int, Sequence[int]] = {}
        self.sums: dict[int, Sequence[int]] = {}

    def add(self, word: int, line: int, deltas: Sequence[int]) -> None:
        """Add an operation: modulo ``2**sum_bits`` in each lane."""
        added = zip(self.sums[word], self.weights[line], deltas, strict=True)
        self.sums[word] = lanes_of(word_of((z + w * d for z, w, d in added), CONFIG.sum_bits), CONFIG.sum_bits)


def check_width(pin: Any, record: Record) -> None:
    """Check that a pin has the bits of its token."""
    assert len(pin) == record.bits(CONFIG), f"{record.name} is out of step with core_types.sv"
