# SPDX-License-Identifier: Apache-2.0
"""Bring a finished design's report up to date: with the builds for boards made since, and rendered anew."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from codesign.commands.kept import kept
from codesign.endings import OK
from codesign.errors import StageError
from codesign.flow import manifest as manifests
from codesign.graph.file import load_graph
from codesign.outputs import check_folder, check_outputs, write_text
from codesign.paths import BuildFolder
from codesign.report import against, compare
from codesign.report.boards import read_builds, split
from codesign.report.files import PAGE, draw_pages, write_pages
from codesign.report.html import render_sheet
from codesign.report.model import (
    DETAIL,
    REPORT,
    SCHEMA,
    Detail,
    Report,
    read_json,
    read_report,
    with_builds,
    write_json,
)
from codesign.report.sheet import Sheet, latex, markdown, terminal
from codesign.report.terminal import show, show_notes
from codesign.rtl.identity import design_id
from codesign.rtl.project import emit
from codesign.sources import file_hash
from codesign.stored import DAMAGED, anew
from codesign.synth.record import BUILD, BoardBuild
from codesign.trust import check_no_links


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A report brought up to date.

    Attributes:
        report: report with the builds of this design.
        page: path of ``report.html``.
        stale: builds left out, as they hold another state of the design.
    """

    report: Report
    page: Path
    stale: tuple[BoardBuild, ...]

    def warnings(self) -> list[str]:
        """Return the lines to print about the builds that were left out."""
        return [
            f"left out: {BuildFolder.BOARDS}/{item.folder}/{BUILD} "
            + (
                f"holds another state of {self.report.design}; `codesign build` it for {item.target} again"
                if self.report.core is None
                else f"is a pipeline, and {self.report.design} is for a core"
            )
            for item in self.stale
        ]


def render_again(build: Path) -> Again:
    """Rewrite ``report.json`` with the builds in ``build/boards``, ``report.html`` and its figures.

    A report of an earlier version gets the keys of this one, unknown where it has not recorded them. A deleted or
    edited page is simply replaced.

    Raises:
        StageError: the design has no finished report, ``report.json`` was edited, or values in it cannot be drawn.
        ConfigError: a ``build.json`` cannot be read.
    """
    check_no_links(build)
    folder = build / BuildFolder.REPORT
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
    check_folder(folder, "")
    known = read_report(folder / REPORT)
    builds, stale = builds_of(build) if known.core is None else ((), tuple(read_builds(build)))
    report = dataclasses.replace(with_builds(known, builds), schema=SCHEMA)
    detail = read_json(Detail, folder / DETAIL)
    pages = _drawn(report, detail, folder)
    write_json(report, folder / REPORT)
    write_pages(pages, folder)
    outputs = {name: digest for name, digest in done.outputs.items() if (folder / name).is_file()}
    hashes = {name: file_hash(folder / name) for name in (REPORT, *pages)}
    dataclasses.replace(done, outputs={**outputs, **hashes}).write(folder)
    return Again(report=report, page=folder / PAGE, stale=stale)


def _drawn(report: Report, detail: Detail, folder: Path) -> dict[str, bytes]:
    """Draw the page and its figures, before anything is written: records may hold what no picture has a place for."""
    try:
        return draw_pages(report, detail)
    except DAMAGED as error:
        raise StageError(
            f"the figures cannot be drawn ({type(error).__name__}: {error})",
            where=str(folder),
            expected=f"{REPORT} and {DETAIL} with values that a run can have",
            fix=f"make them anew: `{anew(folder)}`",
        ) from error


def builds_of(build: Path) -> tuple[tuple[BoardBuild, ...], tuple[BoardBuild, ...]]:
    """Return the builds for boards of a design's current RTL, and those of another state of it.

    Raises:
        ConfigError: a ``build.json`` cannot be read.
    """
    found = read_builds(build)
    if not found:
        return (), ()
    return split(found, f"{design_id(emit(load_graph(build / BuildFolder.GRAPH))):08x}")


def command(arguments: argparse.Namespace) -> int:
    """Bring reports up to date, show one or compare several."""
    outputs = {"--markdown": arguments.markdown, "--html": arguments.html, "--latex": arguments.latex}
    check_outputs(outputs, kept(arguments.folders))
    console = Console(highlight=False)
    found = [render_again(folder) for folder in arguments.folders]
    reports = [item.report for item in found]
    if len(reports) == 1:
        sheet = against.sheet(reports[0])
        show(reports[0], console)
    else:
        sheet = compare.sheet(reports)
        console.print(terminal(sheet))
        show_notes(sheet.notes, console)
    _write_sheet(sheet, arguments)
    for item in found:
        show_notes(item.warnings(), console)
        print(item.page)
    return OK


def _write_sheet(sheet: Sheet, arguments: argparse.Namespace) -> None:
    """Write a table in every format that was asked for."""
    for path, render in (
        (arguments.markdown, markdown),
        (arguments.html, render_sheet),
        (arguments.latex, latex),
    ):
        if path is not None:
            write_text(path, render(sheet))
            print(path)
