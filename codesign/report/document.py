# SPDX-License-Identifier: Apache-2.0
"""Markdown, and its place in a document: between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from codesign.errors import ConfigError


def fill(path: Path, parts: dict[str, str]) -> None:
    """Replace what stands between the marks of each part in a document.

    Raises:
        ConfigError: the file is missing, or does not have each pair of marks once.
    """
    if not path.is_file():
        raise ConfigError("no such document", where=str(path), expected="a Markdown file with marks for the tables")
    text = path.read_text(encoding="utf-8")
    for name, part in parts.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        marks = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if len(marks.findall(text)) != 1:
            raise ConfigError("the place of a table is not marked", where=str(path), expected=f"once {begin} ... {end}")
        text = marks.sub(lambda _, new=f"{begin}\n{part}\n{end}": new, text)  # type: ignore[misc]
    path.write_text(text, encoding="utf-8")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: bool = False) -> str:
    """Return a Markdown table; ``right``: all columns but the first are aligned to the right."""
    rule = ["---", *["---:" if right else "---"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *rows))
