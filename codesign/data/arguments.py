# SPDX-License-Identifier: Apache-2.0
"""Checks of the arguments of a kind of data: numbers within limits, and classes that are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from codesign.errors import ConfigError
from codesign.suggest import did_you_mean

Limits = Mapping[str, tuple[float, float, type]]
"""Of each argument the lowest and the highest value, both allowed, and whether it is an ``int`` or a ``float``."""

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


def check_numbers(limits: Limits, arguments: Mapping[str, object], where: Callable[[str], str]) -> None:
    """Check every argument that has limits.

    Args:
        limits: by name.
        arguments: by name.
        where: the place of an argument of this name, for errors.

    Raises:
        ConfigError: see `check_number`.
    """
    for name, (low, high, kind) in limits.items():
        if name in arguments:
            check_number(where(name), name, arguments[name], low, high, whole=kind is int)


def chosen_classes(found: Sequence[str], asked: Sequence[str], where: str) -> list[str]:
    """Return the classes ``asked`` for, in the order in which they were ``found``; all of them if none is asked for.

    Raises:
        ConfigError: a class is not there, or asked for twice, or there is only one.
    """
    for name in asked:
        if name not in found:
            raise ConfigError(
                f"there is no class {name!r}",
                where=where,
                expected=f"some of {', '.join(found)}",
                fix=did_you_mean(name, found),
            )
    if asked and (len(set(asked)) < len(asked) or len(asked) < 2):
        raise ConfigError(
            "classes", where=where, expected="at least two different ones, or none for all", received=", ".join(asked)
        )
    return [name for name in found if not asked or name in asked]
