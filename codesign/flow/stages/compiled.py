# SPDX-License-Identifier: Apache-2.0
"""Stage 5_hls: the HLS C++ through an HLS compiler, and every clip through the Verilog that it made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from codesign.errors import ToolNotFoundError
from codesign.flow.convert import finished_model
from codesign.graph.file import load_graph
from codesign.hls.compilers import compile_source, find
from codesign.hls.simulate import simulator
from codesign.hls4ml_plugin.writer.streaming import stream_source
from codesign.paths import BuildFolder
from codesign.verify.clips import load_clips
from codesign.verify.compare import compare, must_agree
from codesign.verify.compiled import Compiled, save_compiled
from codesign.verify.golden_run import load_golden
from codesign.verify.hardware import run_rtl

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Compile the network and compare its outputs with the golden model; write cycles per frame."""
    settings = job.design.hls
    if settings.tool == "none":
        raise ToolNotFoundError(
            "an HLS compiler", how="leave out [hls] tool", briefly='left out by [hls] tool = "none"'
        )
    compiler = find(settings.tool)
    graph = load_graph(job.upstream[BuildFolder.GRAPH])
    clips = load_clips(job.upstream[BuildFolder.GRAPH])
    source = stream_source(finished_model(job, job.cache / "csim"), compiler.most_bits)
    core = compile_source(
        source, job.folder / "core", compiler=compiler, clock_mhz=settings.clock_mhz, timeout_s=settings.timeout_s
    )
    outputs, figures = run_rtl(partial(simulator, core, source, job.cache), clips, dense_frames=0, track=job.track)
    golden = load_golden(graph, job.upstream[BuildFolder.GRAPH])
    fix = (
        f'other PE, or another compiler than {core.compiler} (docs/hls.md); `[hls] tool = "none"` leaves the stage out'
    )
    must_agree(compare("golden_hls", golden.outputs, outputs), job.folder, fix=fix)
    found = Compiled(cycles=figures.cycles, compiler=core.compiler, clock_mhz=settings.clock_mhz)
    save_compiled(found, job.folder)
    return f"{core.compiler}, {found.cycles.size:,} frames, {np.mean(found.cycles[:, 1:]):,.0f} cycles each"
