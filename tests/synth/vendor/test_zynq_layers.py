# SPDX-License-Identifier: Apache-2.0
"""`codesign build` for a board with a processor: the step that needs Vivado."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_graphs import random_graph

from codesign.errors import SynthesisError
from codesign.synth.build import Builder
from codesign.synth.order import Order
from codesign.synth.record import Area, LayerArea
from codesign.synth.target import load_target, target_names
from codesign.synth.toolchains.vivado import layers_of, part_of, parts_of, project_of
from codesign.synth.vendor.vivado_utilisation import read_utilisation

REPORTS = Path(__file__).parent / "reports"
GRAPH = random_graph(np.random.default_rng(5), layers=1, lanes=3, end="dense", hold=1.0)
TABLE = """\
| Instance | Module | Total LUTs | FFs | RAMB36 | RAMB18 | DSP Blocks |
+---+
| system_wrapper | (top) | 5000 | 6000 | 5 | 0 | 4 |
|   system_i | system | 5000 | 6000 | 5 | 0 | 4 |
|     core | system_core_0 | 2000 | 1500 | 2 | 0 | 4 |
|       inst | t_soc_axi | 2000 | 1500 | 2 | 0 | 4 |
|         i_soc | t_soc | 1900 | 1500 | 2 | 0 | 4 |
|           i_registers | t_registers | 400 | 300 | 0 | 0 | 0 |
|           i_core | t_top | 1520 | 1200 | 2 | 0 | 4 |
|             i_d0_emit | delta_emit | 700 | 500 | 1 | 0 | 0 |
|             i_d0_event_fork | delta_fork | 20 | 0 | 0 | 0 | 0 |
|             i_fc0_dense | delta_dense | 700 | 600 | 1 | 0 | 4 |
|     dma | system_dma_0 | 3000 | 4500 | 3 | 0 | 0 |
+---+
"""
BLOCK = 36 * 1024


@pytest.fixture
def reports(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the pretended Vivado report a block design around GRAPH; return where the reports lie."""
    request.getfixturevalue("vivado")
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "utilisation.rpt").write_text("| Tool Version : Vivado v.2024.2 (lin64)\n" + TABLE)
    timing = (REPORTS / "timing_missed.rpt").read_text()
    timing = timing.replace("i_conv1_conv/address", "system_i/core/inst/i_soc/i_core/i_d0_emit/address")
    timing = timing.replace("i_conv1_conv/g_bank", "system_i/dma/g_bank")
    (folder / "timing_missed.rpt").write_text(timing)
    monkeypatch.setenv("FAKE_REPORTS", str(folder))
    return folder


def builder(folder: Path, said: list[str]) -> Builder:
    """A build of GRAPH whose earlier steps are done."""
    folder.mkdir()
    return Builder(
        order=Order(graph=GRAPH, board=load_target("pynq-z2"), clock_mhz=100.0),
        folder=folder,
        finished=lambda name, _, text: said.append(f"{name} ok {text}"),
        skipped=lambda name, why: said.append(f"{name} skipped: {why}"),
    )


@pytest.mark.usefixtures("without_vendor_tools")
def test_without_vivado_the_step_is_skipped(tmp_path: Path) -> None:
    said: list[str] = []
    build = builder(tmp_path / "build", said)
    before = build.record
    build._vivado()
    assert said == ["vivado skipped: vivado not on PATH; its project is in vivado/"]
    assert build.record == before  # nothing pretends
    files = {path.name for path in (tmp_path / "build" / "vivado").iterdir()}
    assert {"zynq.tcl", "settings.tcl", "t_soc_axi.v", "design.json", "delta_board.py"} <= files


@pytest.mark.usefixtures("reports")
def test_with_vivado_the_figures_are_routed(tmp_path: Path) -> None:
    said: list[str] = []
    build = builder(tmp_path / "build", said)
    build._vivado()
    record = build.record
    assert said == ["vivado ok 95.2 MHz"]
    assert (tmp_path / "build" / (record.bitstream or "")).read_text() == "bits"
    assert (record.kind, record.top, record.clock_mhz, record.met) == ("route", "soc", 100.0, False)
    assert record.fmax_mhz == pytest.approx(1000 / 10.5)
    assert record.tools["vivado"] == "2024.2"
    assert record.used == Area(lut=5000, ff=6000, dsp=4, bram_bits=5 * BLOCK)
    assert record.layers == (
        LayerArea(name="d0", lut=720, ff=500, dsp=0, bram_bits=BLOCK),
        LayerArea(name="fc0", lut=700, ff=600, dsp=4, bram_bits=BLOCK),
        LayerArea(name="registers", lut=480, ff=400, dsp=0, bram_bits=0),
        LayerArea(name="system", lut=3100, ff=4500, dsp=0, bram_bits=3 * BLOCK),
    )
    path = record.critical_path
    assert path is not None
    assert (path.from_layer, path.to_layer, path.delay_ns, len(path.hops)) == ("d0", "system", 9.9, 4)
    assert "misses its clock on pynq-z2: 100 MHz asked for, 95.2 MHz routed" in (record.problem or "")
    assert "from d0 to system" in (record.problem or "")


def test_paths_that_are_too_fast(tmp_path: Path, reports: Path) -> None:
    report = reports / "timing_missed.rpt"
    text = report.read_text().replace(
        "0.051        0.000                      0", "-0.02       -0.020                      1", 1
    )
    report.write_text(text)
    build = builder(tmp_path / "build", [])
    build._vivado()
    assert "1 paths are too fast on pynq-z2 (hold), the worst by 0.020 ns" in (build.record.problem or "")


def test_a_share_that_is_counted_twice_is_unknown(tmp_path: Path) -> None:
    report = tmp_path / "a.rpt"
    report.write_text(TABLE.replace("| t_soc | 1900 |", "| t_soc | 1400 |"))
    layers = {layer.name: layer for layer in layers_of(read_utilisation(report), parts_of(GRAPH))}
    assert (layers["registers"].lut, layers["registers"].ff) == (None, 400)


def test_a_report_of_something_else() -> None:
    with pytest.raises(SynthesisError, match=r"no such instance.*i_soc.*net_top, i_conv1_conv"):
        layers_of(read_utilisation(REPORTS / "utilisation.rpt"), parts_of(GRAPH))


@pytest.mark.parametrize("name", [name for name in target_names() if load_target(name).toolchain == "vivado"])
def test_every_board_with_a_processor_has_a_project(name: str) -> None:
    board = load_target(name)
    project = project_of(GRAPH, board, clock_mhz=board.clock.core_mhz, skip=True)
    assert f"set part {board.part.vivado}\n" in project.files["settings.tcl"]
    assert f"set processor {part_of(board).processor}\n" in project.files["settings.tcl"]
    dense = project_of(GRAPH, board, clock_mhz=board.clock.core_mhz, skip=False)
    assert {path for path, text in dense.files.items() if text != project.files[path]} == {"t_soc_axi.v"}
    assert replace(project, files={}) == replace(dense, files={})
