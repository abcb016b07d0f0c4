# SPDX-License-Identifier: Apache-2.0
"""Render a finished design's page again, after the template or the package changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from codesign.errors import StageError
from codesign.flow import manifest as manifests
from codesign.flow.sources import file_hash
from codesign.report.html import render
from codesign.report.model import DETAIL, REPORT, Detail, Report, read_json

PAGE = "report.html"


def render_again(build: Path) -> tuple[Report, Path]:
    """Rewrite ``6_report/report.html`` from ``report.json``; a deleted or edited page is simply replaced.

    Returns:
        The report, and the page's path.

    Raises:
        StageError: the design has no finished report, or ``report.json`` was edited.
    """
    folder = build / "6_report"
    done = manifests.read(folder)
    if done is None:
        raise StageError("there is no finished report here", where=str(build), fix="`codesign run` the design first")
    edited, deleted = manifests.touched(done, folder)
    if REPORT in edited or DETAIL in edited:
        raise manifests.edited_error(folder, edited)
    if REPORT in deleted or DETAIL in deleted:
        raise StageError(
            "figures were deleted", where=str(folder), received=", ".join(deleted), fix="run `codesign run`"
        )
    report = read_json(Report, folder / REPORT)
    page = folder / PAGE
    page.write_text(render(report, read_json(Detail, folder / DETAIL)), encoding="utf-8")
    dataclasses.replace(done, outputs={**done.outputs, PAGE: file_hash(page)}).write(folder)
    return report, page
