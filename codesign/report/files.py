# SPDX-License-Identifier: Apache-2.0
"""The page of a report and its figures as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from codesign.outputs import replacing
from codesign.report.charts import figures
from codesign.report.drawing import WIDE, standalone
from codesign.report.html import render
from codesign.report.model import Detail, Report
from codesign.report.raster import png

PAGE = "report.html"
FIGURES = "figures"


def draw_pages(report: Report, detail: Detail) -> dict[str, bytes]:
    """Return `PAGE`, and each figure of it as SVG and as PNG below `FIGURES`: what is in each file, by its path.

    The same report and detail give the same bytes.
    """
    drawn = {PAGE: render(report, detail).encode()}
    for name, draw in figures(report, detail).items():
        drawing = draw(WIDE)
        drawn[f"{FIGURES}/{name}.svg"] = standalone(drawing).encode()
        drawn[f"{FIGURES}/{name}.png"] = png(drawing)
    return drawn


def write_pages(pages: Mapping[str, bytes], folder: Path) -> None:
    """Write what `draw_pages` has drawn into ``folder``; earlier figures are deleted.

    Raises:
        OutputError: a file cannot be written.
    """
    place = folder / FIGURES
    for old in (*place.glob("*.svg"), *place.glob("*.png")):
        old.unlink()
    for name, content in pages.items():
        with replacing(folder / name) as part:
            part.write_bytes(content)
