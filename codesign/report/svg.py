# SPDX-License-Identifier: Apache-2.0
"""Small SVG charts. Colours and fonts come from the page's style sheet by class, so that they follow its theme."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

NARROW = 360
WIDE = 860
_LABEL_GAP = 17.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a chart: a label that is written at its end, a CSS class, a value for each x."""

    label: str
    style: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of a bar chart: a bar to ``value``, a mark at ``mark`` and the text written beside it."""

    label: str
    style: str
    value: float
    mark: float | None = None
    text: str


def responsive(draw: Callable[[int], str]) -> str:
    """Return the chart drawn for a desk and for a phone; the style sheet shows the one that fits."""
    return f'<div class="wide">{draw(WIDE)}</div><div class="narrow">{draw(NARROW)}</div>'


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


def line_chart(width: int, lines: Sequence[Line], *, title: str, x_label: str, y_label: str, first: int = 0) -> str:
    """Return a line chart with a logarithmic y axis and labels at the ends of the lines.

    Args:
        width: pixels.
        lines: drawn in this order.
        title: for screen readers.
        x_label: axis name; x counts up from ``first``.
        y_label: axis name with its unit.
        first: x of the first value.
    """
    height = 340 if width > NARROW else 300
    left, right, top, bottom = 52.0, (150.0 if width > NARROW else 12.0), 30.0, 46.0
    values = [value for line in lines for value in line.values]
    low, high = min(values) / 1.25, max(values) * 1.25
    count = max(len(line.values) for line in lines)

    def x(index: float) -> float:
        return left + (width - left - right) * index / max(1, count - 1)

    def y(value: float) -> float:
        return top + (height - top - bottom) * (1 - math.log(value / low) / math.log(high / low))

    parts = [text(0, 14, f"{y_label}, logarithmic", "axis-name")]
    for tick in log_ticks(low, high):
        parts += [
            rule(left, y(tick), width - right, y(tick), "grid"),
            text(left - 8, y(tick) + 4, number(tick), "tick end"),
        ]
    for tick in linear_ticks(first + count - 1, 6 if width > NARROW else 4):
        if tick >= first:
            parts.append(text(x(tick - first), height - bottom + 18, number(tick), "tick middle"))
    parts.append(text(left + (width - left - right) / 2, height - 6, x_label, "axis-name middle"))
    for line in lines:
        points = " ".join(f"{x(index):.1f},{y(value):.1f}" for index, value in enumerate(line.values))
        parts.append(f'<polyline class="line {line.style}" points="{points}"/>')
    parts += _line_labels(lines, [y(line.values[-1]) for line in lines], width, right, x)
    return frame(width, height, title, parts)


def _line_labels(
    lines: Sequence[Line], ends: list[float], width: int, right: float, x: Callable[[float], float]
) -> list[str]:
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


def bar_chart(width: int, bars: Sequence[Bar], *, title: str, x_label: str, scale: float = 1.0) -> str:
    """Return horizontal bars from 0, each with its label above it and its figures at the end.

    Args:
        width: pixels.
        bars: rows, top to bottom.
        title: for screen readers.
        x_label: axis name with its unit.
        scale: factor from values to axis numbers (100 for percent).
    """
    row, top, bottom = 46.0, 4.0, 44.0
    height = top + row * len(bars) + bottom
    high = max([1e-9, *(bar.value for bar in bars), *(bar.mark or 0.0 for bar in bars)])
    span = width - 16.0

    def x(value: float) -> float:
        return 8 + span * value / (high * 1.02)

    parts = []
    for tick in linear_ticks(high * scale, 5 if width > NARROW else 3):
        place = x(tick / scale)
        parts += [
            rule(place, top, place, height - bottom, "grid"),
            text(place, height - bottom + 16, number(tick), "tick " + ("start" if tick == 0 else "middle")),
        ]
    for index, bar in enumerate(bars):
        y = top + row * index
        length = max(1.0, x(bar.value) - 8)
        parts += [
            text(8, y + 15, bar.label, "label"),
            text(width - 8, y + 15, bar.text, "figure end"),
            f'<rect class="{bar.style}" x="8" y="{y + 21:.1f}" width="{length:.1f}" height="14" rx="2"/>',
        ]
        if bar.mark is not None:
            parts.append(rule(x(bar.mark), y + 18, x(bar.mark), y + 38, "mark"))
    parts.append(text(width / 2, height - 8, x_label, "axis-name middle"))
    return frame(width, height, title, parts)


def frame(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """Return the SVG element; ``title`` is what a screen reader says."""
    body = "\n".join(parts)
    view = f'viewBox="0 0 {width:g} {height:g}"'
    return f'<svg class="chart" role="img" {view} aria-label="{escape(title)}">\n{body}\n</svg>'


def text(x: float, y: float, content: str, style: str) -> str:
    """Return a text element."""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(content)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Return a straight line."""
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def number(value: float) -> str:
    """Return a tick's number: thousands separated, no needless digits."""
    return f"{value:,.0f}" if value >= 10 or float(value).is_integer() else f"{value:g}"
