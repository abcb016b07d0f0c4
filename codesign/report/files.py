# SPDX-License-Identifier: Apache-2.0
"""The page of a report and its figures as files."""

from __future__ import annotations

from pathlib import Path

from codesign.outputs import replacing, write_text
from codesign.report.charts import figures
from codesign.report.drawing import WIDE, standalone
from codesign.report.html import render
from codesign.report.model import Detail, Report
from codesign.report.raster import png

PAGE = "report.html"
FIGURES = "figures"


def write_pages(report: Report, detail: Detail, folder: Path) -> tuple[str, ...]:
    """Write `PAGE`, and each figure of it as SVG and as PNG into the folder `FIGURES`; figures of before are deleted.

    The same report and detail give the same bytes.

    Returns:
        What was written, relative to ``folder``.

    Raises:
        OutputError: a file cannot be written.
    """
    write_text(folder / PAGE, render(report, detail))
    place = folder / FIGURES
    for old in (*place.glob("*.svg"), *place.glob("*.png")):
        old.unlink()
    written = [PAGE]
    for name, draw in figures(report, detail).items():
        drawing = draw(WIDE)
        write_text(place / f"{name}.svg", standalone(drawing))
        with replacing(place / f"{name}.png") as part:
            part.write_bytes(png(drawing))
        written += [f"{FIGURES}/{name}.svg", f"{FIGURES}/{name}.png"]
    return tuple(written)
