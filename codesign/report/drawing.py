# SPDX-License-Identifier: Apache-2.0
"""A figure as a list of marks, and as SVG: inside the page, whose style sheet colors it, or as a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from codesign.report.style import FONTS, HALO, PLAIN, PRINT, TEXT, Style, of

NARROW = 360
"""Width in pixels of what a phone shows."""
WIDE = 860
"""The same of a desk, and of files."""
MARGIN = 10
"""Pixels around a drawing that is a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text whose base line starts, ends or is centered at (x, y), as its classes define."""

    x: float
    y: float
    text: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A line through points ``(x, y)``."""

    points: tuple[tuple[float, float], ...]
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle, (x, y) its upper left corner; ``opacity`` in place of that of its classes.

    In a page it may be a link to ``link``, and show ``hint`` while pointed at.
    """

    x: float
    y: float
    width: float
    height: float
    style: str
    round: float = 0.0
    opacity: float | None = None
    link: str = ""
    hint: str = ""


Mark: TypeAlias = Text | Path | Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Marks on a page of ``width`` times ``height`` pixels; ``title`` is the text for screen readers."""

    width: float
    height: float
    title: str
    marks: tuple[Mark, ...]


Draw: TypeAlias = Callable[[int], Drawing]
"""Makes a drawing of about a width in pixels."""


def text(x: float, y: float, content: str, style: str) -> Text:
    """Return a text."""
    return Text(x=x, y=y, text=content, style=style)


def rule(x1: float, y1: float, x2: float, y2: float, style: str) -> Path:
    """Return a straight line."""
    return Path(points=((x1, y1), (x2, y2)), style=style)


def responsive(draw: Draw) -> str:
    """Return the figure for a desk and for a phone; the style sheet shows the one that fits."""
    return f'<div class="wide">{inline(draw(WIDE))}</div><div class="narrow">{inline(draw(NARROW))}</div>'


def inline(drawing: Drawing) -> str:
    """Return an SVG element for the page."""
    marks = "\n".join(_element(mark, {"class": mark.style}) for mark in drawing.marks)
    return f'<svg class="chart" role="img" {_view(drawing)} aria-label="{escape(drawing.title)}">\n{marks}\n</svg>'


def standalone(drawing: Drawing, colors: Mapping[str, str] = PRINT) -> str:
    """Return an SVG file that needs no style sheet."""
    marks: list[str] = []
    for mark in drawing.marks:
        properties = _style(mark).properties(colors)
        if isinstance(mark, Text) and PLAIN not in mark.style.split():  # not every program knows paint-order
            around = {"stroke": colors["page"], "stroke-width": f"{HALO:g}", "stroke-linejoin": "round"}
            marks.append(_element(mark, {**properties, **around}))
        marks.append(_element(mark, properties))
    width, height = drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN
    size = f'width="{width:g}" height="{height:g}" viewBox="{-MARGIN} {-MARGIN} {width:g} {height:g}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONTS}">',
            f"<title>{escape(drawing.title)}</title>",
            f'<rect x="{-MARGIN}" y="{-MARGIN}" width="100%" height="100%" fill="{colors["page"]}"/>',
            *marks,
            "</svg>\n",
        )
    )


def _style(mark: Mark) -> Style:
    return of(mark.style, TEXT if isinstance(mark, Text) else Style())


def _view(drawing: Drawing) -> str:
    return f'viewBox="0 0 {drawing.width:g} {drawing.height:g}"'


def _element(mark: Mark, attributes: Mapping[str, str]) -> str:
    given = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    if isinstance(mark, Text):
        return f'<text{given} x="{mark.x:.1f}" y="{mark.y:.1f}">{escape(mark.text)}</text>'
    if isinstance(mark, Path):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in mark.points)
        return f'<polyline{given} points="{points}"/>'
    place = f'x="{mark.x:.1f}" y="{mark.y:.1f}" width="{mark.width:.1f}" height="{mark.height:.1f}"'
    opacity = "" if mark.opacity is None else f' fill-opacity="{mark.opacity:.3f}"'
    end = f"><title>{escape(mark.hint)}</title></rect>" if mark.hint else "/>"
    box = f'<rect{given} {place} rx="{mark.round:g}"{opacity}{end}'
    return f'<a href="{escape(mark.link)}">{box}</a>' if mark.link else box
