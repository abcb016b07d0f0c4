# SPDX-License-Identifier: Apache-2.0
"""Which power-of-two lattice a tensor of weights lies on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codesign.errors import LatticeError
from codesign.fixed import Fixed, IntArray

MAX_SPREAD_BITS = 12
"""Largest ratio, in bits, of the power-of-two scales of one layer's channels."""


def finest_frac(values: ArrayLike) -> int:
    """Return the smallest ``frac`` for which all ``values * 2**frac`` are integers; 0 if all are 0."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    mantissa, exponent = np.frexp(flat[flat != 0])
    if not len(mantissa):
        return 0
    digits = np.abs(mantissa * 2.0**53).astype(np.int64)
    trailing = np.round(np.log2((digits & -digits).astype(np.float64))).astype(np.int64)
    return int((53 - exponent - trailing).max())


def codes_of(values: NDArray[Any], fmt: Fixed | None, *, bits: int, where: str, fix: str) -> tuple[IntArray, Fixed]:
    """Return integer codes of ``values`` (any shape) and their format.

    Args:
        values: quantised weights or biases.
        fmt: the lattice they must lie on; None to find the coarsest one that holds them all, as for power-of-two
            scales per channel.
        bits: bits of the quantiser, to distinguish power-of-two scales from real ones when ``fmt`` is None.
        where: layer and tensor.
        fix: what to do when they lie on none.

    Raises:
        LatticeError: they do not; names the layer.
    """
    try:
        if fmt is not None:
            return fmt.to_codes(values), fmt
        if not np.isfinite(values).all():
            raise LatticeError("values are not finite")
        frac = finest_frac(values)
        wide = np.asarray(values, dtype=np.float64) * 2.0**frac
        found = Fixed.holding(int(wide.min()), int(wide.max()), frac=frac, signed=True)
        if found.width > bits + MAX_SPREAD_BITS:
            raise LatticeError(
                "the scales are not powers of two",
                expected=f"{bits}-bit integers times powers of two at most 2**{MAX_SPREAD_BITS} apart",
                received=f"values that need {found.width} bits",
            )
        return found.to_codes(values), found
    except LatticeError as error:
        raise LatticeError(str(error), where=where, fix=fix) from None


def refine(codes: IntArray, fmt: Fixed, extra: int) -> tuple[IntArray, Fixed]:
    """Return the same values on a lattice ``extra >= 0`` bits finer."""
    return codes << extra, replace(fmt, width=fmt.width + extra, frac=fmt.frac + extra)
