# SPDX-License-Identifier: Apache-2.0
"""The design whose compiled core is recorded: one dense layer with weights from a formula, and its stages.

The weights are neither trained nor drawn, so that they are the same wherever the tests run: the core that was recorded
on one machine has to compute the bits of the model that is made on another.
"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_forms import FakeSimulator

from codesign.flow.config import Design, load
from codesign.flow.console import Terminal
from codesign.flow.convert import convert, read_settings
from codesign.flow.runner import Options, Runner
from codesign.flow.stage import Job, Stage
from codesign.flow.stages import rtlsim
from codesign.flow.steps import STAGES
from codesign.graph.file import load_graph
from codesign.paths import BuildFolder
from codesign.training import MODEL, RESULTS, load_model
from codesign.training.network import build_network, freeze
from codesign.verify.clips import load_clips
from codesign.verify.compare import compare, must_agree
from codesign.verify.golden_run import load_golden
from codesign.verify.software import HlsFigures, save_hls

NAME = "tiny"
SIZE, CLASSES = 10, 10
TOML = f"""
[design]
name = "{NAME}"

[data]
frames = 2
size = {SIZE}
digit = 8.0
travel = 1.0
train = 16
val = 0
test = 4

[model]
hidden = []
weight_bits = 4

[hardware]
p = 2
pe = 2

[clip]
clips = 3
frames = 12
dense_frames = 2

[synth]
targets = []

[hls]
timeout_s = 60.0
"""
TRIPS = 30
"""Cycles that csim is made to count."""


def model_stage(job: Job) -> None:
    """Write the network with its weights."""
    design: Design = job.design
    model = build_network(design.model, (SIZE, SIZE, 1), CLASSES, quantized=True, seed=1)
    kernel, bias = (weight for layer in model.layers if layer.name == "fc1" for weight in layer.weights)
    at = np.arange(SIZE * SIZE * CLASSES).reshape(kernel.shape)
    kernel.assign((at * 7 % 15 - 7) / 8)
    bias.assign((np.arange(CLASSES) - 4) / 16)
    freeze(model)
    model.save(job.folder / MODEL)
    figures = {"accuracy": {"float": 0.5}, "operation_sparsity": {"quantized": 0.5, "delta": 0.6}}
    (job.folder / RESULTS).write_text(json.dumps(figures))


def csim_stage(job: Job) -> None:
    """Write what csim would, without compiling anything."""
    graph, clips = load_graph(job.upstream[BuildFolder.GRAPH]), load_clips(job.upstream[BuildFolder.GRAPH])
    golden = load_golden(graph, job.upstream[BuildFolder.GRAPH]).outputs
    must_agree(compare("golden_csim", golden, golden), job.folder)
    trips = np.full(clips.shape[:2], TRIPS)
    save_hls(HlsFigures(layers={node.name: trips for node in graph.engines}), job.folder)


def rtlsim_stage(job: Job) -> None:
    """Write what the simulation of the RTL would."""
    FakeSimulator.calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rtlsim, "RtlSimulator", FakeSimulator)
        rtlsim.run(job)


QUICK = {
    BuildFolder.MODEL: "model_stage",
    BuildFolder.CSIM: "csim_stage",
    BuildFolder.RTLSIM: "rtlsim_stage",
}
"""Stages with a body here; the others are those of `codesign run`."""


def stages() -> tuple[Stage, ...]:
    """Return the stages of the design."""
    return tuple(
        replace(stage, body=f"{__name__}:{QUICK[stage.name]}") if stage.name in QUICK else stage for stage in STAGES
    )


def run(folder: Path, text: str = TOML, **options: Any) -> str:
    """Bring the build of the design in ``folder/tiny`` up to date; return the lines that were printed.

    Raises:
        CodesignError: a stage failed; its argument ``lines`` are those that were printed.
    """
    (folder / f"{NAME}.toml").write_text(text)
    out = io.StringIO()
    runner = Runner(
        design=load(folder / f"{NAME}.toml"),
        stages=stages(),
        root=folder / NAME,
        options=Options(**options),
        terminal=Terminal(out),
    )
    runner.run()
    return out.getvalue()


def converted(build: Path, output_dir: Path) -> Any:
    """Return the design's hls4ml model."""
    return convert(load_model(build / BuildFolder.MODEL), read_settings(build / BuildFolder.GRAPH), output_dir)
