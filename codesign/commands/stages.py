# SPDX-License-Identifier: Apache-2.0
"""`codesign stages`: the stages of a design and their state."""

from __future__ import annotations

import argparse

from codesign.endings import OK
from codesign.flow.config import load
from codesign.flow.console import Terminal
from codesign.flow.runner import Options, Runner
from codesign.flow.steps import stages_of


def command(arguments: argparse.Namespace) -> int:
    """List the stages of a design, and what would be done."""
    design = load(arguments.design)
    root = (arguments.build_dir / design.design.name).resolve()
    Runner(design=design, stages=stages_of(design), root=root, options=Options(dry_run=True), terminal=Terminal()).run()
    return OK
