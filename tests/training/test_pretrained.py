# SPDX-License-Identifier: Apache-2.0
"""Models that others trained, trained further: with new outputs or their own, through every phase to the hardware."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from calibration.moving import SIZE, float_model, spots, write_folder
from keras import layers as L  # noqa: N812

from codesign.data import ClipDataset, Clips, DataConfig
from codesign.errors import ConfigError
from codesign.fixed import CENTERED, PIXEL
from codesign.flow.config import load
from codesign.layers import DeltaActivation
from codesign.layers.activation import input_format
from codesign.training import ModelConfig, TrainingConfig, load_model, train, trainer
from codesign.training.feed import in_format
from codesign.training.phases import phases_of
from codesign.training.pretrained import Pretrained
from codesign.training.state import State
from codesign.training.trainer import Trainer

SHORT: dict[str, Any] = {"float_epochs": 1, "quantized_epochs": 1, "delta_epochs": 1, "batch_size": 8}


def dataset(classes: int = 3) -> Any:
    """Return clips of spots; every class has as many."""
    pixels = spots(6, 4)
    clips = Clips(frames=pixels, labels=np.arange(6) % classes, sources=np.arange(6))
    names = tuple(f"class{number}" for number in range(classes))
    return ClipDataset(name="spots", classes=names, train=clips, val=clips, test=clips)


def config(path: Path, **options: Any) -> ModelConfig:
    return ModelConfig(kind="keras", path=path, **{"head": "new", "activation_bits": 8, **options})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    float_model(ends=L.Softmax(name="classes")).save(folder / "model.keras")
    return folder / "model.keras"


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_the_float_network_is_the_model_and_the_delta_network_nearly(path: Path, low: float) -> None:
    model = config(path, head="own", input_range=(low, 1.0), input_bits=8, weight_bits=8, input_hold_steps=0.0)
    made, (first, second, _) = Pretrained(model, dataset(2), 1), phases_of(model, TrainingConfig())
    given = keras.saving.load_model(path)
    pixels = spots(6, 4).reshape(-1, SIZE, SIZE, 3)
    wanted = keras.Model(given.inputs[0], given.get_layer("fc").output).predict(
        low + (1 - low) * pixels / np.float32(255), verbose=0
    )
    network = made.network(first, [])
    values = (pixels / np.float32(256)).astype(np.float32)
    assert made.fmt == (PIXEL if low == 0 else CENTERED)
    got = network.predict(in_format(values, made.fmt), verbose=0)
    assert np.allclose(got, wanted, atol=1e-3 if low == 0 else 0.2)
    quantized = made.network(second, network.get_weights())
    assert input_format(quantized) == made.fmt
    codes = quantized.predict(in_format(values, made.fmt), verbose=0)
    assert np.corrcoef(codes[:, 0], got[:, 0])[0, 1] > 0.99


def test_a_new_head_has_an_output_for_each_class_and_the_features_stay(path: Path) -> None:
    model = config(path)
    phase = phases_of(model, TrainingConfig())[0]
    first, again, other = (Pretrained(model, dataset(), seed).network(phase, []) for seed in (1, 1, 2))
    assert first.output_shape == (None, 3)
    own = Pretrained(config(path, head="own"), dataset(2), 1).network(phase, [])
    for network in (first, other):
        assert np.array_equal(network.get_layer("conv").get_weights()[0], own.get_layer("conv").get_weights()[0])
    kernels = [network.get_layer("fc").get_weights()[0] for network in (first, again, other)]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_a_convolution_can_be_the_head(tmp_path: Path) -> None:
    frame = keras.Input((SIZE, SIZE, 3))
    x = L.GlobalAveragePooling2D(keepdims=True)(L.Conv2D(4, 3, strides=2, activation="relu")(frame))
    x = L.Softmax()(L.Reshape((5,))(L.Conv2D(5, 1, name="logits")(x)))
    keras.Model(frame, x).save(tmp_path / "model.keras")
    model = config(tmp_path / "model.keras")
    network = Pretrained(model, dataset(), 1).network(phases_of(model, TrainingConfig())[0], [])
    assert (network.output_shape, network.get_layer("logits").filters) == ((None, 3), 3)


def test_what_is_computed_anew_is_marked_by_the_method(path: Path) -> None:
    for method, wanted in (("dense", {True}), ("input_delta", {False, True}), ("delta", {False})):
        model, training = config(path), TrainingConfig(method=method)  # type: ignore[arg-type]
        network = Pretrained(model, dataset(), 1).network(phases_of(model, training)[-1], [])
        marks = [layer.stateless for layer in network.layers if isinstance(layer, DeltaActivation)]
        assert set(marks) == wanted
        assert marks[0] == (method == "dense")


@pytest.fixture
def scaling(monkeypatch: pytest.MonkeyPatch) -> None:
    """An epoch makes every weight 1.5 times as large; nothing is evaluated."""

    def epoch(_: Trainer, clips: Any, *__: Any) -> dict[str, float]:
        for weight in clips.trainable_variables:
            weight.assign(1.5 * weight)
        return {}

    monkeypatch.setattr(Trainer, "_epoch", epoch)
    monkeypatch.setattr(trainer, "evaluate", lambda *_, **__: {})


@pytest.mark.usefixtures("scaling")
def test_delta_networks_are_made_of_the_trained_float_network(path: Path, tmp_path: Path) -> None:
    model = config(path, hold_steps=1.0, train_hold=True)

    def make() -> Trainer:
        training = TrainingConfig(**SHORT)
        return Trainer(dataset(), model, training, 3, checkpoint=tmp_path / "c.npz", key="key", pretrained=Pretrained)

    def stop(state: State) -> None:
        if (state.phase, state.epoch) == (1, 1):
            raise KeyboardInterrupt

    first = make().network(make().phases[0]).get_layer("conv").get_weights()[0]
    with pytest.raises(KeyboardInterrupt):
        make().run(stop)
    again = make()
    state = again.run(lambda _: None)
    network = again.network(again.phases[-1])
    network.set_weights(state.weights)
    assert np.allclose(network.get_layer("conv").get_weights()[0], 1.5**3 * first)
    assert np.allclose(state.float_weights[0], 1.5 * first)
    (quantizer, *_) = network.get_layer("conv").quantizers
    reach = np.abs(quantizer(np.float32(1.5**3) * first)).max() / np.abs(1.5 * first).max()
    assert 0.9 < reach < 1.5**2 * 0.99, "the lattice is that of the float weights, and what grew beyond is clipped"


@pytest.mark.heavy
def test_every_phase_to_figures_of_each_class(path: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "clips", ("bright", "dark"), frames=12)
    clips = DataConfig(kind="video_folder", path=folder, size=SIZE, grey=False, frames=4, val_share=0.0)
    model = config(path, hold_steps=1.0, train_hold=True, activation_step="po2", step_rate=1.0)
    shared = tmp_path / "shared"
    results = train(clips, model, TrainingConfig(**SHORT), tmp_path / "a", seed=3, shared=shared, pretrained=Pretrained)
    assert set(results["accuracy"]) == {"float", "delta"}, "what is shared is not evaluated in between"
    assert len(results["test"]["operation_sparsity"]) == 2
    plain = TrainingConfig(method="dense", **SHORT)
    dense = train(clips, config(path), plain, tmp_path / "b", seed=3, shared=shared, pretrained=Pretrained)
    assert len(list(shared.glob("float_*"))) == 1, "one float network for both"
    assert results["accuracy"]["float"] == dense["accuracy"]["float"]
    saved = load_model(tmp_path / "a")
    assert {type(layer).__name__ for layer in saved.layers} >= {"QConv2D", "QDense", "DeltaActivation"}
    assert None not in {layer.hold for layer in saved.layers if isinstance(layer, DeltaActivation)}


def refused(text: str, **changes: Any) -> None:
    with pytest.raises(ConfigError) as error:
        ModelConfig(**{"kind": "keras", "path": Path("m.keras"), **changes})
    assert text in str(error.value)


def test_keys_that_do_nothing_are_refused(path: Path, tmp_path: Path) -> None:
    refused("model.weight_bits", weight_bits=8)
    refused("model.agreement", head="new", agreement=0.9)
    refused("model.hidden", head="new", hidden=(3,))
    refused("model.head", kind="network", path=None, head="new")
    design = tmp_path / "d.toml"
    start = f"[design]\nname = 'd'\n[model]\nkind = 'keras'\npath = '{path}'\n"
    data = f"[data]\nkind = 'video_folder'\npath = '{tmp_path}'\n"
    design.write_text(f"{start}[training]\ndelta_epochs = 2\n{data}")
    with pytest.raises(ConfigError, match=r"model\.head.*is not trained|is not trained.*model\.head"):
        load(design)
    design.write_text(f"{start}head = 'new'\n{data}plain = true\n")
    with pytest.raises(ConfigError, match="no classes to train with"):
        load(design)


def test_models_without_a_head_and_other_classes_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="labels do not fit"):
        Pretrained(config(path, head="own"), dataset(3), 1)
    frame = keras.Input((SIZE, SIZE, 3))
    keras.Model(frame, L.Conv2D(4, 3, activation="relu")(frame)).save(tmp_path / "map.keras")
    with pytest.raises(ConfigError, match="no head that can be replaced"):
        Pretrained(config(tmp_path / "map.keras"), dataset(), 1)
