# SPDX-License-Identifier: Apache-2.0
"""Stage 4_rtlsim of a design for a core: every clip through the Verilated core, and some frames with skipping off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from codesign.flow.stages.rtlsim import project
from codesign.graph.file import load_graph
from codesign.paths import BuildFolder
from codesign.verify.clips import load_clips
from codesign.verify.compare import compare, must_agree
from codesign.verify.core import run_core, save_core
from codesign.verify.golden_run import load_golden
from codesign.verify.hardware import save_rtl

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Load the image of stage 3_rtl into its core; compare outputs with the golden model; write cycles."""
    graph = load_graph(job.upstream[BuildFolder.GRAPH])
    clips = load_clips(job.upstream[BuildFolder.GRAPH])
    outputs, figures, core = run_core(
        graph,
        clips,
        folder=job.upstream[BuildFolder.RTL],
        files=project(job),
        cache=job.cache,
        memory=job.design.core.timing,
        dense_frames=job.design.clip.dense_frames,
        track=job.track,
    )
    golden = load_golden(graph, job.upstream[BuildFolder.GRAPH])
    must_agree(compare("golden_rtl", golden.outputs, outputs), job.folder)
    save_rtl(figures, job.folder)
    save_core(core, job.folder)
    speedup = figures.dense_cycles.mean() / np.mean(figures.cycles[:, 1:])
    frames = f"{clips.shape[0] * clips.shape[1]:,} frames, {speedup:.1f} x faster than dense"
    moved = "" if core.moved is None else f", {np.mean(core.moved[:, 1:]):,.0f} bytes a frame to and from the memory"
    return frames + moved
