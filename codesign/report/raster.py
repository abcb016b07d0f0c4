# SPDX-License-Identifier: Apache-2.0
"""A figure as a PNG file, from the marks that the SVG is made of."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from matplotlib import patches, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from codesign.report.drawing import MARGIN, Box, Drawing, Mark, Path, Text
from codesign.report.style import HALO, PLAIN, PRINT, TEXT, Style, of

SCALE = 2
"""Pixels of the file for one of the drawing."""
_INCH = 100.0
"""Pixels of the drawing."""
_POINT = 72.0 / _INCH
_ANCHORS = {"start": "left", "middle": "center", "end": "right", None: "left"}


def png(drawing: Drawing, colors: Mapping[str, str] = PRINT) -> bytes:
    """Return the file; the same drawing and the same Matplotlib give the same bytes."""
    with rc_context({"font.family": "DejaVu Sans"}):
        width, height = drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN
        figure = Figure(figsize=(width / _INCH, height / _INCH), dpi=_INCH * SCALE)
        FigureCanvasAgg(figure)
        figure.set_facecolor(colors["page"])
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_xlim(-MARGIN, width - MARGIN)
        axes.set_ylim(height - MARGIN, -MARGIN)
        for order, mark in enumerate(drawing.marks):
            _draw(axes, mark, order, colors)
        file = io.BytesIO()
        figure.savefig(file, format="png", facecolor=colors["page"], metadata={"Software": None})
    return file.getvalue()


def _draw(axes: Any, mark: Mark, order: int, colors: Mapping[str, str]) -> None:
    if isinstance(mark, Text):
        _write(axes, mark, order, colors)
        return
    style = of(mark.style)
    stroke, width = _color(style.stroke, colors), (style.stroke_width or 1.0) * _POINT
    if isinstance(mark, Path):
        xs, ys = zip(*mark.points, strict=True)
        line = Line2D(xs, ys, color=stroke, linewidth=width, alpha=style.opacity, zorder=order)
        line.set_solid_joinstyle("round")
        if style.stroke_dasharray:
            line.set_dashes([float(part) * _POINT / width for part in style.stroke_dasharray.split()])
        axes.add_line(line)
        return
    axes.add_patch(_rectangle(mark, style, order, colors))


def _rectangle(mark: Box, style: Style, order: int, colors: Mapping[str, str]) -> patches.Patch:
    shape = patches.FancyBboxPatch(
        (mark.x, mark.y),
        mark.width,
        mark.height,
        boxstyle=f"round,pad=0,rounding_size={min(mark.round, mark.width / 2, mark.height / 2)}",
        facecolor=_color(style.fill, colors),
        edgecolor=_color(style.stroke, colors),
        linewidth=(style.stroke_width or 0.0) * _POINT,
        zorder=order,
    )
    shape.set_alpha(style.opacity if mark.opacity is None else mark.opacity)
    return shape


def _write(axes: Any, mark: Text, order: int, colors: Mapping[str, str]) -> None:
    style = of(mark.style, TEXT)
    written = axes.text(
        mark.x,
        mark.y,
        mark.text,
        color=_color(style.fill, colors),
        fontsize=(style.font_size or 14) * _POINT,
        fontweight="bold" if (style.font_weight or 400) > 500 else "normal",
        horizontalalignment=_ANCHORS[style.text_anchor],
        verticalalignment="baseline",
        zorder=order,
        parse_math=False,
    )
    if PLAIN in mark.style.split():
        return
    written.set_path_effects([withStroke(linewidth=HALO * _POINT, foreground=colors["page"])])


def _color(name: str | None, colors: Mapping[str, str]) -> str:
    return "none" if name is None else colors.get(name, name)
