# SPDX-License-Identifier: Apache-2.0
"""Stage 4_csim: every clip through the compiled HLS C++."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.flow.convert import compile_csim, finished_model
from codesign.graph.file import load_graph
from codesign.verify.clips import load_clips
from codesign.verify.compare import compare, must_agree
from codesign.verify.golden_run import load_golden
from codesign.verify.software import run_csim

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Compile the project of stage 3_hls and compare its outputs with the golden model."""
    graph = load_graph(job.upstream["2_graph"])
    clips = load_clips(job.upstream["2_graph"])
    model = finished_model(job, job.cache / "csim")
    compile_csim(model, job.upstream["3_hls"], job.cache / "csim")
    outputs = run_csim(model, graph, clips, job.track)
    comparison = compare("golden_csim", load_golden(graph, job.upstream["2_graph"]).outputs, outputs)
    must_agree(comparison, job.folder)
    return f"{comparison.values:,} output values, {comparison.mismatches} mismatches"
