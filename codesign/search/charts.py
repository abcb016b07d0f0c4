# SPDX-License-Identifier: Apache-2.0
"""The figures of a search: every design as a point, what good ones share, and what each choice matters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codesign.report.drawing import NARROW, Box, Drawing, Mark, Path, rule, text
from codesign.report.svg import Bar, bar_chart, linear_ticks, log_ticks, number
from codesign.search.objectives import Figures
from codesign.search.run import Found
from codesign.search.space import Dimension
from codesign.search.store import Tried

DOT, LARGE = 3.5, 5.5
"""Radius of a point, and of one of the front."""
MOST_LABELS = 6
"""Values of a dimension that are written beside its axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A design in the plane: frames a second per LUT, accuracy, class, radius, and what it links to and says."""

    x: float
    y: float
    style: str
    radius: float = DOT
    link: str = ""
    hint: str = ""
    label: str = ""


def anchor(number: int) -> str:
    """Return the name of a trial's design in the page."""
    return f"trial-{number}"


def plane(width: int, found: Found) -> Drawing:
    """Return accuracy against frames a second per LUT: every trial, the front, the hand-made design, and dense."""
    points = [*_points(found), *_marks(found)]
    height, left, right, top, base = 380.0, 48.0, 16.0, 30.0, 334.0
    low, high = (f(point.x for point in points) for f in (min, max))
    low, high = low / 1.2, high * 1.2
    least, most = min(point.y for point in points), max(point.y for point in points)
    margin = max(0.5, 0.08 * (most - least))
    least, most = max(0.0, least - margin), min(100.0, most + margin)

    def x(value: float) -> float:
        return left + (width - left - right) * math.log(value / low) / math.log(high / low)

    def y(value: float) -> float:
        return base - (base - top) * (value - least) / (most - least)

    marks: list[Mark] = [text(0, 14, "accuracy on validation clips, percent", "axis-name")]
    for tick in linear_ticks(most - least):
        value = math.ceil(least) + tick
        if value <= most:
            marks += [
                rule(left, y(value), width - right, y(value), "grid"),
                text(left - 8, y(value) + 4, number(value), "tick end"),
            ]
    for tick in log_ticks(low, high):
        marks.append(text(x(tick), base + 18, number(tick), "tick middle"))
    marks.append(
        text(
            (left + width - right) / 2,
            height - 6,
            "frames a second per LUT, predicted, logarithmic",
            "axis-name middle",
        )
    )
    front = sorted((point.x, point.y) for point in points if point.style == "delta-text")
    if len(front) > 1:
        marks.append(Path(points=tuple((x(a), y(b)) for a, b in front), style="line delta"))
    for point in points:
        side = 2 * point.radius
        marks.append(
            Box(
                x=x(point.x) - point.radius,
                y=y(point.y) - point.radius,
                width=side,
                height=side,
                style=point.style,
                round=0.0 if point.label else point.radius,
                link=point.link,
                hint=point.hint,
            )
        )
        if point.label:
            end = x(point.x) > width - 150
            marks.append(
                text(
                    x(point.x) + (-9 if end else 9),
                    y(point.y) + 5,
                    point.label,
                    f"label {'end ' if end else ''}{point.style}",
                )
            )
    return Drawing(
        width=width, height=height, title="Accuracy against frames a second per LUT of every design", marks=tuple(marks)
    )


def _points(found: Found) -> list[Point]:
    best = {item.number for item in found.front()}
    known = [(item, item.outcome.figures) for item in found.tried if item.outcome and item.outcome.figures]
    made = [
        Point(
            x=figures.frames_per_second_per_lut,
            y=100 * figures.accuracy,
            style="delta-text" if item.number in best else "dense-text quiet",
            radius=LARGE if item.number in best else DOT,
            link=f"#{anchor(item.number)}",
            hint=f"trial {item.number}: {says(figures)}",
        )
        for item, figures in known
    ]
    return sorted(made, key=lambda point: point.radius)


def _marks(found: Found) -> list[Point]:
    """Return the hand-made design, and what it does with skipping off."""
    made = found.hand_made
    if made is None or made.figures is None:
        return []
    figures = made.figures
    marks = [
        Point(
            x=figures.frames_per_second_per_lut,
            y=100 * figures.accuracy,
            style="ideal-text",
            radius=LARGE,
            hint=says(figures),
            label="hand-made",
        )
    ]
    if made.dense_cycles:
        slower = figures.cycles_per_frame / made.dense_cycles
        marks.append(
            Point(
                x=figures.frames_per_second_per_lut * slower,
                y=100 * figures.accuracy,
                style="dense-text",
                radius=LARGE,
                hint=f"{made.dense_cycles:,.0f} cycles a frame",
                label="dense",
            )
        )
    return marks


def says(figures: Figures) -> str:
    """Return a design's figures in words."""
    return (
        f"accuracy {100 * figures.accuracy:.1f} %, {figures.cycles_per_frame:,.0f} cycles a frame, "
        f"{figures.lut:,} LUTs, {figures.frames_per_second_per_lut:.2f} frames/s per LUT"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """An axis of the parallel coordinates: its name, the place from 0 to 1 of a design, and its labels."""

    name: str
    place: Callable[[Tried], float]
    labels: Sequence[tuple[float, str]]


def parallel(width: int, found: Found) -> Drawing:
    """Return a line for each design through its values and objectives; those of the front stand out."""
    known = [item for item in found.tried if item.outcome and item.outcome.figures]
    axes = [*(_dimension(item) for item in found.search.space.dimensions), *_objectives(found, known)]
    row, left, right, top = (56.0, 8.0, 8.0, 26.0)
    height = top + row * len(axes)
    span = width - left - right
    best = {item.number for item in found.front()}
    marks: list[Mark] = []
    for place, axis in enumerate(axes):
        y = top + row * place
        marks.append(rule(left, y, width - right, y, "grid"))
        marks.append(text(left, y - 8, axis.name, "label small"))
        for at, label in axis.labels:
            side = "start" if at < 0.05 else "end" if at > 0.95 else "middle"
            marks.append(text(left + span * at, y + 15, label, f"tick tiny {side}"))
    for item in sorted(known, key=lambda item: item.number in best):
        points = tuple((left + span * axis.place(item), top + row * place) for place, axis in enumerate(axes))
        marks.append(Path(points=points, style="line delta" if item.number in best else "line grid"))
    title = "What each design chose and what it reached; those of the front in color"
    return Drawing(width=width, height=height, title=title, marks=tuple(marks))


def _dimension(item: Dimension) -> _Axis:
    if item.choices:
        from codesign.search.space import kept

        values = [kept(value) for value in item.choices]
        steps = max(1, len(values) - 1)
        shown = values if len(values) <= MOST_LABELS else values[:: len(values) - 1]
        labels = [(values.index(value) / steps, _short(value)) for value in shown]
        return _Axis(name=item.key, place=lambda tried: values.index(tried.choice[item.key]) / steps, labels=labels)
    at = _scaled(item.low, item.high, log=item.log)
    labels = [(0.0, f"{item.low:g}"), (1.0, f"{item.high:g}")]
    return _Axis(name=item.key, place=lambda tried: at(float(tried.choice[item.key])), labels=labels)


def _objectives(found: Found, known: list[Tried]) -> list[_Axis]:
    axes = []
    for objective in found.search.objectives:
        values = [objective.of(item.outcome.figures) for item in known if item.outcome and item.outcome.figures]
        low, high = min(values), max(values)
        at = _scaled(low, high, log=low > 0 and high > 10 * low)

        def place(item: Tried, at: Callable[[float], float] = at, name: str = objective.name) -> float:
            return at(float(getattr(item.outcome.figures if item.outcome else None, name)))

        words = objective.name.replace("_", " ")
        axes.append(_Axis(name=words, place=place, labels=[(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")]))
    return axes


def _scaled(low: float, high: float, *, log: bool) -> Callable[[float], float]:
    if low == high:
        return lambda _: 0.5
    if log:
        return lambda value: math.log(value / low) / math.log(high / low)
    return lambda value: (value - low) / (high - low)


def _short(value: object) -> str:
    words = str(value)
    return words if len(words) <= 24 else f"{words[:21]}..."


def importance(width: int, shares: dict[str, float], objective: str) -> Drawing:
    """Return how much of the spread of an objective each choice explains."""
    bars = [Bar(label=name, style="bar", value=share, text=f"{100 * share:.0f} %") for name, share in shares.items()]
    title = f"What {objective.replace('_', ' ')} depends on"
    label = "share of the spread over the designs tried (fANOVA), percent"
    return bar_chart(width if width > NARROW else NARROW, bars, title=title, x_label=label, scale=100)
