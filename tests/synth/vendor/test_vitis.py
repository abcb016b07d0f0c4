# SPDX-License-Identifier: Apache-2.0
"""hls4ml's script for Vitis HLS with our settings, run in a Tcl interpreter (fake_vitis.py)."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import hls4ml
import pytest

from codesign.errors import ConfigError, SynthesisError, ToolNotFoundError
from codesign.synth.vendor.vitis import build, layer_names, layer_of

SCRIPT = Path(hls4ml.__file__).parent / "templates" / "vitis" / "build_prj.tcl"
PROJECT = """variable project_name
set project_name "net"
variable part
set part "xcvu13p-flga2577-2-e"
variable clock_period
set clock_period 5
variable clock_uncertainty
set clock_uncertainty 27%
variable version
set version "1.0.0"
variable maximum_size
set maximum_size 4096
"""
SOURCE = """
    nnet::delta_dense<layer2_t, layer4_t, config4>(layer2_out, layer4_out, w4, b4, reset); // fc1
    nnet::relu<layer4_t, layer5_t, config5>(layer4_out, layer5_out); // fc1_relu
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An HLS project as hls4ml writes it: the files that the build reads."""
    folder = tmp_path / "project"
    (folder / "firmware").mkdir(parents=True)
    shutil.copy(SCRIPT, folder)
    (folder / "project.tcl").write_text(PROJECT)
    (folder / "firmware" / "net.cpp").write_text(SOURCE)
    return folder


def calls(project: Path) -> dict[str, list[str]]:
    return {name: words for name, *words in json.loads((project / "calls.json").read_text())}


@pytest.mark.usefixtures("vitis")
def test_synthesis_and_ip(project: Path) -> None:
    report = build(project, part="xc7z020-clg400-1", clock_mhz=100.0)
    assert (report.top.lut, report.top.clock_ns) == (3300, 8.0)
    made = calls(project)
    assert (made["set_top"], made["set_part"]) == (["net"], ["xc7z020-clg400-1"])
    assert made["create_clock"][:2] == ["-period", "10"]
    assert made["export_design"] == ["-format", "ip_catalog", "-version", "1.0.0"]
    assert made["open_project"][0] == "-reset"
    assert "csim_design" not in made


@pytest.mark.usefixtures("vitis")
def test_settings_of_the_project_stay(project: Path) -> None:
    build(project, steps={"csim": True, "export": False})
    made = calls(project)
    assert (made["set_part"], made["create_clock"][1]) == (["xcvu13p-flga2577-2-e"], "5")
    assert "csim_design" in made
    assert "export_design" not in made


def test_the_older_command(project: Path, program: Callable[[str, str], None]) -> None:
    program("vitis_hls", "import sys; print('asked for', *sys.argv[1:]); raise SystemExit(1)")
    with pytest.raises(SynthesisError, match=r"(?s)vitis_hls failed.*asked for -f build_prj\.tcl"):
        build(project)


@pytest.mark.usefixtures("without_vendor_tools")
def test_without_vitis_the_settings_are_written(project: Path) -> None:
    with pytest.raises(ToolNotFoundError, match=r"vitis-run was not found.*settings64"):
        build(project, part="xc7z020-clg400-1")
    assert 'set part "xc7z020-clg400-1"\n' in (project / "project.tcl").read_text()


def test_a_run_without_a_report(project: Path, program: Callable[[str, str], None]) -> None:
    program("vitis-run", "")
    with pytest.raises(SynthesisError, match=r"csynth\.xml: Vitis HLS reported no figures"):
        build(project)


def test_projects_that_are_none(project: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"project\.tcl: this is no HLS project"):
        build(tmp_path)
    with pytest.raises(ConfigError, match=r"csim, synth.*simulate"):
        build(project, steps={"simulate": True})
    (project / "project.tcl").write_text(PROJECT.replace("set part", "set device"))
    with pytest.raises(ConfigError, match=r"one line 'set part \.\.\.'.*0 lines"):
        build(project, part="xc7z020-clg400-1")
    (project / "project.tcl").write_text("")
    with pytest.raises(ConfigError, match="no name"):
        build(project)


def test_layers(project: Path) -> None:
    names = layer_names(project)
    assert names == {"config4": "fc1", "config5": "fc1_relu"}
    assert layer_of("delta_dense_ap_ufixed_4_0_5_3_0_config4_s", names) == "fc1"
    assert layer_of("relu_config5_2", names) == "fc1_relu"
    assert layer_of("relu_config55_s", names) is None
