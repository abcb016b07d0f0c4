# SPDX-License-Identifier: Apache-2.0
"""`check_number`: an argument of a kind of data is a number within limits."""

from __future__ import annotations

import numpy as np

from codesign.errors import ConfigError

SEEDS = (0, 2**63)
"""Limits of a seed."""


def check_number(where: str, name: str, value: object, low: float, high: float, *, whole: bool) -> None:
    """Check the argument ``name`` of the function ``where``; limits are inclusive.

    Raises:
        ConfigError: it is no number, no integer though it has to be ``whole``, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer) if whole else (int, float, np.number)):
        kind = "an integer" if whole else "a number"
        raise ConfigError(f"{name} is not {kind}", where=where, expected=kind, received=repr(value))
    if not low <= value <= high:
        raise ConfigError(f"{name} is out of range", where=where, expected=f"{low} to {high}", received=value)
