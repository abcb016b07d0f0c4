# SPDX-License-Identifier: Apache-2.0
"""`codesign import`: a model file and a folder of videos in one command to a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import qkeras
from calibration.moving import float_model, write_folder
from data.videos import noise, write_video
from keras import layers as L  # noqa: N812

from codesign.cli import main
from codesign.flow.config import load
from codesign.flow.stages.imported import clips_that_fit
from codesign.graph.balance import multipliers
from codesign.graph.file import load_graph
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


def test_one_sigmoid_answers_yes_or_no(tmp_path: Path) -> None:
    """It is compared as two probabilities, takes clips of two classes, and its logit is what hardware gives out."""
    keras.utils.set_random_seed(4)
    hidden = L.Dense(6, activation="relu", name="hidden")
    end = L.Dense(1, activation="sigmoid", name="fc", bias_initializer=keras.initializers.Constant(0.3))
    model = keras.Sequential([keras.Input((5,), name="frame"), hidden, end])
    model.save(streams(tmp_path) / "model.keras")
    for number, name in enumerate(["no", "no", "yes", "yes"]):
        (tmp_path / "clips" / name).mkdir(exist_ok=True)
        (tmp_path / f"clips/{number}.npy").rename(tmp_path / f"clips/{name}/{number}.npy")
    assert main(command(tmp_path, "--to", "2_graph", "--agreement", "0.9")) == 0
    results = results_of(tmp_path)
    unseen = [np.load(file) for file in sorted((tmp_path / "clips").glob("*/*.npy"))]
    answers = np.concatenate([np.asarray(model(frames))[:, 0] > 0.5 for frames in unseen])
    assert 0.1 < answers.mean() < 0.9, "both answers are given"
    assert results["float_agreement"]["decisions"] >= 0.8, "of frames that were not seen"
    assert results["test"]["classes"] == ["no", "yes"]
    assert set(results["accuracy"]) == {"float", "delta"}
    assert json.loads((tmp_path / "b/small" / BuildFolder.GRAPH / "keras_golden.json").read_text())["mismatches"] == 0


@pytest.mark.heavy
def test_goes_through_to_the_report(given: Path) -> None:
    assert main(command(given, "--agreement", "0.9")) == 0
    report = json.loads((given / "b/small" / BuildFolder.REPORT / "report.json").read_text())
    assert {count for pair, count in report["agreement"]["mismatches"].items() if pair != "golden_hls"} == {0}
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
    assert {count for pair, count in report["agreement"]["mismatches"].items() if pair != "golden_hls"} == {0}


def refused(capsys: pytest.CaptureFixture[str], argv: list[str]) -> str:
    assert main(argv) in (1, 2)
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("count", ["0", "-3", "many", "1.5"])
def test_multipliers_are_a_number(given: Path, capsys: pytest.CaptureFixture[str], count: str) -> None:
    with pytest.raises(SystemExit):
        main(command(given, f"--multipliers={count}"))
    assert "expected a whole number from 1 on" in capsys.readouterr().err


def test_an_unknown_board_is_refused_before_anything(given: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "icebreaker" in refused(capsys, command(given, "--target", "icebraker"))
    assert not (given / "b").exists()


def test_as_many_clips_as_memory_holds() -> None:
    assert clips_that_fit(dense(), 12) == 48
    pixels = keras.Input((2000, 2000, 3))
    large = keras.Model(pixels, L.Conv2D(256, 3)(pixels))
    assert clips_that_fit(large, 64) == 2


def streams(folder: Path, *, kind: str = "float32", frames: int = 26) -> Path:
    """Write four recordings of five numbers that move slowly, of both signs."""
    (folder / "clips").mkdir()
    for number in range(4):
        t = np.arange(frames)[:, None] / 9 + number
        np.save(folder / f"clips/{number}.npy", (np.sin(t + np.arange(5)) * 3).astype(kind))
    return folder


def dense(*front: Any) -> Any:
    keras.utils.set_random_seed(2)
    layers = [*front, L.Dense(6, activation="relu", name="hidden"), L.Dense(3, name="fc"), L.Softmax(name="ends")]
    return keras.Sequential([keras.Input((5,), name="frame"), *layers])


def test_recordings_are_recognised_and_their_range_goes_into_the_design(tmp_path: Path) -> None:
    dense().save(streams(tmp_path) / "model.keras")
    assert main(command(tmp_path, "--to", "1_model", "--agreement", "0.8", "--multipliers", "3")) == 0
    assert load(tmp_path / "b/small.toml").hardware.multipliers == 3
    assert main(command(tmp_path, "--to", "2_graph", "--agreement", "0.8", "--target", "icebreaker")) == 0
    design = load(tmp_path / "b/small.toml")
    assert design.hardware.multipliers == 8, "as many as the board has"
    assert sum(map(multipliers, load_graph(tmp_path / "b/small" / BuildFolder.GRAPH).engines)) <= 8
    assert (design.data.kind, design.data.shape, design.data.plain) == ("arrays", (5,), True)
    assert design.data.range == design.model.input_range
    assert design.data.range[1] / 127 == pytest.approx(-design.data.range[0] / 128)
    assert json.loads((tmp_path / "b/small" / BuildFolder.GRAPH / "keras_golden.json").read_text())["mismatches"] == 0


@pytest.mark.heavy
def test_recordings_go_through_to_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With first weights that keep their own quantiser, so that the input is what the recordings hold."""
    own = qkeras.quantized_bits(8, 1, alpha=1)
    first = qkeras.QDense(6, kernel_quantizer=own, bias_quantizer=own, name="first")
    dense(first, L.ReLU(name="relu")).save(streams(tmp_path) / "model.keras")
    assert main(command(tmp_path, "--agreement", "0.8")) == 0
    report = json.loads((tmp_path / "b/small" / BuildFolder.REPORT / "report.json").read_text())
    assert {count for pair, count in report["agreement"]["mismatches"].items() if pair != "golden_hls"} == {0}
    assert load(tmp_path / "b/small.toml").data.range == (-4.0, 127 / 32)
    assert main(["measure", str(tmp_path / "b/small"), "--video", str(write_folder(tmp_path / "v") / "clip0.mkv")]) == 2
    assert "input is not a video frame" in capsys.readouterr().err


def test_recordings_that_do_not_fit_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dense().save(streams(tmp_path) / "model.keras")
    argv = command(tmp_path)
    assert "hold what the model reads" in refused(capsys, [*argv, "--input-range", "0:255"])
    write_video(tmp_path / "clips/a.mkv", noise(20))
    assert "both videos and recordings" in refused(capsys, argv)
    (tmp_path / "empty").mkdir()
    assert "neither videos nor recordings" in refused(capsys, [*argv[:3], str(tmp_path / "empty"), *argv[4:]])
    write_folder(tmp_path / "videos")
    said = refused(capsys, [*argv[:3], str(tmp_path / "videos"), *argv[4:]])
    assert "do not fit the input" in said
    assert ".npy files of frames, [T, 5]" in said
    assert not (tmp_path / "b").exists()


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


def test_what_only_the_conversion_refuses_is_known_before_anything_slow(
    given: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = keras.Input((16, 16, 1))
    x = L.AveragePooling2D(3, padding="same", name="border")(L.Conv2D(2, 3, activation="relu")(frame))
    keras.Model(frame, L.Dense(3)(L.Flatten()(x))).save(given / "model.keras")
    assert "border: this average" in refused(capsys, command(given))
    assert not (given / "b").exists()


def test_keys_of_the_other_kind_of_model_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "d.toml"
    path.write_text("[design]\nname = 'd'\n[model]\nkind = 'keras'\nhidden = [4]\n")
    assert "model.hidden" in refused(capsys, ["run", str(path)])
    path.write_text("[design]\nname = 'd'\n[model]\nkind = 'keras'\n")
    assert "model.path" in refused(capsys, ["run", str(path)])
    path.write_text("[design]\nname = 'd'\n[model]\nagreement = 0.5\n")
    assert "model.agreement" in refused(capsys, ["run", str(path)])
