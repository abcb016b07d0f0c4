# SPDX-License-Identifier: Apache-2.0
"""``core_pkg``: the records and the numbers of a core in SystemVerilog."""

from __future__ import annotations

from pathlib import Path

from codesign.core.config import CHUNK_BITS, CoreConfig, words_of
from codesign.core.records import ENGINES, MAGIC, RECORDS, SECTIONS, VERSION, Field, row_bits
from codesign.rtl.template import render

_WIDTHS = {"index": "IndexBits", "reciprocal": "IndexBits", "code": "CodeBits", "sum": "SumBits"}


def core_package(config: CoreConfig) -> str:
    """Return the text of ``core_pkg.sv``."""
    bits = row_bits(config)
    return render(
        "core_pkg.sv",
        folder=Path(__file__).parent,
        config=config,
        beats=config.record_beats,
        memory_address_bits=max(1, (config.memory_beats - 1).bit_length()),
        chunk_bits=CHUNK_BITS,
        engines=ENGINES,
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
