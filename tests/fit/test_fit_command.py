# SPDX-License-Identifier: Apache-2.0
"""`codesign fit`: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from finished import finish
from fit_cases import moving, two_convolutions

from codesign.cli import main
from codesign.flow.config import load
from codesign.graph.file import save_graph
from codesign.verify.clips import save_clips
from codesign.verify.golden_run import GOLDEN, run_golden, save_golden

DESIGN = """# my design
[design]
name = "two"  # short

[model]
blocks = [{kind = "conv", filters = 4, stride = 2}, {kind = "conv", filters = 6}]
hidden = []

[hardware]
pe = 8          # of every layer
cycles = 500
layer = {conv1 = {pe = 2, taps = [3, 3]}}

[clip]
frames = 48
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder whose 2_graph is finished."""
    folder = tmp_path_factory.mktemp("build") / "two"
    stage = folder / "2_graph"
    stage.mkdir(parents=True)
    graph = two_convolutions()
    save_graph(graph, stage)
    save_golden(run_golden(graph, moving(graph)[None]), stage)
    save_clips(moving(graph)[None].astype(np.uint8), stage)
    names: dict[str, dict[str, int]] = {"in": {}, **{node.name: {} for node in graph.engines}}
    settings = {"hls_config": {"Model": {}, "LayerName": names}, "io_type": "io_parallel", "project_name": "two"}
    (stage / "hls4ml.json").write_text(json.dumps(settings))
    finish(stage)
    return folder


def words(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was printed, in one line."""
    said = capsys.readouterr()
    return " ".join((said.out + said.err).split())


def test_it_prints_rate_clock_and_cells(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(finished), "--target", "ulx3s-85f", "--fps", "1500", "--clock", "1"]) == 0
    said = words(capsys)
    assert "two on ulx3s-85f, pipeline: least look-up tables for 1,500 frames/s" in said
    assert "at 1 MHz: as asked for" in said
    for name in ("conv1", "conv2", "fc1", "whole", "may be used 66,912", "device 83,640"):
        assert name in said


def test_what_does_not_fit_ends_with_exit_code_1(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(finished), "--target", "ulx3s-85f", "--fps", "90000", "--clock", "1"]) == 1
    assert "DOES NOT FIT: " in capsys.readouterr().out


def test_values_go_into_the_design_and_comments_stay(finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(DESIGN)
    assert main(["fit", str(finished), "--target", "ulx3s-85f", "--clock", "1", "--write", str(path)]) == 0
    text = path.read_text()
    assert "# my design" in text
    assert "# of every layer" in text
    hardware = load(path).hardware
    assert (hardware.cycles, hardware.pe) == (None, 8)
    assert set(hardware.layer) == {"conv1", "conv2", "fc1"}
    assert all(layer.pe for layer in hardware.layer.values())
    assert "taps" not in text
    assert hardware.layer["fc1"].unroll == ()


def test_a_new_file_is_a_design(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    shutil.copytree(finished, folder)
    manifest = folder / "2_graph" / "manifest.json"
    done = json.loads(manifest.read_text())
    done["inputs"]["config"] = {
        "design.name": "two", "design.seed": 3, "data.kind": "moving_digits", "data.size": 64, "data.path": None,
        "model.blocks": [{"kind": "conv", "filters": 4, "kernel": 3, "stride": 2}, {"kind": "conv", "filters": 6}],
        "model.hidden": [], "hardware.pe": 32, "hardware.cycles": 700, "hardware.layer": {}, "clip.clips": 40,
        "clip.frames": 64,
    }  # fmt: skip
    manifest.write_text(json.dumps(done))
    path = tmp_path / "new" / "fitted.toml"
    assert main(["fit", str(folder), "--target", "ulx3s-85f", "--clock", "1", "--write", str(path)]) == 0
    design = load(path)
    assert (design.design.name, design.design.seed, design.data.size, design.clip.frames) == ("two", 3, 64, 64)
    assert (design.hardware.pe, design.hardware.cycles) == (32, None)
    assert "clips" not in path.read_text(), "what is set by default is left out"


def test_another_design_is_not_overwritten(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.toml"
    path.write_text('[design]\nname = "other"\n')
    assert main(["fit", str(finished), "--target", "ulx3s-85f", "--write", str(path)]) == 2
    assert "another design is there" in words(capsys)
    assert path.read_text() == '[design]\nname = "other"\n'


def test_nothing_is_written_where_nothing_fits(finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    arguments = ["fit", str(finished), "--target", "ulx3s-85f", "--fps", "90000", "--clock", "1"]
    assert main([*arguments, "--write", str(path)]) == 1
    assert not path.exists()


def test_an_unknown_board_names_the_nearest(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(finished), "--target", "ulx3s-85"]) == 2
    assert "did you mean 'ulx3s-85f'" in words(capsys)


def test_folders_that_are_no_measured_design(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", str(tmp_path / "none"), "--target", "ulx3s-85f"]) == 2
    assert "no such folder" in words(capsys)
    assert main(["fit", str(tmp_path), "--target", "ulx3s-85f"]) == 1
    assert "the stage has not been run" in words(capsys)
    folder = tmp_path / "unmeasured"
    shutil.copytree(finished, folder)
    (folder / "2_graph" / GOLDEN).unlink()
    finish(folder / "2_graph")
    assert main(["fit", str(folder), "--target", "ulx3s-85f"]) == 1
    assert GOLDEN in words(capsys)


@pytest.mark.parametrize("rate", ["0", "-3", "nan", "fast", "inf"])
def test_no_such_rate(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["fit", "build/x", "--target", "ulx3s-85f", f"--fps={rate}"])
    assert stop.value.code == 2
    assert "expected frames per second, above 0" in words(capsys)


def test_a_rate_above_the_clock(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(finished), "--target", "ulx3s-85f", "--fps", "1e12"]) == 2
    assert "at most 100,000,000" in words(capsys)
