# SPDX-License-Identifier: Apache-2.0
"""Stage 2_graph: convert the model, draw the clips to measure on, hold Keras against the golden model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from codesign.data.clips import PIXEL
from codesign.flow.agree import compare, must_agree
from codesign.flow.convert import SETTINGS, convert, settings
from codesign.flow.stimulus import save_clips
from codesign.graph.file import save_graph
from codesign.layers import stream
from codesign.report.figures import run_golden
from codesign.training import load_model

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Write the graph, the settings of hls4ml and the clips."""
    model = job.remember("keras", lambda: load_model(job.upstream["1_model"]))
    arguments = settings(job.design, model)
    (job.folder / SETTINGS).write_text(json.dumps(arguments, indent=1) + "\n")
    graph = convert(model, arguments, job.folder).delta_graph
    save_graph(graph, job.folder)
    design = job.design
    clips = design.data.test_clips(design.design.seed, clips=design.clip.clips, frames=design.clip.frames)
    save_clips(clips, job.folder)
    keras = [stream(model, PIXEL.to_values(clip)).outputs for clip in job.track(clips, len(clips), "clip")]
    codes = graph.output.fmt.to_codes(np.stack(keras))
    must_agree(compare("keras_golden", run_golden(graph, clips).outputs, codes), job.folder)
    macs = sum(node.macs for node in graph.linears)
    return f"{len(graph.linears)} linear layers, {macs:,} MACs a frame"
