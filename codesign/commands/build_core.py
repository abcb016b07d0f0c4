# SPDX-License-Identifier: Apache-2.0
"""A design's network as a stream of beats, through an HLS compiler and Yosys, for a board: Verilog and cells."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from codesign.errors import CodesignError, ToolNotFoundError
from codesign.flow import manifest as manifests
from codesign.flow.console import Terminal
from codesign.hls.compilers import Compiler, compile_source
from codesign.hls.memory import check_memory
from codesign.paths import BuildFolder
from codesign.synth.target import Target
from codesign.synth.yosys import synthesise

CORE, VERILOG = "core", "verilog"
"""Folders of a build: what the compiler read and its log; what it made, in its shell, and Yosys' files."""


def build_core(
    design: Path, board: Target, compiler: Compiler, terminal: Terminal, *, clock_mhz: float, folder: Path
) -> dict[str, Any]:
    """Compile a design's network for a board's clock, and map what came out to the cells of the board's family.

    design: ``build/<design>``, in which ``1_model`` and ``2_graph`` are finished. folder: receives `CORE`, `VERILOG`.

    Returns:
        The fields of `codesign.synth.Resources`, ``compiler`` and ``clock_mhz``, the clock that it was compiled for.

    Raises:
        StageError: a stage is not finished or was edited.
        SynthesisError: the network does not fit the board's memory, the compiler or Yosys failed.
        ToolNotFoundError: Yosys is missing.
    """
    for stage in (BuildFolder.MODEL, BuildFolder.GRAPH):
        manifests.check_unedited(design / stage)
    steps = (compiler.name, "synthesise")

    @contextlib.contextmanager
    def doing(step: str) -> Iterator[list[str]]:
        at, start, words = steps.index(step) + 1, time.monotonic(), list[str]()
        with terminal.bar(f"[{at}/{len(steps)}] {step}"):
            try:
                yield words
            except ToolNotFoundError:
                raise
            except CodesignError:
                terminal.stage(at, len(steps), step, "failed", f"log: {folder}")
                raise
        terminal.stage(at, len(steps), step, "ok", f"{time.monotonic() - start:.1f} s ({words[0]})")

    with doing(compiler.name) as words:
        source = _source(design, folder / CORE, compiler.most_bits)
        check_memory(source.graph, capacity=board.capacity.memory.bits, of=board.title)
        core = compile_source(source, folder / CORE, compiler=compiler, clock_mhz=clock_mhz)
        words.append(f"{core.compiler}, for {clock_mhz:g} MHz")
    with doing("synthesise") as words:
        made = synthesise(core.project(source), source.spec.module, target=board.family, folder=folder / VERILOG)
        words.append(f"{made.lut:,} LUT, {made.ff:,} FF, {made.dsp} DSP, {made.bram_bits:,} bits of block RAM")
    return asdict(replace(made, target=board.name)) | {"compiler": core.compiler, "clock_mhz": clock_mhz}


def _source(design: Path, folder: Path, most_bits: int | None) -> Any:
    """Return the design's network as an HLS compiler takes it that has tokens of so many bits at most."""
    from codesign.flow.convert import convert, read_settings
    from codesign.hls4ml_plugin.writer.streaming import stream_source
    from codesign.training import load_model

    model = load_model(design / BuildFolder.MODEL)
    return stream_source(convert(model, read_settings(design / BuildFolder.GRAPH), folder), most_bits)
