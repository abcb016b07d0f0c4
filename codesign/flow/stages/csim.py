# SPDX-License-Identifier: Apache-2.0
"""Stage 4_csim: every clip through the compiled HLS C++."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from codesign.flow.convert import compile_csim, finished_model
from codesign.graph.file import load_graph
from codesign.hls4ml_plugin import library
from codesign.paths import BuildFolder
from codesign.verify.clips import load_clips
from codesign.verify.compare import compare, must_agree
from codesign.verify.golden_run import load_golden
from codesign.verify.software import run_csim, save_hls

if TYPE_CHECKING:
    from codesign.flow.stage import Job

MOST_COPIES = 4
"""Copies of the project that run clips at the same time at most."""


def run(job: Job) -> str:
    """Compile the project of stage 3_hls and compare its outputs with the golden model; write cycles per frame."""
    graph = load_graph(job.upstream[BuildFolder.GRAPH])
    clips = load_clips(job.upstream[BuildFolder.GRAPH])
    model = finished_model(job, job.cache / "csim")
    compile_csim(model, job.upstream[BuildFolder.HLS], job.cache / "csim")
    beside = library.copies(model, min(os.cpu_count() or 1, MOST_COPIES, len(clips)) - 1)
    outputs, figures = run_csim(model, graph, clips, job.track, beside)
    comparison = compare("golden_csim", load_golden(graph, job.upstream[BuildFolder.GRAPH]).outputs, outputs)
    must_agree(comparison, job.folder)
    save_hls(figures, job.folder)
    return f"{comparison.values:,} output values, {comparison.mismatches} mismatches"
