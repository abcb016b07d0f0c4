# SPDX-License-Identifier: Apache-2.0
"""A small convolutional design through the stages: settings, graph, projects, figures, page, and a video of one's own.

The simulators are faked where they would be slow; the heavy test runs everything as `codesign run` does.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_forms import FakeProject, FakeSimulator
from finished import finish
from flow.test_measure import write_video

from codesign import __version__
from codesign.cli import main
from codesign.commands.measure import NEEDS
from codesign.core import Interpreter, compile_graph, pack_input, unpack_output
from codesign.data import DataConfig
from codesign.errors import ConfigError
from codesign.flow import convert
from codesign.flow.config import ClipSection, Design, DesignSection, HardwareSection, LayerSection, load
from codesign.flow.stage import Job, no_bar
from codesign.flow.stages import graph as graph_stage
from codesign.flow.stages import hls, report, rtl, rtlsim
from codesign.graph.file import load_graph
from codesign.graph.ir import Axis, Conv
from codesign.report.model import Report, read_json
from codesign.training import MODEL, RESULTS, BlockConfig, ModelConfig
from codesign.training.network import build_network, freeze
from codesign.verify import forms
from codesign.verify.clips import load_clips
from codesign.verify.compare import compare, must_agree, read_comparison
from codesign.verify.golden_run import load_golden
from codesign.verify.software import HlsFigures, save_hls

TOML = """
[design]
name = "tiny"

[data]
frames = 2
size = 12
digit = 10.0
travel = 0.5
train = 16
val = 0
test = 4

[model]
blocks = [
  {kind = "conv", filters = 4, stride = 2},
  {kind = "separable", filters = 6, kernel = 2, stride = 2},
]
hidden = []
activation_bits = 4

[training]
float_epochs = 1
quantized_epochs = 1
delta_epochs = 1

[hardware]
pe = 2

[hardware.layer.conv1]
pe = 4
unroll = [2, 1]

[clip]
clips = 2
frames = 5
dense_frames = 3

[synth]
targets = []
"""
LINEARS = ["conv1", "dw2", "pw2", "fc1"]
KINDS = ["conv", "depthwise", "conv", "dense"]


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Design:
    path = tmp_path_factory.mktemp("design") / "tiny.toml"
    path.write_text(TOML)
    return load(path)


@pytest.fixture(scope="module")
def build(design: Design, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the design after its stages, with an untrained model and a faked csim and RTL simulation."""
    root = tmp_path_factory.mktemp("build") / "tiny"
    shape = (design.data.size, design.data.size, 1)
    model = build_network(design.model, shape, 10, quantized=True, seed=1)
    freeze(model)
    (root / "1_model").mkdir(parents=True)
    model.save(root / "1_model" / MODEL)
    figures = {"accuracy": {"float": 0.5}, "operation_sparsity": {"quantized": 0.5, "delta": 0.6}}
    (root / "1_model" / RESULTS).write_text(json.dumps(figures))

    def run(body: Any, stage: str, *upstream: str) -> None:
        (root / stage).mkdir(exist_ok=True)
        folders = {name: root / name for name in upstream}
        body.run(Job(design=design, folder=root / stage, upstream=folders, cache=root / "cache", bar=no_bar))

    run(graph_stage, "2_graph", "1_model")
    run(hls, "3_hls", "1_model", "2_graph")
    run(rtl, "3_rtl", "2_graph")
    (root / "4_csim").mkdir()
    same = np.zeros((2, 5, 10), np.int64)
    must_agree(compare("golden_csim", same, same), root / "4_csim")
    trips = np.tile(np.arange(30, 35), (2, 1))
    save_hls(HlsFigures(layers=dict.fromkeys(LINEARS, trips)), root / "4_csim")
    FakeSimulator.calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rtlsim, "RtlSimulator", FakeSimulator)
        run(rtlsim, "4_rtlsim", "2_graph", "3_rtl")
    (root / "5_hls").mkdir()
    (root / "5_synth").mkdir()
    run(report, "6_report", "1_model", "2_graph", "4_csim", "4_rtlsim", "5_hls", "5_synth")
    for stage in NEEDS:
        finish(root / stage)
    return root


def test_graph_has_the_layers_of_the_blocks(build: Path) -> None:
    graph = load_graph(build / "2_graph")
    assert [node.name for node in graph.linears] == LINEARS
    conv, depthwise, pointwise, dense = graph.linears
    assert isinstance(conv, Conv)
    assert isinstance(depthwise, Conv)
    assert isinstance(pointwise, Conv)
    assert conv.y == conv.x == Axis.same(12, 3, 2)
    assert (conv.pe, depthwise.pe, pointwise.pe, dense.pe) == (4, 2, 2, 2)
    assert conv.unroll == (2, 1)
    assert (depthwise.depthwise, pointwise.depthwise) == (True, False)
    assert pointwise.shape == (3, 3, 6)
    assert {delta.fmt.width for delta in graph.deltas} == {4}


def test_keras_and_golden_model_agree(build: Path) -> None:
    found = read_comparison(build / "2_graph", "keras_golden")
    assert (found.frames, found.values, found.mismatches) == (10, 100, 0)


def test_core_computes_what_the_golden_model_does(build: Path) -> None:
    graph = load_graph(build / "2_graph")
    golden = load_golden(graph, build / "2_graph")
    compiled = compile_graph(graph)
    for clip, outputs in zip(load_clips(build / "2_graph"), golden.outputs, strict=True):
        run = Interpreter(compiled.program).run(pack_input(compiled, clip))
        assert np.array_equal(unpack_output(compiled, run.packets), outputs)


def test_projects_are_written(build: Path) -> None:
    assert (build / "3_rtl" / "tiny_top.sv").is_file()
    assert (build / "3_rtl" / "delta_conv.sv").is_file()
    assert (build / "3_hls" / "firmware" / "tiny.cpp").is_file()


def test_report_shows_every_layer(build: Path, design: Design) -> None:
    found = read_json(Report, build / "6_report" / "report.json")
    assert [layer.name for layer in found.layers] == LINEARS
    assert [layer.kind for layer in found.layers] == KINDS
    graph = load_graph(build / "2_graph")
    assert [layer.macs_per_frame for layer in found.layers] == [node.macs for node in graph.linears]
    page = (build / "6_report" / "report.html").read_text()
    for name, kind in zip(LINEARS, KINDS, strict=True):
        assert re.search(
            rf'<th role="rowheader" scope="row">{name}<td.*<td role="cell" data-head="kind">{kind}</tr>', page
        )
    assert found.hls is not None
    assert (found.hls.cycles_per_frame.mean, found.hls.origin) == (32.5, "estimated")
    assert [layer.hls_cycles_per_frame for layer in found.layers] == [32.5] * 4
    assert "Cycles per frame of the HLS" in page
    assert (found.made.seed, found.made.version, found.made.command) == (design.design.seed, __version__, None)
    assert [unit.name for unit in found.network] == [node.name for node in graph.nodes]
    assert found.accuracy.clips is None  # a training of an earlier version, which did not count them
    assert (build / "6_report" / "figures" / "network.svg").is_file()
    assert page.count(">dw2<") >= 3  # in both charts and in the table


def test_video_through_the_design(build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "v.mkv", 6, level=40)
    monkeypatch.setattr(forms, "RtlSimulator", FakeSimulator)
    monkeypatch.setattr(convert, "compile_csim", lambda *_: None)
    fake = FakeProject(load_graph(build / "2_graph"))
    monkeypatch.setattr(convert, "convert", lambda *_: fake)
    out = tmp_path / "out.json"
    assert main(["measure", str(build), "--video", str(tmp_path / "v.mkv"), "--json", str(out)]) == 0
    found = read_json(Report, out)
    assert (found.agreement.frames, found.agreement.values, found.agreement.mismatches.total()) == (6, 60, 0)
    assert [layer.name for layer in found.layers] == LINEARS


def test_layer_that_the_model_has_not() -> None:
    message = r"hardware\.layer\.conv2: no layer that has an engine is called 'conv2'.*did you mean 'conv1'"
    with pytest.raises(ConfigError, match=message):
        Design(
            design=DesignSection(name="x"),
            data=DataConfig(size=12, digit=10.0, travel=0.5),
            model=ModelConfig(blocks=(BlockConfig(kind="conv", filters=4),), hidden=()),
            hardware=HardwareSection(layer={"conv2": LayerSection(pe=2)}),
            clip=ClipSection(clips=1, frames=2),
        )


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_whole_run(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TOML)
    assert main(["run", str(tmp_path / "tiny.toml"), "--build-dir", str(tmp_path / "build")]) == 0
    found = read_json(Report, tmp_path / "build" / "tiny" / "6_report" / "report.json")
    assert (found.agreement.values, found.agreement.mismatches.total()) == (100, 0)
    write_video(tmp_path / "v.mkv", 6, level=40)
    assert main(["measure", str(tmp_path / "build" / "tiny"), "--video", str(tmp_path / "v.mkv")]) == 0
