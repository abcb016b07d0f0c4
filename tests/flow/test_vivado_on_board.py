# SPDX-License-Identifier: Apache-2.0
"""`codesign build` for a PYNQ board from the graph on, without Vivado and then with one that pretends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from finished import finish
from random_graphs import random_graph

from codesign.cli import main
from codesign.flow.graph_file import save_graph
from codesign.synth.board_build import read_build

TABLE = """\
| Tool Version : Vivado v.2024.2 (lin64)
| Instance | Module | Total LUTs | FFs | RAMB36 | RAMB18 | DSP Blocks |
+---+
| system_wrapper | (top) | 5000 | 6000 | 5 | 0 | 4 |
|   i_soc | t_soc | 1900 | 1500 | 2 | 0 | 4 |
|     i_core | t_top | 1520 | 1200 | 2 | 0 | 4 |
|       i_fc0_dense | delta_dense | 700 | 600 | 1 | 0 | 4 |
+---+
"""


@pytest.mark.heavy
def test_an_estimate_becomes_a_bitstream_once_vivado_is_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    graph = random_graph(np.random.default_rng(5), layers=1, lanes=3, end="dense", hold=1.0)
    design = tmp_path / "t"
    (design / "2_graph").mkdir(parents=True)
    save_graph(graph, design / "2_graph")
    finish(design / "2_graph")
    command = ["build", str(design), "--target", "pynq-z2"]
    folder = design / "boards" / "pynq-z2"

    with monkeypatch.context() as bare:
        bare.setenv("PATH", "/usr/bin:/bin")
        assert main(command) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    assert "[3/3] vivado skipped: vivado not on PATH; its project is in vivado/" in shown
    estimate = read_build(folder / "build.json")
    assert (estimate.kind, estimate.fmax_mhz, estimate.met, estimate.bitstream) == ("synth", None, None, None)
    assert (folder / "vivado" / "zynq.tcl").is_file()

    request.getfixturevalue("vivado")
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "utilisation.rpt").write_text(TABLE)
    missed = Path(__file__).parents[1] / "synth" / "vendor" / "reports" / "timing_missed.rpt"
    text = missed.read_text().replace(
        "-0.500       -3.250                     12", " 1.250        0.000                      0"
    )
    (reports / "timing_missed.rpt").write_text(text.replace("-0.500ns", "1.250ns").replace("-0.250ns", "1.500ns"))
    monkeypatch.setenv("FAKE_REPORTS", str(reports))
    assert main(command) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    assert "114.3 MHz" in shown
    routed = read_build(folder / "build.json")
    assert (routed.kind, routed.met, routed.bitstream, routed.problem) == ("route", True, "vivado/design.bit", None)
    assert (folder / routed.bitstream).is_file()
    assert {layer.name: layer.lut for layer in routed.layers}["fc0"] == 700

    assert main(command) == 0
    assert "cached" in capsys.readouterr().out
