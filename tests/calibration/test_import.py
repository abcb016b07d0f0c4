# SPDX-License-Identifier: Apache-2.0
"""`codesign import`: a model file and a folder of videos in one command to a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from calibration.moving import float_model, write_folder
from data.videos import noise, write_video
from keras import layers as L  # noqa: N812

from codesign.cli import main
from codesign.flow.config import load
from codesign.paths import BuildFolder

pytestmark = pytest.mark.timeout(1800)


def command(folder: Path, *options: str) -> list[str]:
    given = ["--clips", str(folder / "clips"), "--output", str(folder / "b/small")]
    return ["import", str(folder / "model.keras"), *given, *options]


@pytest.fixture
def given(tmp_path: Path) -> Path:
    float_model().save(tmp_path / "model.keras")
    write_folder(tmp_path / "clips")
    return tmp_path


def results_of(folder: Path) -> Any:
    return json.loads((folder / "b/small" / BuildFolder.MODEL / "training.json").read_text())


def test_calibrates_and_writes_a_design_that_repeats_it(given: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(given, "--to", "1_model", "--agreement", "0.9")) == 0
    design = load(given / "b/small.toml")
    assert design.model.path is not None
    assert (design.model.kind, design.model.path.resolve(), design.data.plain) == ("keras", given / "model.keras", True)
    results = results_of(given)
    assert results["accuracy"] == {}, "there are no labels"
    assert results["float_agreement"]["frames"] == 24, "the clips of the one file that was not calibrated on"
    assert results["operation_sparsity"]["delta"] > results["operation_sparsity"]["quantized"]
    capsys.readouterr()
    assert main(["run", str(given / "b/small.toml"), "--build-dir", str(given / "b"), "--to", "2_graph"]) == 0
    out = capsys.readouterr().out
    assert "cached" in out
    assert " multipliers; " in out, "PE and unroll are balanced by what changes in the clips"
    whole = json.loads((given / "b/small" / BuildFolder.GRAPH / "hls4ml.json").read_text())["hls_config"]["Model"]
    assert (whole["Cycles"], "PE" in whole) == ("balanced", False)
    assert 0 < min(whole["Activity"].values()) <= max(whole["Activity"].values()) <= 1


@pytest.mark.heavy
def test_class_folders_give_accuracies(tmp_path: Path) -> None:
    float_model(ends=L.Softmax(name="classes")).save(tmp_path / "model.keras")
    write_folder(tmp_path / "clips", ("bright", "dark"))
    assert main(command(tmp_path, "--to", "1_model", "--agreement", "0.9")) == 0
    results = results_of(tmp_path)
    assert set(results["accuracy"]) == {"float", "delta"}
    assert results["test"]["classes"] == ["bright", "dark"]
    assert sum(map(sum, results["test"]["confusion"])) == 4


@pytest.mark.heavy
def test_goes_through_to_the_report(given: Path) -> None:
    assert main(command(given, "--agreement", "0.9")) == 0
    report = json.loads((given / "b/small" / BuildFolder.REPORT / "report.json").read_text())
    assert set(report["agreement"]["mismatches"].values()) == {0}
    assert report["float_agreement"] == results_of(given)["float_agreement"]
    assert report["throughput"]["cycles_per_frame"]["mean"] < report["throughput"]["dense_cycles_per_frame"]


@pytest.mark.heavy
@pytest.mark.parametrize("end", [L.Softmax(name="ends"), L.Activation("softmax", name="ends")])
def test_a_softmax_at_the_end_is_compared_without_it(tmp_path: Path, end: Any) -> None:
    float_model(ends=end).save(tmp_path / "model.keras")
    write_folder(tmp_path / "clips")
    assert main(command(tmp_path, "--agreement", "0.9", "--to", "4_csim")) == 0
    for stage, pair in ((BuildFolder.GRAPH, "keras_golden"), (BuildFolder.CSIM, "golden_csim")):
        found = json.loads((tmp_path / "b/small" / stage / f"{pair}.json").read_text())
        assert (found["values"], found["mismatches"]) == (48, 0)


@pytest.mark.heavy
def test_pixels_less_128_go_through_to_the_report(given: Path) -> None:
    assert main(command(given, "--agreement", "0.9", "--input-range", "-1:1")) == 0
    report = json.loads((given / "b/small" / BuildFolder.REPORT / "report.json").read_text())
    assert set(report["agreement"]["mismatches"].values()) == {0}


def refused(capsys: pytest.CaptureFixture[str], argv: list[str]) -> str:
    assert main(argv) in (1, 2)
    return " ".join(capsys.readouterr().err.split())


def test_bad_input_is_refused_before_anything_slow(given: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (given / "damaged.keras").write_bytes((given / "model.keras").read_bytes()[:2000])
    argv = command(given)
    assert "damaged" in refused(capsys, [argv[0], str(given / "damaged.keras"), *argv[2:]])
    assert "no such folder" in refused(capsys, [*argv[:3], str(given / "nothing"), *argv[4:]])
    (given / "one").mkdir()
    write_video(given / "one/a.mkv", noise(20))
    assert "too few videos" in refused(capsys, [*argv[:3], str(given / "one"), *argv[4:]])
    write_folder(given / "three", ("a", "b"))
    write_folder(given / "three/../three", ("c", "d"))
    assert "labels do not fit" in refused(capsys, [*argv[:3], str(given / "three"), *argv[4:]])
    (given / "b").mkdir(exist_ok=True)
    (given / "b/small.toml").write_text("[design]\nname = 'own'\n")
    assert "another design" in refused(capsys, argv)
    assert not (given / "b/small").exists()


def test_keys_of_the_other_kind_of_model_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "d.toml"
    path.write_text("[design]\nname = 'd'\n[model]\nkind = 'keras'\nhidden = [4]\n")
    assert "model.hidden" in refused(capsys, ["run", str(path)])
    path.write_text("[design]\nname = 'd'\n[model]\nkind = 'keras'\n")
    assert "model.path" in refused(capsys, ["run", str(path)])
    path.write_text("[design]\nname = 'd'\n[model]\nagreement = 0.5\n")
    assert "model.agreement" in refused(capsys, ["run", str(path)])
