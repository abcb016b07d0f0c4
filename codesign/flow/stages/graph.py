# SPDX-License-Identifier: Apache-2.0
"""Stage 2_graph: convert the model, draw the clips to measure on, compare Keras with the golden model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from codesign.flow.convert import SETTINGS, convert, settings
from codesign.graph.balance import summary
from codesign.graph.file import save_graph
from codesign.paths import BuildFolder
from codesign.training import load_model
from codesign.verify.clips import input_codes, save_clips
from codesign.verify.compare import compare, must_agree
from codesign.verify.golden_run import activity_on, run_golden, save_golden
from codesign.verify.software import run_keras

if TYPE_CHECKING:
    from codesign.flow.stage import Job


LOOKED_AT = 4
"""Clips on which it is counted how many inputs of a layer change, to choose its PE and unroll."""


def run(job: Job) -> str:
    """Write the graph, the settings of hls4ml, the clips, and what the golden model makes of them."""
    model = job.remember("keras", lambda: load_model(job.upstream[BuildFolder.MODEL]))
    design, said = job.design, ""
    arguments = settings(design, model)
    graph = convert(model, arguments, job.folder).delta_graph
    clips = design.data.test_clips(design.design.seed, clips=design.clip.clips, frames=design.clip.frames)
    clips = input_codes(graph, clips)
    if design.hardware.target:
        shares = activity_on(graph, clips[:LOOKED_AT])
        arguments = settings(design, model, shares)
        graph = convert(model, arguments, job.folder).delta_graph
        said = f"; {summary(graph, shares)}"
    (job.folder / SETTINGS).write_text(json.dumps(arguments, indent=1) + "\n")
    save_graph(graph, job.folder)
    save_clips(clips, job.folder)
    codes = run_keras(model, graph, clips, job.track)
    golden = run_golden(graph, clips)
    must_agree(compare("keras_golden", golden.outputs, codes), job.folder)
    save_golden(golden, job.folder)
    macs = sum(node.macs for node in graph.linears)
    return f"{len(graph.linears)} linear layers, {macs:,} MACs per frame{said}"
