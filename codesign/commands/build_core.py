# SPDX-License-Identifier: Apache-2.0
"""A design's network as a stream of beats, through an HLS compiler, Verilator and Yosys, for a board."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from codesign.errors import CodesignError, ToolNotFoundError
from codesign.flow import manifest as manifests
from codesign.flow.console import Terminal
from codesign.hls.compilers import Compiler, compile_source
from codesign.hls.core import Core, Source
from codesign.hls.memory import check_memory
from codesign.hls.simulate import simulator
from codesign.paths import BuildFolder
from codesign.synth.target import Target
from codesign.synth.yosys import synthesise
from codesign.verify.clips import load_clips
from codesign.verify.compare import Comparison, compare, must_agree
from codesign.verify.golden_run import load_golden
from codesign.verify.hardware import run_rtl

CORE, VERILOG = "core", "verilog"
"""Folders of a build: what the compiler read and its log; what it made, in its shell, and Yosys' files."""


def build_core(
    design: Path, board: Target, compiler: Compiler, terminal: Terminal, *, clock_mhz: float, folder: Path
) -> dict[str, Any]:
    """Compile a design's network for a board's clock, compare what came out with the golden model, and map it to cells.

    design: ``build/<design>``, in which ``1_model`` and ``2_graph`` are finished. folder: receives `CORE`, `VERILOG`.

    Returns:
        The fields of `codesign.synth.Resources`, ``compiler``, ``clock_mhz``, the clock that it was compiled for, and
        ``frames_compared``: those of the design's first clip.

    Raises:
        StageError: a stage is not finished or was edited, or an output differs from the golden model's.
        SynthesisError: the network does not fit the board's memory, the compiler or Yosys failed.
        SimulationError: the core sends no frames.
        ToolNotFoundError: Verilator or Yosys is missing.
    """
    for stage in (BuildFolder.MODEL, BuildFolder.GRAPH):
        manifests.check_unedited(design / stage)
    steps = (compiler.name, "simulate", "synthesise")

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
    with doing("simulate") as words:
        found = _compared(design, source, core, folder)
        words.append(f"{found.frames} frames, {found.mismatches} of {found.values:,} values differ")
    with doing("synthesise") as words:
        made = synthesise(core.project(source), source.spec.module, target=board.family, folder=folder / VERILOG)
        words.append(f"{made.lut:,} LUT, {made.ff:,} FF, {made.dsp} DSP, {made.bram_bits:,} bits of block RAM")
    return asdict(replace(made, target=board.name)) | {
        "compiler": core.compiler,
        "clock_mhz": clock_mhz,
        "frames_compared": found.frames,
    }


def _compared(design: Path, source: Source, core: Core, folder: Path) -> Comparison:
    """Compare the outputs of a core on the design's first clip with the golden model's; writes ``golden_hls.json``.

    Raises:
        StageError: one differs.
    """
    graph = design / BuildFolder.GRAPH
    simulate = partial(simulator, core, source, design / BuildFolder.CACHE)
    outputs, _ = run_rtl(simulate, load_clips(graph)[:1], dense_frames=0)
    comparison = compare("golden_hls", load_golden(source.graph, graph).outputs[:1], outputs)
    must_agree(
        comparison, folder, fix=f"other PE or another clock, or another compiler than {core.compiler} (docs/hls.md)"
    )
    return comparison


def _source(design: Path, folder: Path, most_bits: int | None) -> Source:
    """Return the design's network as an HLS compiler takes it that has tokens of so many bits at most."""
    from codesign.flow.convert import convert, read_settings
    from codesign.hls4ml_plugin.writer.streaming import stream_source
    from codesign.training import load_model

    model = load_model(design / BuildFolder.MODEL)
    return stream_source(convert(model, read_settings(design / BuildFolder.GRAPH), folder), most_bits)
