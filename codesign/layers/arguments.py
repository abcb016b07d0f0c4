# SPDX-License-Identifier: Apache-2.0
"""The arguments of a `DeltaActivation`, checked: each function returns what the layer called ``name`` works with.

All raise `ConfigError`, naming the layer, if the argument is not as `DeltaActivation` describes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from codesign.errors import ConfigError

MAX_BITS = 24
"""Widest code: float32 holds every one of them exactly."""

LEAST_HOLD = 0.5
"""Smallest hold, in steps: a smaller one would hold nothing that rounding lets pass."""

ALIASES = {"relu": "relu", "identity": "identity", "linear": "identity"}


def check_activation(activation: str, name: str) -> str:
    """Return ``activation`` without aliases."""
    if activation not in ALIASES:
        raise ConfigError("unknown activation", where=name, expected="'relu' or 'identity'", received=repr(activation))
    return ALIASES[activation]


def check_bits(bits: int, name: str) -> int:
    """Return ``bits`` of a code."""
    if not isinstance(bits, (int, np.integer)) or isinstance(bits, bool) or not 1 <= bits <= MAX_BITS:
        raise ConfigError(
            "bits is out of range", where=name, expected=f"an integer, 1 to {MAX_BITS}", received=repr(bits)
        )
    return int(bits)


def check_levels(max_value: float | None, unit: float, name: str) -> int:
    """Return how often ``unit`` goes into ``max_value``; as many as there are codes if there is none."""
    if max_value is None:
        return 1 << MAX_BITS
    if max_value < unit:
        raise ConfigError("max_value is less than a step", where=name, expected=f"at least {unit}", received=max_value)
    return math.floor(max_value / unit)


def is_number(value: object) -> bool:
    """Return whether ``value`` is one; True and False are none."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def check_flag(what: str, value: bool, name: str) -> bool:
    """Return the argument called ``what``."""
    if not isinstance(value, (bool, np.bool_)):
        raise ConfigError(f"{what} is neither True nor False", where=name, expected="a bool", received=repr(value))
    return bool(value)


def check_positive(what: str, value: float, name: str) -> float:
    """Return the argument called ``what``."""
    if not is_number(value) or not 0 < value < math.inf:
        raise ConfigError(f"{what} is not a positive number", where=name, expected="such as 2.0", received=repr(value))
    return float(value)


def check_hold(hold: float | None, name: str) -> float | None:
    """Return ``hold`` rounded to float32."""
    if hold is None:
        return None
    if not is_number(hold) or not LEAST_HOLD <= hold < math.inf:
        raise ConfigError(
            "hold is out of range", where=name, expected="at least 0.5 steps, or None", received=repr(hold)
        )
    return float(np.float32(hold))


def check_delta(weight_bits: int, weight_step: str, step: str, skip: Sequence[str] | str, clips: Any) -> None:
    """Check the arguments of `codesign.layers.delta` that are words, bits and samples."""
    if isinstance(weight_bits, bool) or not isinstance(weight_bits, int) or not 2 <= weight_bits <= 24:
        raise ConfigError("weight_bits is out of range", where="delta", expected="2 to 24", received=repr(weight_bits))
    if weight_step not in ("channel", "layer"):
        raise ConfigError(
            "unknown weight_step", where="delta", expected="'channel' or 'layer'", received=repr(weight_step)
        )
    if step not in ("po2", "real", "fixed"):
        raise ConfigError("unknown step", where="delta", expected="'po2', 'real' or 'fixed'", received=repr(step))
    if isinstance(skip, str) and skip != "auto":
        raise ConfigError("unknown skip", where="delta", expected="names, or 'auto'", received=repr(skip))
    if skip == "auto" and clips is None:
        raise ConfigError("skip='auto' looks at sample frames", where="delta", expected="clips", received="None")


def check_training(per: str, train_hold: bool, hold: float | None, input_hold: float | None) -> None:
    """Check the arguments of `codesign.layers.delta` about what is trained."""
    if per not in ("layer", "channel", "neuron"):
        raise ConfigError(
            "unknown step granularity per=",
            where="delta",
            expected="'layer', 'channel' or 'neuron'",
            received=repr(per),
        )
    if check_flag("train_hold", train_hold, "delta") and hold is None and input_hold is None:
        raise ConfigError(
            "there is no hold to train",
            where="delta",
            expected="hold or input_hold, where training starts",
            received="None",
            fix="give hold=1.0, or train_hold=False",
        )
