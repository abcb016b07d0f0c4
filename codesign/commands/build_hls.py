# SPDX-License-Identifier: Apache-2.0
"""`codesign build --hls`: a design through an HLS compiler, in ``build/<design>/boards/<target>_hls``."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from codesign.commands.build_core import build_core
from codesign.errors import ConfigError, ToolNotFoundError
from codesign.flow import manifest as manifests
from codesign.flow.console import Terminal
from codesign.flow.lock import locked
from codesign.hls.compilers import COMPILERS, Compiler, find
from codesign.paths import BuildFolder
from codesign.synth.target import Target, check_clock
from codesign.synth.vendor import vitis
from codesign.trust import check_no_links

PROJECT, FIGURES = BuildFolder.HLS, "hls.json"
VITIS = "vitis"
STEP, ANY = "vitis hls", "hls"
"""What the step is called with Vitis HLS, and where there is no compiler."""


def build_hls(
    design: Path, board: Target, terminal: Terminal, *, clock_mhz: float | None = None, tool: str | None = None
) -> Path | None:
    """Put a design's network through an HLS compiler for ``board``.

    With Vitis HLS, a copy of the HLS project, exported as an IP for Vivado's catalogue. With another compiler, the
    network as a stream of beats, and Yosys on what the compiler made of it.

    design: ``build/<design>``, in which ``3_hls`` is finished. tool: see `codesign.hls.compilers.find`; None: the first
    on PATH that knows the device.

    Returns:
        ``hls.json``: `codesign.synth.vendor.vitis.figures`, or those of `codesign.commands.build_core`; None where
        there is no compiler: what one found out earlier stays as it is, or else the project, for Vitis HLS.

    Raises:
        ConfigError: no such tool or clock, or a board that Vitis HLS does not know.
        StageError: a stage is not finished or was edited.
        TrustError: the HLS project was written by another user: Vitis HLS would run its scripts.
        SynthesisError: the compiler or Yosys failed; or the network does not fit.
        ToolNotFoundError: Yosys is missing.
    """
    compiler, missing = None, ""
    try:
        compiler = _compiler(board, tool)
    except ToolNotFoundError as error:
        missing = error.briefly
    clock_mhz = board.clock.core_mhz if clock_mhz is None else clock_mhz
    check_clock(clock_mhz)
    check_no_links(design)
    by_vitis = VITIS in (tool, compiler and compiler.name) or (compiler is None and tool is None)
    if by_vitis and board.part.vivado:
        manifests.check_unedited(design / PROJECT)
        manifests.check_own(design / PROJECT)
    folder = design / BuildFolder.BOARDS / f"{board.name}{BuildFolder.HLS_BUILD}"
    partial = folder.with_name(f"{folder.name}{BuildFolder.PARTIAL}")
    with locked(design / BuildFolder.BOARDS):
        before = (folder / FIGURES).is_file()
        if missing and (before or not (by_vitis and board.part.vivado)):
            kept = f"; what was found before stays in {folder}" if before else ""
            terminal.stage(1, 1, tool or ANY, "skipped", f"{missing}{kept}")
            return None
        shutil.rmtree(partial, ignore_errors=True)
        if compiler is None or by_vitis:
            found = _vitis(design / PROJECT, board, terminal, clock_mhz=clock_mhz, folder=partial)
        else:
            partial.mkdir(parents=True)
            found = build_core(design, board, compiler, terminal, clock_mhz=clock_mhz, folder=partial)
        if found is None:
            _replace(folder, partial)
            terminal.stage(1, 1, tool or ANY, "skipped", f"{missing}; the project for Vitis HLS is in {folder}")
            return None
        (partial / FIGURES).write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        _replace(folder, partial)
    return folder / FIGURES


def _compiler(board: Target, tool: str | None) -> Compiler:
    """Return the compiler for a board.

    Raises:
        ConfigError: there is none of that name, or it does not know the device.
        ToolNotFoundError: it is not on PATH, or none is.
    """
    first = find(tool)
    if first.name != VITIS or board.part.vivado:
        return first
    others = [compiler for compiler in COMPILERS if compiler.name != VITIS and compiler.here]
    if tool is None and others:
        return others[0]
    raise ConfigError(
        "Vitis HLS does not know this device",
        where=board.name,
        expected="a board with part.vivado; PandA-Bambu takes any",
        fix="build with --hls-tool bambu, or without --hls",
    )


def _vitis(
    project: Path, board: Target, terminal: Terminal, *, clock_mhz: float, folder: Path
) -> dict[str, Any] | None:
    """Run Vitis HLS on a copy of the HLS project; return its figures, None where it is not on PATH."""
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(manifests.NAME))
    start = time.monotonic()
    try:
        with terminal.bar(f"[1/1] {STEP}"):
            report = vitis.build(folder, part=board.part.vivado, clock_mhz=clock_mhz)
    except ToolNotFoundError:
        return None
    found = vitis.figures(report, vitis.layer_names(folder), target=board.name)
    terminal.stage(1, 1, STEP, "ok", f"{time.monotonic() - start:.1f} s ({_in_words(found)})")
    return found


def _replace(folder: Path, partial: Path) -> None:
    """Put a finished folder in the place of an older one."""
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _in_words(found: dict[str, Any]) -> str:
    """Return the figures of the top; what Vitis HLS does not know is a question mark."""
    cycles = " to ".join(_number(count) for count in found["top"]["latency"])
    clock = "?" if found["fmax_mhz"] is None else f"{found['fmax_mhz']:.0f}"
    return f"estimate: {_number(found['lut'])} LUT, {_number(found['dsp'])} DSP, {cycles} cycles, {clock} MHz"


def _number(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
