# SPDX-License-Identifier: Apache-2.0
"""From TOML tables (or JSON) to frozen records: every key checked, every error with its key and the valid values.

A record is a frozen dataclass. Its annotations are the schema: ``int``, ``float``, ``bool``, ``str``, ``Path``
(relative to the TOML), ``Literal``, ``X | None``, ``int | Literal``, ``tuple[X, ...]``, ``dict[str, Record]``, records,
and ``Any``, a value as it is. Limits are written beside the field by `limited`, for `check` in ``__post_init__``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import numbers
import re
import sys
import types
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from codesign.errors import ConfigError, OldNameWarning
from codesign.stored import read_text
from codesign.suggest import did_you_mean

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

R = TypeVar("R")
Limits = Mapping[str, tuple[float, float, type]]
"""Lowest and highest value of each argument, both allowed, and whether it is an ``int`` or a ``float``."""
_WHOLE = 2**63
"""Whole numbers from here on are not those of any setting."""


def limited(
    default: Any,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    kinds: tuple[str, ...] = (),
    was: str = "",
) -> Any:
    """Return a dataclass field with a default and inclusive limits, for numbers and for tuples of numbers.

    Args:
        default: the field's default.
        at_least: lowest value.
        at_most: highest value.
        kinds: values of the record's field ``kind`` that use this field; () for all. With any other kind the field
            must not be given: a key that does nothing is a mistake.
        was: name of the key in an earlier version; `build` accepts it with a warning.
    """
    metadata = {"at_least": at_least, "at_most": at_most, "kinds": kinds, "was": was}
    return dataclasses.field(default=default, metadata=metadata)


class Problems:
    """Collects what is wrong, so that one error can report all of it."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextlib.contextmanager
    def collected(self) -> Iterator[None]:
        """Keep a ConfigError of the body for later."""
        try:
            yield
        except ConfigError as error:
            self.found += error.problems

    def check(self) -> None:
        """Raise what was collected.

        Raises:
            ConfigError: something was.
        """
        if self.found:
            raise ConfigError.together(self.found)


def check(record: Any, section: str) -> None:
    """Check every `limited` field of a record.

    Raises:
        ConfigError: values are outside their limits, or not the default though the record's ``kind`` does not use them;
            ``where`` is ``section.key``.
    """
    wrong, items = Problems(), {item.name: item for item in dataclasses.fields(record)}
    with wrong.collected():
        changed = [name for name, item in items.items() if getattr(record, name) != item.default]
        _check_kinds(items, changed, record, section)
    for item in items.values():
        with wrong.collected():
            _check_limits(getattr(record, item.name), item, section)
    wrong.check()


def _check_limits(value: Any, item: dataclasses.Field[Any], section: str) -> None:
    low, high = item.metadata.get("at_least"), item.metadata.get("at_most")
    for number in value if isinstance(value, tuple) else (value,):
        if number is not None and not isinstance(number, str) and not _within(number, low, high):
            raise ConfigError(
                "out of range", where=f"{section}.{item.name}", expected=_limits(low, high), received=_shown(value)
            )


def _within(number: Any, low: float | None, high: float | None) -> bool:
    return (low is None or number >= low) and (high is None or number <= high)


def check_numbers(limits: Limits, arguments: Mapping[str, object], where: Callable[[str], str]) -> None:
    """Check every argument of a function that has limits.

    Args:
        limits: limits of each argument by its name.
        arguments: values by name.
        where: returns the place of an argument of this name, for errors.

    Raises:
        ConfigError: one is not a number, not an integer though it has to be, or out of range.
    """
    for name in (name for name in limits if name in arguments):
        (low, high, kind), value = limits[name], arguments[name]
        words, wanted = ("an integer", numbers.Integral) if kind is int else ("a number", numbers.Real)
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise ConfigError(f"{name} is not {words}", where=where(name), expected=words, received=repr(value))
        if not _within(value, low, high):
            expected = _limits(low, high)
            raise ConfigError(f"{name} is out of range", where=where(name), expected=expected, received=value)


def _check_kinds(fields: Mapping[str, Any], given: Iterable[str], record: Any, section: str) -> None:
    """Check that the record's ``kind`` uses the fields that were ``given``."""
    wrong = Problems()
    for name in given:
        kinds = fields[name].metadata.get("kinds")
        if not kinds or record.kind in kinds:
            continue
        users = " or ".join(f'kind = "{kind}"' for kind in kinds)
        with wrong.collected():
            raise ConfigError(
                f'kind = "{record.kind}" does not use this key',
                where=f"{section}.{name}",
                expected=f"{users}, which {'use' if len(kinds) > 1 else 'uses'} it",
                fix=f"set {section}.kind to the one you mean, or remove the key",
            )
    wrong.check()


def _limits(low: float | None, high: float | None) -> str:
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if low is None else f"{low} to {high}"


def build(kind: type[R], table: object, *, where: str, folder: Path, known: Mapping[str, Any] | None = None) -> R:
    """Return the record ``kind`` made from a TOML ``table``.

    Args:
        kind: a frozen dataclass.
        table: what the TOML parser returned.
        where: dotted key of the table, "" at the top.
        folder: paths in the table are relative to it.
        known: values that do not come from the table, and must not.

    Raises:
        ConfigError: unknown or missing key, wrong type, or value out of range.

    Warns:
        OldNameWarning: a key is written under its name of an earlier version.
    """
    if not isinstance(table, Mapping):
        raise ConfigError("not a table", where=where, expected=f"[{where}]", received=_shown(table))
    fields = {item.name: item for item in dataclasses.fields(typing.cast(Any, kind))}
    hints = typing.get_type_hints(kind)
    renamed = {item.metadata["was"]: name for name, item in fields.items() if item.metadata.get("was")}
    table = under_new_names(table, renamed, where=where)
    values, wrong = dict(known or {}), Problems()
    valid = [key for key in fields if key not in values]
    for key, value in table.items():
        with wrong.collected():
            if key not in valid:
                raise ConfigError(
                    f"unknown {'key' if where else 'section'} {key!r}",
                    where=_join(where, key),
                    expected=f"one of {', '.join(valid)}",
                    fix=did_you_mean(key, valid),
                )
            values[key] = _value(hints[key], value, _join(where, key), folder)
    for name, item in fields.items():
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        with wrong.collected():
            if required and name not in table and name not in values:
                raise ConfigError("missing", where=_join(where, name), expected=_describe(hints[name]), fix="add it")
    wrong.check()
    _check_kinds(fields, [key for key in fields if key in table], made := kind(**values), where)
    return made


def _join(where: str, key: str) -> str:
    bare = key if re.fullmatch(r"[\w-]{1,60}", key) else _shown(key)
    return f"{where}.{bare}" if where else bare


def _shown(value: object) -> str:
    """Return a value for an error message, on one line of reasonable length."""
    if isinstance(value, int) and abs(value) >= _WHOLE:
        return f"a whole number of {value.bit_length()} bits"
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a huge number somewhere inside, or tables in tables in tables
        text = f"a {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:90]} ..."


def _value(hint: Any, value: object, where: str, folder: Path) -> Any:
    """Return ``value`` as the annotation ``hint`` wants it."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        kinds = [arg for arg in args if arg is not type(None)]
        fit = (kind for kind in kinds if (typing.get_origin(kind) is typing.Literal) == isinstance(value, str))
        return _value(next(fit, kinds[0]), value, where, folder)
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where=where, folder=folder)
    if origin is dict and isinstance(value, Mapping):
        return dict(_each(args[1], {key: (_join(where, key), item) for key, item in value.items()}, folder))
    if origin is tuple and isinstance(value, list):
        places = {n: (f"{where}[{n}]" if dataclasses.is_dataclass(args[0]) else where, v) for n, v in enumerate(value)}
        return tuple(item for _, item in _each(args[0], places, folder))
    if origin is typing.Literal:
        if any(value == arg and type(value) is type(arg) for arg in args):
            return value
        near = did_you_mean(value, map(str, args)) if isinstance(value, str) else None
        raise ConfigError("not a valid choice", where=where, expected=_describe(hint), received=_shown(value), fix=near)
    return _plain_value(hint, value, where, folder)


def _each(hint: Any, items: Mapping[Any, tuple[str, object]], folder: Path) -> list[tuple[Any, Any]]:
    """Return key and value for each ``(where, value)`` of a list or table; one error for all that are wrong."""
    found, wrong = [], Problems()
    for key, (where, item) in items.items():
        with wrong.collected():
            found.append((key, _value(hint, item, where, folder)))
    wrong.check()
    return found


def _plain_value(hint: Any, value: object, where: str, folder: Path) -> Any:
    """Return a number, a string or a path."""
    if hint is Path and isinstance(value, str):
        if not value or "\0" in value:
            raise ConfigError("not a path", where=where, expected=_describe(hint), received=_shown(value))
        return folder / value
    if type(value) is int and hint in (int, float) and abs(value) >= _WHOLE:
        raise ConfigError("out of range", where=where, expected="a number of 64 bits", received=_shown(value))
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ConfigError("wrong type", where=where, expected=_describe(hint), received=_shown(value))
    if type(value) is float and not math.isfinite(value):
        raise ConfigError("out of range", where=where, expected="a number", received=_shown(value))
    return value


def _describe(hint: Any) -> str:
    """Return the annotation in words for an error message."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_describe(arg) for arg in args if arg is not type(None))
    if origin is typing.Literal:
        return "one of " + ", ".join(repr(arg) for arg in args)
    if origin is tuple:
        return f"a list, each item {_describe(args[0])}"
    if origin is dict or dataclasses.is_dataclass(hint):
        return "a table"
    words = {int: "a whole number", float: "a number", str: "a string", bool: "true or false", Path: "a path (string)"}
    return words.get(hint, str(hint))


def plain(value: Any) -> Any:
    """Return a record, or a value in one, as JSON types."""
    if dataclasses.is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def read_toml(path: Path, example: str = "flows/moving_digits.toml") -> dict[str, Any]:
    """Return the tables of a TOML file; a byte order mark, as some editors write it, is skipped.

    Args:
        path: path of the file.
        example: a file of this kind, for the error message.

    Raises:
        ConfigError: no such file, or not TOML.
    """
    try:
        return tomllib.loads(read_text(path).removeprefix("\ufeff"))
    except OSError as error:
        raise ConfigError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            expected=f"a TOML file such as {example}",
            fix="check the path",
        ) from None
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, numbers of thousands of digits
        raise ConfigError(
            "not valid TOML",
            where=str(path),
            received=" ".join(str(error).split()),
            fix=f"correct it; {example} shows the form",
        ) from None


def under_new_names(table: Mapping[str, Any], renamed: Mapping[str, str], *, where: str) -> dict[str, Any]:
    """Return ``table`` with keys of an earlier version under their names of today.

    Args:
        table: table read from a file.
        renamed: old key -> new key.
        where: the file or table, for messages.

    Raises:
        ConfigError: it holds a key under both names.

    Warns:
        OldNameWarning: it holds one under its old name.
    """
    found = dict(table)
    for old, new in renamed.items():
        if old not in found:
            continue
        if new in found:
            raise ConfigError(f"{old!r} is the old name of {new!r}", where=where, fix=f"remove {old!r}")
        warnings.warn(f"{where}: {old!r} is now {new!r}; write the new name", OldNameWarning, stacklevel=2)
        found[new] = found.pop(old)
    return found
