# SPDX-License-Identifier: Apache-2.0
"""`codesign run`: the stages of a design, and its report."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from codesign.commands.report import render_again
from codesign.endings import OK
from codesign.flow.config import load
from codesign.flow.console import Terminal
from codesign.flow.runner import Options, Runner
from codesign.flow.steps import STAGES, stages_of
from codesign.flow.validate import check_run
from codesign.outputs import check_folder
from codesign.report.model import REPORT
from codesign.report.terminal import show, show_notes


def command(arguments: argparse.Namespace) -> int:
    """Run the stages of a design, and show its report."""
    design = load(arguments.design)
    root = arguments.build_dir / design.design.name
    check_folder(root, "--build-dir")
    check_run(design, arguments.design, deploys=arguments.last != STAGES[0].name)
    options = Options(
        first=arguments.first,
        last=arguments.last,
        force=arguments.force,
        dry_run=arguments.dry_run,
        verbose=arguments.verbose,
    )
    terminal = Terminal()
    line = f"codesign run {shlex.quote(str(arguments.design))}"
    stages = stages_of(design)
    Runner(design=design, stages=stages, root=root.resolve(), options=options, terminal=terminal, command=line).run()
    if not options.dry_run and options.last in (None, STAGES[-1].name):
        _show_run(root, terminal)
    return OK


def _show_run(root: Path, terminal: Terminal) -> None:
    """Print the report of a design that has just run, brought up to date with its builds for boards."""
    found = render_again(root)
    show(found.report, terminal.console)
    show_notes(found.warnings(), terminal.console)
    terminal.text(f"{found.page.with_name(REPORT)}\n{found.page}")
