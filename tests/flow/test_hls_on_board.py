# SPDX-License-Identifier: Apache-2.0
"""`codesign build --hls`, with a Vitis HLS that pretends and without; with PandA-Bambu: tests/hls."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import hls4ml
import pytest
from finished import finish

from codesign.cli import main
from codesign.flow.manifest import read

SETTINGS = """set project_name "net"
set part "xcvu13p-flga2577-2-e"
set clock_period 5
set clock_uncertainty 27%
set version "1.0.0"
set maximum_size 4096
"""


@pytest.fixture
def design(tmp_path: Path) -> Path:
    """A design whose HLS project is finished: the files that the build reads."""
    project = tmp_path / "net" / "3_hls"
    (project / "firmware").mkdir(parents=True)
    shutil.copy(Path(hls4ml.__file__).parent / "templates" / "vitis" / "build_prj.tcl", project)
    (project / "project.tcl").write_text(SETTINGS)
    (project / "firmware" / "net.cpp").write_text("nnet::d<a, b, config4>(x, y); // fc1\n")
    finish(project)
    return project.parent


@pytest.mark.usefixtures("vitis")
def test_estimate_and_ip(design: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(design), "--target", "pynq-z2", "--hls", "--clock", "125"]) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    assert "vitis hls ok" in shown
    assert "estimate: 3,300 LUT, 16 DSP, 300 to ? cycles, 125 MHz" in shown
    folder = design / "boards" / "pynq-z2_hls"
    found = json.loads((folder / "hls.json").read_text())
    assert (found["target"], found["kind"], found["lut"]) == ("pynq-z2", "estimate", 3300)
    assert list(found["layers"]) == ["fc1", "relu_config5_s"]
    calls = {name: words for name, *words in json.loads((folder / "calls.json").read_text())}
    assert (calls["set_part"], calls["create_clock"][1]) == (["xc7z020clg400-1"], "8")
    assert "export_design" in calls
    assert (design / "3_hls" / "project.tcl").read_text() == SETTINGS  # the stage stays as it is


@pytest.mark.usefixtures("vitis")
@pytest.mark.parametrize("seal", ["none of this user", "of another stage"])
def test_scripts_of_somebody_else_are_not_run(design: Path, seal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A received folder is whole and its manifest fits, but this user did not run the stage."""
    project = design / "3_hls"
    (project / "build_prj.tcl").write_text("exec touch ran")
    finish(project)
    if seal == "of another stage":  # which commands write anew whoever ran it, as `codesign report` does
        other = shutil.copytree(project, design / "6_report")
        manifest = read(project)
        assert manifest is not None
        manifest.write(other)
        shutil.copy(other / "manifest.json.seal", project)
    else:
        (project / "manifest.json.seal").write_text("0" * 64)
    assert main(["build", str(design), "--target", "pynq-z2", "--hls"]) == 1
    said = capsys.readouterr().err.replace("\n", " ")
    assert "this was not written by you, and what is in it would be run" in said
    assert "--from 3_hls" in said
    assert not (design / "boards").exists()


@pytest.mark.usefixtures("without_vendor_tools")
def test_without_vitis_it_is_skipped(design: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(design), "--target", "pynq-z2", "--hls"]) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    assert "hls skipped: no HLS compiler on PATH; the project for Vitis HLS is in" in shown
    folder = design / "boards" / "pynq-z2_hls"
    assert 'set part "xc7z020clg400-1"' in (folder / "project.tcl").read_text()
    assert not (folder / "hls.json").exists()


def test_an_estimate_outlives_the_absence_of_vitis(
    design: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    command, folder = ["build", str(design), "--target", "pynq-z2", "--hls"], design / "boards" / "pynq-z2_hls"
    request.getfixturevalue("vitis")
    assert main(command) == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert folder / "hls.json" in before
    request.getfixturevalue("without_vendor_tools")
    assert main(command) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    assert "hls skipped: no HLS compiler on PATH; what was found before stays" in shown
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_estimate_outlives_a_run_that_fails(
    design: Path, request: pytest.FixtureRequest, program: Callable[[str, str], None]
) -> None:
    command, folder = ["build", str(design), "--target", "pynq-z2", "--hls"], design / "boards" / "pynq-z2_hls"
    request.getfixturevalue("vitis")
    assert main(command) == 0
    program("vitis-run", "import sys; sys.exit(1)")
    assert main(command) == 1
    assert (folder / "hls.json").is_file()


@pytest.mark.usefixtures("without_vendor_tools")
def test_the_tool_that_is_missing_is_named(design: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["build", str(design), "--target", "pynq-z2", "--hls", "--hls-tool"]
    assert main([*command, "vitis"]) == 0
    assert "vitis skipped: vitis-run not on PATH; the project" in capsys.readouterr().out.replace("\n", " ")
    shutil.rmtree(design / "boards")
    assert main([*command, "bambu"]) == 0
    assert "bambu skipped: bambu not on PATH" in capsys.readouterr().out.replace("\n", " ")
    assert not (design / "boards" / "pynq-z2_hls").exists()


@pytest.mark.usefixtures("vitis")
def test_a_board_that_vivado_does_not_know(design: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(design), "--target", "ulx3s-85f", "--hls", "--hls-tool", "vitis"]) == 2
    assert "Vitis HLS does not know this device" in capsys.readouterr().err
