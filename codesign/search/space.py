# SPDX-License-Identifier: Apache-2.0
"""`Space`: which keys of a design a search chooses, and from what; a choice becomes a design."""

from __future__ import annotations

import copy
import json
import math
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codesign.errors import ConfigError
from codesign.flow.config import Design
from codesign.records import build
from codesign.suggest import did_you_mean

SECTIONS = ("model", "training", "hardware")
"""Sections of a design that a search may choose keys of."""
RANGE = ("from", "to", "step", "log")
TRIED = 200
"""Designs in which a value of the space is looked for, before it is called impossible."""
_PLACE = re.compile(r"(\w+)\[(\d+)\]")

Choice = dict[str, Any]
"""Value of each dimension, by its key; as Optuna keeps it: lists and tables as JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A key of the design, and its values: ``choices``, or numbers ``low .. high``.

    Attributes:
        key: dotted, as in errors: ``model.weight_bits``, ``model.blocks[0].filters``.
        choices: values; () for a range.
        low: smallest number of a range.
        high: largest number.
        step: distance of numbers; None: any, of whole numbers 1.
        log: the logarithm is uniform.
    """

    key: str
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether the range is of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def count(self) -> float:
        """Number of values."""
        if self.choices:
            return len(self.choices)
        if self.whole:
            return (self.high - self.low) // int(self.step or 1) + 1
        return math.inf if self.step is None else (self.high - self.low) // self.step + 1

    def samples(self) -> list[Any]:
        """Return values that show whether the dimension is valid: every choice, or both ends of a range."""
        return [kept(value) for value in self.choices] or [self.low, self.high]

    def drawn(self, rng: random.Random) -> Any:
        """Return one of the samples."""
        return rng.choice(self.samples())


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Dimensions, and the design whose keys they are.

    Attributes:
        dimensions: in the order of the file.
        base: sections of the design, as TOML has them.
        folder: paths in it are relative to it.
    """

    dimensions: tuple[Dimension, ...]
    base: Mapping[str, Any]
    folder: Path

    @property
    def count(self) -> float:
        """Number of designs, valid or not."""
        return math.prod(item.count for item in self.dimensions)

    def table(self, choice: Choice) -> dict[str, Any]:
        """Return the sections of the design that a choice makes."""
        found = copy.deepcopy(dict(self.base))
        for item in self.dimensions:
            if item.key in choice:
                _put(found, item.key, meant(choice[item.key]))
        return found

    def design(self, choice: Choice, name: str) -> Design:
        """Return the design that a choice makes.

        Raises:
            ConfigError: it is none, as values do not go together.
        """
        table = self.table(choice)
        return build(
            Design, {**table, "design": {**table.get("design", {}), "name": name}}, where="", folder=self.folder
        )

    def check(self) -> None:
        """Check that every value is in some valid design.

        Raises:
            ConfigError: one is not; or there is no dimension.
        """
        if not self.dimensions:
            raise ConfigError(
                "the space is empty",
                where="search.space",
                expected='keys of the design and their values, such as "model.weight_bits" = [3, 4, 6]',
                fix="add some",
            )
        for item in self.dimensions:
            for value in item.samples():
                self._check_value(item, value)

    def _check_value(self, item: Dimension, value: Any) -> None:
        rng = random.Random(0)
        error: ConfigError | None = None
        for _ in range(TRIED if len(self.dimensions) > 1 else 1):
            others = {other.key: other.drawn(rng) for other in self.dimensions}
            try:
                self.design({**others, item.key: value}, "trial")
            except ConfigError as wrong:
                error = error if error is not None and item.key in str(error) else wrong
                if "unknown" in str(wrong) and item.key.rpartition(".")[2] in str(wrong):
                    break
                continue
            return
        assert error is not None
        raise error.inside(f"search.space, {item.key} = {json.dumps(meant(value), default=str)}: ")


def dimensions_of(table: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """Return the dimensions that ``[search.space]`` names: dotted keys, quoted or as tables.

    Raises:
        ConfigError: a key that is none of a design's, no values, or a range that is none.
    """
    return tuple(_dimension(key, value) for key, value in _flat(table, ""))


def kept(value: Any) -> Any:
    """Return a value as Optuna keeps it."""
    return json.dumps(value) if isinstance(value, list | dict) else value


def meant(value: Any) -> Any:
    """Return what `kept` made a text of."""
    return json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping) and not set(value) & set(RANGE):
            yield from _flat(value, name)
        else:
            yield name, value


def _dimension(key: str, value: Any) -> Dimension:
    where = f"search.space.{key}"
    section = key.partition(".")[0]
    if section not in SECTIONS or "." not in key:
        raise ConfigError(
            "no such dimension",
            where=where,
            expected=f"a key of {', '.join(f'[{name}]' for name in SECTIONS)}, such as model.weight_bits",
            received=key,
            fix=did_you_mean(section, SECTIONS),
        )
    if isinstance(value, list):
        if not value or len({json.dumps(item) for item in value}) != len(value):
            raise ConfigError("no choice", where=where, expected="different values, at least one", received=value)
        return Dimension(key=key, choices=tuple(value))
    if not isinstance(value, Mapping):
        raise ConfigError(
            "no values", where=where, expected="a list, or {from = 0.1, to = 10, log = true}", received=repr(value)
        )
    return _range(key, value, where)


def _range(key: str, value: Mapping[str, Any], where: str) -> Dimension:
    for name in value:
        if name not in RANGE:
            raise ConfigError(
                f"unknown key {name!r}",
                where=where,
                expected=f"one of {', '.join(RANGE)}",
                fix=did_you_mean(name, RANGE),
            )
    low, high, step, log = (value.get(name) for name in RANGE)
    numbers = [item for item in (low, high, step) if item is not None]
    right = all(isinstance(item, int | float) and not isinstance(item, bool) for item in numbers)
    if low is None or high is None or not right or not low < high or not (log is None or isinstance(log, bool)):
        raise ConfigError(
            "not a range", where=where, expected="{from = LOW, to = HIGH}, LOW below HIGH", received=dict(value)
        )
    if (log and (step is not None or low <= 0)) or (step is not None and step <= 0):
        raise ConfigError(
            "not a range",
            where=where,
            expected="a step above 0, or log = true from a number above 0 without a step",
            received=dict(value),
        )
    return Dimension(key=key, low=low, high=high, step=step, log=bool(log))


def _put(table: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key, which may go through lists.

    Raises:
        ConfigError: a list is shorter.
    """
    at: Any = table
    steps = key.split(".")
    for number, step in enumerate(steps):
        found = _PLACE.fullmatch(step)
        last = number == len(steps) - 1
        if found is None:
            if last:
                at[step] = value
                return
            at = at.setdefault(step, {})
            continue
        items = at.get(found[1], [])
        if not isinstance(items, list) or int(found[2]) >= len(items):
            raise ConfigError(
                "there is no such item",
                where=f"search.space.{key}",
                expected=f"one of the {len(items)} of {'.'.join(steps[:number])}.{found[1]}, counted from 0",
            )
        if last:
            items[int(found[2])] = value
            return
        at = items[int(found[2])]
