# SPDX-License-Identifier: Apache-2.0
"""A table of figures as text, and the ways to print it: in a terminal, in Markdown, in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from codesign.report import document
from codesign.report.words import DASH, NOT_ROUTED

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{EN DASH}": "--",
    "\N{MICRO SIGN}": r"$\mu$",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows that belong together, under a title: each a name and a text for every column."""

    title: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table.

    Attributes:
        title: what it shows, a sentence.
        head: names of the columns; the first is that of the rows' names.
        groups: groups of rows.
        notes: sentences below it.
    """

    title: str
    head: tuple[str, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()


def known(rows: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return the rows of which something is known."""
    return tuple(row for row in rows if not {*row[1:]} <= {DASH, NOT_ROUTED})


def terminal(sheet: Sheet) -> Table:
    """Return the table for a terminal; the notes are not in it."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for place, name in enumerate(sheet.head):
        table.add_column(name, justify="right" if place else "left")
    for place, group in enumerate(sheet.groups):
        if group.title:
            table.add_row(Text(group.title, style="bold"))
        for row in group.rows:
            table.add_row(*map(Text, row))  # not as markup: a name may have brackets
        if place + 1 < len(sheet.groups):
            table.add_section()
    return table


def markdown(sheet: Sheet) -> str:
    """Return the table with its title and notes."""
    rows: list[Sequence[str]] = []
    for group in sheet.groups:
        if group.title:
            rows.append((f"**{group.title}**", *[""] * (len(sheet.head) - 1)))
        rows += group.rows
    notes = "".join(f"* {note}\n" for note in sheet.notes)
    text = f"{sheet.title}\n\n{document.table(sheet.head, rows, right=True)}\n"
    return f"{text}\n{notes}" if notes else text


def latex(sheet: Sheet) -> str:
    """Return a LaTeX table in the style of the package booktabs, which it needs; the notes stand in the caption."""
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_tex(' '.join((sheet.title, *sheet.notes)))}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(sheet.head) - 1)}}}",
        r"\toprule",
        _line(sheet.head),
    ]
    for group in sheet.groups:
        lines.append(r"\midrule")
        if group.title:
            lines.append(rf"\multicolumn{{{len(sheet.head)}}}{{l}}{{\emph{{{_tex(group.title)}}}}} \\")
        lines += [_line(row) for row in group.rows]
    lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return " & ".join(map(_tex, cells)) + r" \\"


def _tex(text: str) -> str:
    escaped = "".join(_LATEX.get(letter, letter) for letter in text)
    return re.sub("`([^`]*)`", r"\\texttt{\1}", escaped)
