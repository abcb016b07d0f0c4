# SPDX-License-Identifier: Apache-2.0
"""`codesign build --hls`: a design's HLS project through Vitis HLS, in ``build/<design>/boards/<target>_hls``."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from codesign.errors import ConfigError, ToolNotFoundError
from codesign.flow import manifest as manifests
from codesign.flow.console import Terminal
from codesign.flow.lock import locked
from codesign.paths import BuildFolder
from codesign.synth.target import Target, check_clock
from codesign.synth.vendor import vitis
from codesign.trust import check_no_links

PROJECT, FIGURES, STEP = BuildFolder.HLS, "hls.json", "vitis hls"


def build_hls(design: Path, board: Target, terminal: Terminal, *, clock_mhz: float | None = None) -> Path | None:
    """Synthesise a copy of the design's HLS project for ``board``, and export it as an IP for Vivado's catalogue.

    design: ``build/<design>``, in which ``3_hls`` is finished.

    Returns:
        ``hls.json`` (`codesign.synth.vendor.vitis.figures`); None where Vitis HLS is not installed: what it found out
        earlier stays as it is, or else the project, with its part and clock set.

    Raises:
        ConfigError: a board that Vivado does not know, or no such clock.
        StageError: the HLS project is not finished or was edited.
        TrustError: it was written by another user: Vitis HLS would run its scripts.
        SynthesisError: Vitis HLS failed.
    """
    if not board.part.vivado:
        raise ConfigError(
            "Vitis HLS does not know this device",
            where=board.name,
            expected="a board with part.vivado",
            fix="build without --hls",
        )
    clock_mhz = board.clock.core_mhz if clock_mhz is None else clock_mhz
    check_clock(clock_mhz)
    check_no_links(design)
    manifests.check_unedited(design / PROJECT)
    manifests.check_own(design / PROJECT)
    folder = design / BuildFolder.BOARDS / f"{board.name}{BuildFolder.HLS_BUILD}"
    with locked(design / BuildFolder.BOARDS):
        missing = vitis.missing()
        if missing is not None and (folder / FIGURES).is_file():
            terminal.stage(1, 1, STEP, "skipped", f"{missing} not on PATH; what it found before stays in {folder}")
            return None
        partial = folder.with_name(f"{folder.name}{BuildFolder.PARTIAL}")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(design / PROJECT, partial, ignore=shutil.ignore_patterns(manifests.NAME))
        start = time.monotonic()
        try:
            with terminal.bar(f"[1/1] {STEP}"):
                report = vitis.build(partial, part=board.part.vivado, clock_mhz=clock_mhz)
        except ToolNotFoundError as error:
            _replace(folder, partial)
            terminal.stage(1, 1, STEP, "skipped", f"{error.program} not on PATH; the project is in {folder}")
            return None
        found = vitis.figures(report, vitis.layer_names(partial), target=board.name)
        (partial / FIGURES).write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        _replace(folder, partial)
    terminal.stage(1, 1, STEP, "ok", f"{time.monotonic() - start:.1f} s ({_in_words(found)})")
    return folder / FIGURES


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
