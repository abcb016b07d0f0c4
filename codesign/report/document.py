# SPDX-License-Identifier: Apache-2.0
"""Markdown, and its place in a document: between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from codesign.errors import ConfigError
from codesign.outputs import write_text


def check_marks(path: Path, names: Iterable[str]) -> str:
    """Check that a document has each pair of marks once; return its text.

    Raises:
        ConfigError: it does not have them, or it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(
            "no such document", where=str(path), expected="a Markdown file with marks for the tables", received=error
        ) from None
    for name in names:
        if len(_marks(name).findall(text)) != 1:
            begin, end = _begin(name), _end(name)
            raise ConfigError("the place of a table is not marked", where=str(path), expected=f"once {begin} ... {end}")
    return text


def marked(path: Path, names: Iterable[str]) -> list[str]:
    """Return which of ``names`` a document marks a place for; raises as `check_marks`."""
    text = check_marks(path, ())
    return [name for name in names if _begin(name) in text]


def fill(path: Path, parts: dict[str, str]) -> None:
    """Replace what stands between the marks of each part in a document.

    Raises:
        ConfigError: the file is missing, or does not have each pair of marks once.
        OutputError: it cannot be written.
    """
    text = check_marks(path, parts)
    for name, part in parts.items():
        new = f"{_begin(name)}\n{part}\n{_end(name)}"
        text = _marks(name).sub(new.replace("\\", r"\\"), text)
    write_text(path, text)


def _begin(name: str) -> str:
    return f"<!-- begin {name} -->"


def _end(name: str) -> str:
    return f"<!-- end {name} -->"


def _marks(name: str) -> re.Pattern[str]:
    return re.compile(f"{re.escape(_begin(name))}.*?{re.escape(_end(name))}", re.DOTALL)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: bool = False) -> str:
    """Return a Markdown table; ``right``: all columns but the first are aligned to the right."""
    rule = ["---", *["---:" if right else "---"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *rows))
