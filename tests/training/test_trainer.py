# SPDX-License-Identifier: Apache-2.0
"""The trainer: clips from disk, early stopping, resumption of all weights, logs, what it refuses."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from data.videos import make_ucf101

from codesign.data import Clips, DataConfig
from codesign.errors import ConfigError, VideoError
from codesign.layers import SparsityLoss, over_time
from codesign.training import CHECKPOINT, BlockConfig, ModelConfig, TrainingConfig, trainer
from codesign.training.feed import Feed, errors_of
from codesign.training.network import build_network
from codesign.training.phases import Phase
from codesign.training.state import State, hand_over
from codesign.training.trainer import BOARDS, Trainer

DIGITS = DataConfig(frames=2, size=8, digit=8.0, travel=0.0, train=16, val=8, test=4)
NETWORK = ModelConfig(hidden=())
FLOAT = Phase(name="float", epochs=6, rate=0.1, model=NETWORK, quantized=False)
DELTA = Phase(name="delta", epochs=2, rate=0.01, model=NETWORK, loss=SparsityLoss(1.0))


def make(folder: Path, data: DataConfig = DIGITS, phases: tuple[Phase, ...] = (FLOAT,), **training: Any) -> Trainer:
    config = TrainingConfig(**{"batch_size": 8, **training})
    made = Trainer(data.load(2), NETWORK, config, 2, checkpoint=folder / CHECKPOINT, key="key")
    made.phases = phases
    return made


def ignore(_: State) -> None:
    """Nothing to do after an epoch."""


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> DataConfig:
    folder = make_ucf101(tmp_path_factory.mktemp("ucf101"))
    return DataConfig(kind="ucf101", path=folder, frames=3, size=8, grey=True)


class Drift(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Counts training steps in a weight that nothing trains, and that the loss depends on."""

    def build(self, _: Any) -> None:
        self.steps = self.add_weight((), "zeros", trainable=False, name="steps")

    def call(self, outputs: Any, training: bool = False) -> Any:
        if training:
            self.steps.assign(self.steps + 1)
        return outputs * (1 + 0.1 * self.steps)


def drifting(*args: Any, **kwargs: Any) -> Any:
    clips = over_time(*args, **kwargs)
    return keras.Model(clips.input, Drift(name="drift")(clips.output))


def test_streamed_training_goes_on_with_every_weight(
    videos: DataConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "over_time", drifting)
    monkeypatch.setattr(trainer, "evaluate", lambda *_, **__: {})
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    expected = make(whole, videos, (DELTA,)).run(ignore)
    interrupted = make(parts, videos, (DELTA,))

    def press(fraction: float, text: str) -> None:  # noqa: ARG001
        if fraction > 0.5:
            raise KeyboardInterrupt

    interrupted.progress = press
    with pytest.raises(KeyboardInterrupt):
        interrupted.run(ignore)
    kept = State.load(parts / CHECKPOINT, "key")
    assert kept is not None
    assert (kept.epoch, [float(value) for value in kept.others]) == (
        1,
        [1.0, 3.0],
    )  # factor of the loss; steps: 18 clips are 3 batches
    result = make(parts, videos, (DELTA,)).run(ignore)
    assert result.log == expected.log
    assert {"val_loss", "val_accuracy", "density/fc1"} <= result.log[0].keys()
    for weight, again in zip(expected.weights, result.weights, strict=True):
        assert np.array_equal(weight, again)


def test_weights_are_handed_over_by_name() -> None:
    config = ModelConfig(blocks=(BlockConfig(kind="separable", filters=3),), hidden=(4,))
    plain = build_network(config, (6, 6, 1), 5, quantized=False, seed=1)
    network = build_network(config, (6, 6, 1), 5, quantized=True, seed=2)
    assert [weight.tolist() for weight in hand_over(plain, network)] == [w.tolist() for w in plain.get_weights()]
    x = network.get_layer("delta1").output
    more = keras.Model(network.input, keras.layers.Dense(5, name="fc2")(Drift(name="drift")(x)))
    weights = hand_over(plain, more)
    assert len(weights) == len(plain.weights) + 1
    assert [float(w) for w in weights if w.shape == ()] == [0.0]  # as it starts
    assert np.array_equal(weights[-2], plain.get_weights()[-2])
    wider = keras.Model(network.input, keras.layers.Dense(6, name="fc2")(x))
    assert hand_over(plain, wider)[-2].shape == (4, 6)


def test_feed_is_in_order_and_divides_evenly() -> None:
    clips = DIGITS.load(2).train
    assert isinstance(clips, Clips)
    order = np.array([5, 2, 9, 0, 7])
    feed = Feed(clips, order, 2)
    batches = list(feed.dataset().as_numpy_iterator())
    assert [len(values) for values, _ in batches] == [2, 2, 1]
    assert np.array_equal(np.concatenate([values for values, _ in batches]), clips.values()[order])
    assert np.concatenate([labels for _, labels in batches]).tolist() == clips.labels[order].tolist()
    assert [len(Feed(clips, order, 4, devices=4)), len(Feed(clips, order, 2, devices=2))] == [1, 2]
    assert Feed(clips).batch_size == 250
    assert Feed(clips, devices=3).batch_size == 249


def test_an_error_of_the_data_is_raised_as_it_is(videos: DataConfig, tmp_path: Path) -> None:
    assert videos.path is not None
    copy = Path(shutil.copytree(videos.path, tmp_path / "copy"))
    test = DataConfig(kind="ucf101", path=copy, frames=3, size=8).load(2).test
    (copy / "Archery" / "v_Archery_g02_c01.avi").write_bytes(b"no video" * 99)
    feed = Feed(test, batch_size=2)
    with pytest.raises(VideoError, match=r"v_Archery_g02_c01\.avi: the video cannot be decoded"), errors_of(feed):
        list(feed.dataset())


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[float]]:
    """Replace an epoch by one that sets all weights to its number and logs what the test puts here."""
    script: dict[str, list[float]] = {"val_loss": [0.0] * 9, "val_accuracy": [0.0] * 9}

    def epoch(_: Trainer, clips: Any, __: Phase, state: State) -> dict[str, float]:
        for weight in clips.trainable_weights:
            weight.assign(np.full(weight.shape, state.epoch + 1, np.float32))
        return {name: values[state.epoch] for name, values in script.items()}

    monkeypatch.setattr(Trainer, "_epoch", epoch)
    monkeypatch.setattr(trainer, "evaluate", lambda *_, **__: {})
    return script


@pytest.mark.parametrize(
    ("figure", "values", "epochs", "best"),
    [
        ("val_loss", [3.0, 2.0, 2.5, float("nan"), 1.0, 1.0], 4, 2),
        ("val_loss", [3.0, 2.0, 2.5, 1.0, 1.5, 1.2], 6, 4),
        ("val_loss", [1.0, 1.0, 1.0, 0.5, 0.5, 0.5], 3, 1),
        ("val_accuracy", [0.1, 0.2, 0.3, 0.3, 0.2, 0.9], 5, 3),
    ],
)
def test_early_stop(
    scripted: dict[str, list[float]], tmp_path: Path, figure: str, values: list[float], epochs: int, best: int
) -> None:
    """Patience 2, and the same after an interruption in every epoch."""
    scripted[figure] = values

    def stop(state: State) -> None:
        if state.epoch:
            raise KeyboardInterrupt

    for _ in range(epochs):
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path, early_stop=2, early_stop_on=figure).run(stop)
    state = make(tmp_path, early_stop=2, early_stop_on=figure).run(ignore)
    assert [line["epoch"] for line in state.log] == list(range(1, epochs + 1))
    assert {float(weight.ravel()[0]) for weight in state.weights} == {best}
    (tmp_path / CHECKPOINT).unlink()
    again = make(tmp_path, early_stop=2, early_stop_on=figure).run(ignore)
    assert json.dumps(again.log) == json.dumps(state.log)
    assert all(np.array_equal(one, other) for one, other in zip(again.weights, state.weights, strict=True))


def test_early_stop_counts_from_the_end_of_a_warm_up(scripted: dict[str, list[float]], tmp_path: Path) -> None:
    scripted["val_loss"] = [1.0, 2.0, 3.0, 5.0, 4.0, 4.5, 4.2, 1.0]  # grows with the factor, then falls
    warmed = replace(FLOAT, epochs=8, warmup=3)
    state = make(tmp_path, phases=(warmed,), early_stop=2).run(ignore)
    assert len(state.log) == 7
    assert {float(weight.ravel()[0]) for weight in state.weights} == {5}
    (tmp_path / CHECKPOINT).unlink()
    state = make(tmp_path, phases=(replace(warmed, epochs=2),), early_stop=1).run(ignore)
    assert len(state.log) == 2  # all of it warm-up: the last epoch
    assert {float(weight.ravel()[0]) for weight in state.weights} == {2}


def test_without_early_stop_the_last_epoch_counts(scripted: dict[str, list[float]], tmp_path: Path) -> None:
    scripted["val_loss"] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    state = make(tmp_path).run(ignore)
    assert {float(weight.ravel()[0]) for weight in state.weights} == {6}


class Board(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Stands for `keras.callbacks.TensorBoard`; records what it is given."""

    seen: list[tuple[str, int]]

    def __init__(self, log_dir: str, **_: Any) -> None:
        super().__init__()
        self.log_dir = Path(log_dir)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        assert logs is not None
        assert "val_loss" in logs
        self.log_dir.mkdir(parents=True, exist_ok=True)
        self.seen.append((self.log_dir.name, epoch))


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> type[Board]:
    Board.seen = []
    monkeypatch.setattr(keras.callbacks, "TensorBoard", Board)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    return Board


def test_tensorboard_logs_every_epoch_of_each_phase(board: type[Board], tmp_path: Path) -> None:
    (tmp_path / BOARDS / "old").mkdir(parents=True)
    short = Phase(name="float", epochs=2, rate=0.1, model=NETWORK, quantized=False)
    make(tmp_path, phases=(short,), tensorboard=True).run(ignore)
    assert board.seen == [("float", 0), ("float", 1)]
    assert [path.name for path in (tmp_path / BOARDS).iterdir()] == ["float"]  # those of another run are gone


def test_tensorboard_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"training\.tensorboard: TensorBoard is not installed.*pip install"):
        make(tmp_path, tensorboard=True)
    make(tmp_path)


def test_what_the_data_or_the_machine_do_not_have(tmp_path: Path) -> None:
    silent = DataConfig(frames=2, size=8, digit=8.0, travel=0.0, train=4, val=0, test=1)
    with pytest.raises(ConfigError, match=r"training\.early_stop: there is nothing to validate with.*data\.val"):
        make(tmp_path, silent, early_stop=1)
    with pytest.raises(ConfigError, match=r"training\.devices: there are fewer devices.*Received: 1000"):
        make(tmp_path, devices=1000, batch_size=1000)
    for name in ("early_stop", "devices"):
        wrong: dict[str, Any] = {name: -1}
        with pytest.raises(ConfigError, match=rf"training\.{name}: out of range"):
            TrainingConfig(**wrong)


@pytest.mark.heavy
def test_two_devices(tmp_path: Path) -> None:
    """TensorFlow makes devices when it starts, so two processors are made of one in another process."""
    script = Path(__file__).with_name("two_devices.py")
    result = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, timeout=250, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]
    seen = json.loads(result.stdout.splitlines()[-1])
    assert seen["replicas"] == [1, 2]
    assert seen["used"] == ["CPU:0", "CPU:1"]
    assert seen["difference"] < 1e-5
    one, two = seen["logs"]
    for figure in ("loss", "accuracy", "density/fc1", "operation_sparsity"):
        assert one[figure] == pytest.approx(two[figure], rel=1e-5)
    for factors in seen["factors"]:
        assert factors[:3] == [None, 0.0, 0.5]  # without a schedule, and warming up
        assert factors[3] > 1.0  # more is computed than the target allows
    assert seen["factors"][0][3] == pytest.approx(seen["factors"][1][3], rel=1e-4)
    assert np.isfinite(two["val_loss"])  # of 4 of the 5 clips: none is left over for one device alone
    assert "training.batch_size: devices share a batch evenly" in seen["refused"]
