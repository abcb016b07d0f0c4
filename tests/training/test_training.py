# SPDX-License-Identifier: Apache-2.0
"""Training: what it writes, that it learns, and that an interruption changes nothing."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np
import pytest

from codesign import sources
from codesign.data import Clips, DataConfig
from codesign.errors import ConfigError, StageError, TrustError
from codesign.fixed import Fixed
from codesign.layers import stream
from codesign.training import CHECKPOINT, LOG, MODEL, RESULTS, ModelConfig, TrainingConfig, load_model, train
from codesign.training import run as training_run
from codesign.training.state import State

DATA = DataConfig(frames=3, size=16, digit=14.0, travel=0.5, texture=0.05, train=400, val=8, test=8)
NETWORK = ModelConfig(hidden=(16,))
SHORT = TrainingConfig(float_epochs=2, quantized_epochs=2, delta_epochs=2, batch_size=16, sparsity=10.0)
SEED = 3


def run(folder: Path, progress: Any = None, seed: int = SEED, data: DataConfig = DATA) -> dict[str, Any]:
    print(f"seed {seed}")
    return train(data, NETWORK, SHORT, folder, seed=seed, progress=progress)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


def weights(folder: Path) -> list[np.ndarray]:
    found: list[np.ndarray] = load_model(folder).get_weights()
    return found


def same(one: Path, other: Path) -> bool:
    texts = all((one / name).read_text() == (other / name).read_text() for name in (LOG, RESULTS))
    return texts and all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_writes_what_it_says(whole: Path) -> None:
    results = json.loads((whole / RESULTS).read_text())
    assert results["accuracy"].keys() == {"float", "quantized", "delta"}
    assert results["operation_sparsity"].keys() == results["density"].keys() == {"quantized", "delta"}
    assert results["density"]["delta"].keys() == {"fc1", "fc2"}
    assert results["config"]["training"]["sparsity"] == 10.0
    with (whole / LOG).open() as file:
        lines = list(csv.DictReader(file))
    assert [(line["phase"], line["epoch"]) for line in lines] == [
        (phase, epoch) for phase in ("float", "quantized", "delta") for epoch in "12"
    ]
    assert {"loss", "accuracy", "val_accuracy", "operation_sparsity", "density/fc1"} <= lines[0].keys()


def test_reported_figures_are_those_of_the_saved_model(whole: Path) -> None:
    results, model, test = json.loads((whole / RESULTS).read_text()), load_model(whole), DATA.load(SEED).test
    assert isinstance(test, Clips)
    runs = [stream(model, clip) for clip in test.values()]
    told = np.array([run.outputs.mean(axis=0).argmax() for run in runs])
    assert results["accuracy"]["delta"] == np.mean(told == test.labels)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (test.labels, told), 1)
    active, macs = np.zeros(len(test), int), 0
    for name, fanout in (("encode", 16), ("delta1", 10)):
        changed = np.stack([np.diff(run.codes[name], axis=0) != 0 for run in runs])
        active, macs = active + changed.reshape(len(test), -1).sum(1) * fanout, macs + changed[0].size * fanout
    assert results["operation_sparsity"]["delta"] == 1 - active.sum() / (macs * len(test))
    shares = [1 - active[mine].mean() / macs if any(mine := test.labels == label) else None for label in range(10)]
    assert results["test"] == {
        "classes": list(DATA.load(SEED).classes),
        "confusion": counts.tolist(),
        "operation_sparsity": pytest.approx(shares),
    }


def test_saved_weights_are_on_their_lattice(whole: Path) -> None:
    formats = [Fixed.from_qkeras(6, 0, signed=True), Fixed.from_qkeras(12, 3, signed=True)] * 2
    for weight, fmt in zip(weights(whole), formats, strict=True):
        fmt.to_codes(weight)


@pytest.mark.usefixtures("interruptible", "eager")
def test_goes_on_after_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted inside an epoch, while a checkpoint is half written, and in the last epoch of all."""

    def press_at(fraction: float) -> Callable[[float, str], None]:
        return lambda done, _: signal.raise_signal(signal.SIGINT) if done >= fraction else None

    def half_written(file: IO[bytes], **_: Any) -> None:
        file.write(b"PK half")
        raise KeyboardInterrupt

    data = replace(DATA, train=32)  # two steps an epoch
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run(whole, data=data)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, press_at(0.4), data=data)
    assert not (stopped / MODEL).exists()
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", half_written)
        with pytest.raises(KeyboardInterrupt):
            run(stopped, data=data)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, press_at(0.9), data=data)
    seen: list[float] = []
    run(stopped, lambda done, _: seen.append(done), data=data)
    assert 5 / 6 < seen[0] < seen[-1] == 1.0  # only the last epoch was left
    assert same(whole, stopped)


def test_finished_run_is_not_trained_again(whole: Path) -> None:
    before = weights(whole)
    seen: list[float] = []
    run(whole, lambda done, _: seen.append(done))
    assert not seen
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(whole), strict=True))


def test_another_seed_starts_from_the_beginning(whole: Path, tmp_path: Path) -> None:
    shutil.copy(whole / CHECKPOINT, tmp_path)
    seen: list[float] = []

    def stop(done: float, _: str) -> None:
        seen.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop, seed=SEED + 1)
    assert 0 < seen[0] < 1 / 6


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04garbage" * 50, b"\x93NUMPY"])
def test_damaged_checkpoint_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CHECKPOINT).write_bytes(content)
    assert State.load(tmp_path / CHECKPOINT, "key") is None


def test_checkpoint_round_trip(tmp_path: Path) -> None:
    state = State(weights=[np.eye(2), np.zeros(3)], optimizer=[np.ones(1)], phase=1, epoch=2, log=[{"loss": 0.5}])
    state.save(tmp_path / CHECKPOINT, "key")
    again = State.load(tmp_path / CHECKPOINT, "key")
    assert again is not None
    assert (again.phase, again.epoch, again.log, len(again.weights)) == (1, 2, [{"loss": 0.5}], 2)
    assert np.array_equal(again.weights[0], np.eye(2))
    assert State.load(tmp_path / CHECKPOINT, "other key") is None


def test_learns(whole: Path) -> None:
    accuracy = json.loads((whole / RESULTS).read_text())["accuracy"]
    assert min(accuracy.values()) >= 0.3  # chance is 0.1


def test_code_in_a_model_is_not_run(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2, name="odd")])
    keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(2)]).save(tmp_path / MODEL)
    with pytest.raises(
        TrustError, match=r"model\.keras: layer 'odd': the model holds code.*a Lambda layer\. Next step: "
    ):
        load_model(tmp_path)
    (tmp_path / MODEL).write_bytes((tmp_path / MODEL).read_bytes()[:-40])
    with pytest.raises(StageError, match="cannot be read"):
        load_model(tmp_path)


def test_no_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no trained model"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (ModelConfig, {"hidden": (64, 0)}),
        (ModelConfig, {"weight_bits": 1}),
        (ModelConfig, {"input_bits": 9}),
        (ModelConfig, {"hold_steps": 0.3}),
        (ModelConfig, {"input_hold_steps": -1.0}),
        (TrainingConfig, {"float_epochs": 0}),
        (TrainingConfig, {"batch_size": 0}),
        (TrainingConfig, {"learning_rate": 0.0}),
        (TrainingConfig, {"sparsity": -1.0}),
    ],
)
def test_bad_configuration(kind: type, arguments: dict[str, Any]) -> None:
    section = "model" if kind is ModelConfig else "training"
    with pytest.raises(ConfigError, match=rf"{section}\.{next(iter(arguments))}: out of range"):
        kind(**arguments)


def test_importing_needs_no_tensorflow() -> None:
    code = "import sys, codesign.training; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_checkpoint_of_other_code_or_tools_is_ignored(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(whole / CHECKPOINT, tmp_path)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    run(tmp_path, stop)  # nothing is left to train
    monkeypatch.setattr(training_run, "PACKAGES", ("tensorflow", "keras", "a package that is not there"))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop)
    monkeypatch.undo()
    monkeypatch.setattr(sources, "source_hash", lambda _: "other")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop)
