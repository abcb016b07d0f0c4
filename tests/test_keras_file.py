# SPDX-License-Identifier: Apache-2.0
"""Model files from outside: what they name is read before anything is made, and only known layers are made."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from qkeras import QActivation, QDense, quantized_bits

from codesign.errors import CodesignError, StageError, TrustError
from codesign.keras_model.file import CONFIG, METADATA, WEIGHTS, load_keras
from codesign.layers import DeltaActivation

FIX = "train it again"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a saved model with layers of Keras, QKeras and our own."""
    quantizer = quantized_bits(4, 0, alpha=1)
    model = keras.Sequential(
        [
            keras.Input((4,), name="frame"),
            QActivation("quantized_relu(4, 2)"),
            QDense(3, kernel_quantizer=quantizer, bias_quantizer="quantized_bits(4, 0, alpha=1)", name="fc"),
            DeltaActivation("relu", bits=4, step=0.25),
            keras.layers.Dense(2, activation="softmax", kernel_constraint=keras.constraints.NonNeg()),
        ]
    )
    path = tmp_path_factory.mktemp("good") / "model.keras"
    model.save(path)
    return path


def rewritten(good: Path, path: Path, changes: dict[str, bytes | None]) -> Path:
    """Copy a model file with other members; None leaves one out."""
    with zipfile.ZipFile(good) as archive:
        members: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, **changes}.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def config_of(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(CONFIG))


def with_layer(good: Path, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    config = config_of(good)
    change(next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == "fc"))
    return rewritten(good, path, {CONFIG: json.dumps(config).encode()})


def test_a_good_model_is_the_same(good: Path) -> None:
    frames = np.random.default_rng(1).random((5, 4), np.float32)
    expected = keras.models.load_model(good)(frames)
    np.testing.assert_array_equal(load_keras(good, fix=FIX)(frames), expected)


@pytest.mark.parametrize("code", ["Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper"])
def test_code_in_a_model_is_refused_by_name(good: Path, tmp_path: Path, code: str) -> None:
    def change(layer: dict[str, Any]) -> None:
        layer["config"]["activation"] = {"class_name": code, "config": {"value": "x"}, "module": "keras.layers"}

    path = with_layer(good, tmp_path / "m.keras", change)
    received = "Lambda layer" if "ambda" in code else code
    with pytest.raises(TrustError, match=rf"m\.keras: layer 'fc': .*code of its own.*{received}.*Next step"):
        load_keras(path, fix=FIX)


def test_a_lambda_layer_that_keras_saved_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x + 1, name="plus")])
    model.save(tmp_path / "m.keras")
    with pytest.raises(TrustError, match=r"layer 'plus': .*a Lambda layer.*Next step"):
        load_keras(tmp_path / "m.keras", fix=FIX)


FOREIGN = {
    "a function of another module": {"class_name": "function", "config": "system", "module": "os"},
    "under a name that is registered": {
        "class_name": "function",
        "config": "system",
        "module": "os",
        "registered_name": "codesign>DeltaActivation",
    },
    "a class of another module": {"class_name": "Popen", "config": {"args": "touch x"}, "module": "subprocess"},
    "a module that is not there": {"class_name": "Mine", "config": {}, "module": "their.layers"},
    "a module beside a known one": {"class_name": "X", "config": {}, "module": "keras.utils"},
    "a name with dots": {"class_name": "function", "config": "utils.get_file", "module": "keras"},
    "a file that is read": {"class_name": "StringLookup", "config": {"vocabulary": "/x"}, "module": "keras.layers"},
    "no name": {"class_name": 3, "config": {}, "module": "keras.layers"},
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_not_known_is_not_imported(good: Path, tmp_path: Path, kind: str) -> None:
    path = with_layer(good, tmp_path / "m.keras", lambda layer: layer["config"].update(activation=FOREIGN[kind]))
    with pytest.raises(TrustError, match=r"layer 'fc': the model names code that is not known here.*Next step"):
        load_keras(path, fix=FIX)


@pytest.mark.parametrize("text", ["safe_eval('1', {})", "__import__('os')", "deserialize_keras_object(1)"])
def test_texts_that_qkeras_calls_are_quantizers(good: Path, tmp_path: Path, text: str) -> None:
    path = with_layer(good, tmp_path / "m.keras", lambda layer: layer["config"].update(kernel_quantizer=text))
    with pytest.raises(TrustError, match=r"layer 'fc', kernel_quantizer: the model calls what is no quantizer"):
        load_keras(path, fix=FIX)


def test_what_this_process_registered_is_known(tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable(package="tests_of_keras_file")
    class Mine(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    keras.Sequential([keras.Input((4,)), Mine()]).save(tmp_path / "m.keras")
    load_keras(tmp_path / "m.keras", fix=FIX)


def cut_off(good: Path, path: Path) -> Path:
    path.write_bytes(good.read_bytes()[:-3000])
    return path


def a_pickle(good: Path, path: Path) -> Path:
    path.write_bytes(pickle.dumps(good))
    return path


def an_hdf5_file(good: Path, path: Path) -> Path:
    with zipfile.ZipFile(good) as archive:
        path.write_bytes(archive.read(WEIGHTS))
    return path


def without_weights(good: Path, path: Path) -> Path:
    return rewritten(good, path, {WEIGHTS: None})


def without_configuration(good: Path, path: Path) -> Path:
    return rewritten(good, path, {CONFIG: None})


def with_other_json(good: Path, path: Path) -> Path:
    return rewritten(good, path, {CONFIG: b"[1, 2]"})


def with_damaged_weights(good: Path, path: Path) -> Path:
    return rewritten(good, path, {WEIGHTS: b"no weights"})


def of_a_later_version(good: Path, path: Path) -> Path:
    path = with_layer(good, path, lambda layer: layer["config"].update(an_argument_of_later=1))
    return rewritten(path, path.with_name("later.keras"), {METADATA: b'{"keras_version": "99.0"}'})


def with_wrong_shapes(good: Path, path: Path) -> Path:
    return with_layer(good, path, lambda layer: layer["config"].update(units=5))


DAMAGES = [
    cut_off,
    a_pickle,
    an_hdf5_file,
    without_weights,
    without_configuration,
    with_other_json,
    with_damaged_weights,
    of_a_later_version,
    with_wrong_shapes,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_models(good: Path, tmp_path: Path, damage: Callable[[Path, Path], Path]) -> None:
    path = damage(good, tmp_path / "m.keras")
    with pytest.raises(StageError, match=rf"{path.name}: .*Expected: .*Received: .*Next step") as error:
        load_keras(path, fix=FIX)
    assert ("Keras 99.0" in str(error.value)) == (damage is of_a_later_version)
    assert ("older format" in str(error.value)) == (damage is an_hdf5_file)


def test_weights_are_numbers(good: Path, tmp_path: Path) -> None:
    model = keras.models.load_model(good)
    values = model.get_layer("fc").get_weights()
    values[0][1, 1] = np.nan
    model.get_layer("fc").set_weights(values)
    model.save(tmp_path / "m.keras")
    with pytest.raises(StageError, match=r"m\.keras: a weight is not a number.*fc/kernel"):
        load_keras(tmp_path / "m.keras", fix=FIX)


def test_no_model(tmp_path: Path) -> None:
    for path in (tmp_path / "m.keras", tmp_path):
        with pytest.raises(CodesignError, match=rf"no trained model.*{FIX}"):
            load_keras(path, fix=FIX)
