# SPDX-License-Identifier: Apache-2.0
"""Line and bar charts. Colors and type come from `codesign.report.style` by class, so that they follow the theme."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codesign.report.drawing import NARROW, Box, Drawing, Mark, Path, rule, text

_LABEL_GAP = 17.0
_LETTER = 7.5
"""Pixels of a letter of a tick, about."""
_FEW = 40
"""Values up to which each has a dot."""
_DOT = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a chart: a label that is written at its end, a class, a value for each x; None leaves a gap."""

    label: str
    style: str
    values: Sequence[float | None]

    @property
    def known(self) -> list[float]:
        """The values that are known."""
        return [value for value in self.values if value is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of a bar chart: a bar to ``value``, a mark at ``mark`` and the text written beside it."""

    label: str
    style: str
    value: float
    mark: float | None = None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """The y axis: from value to pixels, and its ticks."""

    place: Callable[[float], float]
    ticks: list[float]


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2, 5 x powers of ten from ``low`` to ``high``; only powers of ten when there are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    inside = [tick for tick in fine if low <= tick <= high]
    return inside if len(inside) <= 8 else [tick for tick in inside if math.log10(tick).is_integer()]


def linear_ticks(high: float, count: int = 5) -> list[float]:
    """Return about ``count`` round numbers from 0 to ``high``."""
    raw = high / max(1, count)
    unit = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw * 0.999)
    return [index * step for index in range(math.floor(high / step * 1.0001) + 1)]


def spread_labels(positions: Sequence[float], gap: float = _LABEL_GAP) -> list[float]:
    """Return ``positions`` moved apart to at least ``gap``, in their order."""
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    moved = list(positions)
    for _ in range(len(order) * 4):
        for above, below in itertools.pairwise(order):
            missing = gap - (moved[below] - moved[above])
            if missing > 1e-6:
                moved[above] -= missing / 2
                moved[below] += missing / 2
    return moved


def line_chart(
    width: int,
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    y_label: str,
    first: int = 0,
    top: float | None = None,
    sections: Sequence[tuple[int, str]] = (),
) -> Drawing:
    """Return a line chart with labels at the ends of the lines.

    Args:
        width: width in pixels.
        lines: lines, drawn in this order; each has a known value.
        title: text for screen readers.
        x_label: axis name; x counts up from ``first``.
        y_label: axis name with its unit.
        first: x of the first value.
        top: upper end of a linear y axis from 0; None: the axis is logarithmic, from the smallest to the largest value.
        sections: index of the first value of each section of the x axis, and its name.
    """
    height = 340 if width > NARROW else 300
    left, right, above, below = 52.0, (150.0 if width > NARROW else 12.0), (48.0 if sections else 30.0), 46.0
    count = max(len(line.values) for line in lines)

    def x(index: float) -> float:
        return left + (width - left - right) * index / max(1, count - 1)

    scale = _scale(lines, above, height - below, top)
    marks: list[Mark] = [text(0, 14, y_label if top is not None else f"{y_label}, logarithmic", "axis-name")]
    for tick in scale.ticks:
        place = scale.place(tick)
        marks += [rule(left, place, width - right, place, "grid"), text(left - 8, place + 4, number(tick), "tick end")]
    for tick in linear_ticks(first + count - 1, 6 if width > NARROW else 4):
        if tick >= first and float(tick).is_integer():
            marks.append(text(x(tick - first), height - below + 18, number(tick), "tick middle"))
    marks.append(text(left + (width - left - right) / 2, height - 6, x_label, "axis-name middle"))
    marks += _sections(sections, x, above - 8, height - below)
    for line in lines:
        marks += _line(line, x, scale.place)
    if width <= NARROW and top is not None:  # lines that rise leave the corner below free
        corner = height - below + _LABEL_GAP / 2
        rows = [corner - _LABEL_GAP * (len(lines) - index) for index in range(len(lines))]
        marks += [
            text(width - right, row, line.label, f"label end {line.style}-text")
            for line, row in zip(lines, rows, strict=True)
        ]
    else:
        marks += _line_labels(lines, [scale.place(line.known[-1]) for line in lines], width, right, x)
    return Drawing(width=width, height=height, title=title, marks=tuple(marks))


def _sections(sections: Sequence[tuple[int, str]], x: Callable[[float], float], top: float, base: float) -> list[Mark]:
    """Return where sections begin, each with its name in the first of two rows that has room; without if none has."""
    marks: list[Mark] = []
    ends = {top: 0.0, top - _LABEL_GAP: 0.0}
    for index, name in sections:
        place = x(max(0.0, index - 0.5))
        row = next((row for row, end in ends.items() if place >= end), None)
        marks.append(rule(place, top if row is None else row, place, base, "grid"))
        if row is not None:
            marks.append(text(place + 4, row, name, "tick"))
            ends[row] = place + _LETTER * len(name) + 8
    return marks


def _scale(lines: Sequence[Line], above: float, base: float, top: float | None) -> _Scale:
    if top is not None:
        return _Scale(place=lambda value: base - (base - above) * value / top, ticks=linear_ticks(top))
    values = [value for line in lines for value in line.known]
    low, high = min(values) / 1.25, max(values) * 1.25
    return _Scale(
        place=lambda value: base - (base - above) * math.log(value / low) / math.log(high / low),
        ticks=log_ticks(low, high),
    )


def _line(line: Line, x: Callable[[float], float], y: Callable[[float], float]) -> list[Mark]:
    """Return the parts of a line between its gaps, with dots where there are few values."""
    points = [None if value is None else (x(index), y(value)) for index, value in enumerate(line.values)]
    parts = [
        Path(points=tuple(point for point in part if point is not None), style=f"line {line.style}")
        for known, part in itertools.groupby(points, key=lambda point: point is not None)
        if known
    ]
    dots = [point for point in points if point is not None] if len(points) <= _FEW else []
    return [*parts, *(_dot(px, py, line.style) for px, py in dots)]


def _dot(x: float, y: float, style: str) -> Box:
    return Box(x=x - _DOT, y=y - _DOT, width=2 * _DOT, height=2 * _DOT, style=f"{style}-text", round=_DOT)


def _line_labels(
    lines: Sequence[Line], ends: list[float], width: int, right: float, x: Callable[[float], float]
) -> list[Mark]:
    """Return the labels: right of the lines on a wide chart, at the uppermost line on a narrow one."""
    if width > NARROW:
        places = spread_labels(ends)
        return [
            text(width - right + 8, place + 4, line.label, f"label {line.style}-text")
            for line, place in zip(lines, places, strict=True)
        ]
    order = sorted(range(len(lines)), key=lambda index: ends[index])
    rows = {index: ends[order[0]] + _LABEL_GAP * (row + 0.2 if row else -0.5) for row, index in enumerate(order)}
    return [
        text(x(len(line.values) - 1), rows[index], line.label, f"label end {line.style}-text")
        for index, line in enumerate(lines)
    ]


def bar_chart(width: int, bars: Sequence[Bar], *, title: str, x_label: str, scale: float = 1.0) -> Drawing:
    """Return horizontal bars from 0, each with its label above it and its figures at the end.

    Args:
        width: width in pixels.
        bars: rows, top to bottom.
        title: text for screen readers.
        x_label: axis name with its unit.
        scale: factor from values to axis numbers (100 for percent).
    """
    row, top, bottom = 46.0, 4.0, 44.0
    height = top + row * len(bars) + bottom
    high = max([1e-9, *(bar.value for bar in bars), *(bar.mark or 0.0 for bar in bars)])
    span = width - 16.0

    def x(value: float) -> float:
        return 8 + span * value / (high * 1.02)

    marks: list[Mark] = []
    for tick in linear_ticks(high * scale, 5 if width > NARROW else 3):
        place = x(tick / scale)
        marks += [
            rule(place, top, place, height - bottom, "grid"),
            text(place, height - bottom + 16, number(tick), "tick " + ("start" if tick == 0 else "middle")),
        ]
    for index, bar in enumerate(bars):
        y = top + row * index
        length = max(1.0, x(bar.value) - 8)
        marks += [
            text(8, y + 15, bar.label, "label"),
            text(width - 8, y + 15, bar.text, "figure end"),
            Box(x=8, y=y + 21, width=length, height=14, style=bar.style, round=2),
        ]
        if bar.mark is not None:
            marks.append(rule(x(bar.mark), y + 18, x(bar.mark), y + 38, "mark"))
    marks.append(text(width / 2, height - 8, x_label, "axis-name middle"))
    return Drawing(width=width, height=height, title=title, marks=tuple(marks))


def number(value: float) -> str:
    """Return a tick's number: thousands separated, no needless digits."""
    return f"{value:,.0f}" if value >= 10 or float(value).is_integer() else f"{value:g}"
