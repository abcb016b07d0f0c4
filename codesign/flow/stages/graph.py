# SPDX-License-Identifier: Apache-2.0
"""Stage 2_graph: convert the model, draw the clips to measure on, compare Keras with the golden model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from codesign.flow.convert import SETTINGS, convert, settings
from codesign.graph.file import save_graph
from codesign.paths import BuildFolder
from codesign.training import load_model
from codesign.verify.clips import save_clips
from codesign.verify.compare import compare, must_agree
from codesign.verify.golden_run import run_golden, save_golden
from codesign.verify.software import run_keras

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Write the graph, the settings of hls4ml, the clips, and what the golden model makes of them."""
    model = job.remember("keras", lambda: load_model(job.upstream[BuildFolder.MODEL]))
    arguments = settings(job.design, model)
    (job.folder / SETTINGS).write_text(json.dumps(arguments, indent=1) + "\n")
    graph = convert(model, arguments, job.folder).delta_graph
    save_graph(graph, job.folder)
    design = job.design
    clips = design.data.test_clips(design.design.seed, clips=design.clip.clips, frames=design.clip.frames)
    save_clips(clips, job.folder)
    codes = run_keras(model, graph, clips, job.track)
    golden = run_golden(graph, clips)
    must_agree(compare("keras_golden", golden.outputs, codes), job.folder)
    save_golden(golden, job.folder)
    macs = sum(node.macs for node in graph.linears)
    return f"{len(graph.linears)} linear layers, {macs:,} MACs per frame"
