# SPDX-License-Identifier: Apache-2.0
"""How wide a sum may be: what is exact everywhere, and what float32 Keras computes exactly."""

from __future__ import annotations

import warnings

from codesign.errors import AccumulatorRangeError, ConversionWarning
from codesign.fixed import Fixed
from codesign.graph.ir import MAX_ACCUMULATOR_BITS, MAX_CODE_BITS

FLOAT32_BITS = 24
"""Widest accumulator that float32 Keras computes exactly."""


def check_code_width(name: str, fmt: Fixed) -> None:
    """Check that sums of ``fmt``, which no activation quantises, can be sent as they are.

    Raises:
        AccumulatorRangeError: more than `MAX_CODE_BITS` bits; ``name`` is what makes them.
    """
    if fmt.width > MAX_CODE_BITS:
        raise AccumulatorRangeError(
            "the result is too wide to be sent without an activation",
            where=name,
            expected=f"at most {MAX_CODE_BITS} bits",
            received=f"{fmt.width} bits",
            fix="put a DeltaActivation after it, or fewer bits of weights",
        )


def exact_format(name: str, lo: int, hi: int, frac: int) -> Fixed:
    """Return the narrowest format of codes ``lo..hi`` that node ``name`` makes.

    Raises:
        AccumulatorRangeError: more than `MAX_ACCUMULATOR_BITS` bits.
    """
    fmt = Fixed.holding(lo, hi, frac=frac)
    if fmt.width > MAX_ACCUMULATOR_BITS:
        raise AccumulatorRangeError(
            "the result is too wide to be exact in float64, csim and RTL alike",
            where=name,
            expected=f"at most {MAX_ACCUMULATOR_BITS} bits",
            received=f"{fmt.width} bits ({lo} to {hi})",
            fix="quantise what it reads to fewer bits, with QActivation or DeltaActivation",
        )
    return fmt


def warn_if_wide(name: str, fmt: Fixed) -> None:
    """Warn when sums of format ``fmt`` are wider than float32 Keras computes exactly.

    Warns:
        ConversionWarning: they are.
    """
    if fmt.width > FLOAT32_BITS:
        warnings.warn(
            f"{name}: the accumulator has {fmt.width} bits, more than float32's {FLOAT32_BITS}, so Keras in "
            "float32 is not exact here. Evaluate in float64 (codesign.layers.streaming) or compare with the golden "
            "model (codesign.graph.golden).",
            ConversionWarning,
            stacklevel=3,
        )
