# SPDX-License-Identifier: Apache-2.0
"""A design for a core through its own stages, and what its report, `codesign core` and a comparison show."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished import finish
from random_graphs import random_conv_graph, random_walk
from report.synthetic import made_build, synthetic_report

from codesign.cli import main
from codesign.commands.core import describe
from codesign.core import CoreConfig, compile_graph
from codesign.core.cycles import core_cycles
from codesign.core.section import CoreSection, compile_fitted
from codesign.core.timing import TIMINGS, sdram_timing
from codesign.errors import ConfigError, ConversionError, StageError
from codesign.fixed import PIXEL
from codesign.flow.config import ClipSection, Design, DesignSection, HardwareSection, SynthSection, load
from codesign.flow.stage import Job, no_bar
from codesign.flow.stages import report, rtl_core, rtlsim_core, synth_core
from codesign.flow.steps import STAGES, stages_of
from codesign.graph.file import load_graph, save_graph
from codesign.graph.ir import Graph
from codesign.report import compare as side_by_side
from codesign.report.model import read_report, with_builds
from codesign.report.words import DASH
from codesign.training import RESULTS
from codesign.verify.clips import load_clips, save_clips
from codesign.verify.compare import compare, must_agree, read_comparison
from codesign.verify.core import load_core, read_program
from codesign.verify.golden_run import run_golden, save_golden
from codesign.verify.hardware import load_rtl
from codesign.verify.software import HlsFigures, save_hls

pytestmark = pytest.mark.timeout(900)
CORE = CoreSection(lanes=4, quantisers=2)


def network() -> Graph:
    """Return a network of convolutions, named as the design, on pictures."""
    for seed in range(1000):
        graph = random_conv_graph(np.random.default_rng(seed), name="tiny")
        if graph.source.fmt == PIXEL or (graph.source.fmt.hi < 128 and graph.source.fmt.lo >= 0):
            return graph
    raise AssertionError


def design_for(**sections: Any) -> Design:
    return Design(
        design=DesignSection(name="tiny"),
        hardware=HardwareSection(architecture="core"),
        core=CORE,
        clip=ClipSection(clips=2, frames=6, dense_frames=3),
        **sections,
    )


def run(root: Path, body: Any, stage: str, *upstream: str, design: Design | None = None) -> str:
    (root / stage).mkdir(exist_ok=True)
    folders = {name: root / name for name in upstream}
    job = Job(design=design or design_for(), folder=root / stage, upstream=folders, cache=root / "cache", bar=no_bar)
    return str(body.run(job))


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a design for a core: its own stages have run, the others are made up."""
    root, graph = tmp_path_factory.mktemp("core") / "tiny", network()
    for stage in ("1_model", "2_graph", "4_csim", "5_hls", "5_synth"):
        (root / stage).mkdir(parents=True)
    figures = {"accuracy": {"float": 0.5}, "operation_sparsity": {"quantized": 0.5, "delta": 0.6}}
    (root / "1_model" / RESULTS).write_text(json.dumps(figures))
    rng = np.random.default_rng(1)
    clips = np.stack([random_walk(rng, graph, 6, 0.2) for _ in range(2)]).astype(np.uint8)
    save_graph(graph, root / "2_graph")
    save_clips(clips, root / "2_graph")
    golden = run_golden(graph, clips)
    save_golden(golden, root / "2_graph")
    must_agree(compare("keras_golden", golden.outputs, golden.outputs), root / "2_graph")
    must_agree(compare("golden_csim", golden.outputs, golden.outputs), root / "4_csim")
    trips = {node.name: np.full((2, 6), 30) for node in graph.engines}
    save_hls(HlsFigures(layers=trips), root / "4_csim")
    run(root, rtl_core, "3_rtl", "2_graph")
    run(root, rtlsim_core, "4_rtlsim", "2_graph", "3_rtl")
    run(root, report, "6_report", "1_model", "2_graph", "3_rtl", "4_csim", "4_rtlsim", "5_hls", "5_synth")
    for stage in ("1_model", "2_graph", "3_rtl", "4_rtlsim", "6_report"):
        finish(root / stage)
    return root


def test_files_of_the_core_and_its_program(build: Path) -> None:
    folder = build / "3_rtl"
    assert {"delta_core.sv", "core_pkg.sv", "filelist.f", "tiny.core", "tiny.core.txt"} <= {
        path.name for path in folder.iterdir()
    }
    compiled = read_program(load_graph(build / "2_graph"), folder)
    config, needs = compiled.program.config, compiled.program.needs()
    assert (config.lanes, config.quantisers, config.places) == (4, 2, CoreConfig().places)
    assert config.sum_words == needs["sum_words"]
    assert f"design {compiled.program.design:08x}" in (folder / "tiny.core.txt").read_text()


def test_every_value_is_that_of_the_golden_model(build: Path) -> None:
    found = read_comparison(build / "4_rtlsim", "golden_rtl")
    assert (found.frames, found.mismatches) == (12, 0)
    assert found.values == 12 * network().output.size


def test_cycles_of_frames_are_those_of_their_steps(build: Path) -> None:
    figures, core = load_rtl(build / "4_rtlsim"), load_core(build / "4_rtlsim")
    assert core is not None
    assert figures.cycles.shape == (2, 6)
    assert len(figures.dense_cycles) == 2
    assert figures.dense_cycles.min() >= figures.cycles[:, 1:].max()
    total = np.sum(list(core.steps.values()), axis=0)[:, 2:]  # the second frame waits for the first one to leave
    assert np.array_equal(total + 1, figures.cycles[:, 2:])


def test_report_of_a_core(build: Path) -> None:
    found = read_report(build / "6_report" / "report.json")
    assert (found.architecture, found.schema) == ("core", 8)
    assert found.core is not None
    figures = load_rtl(build / "4_rtlsim")
    assert found.core.lanes == 4
    assert found.core.cycles_per_frame == found.throughput.cycles_per_frame.mean == figures.cycles[:, 1:].mean()
    assert found.core.bytes_per_frame is None
    busy = sum(figures.busy[layer.name][:, 1:].mean() for layer in found.layers)
    assert found.core.busy == pytest.approx(busy / figures.cycles[:, 1:].mean())
    for layer in found.layers:
        assert layer.cycles_per_frame == figures.busy[layer.name][:, 1:].mean()
        assert layer.ideal_cycles_per_frame is layer.estimated_cycles_per_frame is None
        assert layer.state_bits > 0
    speed = found.throughput
    assert speed.skip_efficiency is speed.ideal_cycles_per_frame is speed.bound_cycles_per_frame is None
    assert speed.estimated_cycles_per_frame == pytest.approx(figures.cycles[:, 1:].mean(), rel=0.05)
    assert found.energy is None
    assert {unit.pe for unit in found.network} == {None}
    assert found.network[0].lanes == 2
    assert {memory.layer for memory in found.memories} == {"core"}
    assert min(memory.bits for memory in found.memories) > 0
    page = (build / "6_report" / "report.html").read_text()
    assert "One engine of 4 lanes" in page
    assert "The units work at the same time" not in page


def test_the_clocks_of_a_core_and_its_sdram() -> None:
    assert CORE.timing == TIMINGS["ddr"]
    assert replace(CORE, memory="sdram").timing == TIMINGS["sdram"]
    assert replace(CORE, memory="sdram", clocks_mhz=(75.0, 120.0)).timing == sdram_timing(75.0, 120.0)
    wrong: tuple[dict[str, Any], ...] = (
        {"memory": "ddr", "clocks_mhz": (75.0, 120.0)},
        {"memory": "sdram", "clocks_mhz": (120.0,)},
    )
    for fields in wrong:
        with pytest.raises(ConfigError, match=r"core.clocks_mhz: not the clocks of a core.*\[75.0, 120.0\]"):
            replace(CORE, **fields)


def test_a_design_with_a_memory_outside(build: Path, tmp_path: Path) -> None:
    """What does not fit inside lies outside; stage 4 says what moved, and so does the report."""
    root = tmp_path / "tiny"
    shutil.copytree(build, root, ignore=shutil.ignore_patterns("3_rtl", "4_rtlsim", "6_report"))
    biases = len(read_program(network(), build / "3_rtl").program.sums)
    few: dict[str, Any] = {"sum_words": biases, "code_rows": 2, "weight_lines": 2, "cached_words": 4, "cached_lines": 4}
    core = replace(CORE, memory_bits=32, memory_kib=64, memory="sdram", clocks_mhz=(75.0, 120.0), **few)
    design = replace(design_for(), core=core)
    run(root, rtl_core, "3_rtl", "2_graph", design=design)
    said = run(root, rtlsim_core, "4_rtlsim", "2_graph", "3_rtl", design=design)
    upstream = ("1_model", "2_graph", "3_rtl", "4_csim", "4_rtlsim", "5_hls", "5_synth")
    run(root, report, "6_report", *upstream, design=design)
    assert read_comparison(root / "4_rtlsim", "golden_rtl").mismatches == 0
    figures = load_core(root / "4_rtlsim")
    assert figures is not None
    assert figures.moved is not None
    moved = figures.moved[:, 1:].mean()
    assert moved > 100
    assert f"{moved:,.0f} bytes a frame to and from the memory" in said
    found = read_report(root / "6_report" / "report.json")
    assert found.core is not None
    assert found.core.bytes_per_frame == moved
    cycles = load_rtl(root / "4_rtlsim").cycles[:, 1:].mean()
    assert found.throughput.estimated_cycles_per_frame == pytest.approx(cycles, rel=0.05)
    assert found.core.estimated_bytes_per_frame == pytest.approx(moved, rel=0.01)
    assert f"bytes to and from the memory ({moved:,.0f} simulated" in (root / "6_report" / "report.html").read_text()
    for stage in ("3_rtl", "4_rtlsim", "6_report"):
        finish(root / stage)
    listed = describe(root)
    assert f"{figures.moved[0, 1:].mean():,.0f} bytes per frame to and from the external memory: simulated" in listed
    compiled = read_program(load_graph(root / "2_graph"), root / "3_rtl")
    model = core_cycles(compiled, load_clips(root / "2_graph")[0], memory=sdram_timing(75.0, 120.0))
    assert model.bytes is not None
    for number, name in enumerate(compiled.steps):
        line = next(line for line in listed.splitlines() if line.startswith(f"{name} ") and line.split()[1] != "Conv")
        assert line.split()[-1] == f"{model.bytes[1:, number].mean():.1f}"
    assert load_rtl(root / "4_rtlsim").cycles.mean() > load_rtl(build / "4_rtlsim").cycles.mean()


def test_core_command_prints_cycles_of_each_step(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["core", str(build)]) == 0
    out = capsys.readouterr().out
    compiled = read_program(load_graph(build / "2_graph"), build / "3_rtl")
    core = load_core(build / "4_rtlsim")
    assert core is not None
    for name in compiled.steps:
        line = next(line for line in out.splitlines() if line.startswith(f"{name} ") and line.split()[1] != "Conv")
        assert line.split()[-1] == f"{core.steps[name][0, 1:].mean():.1f}"
    assert "simulated; the model gives" in out


def test_core_command_estimates_a_pipeline(build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "build" / "2_graph"
    target.mkdir(parents=True)
    for path in (build / "2_graph").iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    assert main(["core", str(target.parent)]) == 0
    out = capsys.readouterr().out
    graph, clip = load_graph(target), load_clips(target)[0]
    estimate = core_cycles(compile_fitted(graph, CoreSection()), clip).frames[1:].mean()
    assert f"{estimate:,.0f} cycles per frame" in out
    assert "not simulated" in out
    assert "32 lanes" in out


def test_image_of_another_network_is_refused(build: Path) -> None:
    graph, first = network(), network().linears[0]
    other = dataclasses.replace(first, weight=first.weight[::-1].copy())
    graph = dataclasses.replace(
        graph, nodes=tuple(other if node is graph[first.name] else node for node in graph.nodes)
    )
    with pytest.raises(StageError, match="not that of the graph"):
        read_program(graph, build / "3_rtl")


@pytest.mark.parametrize("words", [["build", "--target", "ulx3s-85f"], ["measure", "--video", "x.mkv"]])
def test_commands_for_pipelines_refuse_a_core(
    build: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([words[0], str(build), *words[1:]]) == 2
    assert "the design is for a core" in capsys.readouterr().err


def test_reports_of_a_core_and_a_pipeline_side_by_side(build: Path) -> None:
    core, pipeline = read_report(build / "6_report" / "report.json"), synthetic_report()
    found = side_by_side.sheet([dataclasses.replace(pipeline, architecture="pipeline"), core])
    rows = {row[0]: row[1:] for group in found.groups for row in group.rows}
    assert rows["architecture"] == ("pipeline", "core")
    assert rows["lanes of the core"][1] == "4"
    assert core.fits is not None
    assert rows["boards whose memory it fits"] == (DASH, ", ".join(core.fits))
    assert rows["bytes per frame, external memory"] == (DASH, DASH)
    assert not [note for note in found.notes if note.startswith("Not built for") and note.endswith("tiny.")]
    assert "tiny has no clock; frames/s: [report] clock_mhz" in " ".join(found.notes)
    assert rows["mean"][1] == f"{core.throughput.cycles_per_frame.mean:,.0f}"
    assert "architecture" not in {row[0] for group in side_by_side.sheet([pipeline] * 2).groups for row in group.rows}


def test_report_command_takes_both(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(build)]) == 0
    assert "which add in" in capsys.readouterr().out
    assert main(["report", str(build), str(build)]) == 0
    assert "architecture" in capsys.readouterr().out


def test_no_rate_of_a_pipeline_s_board(build: Path) -> None:
    core = read_report(build / "6_report" / "report.json")
    assert with_builds(core, [made_build("ulx3s-85f")]).boards == ()


def test_stages_of_a_pipeline_are_what_they_were() -> None:
    pipeline = dataclasses.replace(design_for(), hardware=HardwareSection(), core=CoreSection())
    assert stages_of(pipeline) == STAGES
    other = {stage.name for stage, own in zip(STAGES, stages_of(design_for()), strict=True) if stage != own}
    assert other == {"3_rtl", "4_rtlsim", "5_synth", "6_report"}


def test_depths_are_what_the_network_needs() -> None:
    graph = network()
    compiled = compile_fitted(graph, dataclasses.replace(CORE, weight_lines=500))
    assert compiled.program.config.weight_lines == 500
    assert compiled.program.config.code_rows == compiled.program.needs()["code_rows"]
    again = compile_graph(graph, compiled.program.config)
    assert again.program.design == compiled.program.design
    with pytest.raises(ConversionError, match="sum_words = "):
        compile_fitted(graph, dataclasses.replace(CORE, sum_words=2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[core]\nlanes = 16", "a pipeline does not use this section"),
        ('[hardware]\narchitecture = "core"\n[core]\nlanes = 12', "core.lanes: not a power of two"),
        ('[hardware]\narchitecture = "core"\n[core]\ncode_bits = 12', "core.code_bits: lanes of a beat are no whole"),
        ('[hardware]\narchitecture = "core"\n[core]\nlane = 8', "did you mean 'lanes'"),
        ('[hardware]\narchitecture = "cores"', "'pipeline', 'core'"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.toml").write_text(f'[design]\nname = "x"\n{text}\n')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "x.toml")
    assert message in str(caught.value)


def test_target_that_is_too_small_is_left_out(build: Path, tmp_path: Path) -> None:
    design = dataclasses.replace(design_for(), core=CORE, synth=SynthSection(targets=("ecp5",)))
    folders = {"2_graph": build / "2_graph", "3_rtl": tmp_path / "3_rtl"}
    deep = dataclasses.replace(design, core=dataclasses.replace(CORE, sum_words=1 << 20))
    for stage, body in (("3_rtl", rtl_core), ("5_synth", synth_core)):
        (tmp_path / stage).mkdir()
        job = Job(design=deep, folder=tmp_path / stage, upstream=folders, cache=tmp_path / "cache", bar=no_bar)
        note = body.run(job)
    assert "ecp5 left out" in note
    assert json.loads((tmp_path / "5_synth" / "resources.json").read_text()) == []


@pytest.mark.heavy
def test_synthesis_of_a_core(build: Path, tmp_path: Path) -> None:
    design = dataclasses.replace(design_for(), synth=SynthSection(targets=("ecp5", "xc7"), route=False))
    job = Job(
        design=design,
        folder=tmp_path,
        upstream={"2_graph": build / "2_graph", "3_rtl": build / "3_rtl"},
        cache=tmp_path / "cache",
        bar=no_bar,
    )
    synth_core.run(job)
    found = json.loads((tmp_path / "resources.json").read_text())
    assert [(item["target"], item["kind"], item["fmax_mhz"]) for item in found] == [
        ("ecp5", "synth", None),
        ("xc7", "synth", None),
    ]
    assert min(item["lut"] for item in found) > 0
    assert min(item["bram_bits"] for item in found) > 0
