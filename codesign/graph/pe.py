# SPDX-License-Identifier: Apache-2.0
"""How many processing elements a layer may have: a divisor of its outputs."""

from __future__ import annotations

from codesign.errors import ConversionError

DEFAULT_PE = 16
"""Processing elements of a layer unless something else is asked for."""


def largest_divisor(n: int, limit: int) -> int:
    """Return the largest divisor of ``n`` not above ``limit``."""
    return next(d for d in range(min(n, limit), 0, -1) if n % d == 0)


def check_pe(name: str, pe: int, outputs: int) -> None:
    """Check that a layer of ``outputs`` output channels folds evenly onto ``pe`` processing elements.

    Raises:
        ConversionError: it does not; the message lists the values that do.
    """
    if pe < 1 or outputs % pe:
        raise ConversionError(
            "PE does not divide the number of outputs",
            where=name,
            expected=f"one of {[d for d in range(1, outputs + 1) if outputs % d == 0]}",
            received=f"PE={pe} for {outputs} outputs",
            fix=f"set PE of layer {name!r} to one of these",
        )
