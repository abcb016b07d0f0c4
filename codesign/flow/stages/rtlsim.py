# SPDX-License-Identifier: Apache-2.0
"""Stage 4_rtlsim: every clip through the Verilated RTL, and some frames with skipping off."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from codesign.graph.file import load_graph
from codesign.paths import BuildFolder
from codesign.sim.simulator import VERILATOR, RtlSimulator
from codesign.stored import read_text
from codesign.verify.clips import load_clips
from codesign.verify.compare import compare, must_agree
from codesign.verify.golden_run import load_golden
from codesign.verify.hardware import run_rtl, save_rtl

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Compare outputs with the golden model; write cycles per frame and engine."""
    graph = load_graph(job.upstream[BuildFolder.GRAPH])
    clips = load_clips(job.upstream[BuildFolder.GRAPH])
    simulate = partial(RtlSimulator, graph, job.cache / VERILATOR, files=project(job))
    outputs, figures = run_rtl(simulate, clips, dense_frames=job.design.clip.dense_frames, track=job.track)
    golden = load_golden(graph, job.upstream[BuildFolder.GRAPH])
    must_agree(compare("golden_rtl", golden.outputs, outputs), job.folder)
    save_rtl(figures, job.folder)
    speedup = figures.dense_cycles.mean() / np.mean(figures.cycles[:, 1:])
    return f"{clips.shape[0] * clips.shape[1]:,} frames, {speedup:.1f} x faster than dense"


def project(job: Job) -> dict[str, str]:
    """Return the files of stage 3_rtl by name: what is simulated is what is synthesised."""
    folder = job.upstream[BuildFolder.RTL]
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".sv", ".mem", ".f"))
    return {path.relative_to(folder).as_posix(): read_text(path) for path in paths}
