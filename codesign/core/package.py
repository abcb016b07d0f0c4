# SPDX-License-Identifier: Apache-2.0
"""``core_pkg``: the records and the numbers of a core in SystemVerilog."""

from __future__ import annotations

from pathlib import Path

from codesign.core.config import CHUNK_BITS, CoreConfig, words_of
from codesign.core.records import PARAM, PLACE, RECORDS, STEP, TABLE, WALK, Field
from codesign.rtl.template import render

MAGIC = 0x524F4344
"""First word of an image: "DCOR" as bytes."""
VERSION = 1
SECTIONS = {"steps": 1, "places": 2, "walks": 3, "tables": 4, "params": 5, "weights": 6, "sums": 7}
"""Number of each section of an image; 0 ends it."""
_WIDTHS = {"index": "IndexBits", "reciprocal": "IndexBits", "code": "CodeBits", "sum": "SumBits"}


def row_bits(config: CoreConfig) -> dict[str, int]:
    """Return the bits of a line of each section's memory."""
    return {
        "steps": STEP.bits(config),
        "places": PLACE.bits(config),
        "walks": WALK.bits(config),
        "tables": TABLE.bits(config),
        "params": config.quantisers * PARAM.bits(config),
        "weights": config.lanes * config.weight_bits,
        "sums": config.lanes * config.sum_bits,
    }


def core_package(config: CoreConfig) -> str:
    """Return the text of ``core_pkg.sv``."""
    bits = row_bits(config)
    return render(
        "core_pkg.sv",
        folder=Path(__file__).parent,
        config=config,
        chunk_bits=CHUNK_BITS,
        magic=MAGIC,
        version=VERSION,
        sections=SECTIONS,
        bits=bits,
        words={name: words_of(width) for name, width in bits.items()},
        records=RECORDS,
        vector=_vector,
    )


def _vector(field: Field) -> str:
    """Return the type of a field."""
    if field.width == 1:
        return "logic"
    high = field.width - 1 if isinstance(field.width, int) else _WIDTHS[field.width]
    if isinstance(field.width, str) and field.width != "reciprocal":
        high = f"{high}-1"
    return f"logic {'signed ' if field.signed else ''}[{high}:0]"
