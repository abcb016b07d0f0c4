# SPDX-License-Identifier: Apache-2.0
"""A confusion matrix as a picture."""

from __future__ import annotations

from codesign.report.drawing import NARROW, Box, Drawing, Mark, rule, text
from codesign.report.model import Confusion

_LETTER = 7.2
"""Pixels of a letter, about."""
_LARGEST = 46.0
"""Pixels of a cell."""
_LEGIBLE = 20.0
"""Smallest cell that has its count written in it, and smallest that has a number beside it."""


def matrix(width: int, confusion: Confusion, *, title: str) -> Drawing:
    """Return the matrix: the darker a cell, the larger its share of its true class (row).

    Classes have their names where these are short enough, else numbers from 1, which the rows explain; more classes
    than can have a number have none.

    Args:
        width: width in pixels.
        confusion: matrix to show.
        title: text for screen readers.
    """
    names, counts = confusion.classes, confusion.counts
    size = max(1, len(names))
    longest = max(map(len, names), default=1)
    left = 26.0 + min(longest * _LETTER + 28.0, 0.4 * width)
    cell = min(_LARGEST, (width - left - 8) / size)
    labelled = cell >= _LEGIBLE / 2
    if not labelled:
        left = 26.0
        cell = min(_LARGEST, (width - left - 8) / size)
    named, top = longest * _LETTER <= cell - 4, 34.0
    height = top + cell * size + 10
    marks: list[Mark] = [text(left, 14, "class that the network chose", "axis-name"), text(0, 14, "true", "axis-name")]
    for index, name in enumerate(names):
        middle = (index + 0.5) * cell
        if labelled:
            marks.append(text(left + middle, top - 6, name if named else str(index + 1), "tick middle"))
            marks.append(text(left - 8, top + middle + 4, _row(index, name, left, named), "tick end"))
    for row, line in enumerate(counts):
        whole = sum(line)
        for column, count in enumerate(line):
            x, y = left + column * cell, top + row * cell
            if count:
                shade = 0.12 + 0.78 * count / whole
                marks.append(Box(x=x, y=y, width=cell - 1, height=cell - 1, style="cell", opacity=shade))
                if cell >= _LEGIBLE:
                    style = "small middle" if width > NARROW or cell > 26 else "tiny middle"
                    marks.append(text(x + cell / 2, y + cell / 2 + 4, f"{count:,}", style))
    edge = cell * size
    marks += [rule(left, top + at, left + edge, top + at, "grid") for at in (0.0, edge)]
    marks += [rule(left + at, top, left + at, top + edge, "grid") for at in (0.0, edge)]
    return Drawing(width=width, height=height, title=title, marks=tuple(marks))


def _row(index: int, name: str, left: float, named: bool) -> str:
    """Return what stands before a row: a name, cut to the space, before its number if columns have one."""
    words = name if named else f"{name} {index + 1}"
    room = int((left - 8) / _LETTER)
    if len(words) <= room:
        return words
    return f"{name[: max(1, room - len(str(index + 1)) - 2)]}\N{HORIZONTAL ELLIPSIS} {index + 1}"
