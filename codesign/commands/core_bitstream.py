# SPDX-License-Identifier: Apache-2.0
"""`codesign build --core`: the bitstream of a core for a board, kept in ``build/core_<target>`` until it changes."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from codesign.commands.build import ATTEMPTS, check_replaceable, finish, inputs_of, kept_build, run_build, summary
from codesign.endings import FAILED, OK
from codesign.errors import ConfigError
from codesign.flow.console import Terminal
from codesign.flow.lock import locked
from codesign.host.identity import CORE
from codesign.paths import BuildFolder
from codesign.records import plain
from codesign.synth.core_build import CoreBuilder, CoreOrder
from codesign.synth.record import BoardBuild
from codesign.synth.target import load_target

_CODE = "codesign.synth.core_build"
BUILDS = Path("build")


def build_core_on_board(order: CoreOrder, folder: Path, terminal: Terminal, *, force: bool = False) -> BoardBuild:
    """Bring the folder of a board's core up to date, and return what came out.

    Raises:
        StageError: the build was edited, or another one is under way.
        CodesignError: a tool is missing or failed.
    """
    inputs = inputs_of(order, {}, _CODE)
    inputs.config["core"] = plain(order.config)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent):
        kept = None if force else kept_build(folder, inputs)
        if kept is not None:
            terminal.text(f"{folder.name}: cached")
            return kept
        check_replaceable(order, folder)
        partial = folder.with_name(f"{folder.name}{BuildFolder.PARTIAL}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        record = run_build(order, partial, terminal, CoreBuilder)
        finish(order, inputs, record, partial, folder)
    return record


def command(arguments: argparse.Namespace) -> int:
    """Build a core for a board."""
    terminal = Terminal()
    for option, given in (("FOLDER", arguments.folder), ("--hls", arguments.hls), ("--targets", arguments.targets)):
        if given:
            raise ConfigError(
                "a core is built without a design",
                where=option,
                expected="codesign build --core --target BOARD",
                fix="leave it out; codesign load brings a network to the core",
            )
    if arguments.target is None:
        raise ConfigError("for which board is missing", expected="codesign build --core --target BOARD (or --targets)")
    board = load_target(arguments.target)
    order = CoreOrder(
        board=board,
        clock_mhz=board.clock.of_delta_core if arguments.clock is None else arguments.clock,
        seed=1 if arguments.seed is None else arguments.seed,
        attempts=ATTEMPTS if arguments.seed is None else 1,
        skip=not arguments.dense,
        baud=arguments.baud,
    )
    folder = BUILDS / f"{CORE}{BuildFolder.board(board.name, skip=order.skip)}"
    record = build_core_on_board(order, folder, terminal, force=arguments.force)
    config = order.config
    depths = (
        f"{config.sum_words:,} words of sums, {config.code_rows:,} rows of codes, {config.weight_lines:,} of weights"
    )
    terminal.text(f"core of {config.lanes} lanes, {config.geometry_text}: {depths}")
    for line in summary(record, board, folder):
        terminal.text(line)
    return OK if record.problem is None else FAILED
