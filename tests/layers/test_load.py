# SPDX-License-Identifier: Apache-2.0
"""Models in every format that Keras had; formats that are not read are named; no code of a file is run."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import qkeras
from old_files import CONVOLUTION, old_config, old_layer, written, zeros

import codesign
from codesign.errors import CodesignError, StageError, TrustError
from codesign.keras_model.hdf5 import matched
from codesign.layers import DeltaActivation, load_model

L = keras.layers
QUANTIZER = {"bits": 4, "integer": 0, "symmetric": 0, "alpha": 1, "keep_negative": True, "use_stochastic_rounding": 0}


FRAME = old_layer("frame", "InputLayer", [], batch_input_shape=[None, 6, 6, 2], sparse=False, ragged=False)
NORMALISATION = {"axis": [3], "momentum": 0.99, "epsilon": 0.5, "center": True, "scale": 1, "renorm": False}


def old_network() -> dict[str, Any]:
    """Return layers with all that Keras 3 refuses: groups, dtypes of initializers, shapes and axes in lists."""
    glorot = {"class_name": "GlorotUniform", "config": {"seed": None, "dtype": "float32"}}
    regularizer = {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 1e-4}}
    head = {"kernel_initializer": glorot, "bias_initializer": zeros(dtype="float32")}
    depthwise = {"depth_multiplier": 1, "depthwise_initializer": glorot, "kernel_initializer": glorot}
    return old_config(
        [
            FRAME,
            old_layer("wide", "Conv2D", ["frame"], filters=4, kernel_regularizer=regularizer, **CONVOLUTION),
            old_layer("norm", "BatchNormalization", ["wide"], **NORMALISATION),
            old_layer("relu", "ReLU", ["norm"], max_value=6.0, negative_slope=0.0, threshold=0.0),
            old_layer("deep", "DepthwiseConv2D", ["relu"], activation="linear", **depthwise, **CONVOLUTION),
            old_layer("leaky", "LeakyReLU", ["deep"], alpha=0.25),
            old_layer("sum", "Add", ["leaky", "relu"]),
            old_layer("drop", "Dropout", ["sum"], rate=0.2, noise_shape=None, seed=None),
            old_layer("flat", "Flatten", ["drop"], data_format="channels_last"),
            old_layer("dense", "Dense", ["flat"], units=3, activation="softmax", use_bias=True, **head),
        ]
    )


OLD_WEIGHTS: dict[str, dict[str, tuple[int, ...]]] = {
    "wide": {"wide/kernel:0": (3, 3, 2, 4), "wide/bias:0": (4,)},
    "norm": {f"norm/{name}:0": (4,) for name in ("gamma", "beta", "moving_mean", "moving_variance")},
    "deep": {"deep/depthwise_kernel:0": (3, 3, 4, 1), "deep/bias:0": (4,)},
    "dense": {"dense/kernel:0": (144, 3), "dense/bias:0": (3,)},
}


def new_network() -> Any:
    """Return `old_network` as Keras 3 builds it."""
    frame = keras.Input((6, 6, 2))
    wide = L.Conv2D(4, 3, padding="same", name="wide")(frame)
    relu = L.ReLU(6.0)(L.BatchNormalization(epsilon=0.5, name="norm")(wide))
    deep = L.DepthwiseConv2D(3, padding="same", name="deep")(relu)
    flat = L.Flatten()(L.Add()([L.LeakyReLU(0.25)(deep), relu]))
    return keras.Model(frame, L.Dense(3, "softmax", name="dense")(flat))


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("old") / "old.h5"
    written(path, old_network(), OLD_WEIGHTS)
    return path


def test_a_file_of_keras_2_computes_what_its_layers_do(tmp_path: Path) -> None:
    values = written(tmp_path / "old.h5", old_network(), OLD_WEIGHTS)
    expected = new_network()
    for layer, tensors in OLD_WEIGHTS.items():
        expected.get_layer(layer).set_weights([values[name] for name in tensors])
    frames = np.random.default_rng(2).uniform(-1, 1, (4, 6, 6, 2)).astype(np.float32)
    model = codesign.load_model(tmp_path / "old.h5")
    np.testing.assert_allclose(model(frames), expected(frames), rtol=1e-6, atol=1e-7)
    assert model.input_shape == (None, 6, 6, 2)
    written(tmp_path / "weights.h5", None, OLD_WEIGHTS)
    (tmp_path / "old.json").write_text(json.dumps(old_network()))
    again = load_model(str(tmp_path / "old.json"), weights=str(tmp_path / "weights.h5"))
    np.testing.assert_array_equal(again(frames), model(frames))


def test_quantizers_of_old_files(tmp_path: Path) -> None:
    quantizer = {"class_name": "quantized_bits", "config": QUANTIZER, "__passive_serialization__": True}
    initializer = {"class_name": "HeNormal", "config": {"seed": None}, "__passive_serialization__": True}
    wrapped = {"initializer": initializer, "use_scale": True, "quantizer": {**quantizer, "shared_object_id": 3}}
    relu = {"class_name": "quantized_relu", "config": {"bits": 4, "integer": 1, "use_sigmoid": 0, "qnoise_factor": 1.0}}
    folded = {
        "kernel_initializer": {"class_name": "QInitializer", "config": wrapped},
        "kernel_constraint": {"class_name": "Clip", "config": {"min_value": -1.0, "max_value": 1.0}},
        "kernel_quantizer": quantizer,
        "bias_quantizer": quantizer,
        "folding_mode": "ema_stats_folding",
        "ema_freeze_delay": None,
        **NORMALISATION,
    }
    config = old_config(
        [
            FRAME,
            old_layer("conv", "QConv2DBatchnorm", ["frame"], filters=2, **{**CONVOLUTION, **folded}),
            old_layer("codes", "QActivation", ["conv"], activation="quantized_relu(4,1)"),
            old_layer("flat", "Flatten", ["codes"]),
            old_layer("dense", "QDenseBatchnorm", ["flat"], units=2, activation="linear", **{**folded, "axis": [1]}),
            old_layer("relu", "QActivation", ["dense"], activation=relu),
        ]
    )
    of_conv = {"conv/kernel:0": (3, 3, 2, 2), "conv/bias:0": (2,)}
    of_dense = {"dense/bias:0": (2,), "dense/kernel:0": (72, 2)}  # another order than that of Keras 3
    normal = [f"normalisation/{name}:0" for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    weights = {
        "conv": {**of_conv, **{f"conv/{name}": (2,) for name in normal}, "conv/iteration:0": ()},
        "dense": {**of_dense, **{f"dense/{name}": (2,) for name in normal}, "dense/iteration:0": ()},
    }
    values = written(tmp_path / "q.h5", config, weights)
    model = load_model(tmp_path / "q.h5")
    assert [type(layer).__name__ for layer in model.layers[1:]] == [
        *("QConv2DBatchnorm", "QActivation", "Flatten", "QDenseBatchnorm", "QActivation"),
    ]
    assert str(model.get_layer("codes").activation) == str(qkeras.quantized_relu(4, 1))
    assert str(model.get_layer("conv").kernel_quantizer_internal) == str(qkeras.quantized_bits(4, 0, alpha=1))
    np.testing.assert_array_equal(model.get_layer("dense").kernel, values["dense/kernel:0"])
    np.testing.assert_array_equal(model.get_layer("dense").batchnorm.beta, values["dense/normalisation/beta:0"])
    model.save(tmp_path / "q.keras")  # QKeras does not register QDenseBatchnorm
    frames = np.random.default_rng(3).random((2, 6, 6, 2), np.float32)
    np.testing.assert_array_equal(load_model(tmp_path / "q.keras")(frames), model(frames))


def a_new_model() -> Any:
    inner = keras.Sequential([keras.Input((6, 6, 2)), L.Conv2D(2, 3, activation="relu", name="same")], name="block")
    frame = keras.Input((6, 6, 2))
    codes = DeltaActivation("relu", bits=4, step="po2", per="channel", name="codes")(inner(frame))
    flat = L.Flatten()(qkeras.QActivation("quantized_bits(4,1,alpha=1)")(keras.ops.relu(codes + codes)))
    model = keras.Model(frame, qkeras.QDense(3, kernel_quantizer=qkeras.quantized_bits(4, 0, alpha=1))(flat))
    keras.utils.set_random_seed(5)
    model.set_weights([np.random.default_rng(4).uniform(-1, 1, weight.shape) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("form", ["h5", "keras", "json and weights.h5", "json and h5"])
def test_files_of_keras_3(tmp_path: Path, form: str) -> None:
    model, frames = a_new_model(), np.random.default_rng(6).random((3, 6, 6, 2), np.float32)
    (tmp_path / "m.json").write_text(model.to_json())
    name = tmp_path / f"m.{form.split()[-1]}"
    (model.save_weights if form.endswith("weights.h5") else model.save)(name)
    loaded = load_model(tmp_path / "m.json", weights=name) if "json" in form else load_model(name)
    np.testing.assert_array_equal(loaded(frames), model(frames))
    assert not loaded.compiled


def test_models_inside_models_of_keras_2(tmp_path: Path) -> None:
    """Keras 2 counts calls of a model from 1."""
    inner: dict[str, Any] = {
        "class_name": "Sequential",
        "name": "block",
        "inbound_nodes": [[["frame", 0, 0, {}]], [["block", 1, 0, {}]]],
    }
    first = old_layer("same", "Conv2D", [], filters=2, batch_input_shape=[None, 6, 6, 2], **CONVOLUTION)
    inner["config"] = [{"class_name": "Conv2D", "config": first["config"]}]
    total = old_layer("sum", "Add", ["frame", "block"])
    total["inbound_nodes"][0][1][1] = 2
    weights = {"block": {"same_1/kernel:0": (3, 3, 2, 2), "same_1/bias:0": (2,)}}
    values = written(tmp_path / "m.h5", old_config([FRAME, inner, total]), weights)
    frames = np.random.default_rng(7).random((2, 6, 6, 2), np.float32)
    layer = L.Conv2D(2, 3, padding="same")
    layer.build(frames.shape)
    layer.set_weights(list(values.values()))
    np.testing.assert_allclose(load_model(tmp_path / "m.h5")(frames), frames + layer(layer(frames)), rtol=1e-5)


def test_weights_are_found_by_name_or_without_doubt() -> None:
    assert matched(["a/kernel", "a/bias"], ["x/bias:0", "x/kernel:0"]) == [1, 0]
    assert matched(["b/c/kernel", "b/d/kernel"], ["d/kernel:0", "c/kernel:0"]) == [1, 0]
    assert matched(["b/c/kernel", "b/d/kernel"], ["e/kernel:0", "f/kernel:0"]) == [0, 1]
    assert matched(["a/kernel", "a/bias"], ["a/gamma:0", "a/beta:0"]) is None
    assert matched(["a/kernel"], ["a/kernel:0", "a/bias:0"]) is None


FORMATS: dict[str, tuple[bytes, str]] = {
    "a TensorFlow Lite model": (b"\x1c\0\0\0TFL3" + bytes(64), "save the Keras model"),
    "an ONNX model": (b"\x08\x07\x12\x07pytorch\x1a\x051.0:", "export the Keras model"),
    "a pickle": (pickle.dumps({"a": 1}), "build the model in Keras"),
    "the pointer of a file in Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
    "a page of the web": (b"\n<!DOCTYPE html>\n<html>", "raw link"),
    "an architecture as YAML": (b"backend: tensorflow\nclass_name: Model\n", "model.to_json"),
    "an empty file": (b"", "copy or download it again"),
    "bytes that begin with 01 02": (b"\1\2\3", "copy or download it again"),
    "JSON without a class_name": (b'{"a": 1}', "save it again"),
    "an HDF5 file cut off": (b"\x89HDF\r\n\x1a\n" + bytes(400), "download it again"),
    "cut off or damaged": (b"PK\x03\x04" + bytes(40), "download it again"),
}


@pytest.mark.parametrize("received", FORMATS)
def test_other_formats_are_named(tmp_path: Path, old: Path, received: str) -> None:
    content, fix = FORMATS[received]
    if "HDF5" in received:
        content = old.read_bytes()[:-2000]
    for path in (tmp_path / "model.h5", tmp_path / "model"):
        path.write_bytes(content)
        arguments = {"weights": old} if "JSON" in received else {}
        with pytest.raises(CodesignError, match=rf"model.*: .*Expected: .*Received: .*{received}.*Next step: .*{fix}"):
            load_model(path, **arguments)


def archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return path


def test_archives_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="PyTorch"):
        load_model(archive(tmp_path / "model.keras", "model/data.pkl", "model/version"))
    with pytest.raises(StageError, match=r"arrays of NumPy.*set_weights"):
        load_model(archive(tmp_path / "weights.npz", "a.npy", "b.npy"))
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(StageError, match=r"SavedModel.*Next step"):
        load_model(tmp_path / "saved")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StageError, match=r"a folder.*give the file"):
        load_model(tmp_path / "empty")
    with pytest.raises(StageError, match=r"there is no model.*check the path"):
        load_model(tmp_path / "none.h5")


def test_halves_of_a_model(tmp_path: Path, old: Path) -> None:
    written(tmp_path / "w.h5", None, OLD_WEIGHTS)
    with pytest.raises(StageError, match=r"holds weights only.*model.to_json"):
        load_model(tmp_path / "w.h5")
    a_new_model().save_weights(tmp_path / "new.weights.h5")
    with pytest.raises(StageError, match="holds weights only"):
        load_model(tmp_path / "new.weights.h5")
    (tmp_path / "m.json").write_text(json.dumps(old_network()))
    with pytest.raises(StageError, match=r"an architecture has no weights.*weights="):
        load_model(tmp_path / "m.json")
    with pytest.raises(StageError, match=r"weights of its own.*leave out"):
        load_model(old, weights=tmp_path / "w.h5")
    with pytest.raises(StageError, match="weights do not fit the model"):
        load_model(tmp_path / "m.json", weights=tmp_path / "new.weights.h5")
    wrong: dict[str, dict[str, tuple[int, ...]]] = {
        "dense": {"dense/kernel:0": (3, 144), "dense/bias:0": (3,)},
        "deep": {"deep/bias:0": (4,)},
    }
    for name, shapes in wrong.items():
        written(tmp_path / "w.h5", None, {**OLD_WEIGHTS, name: shapes})
        with pytest.raises(StageError, match=rf"w\.h5: layer '{name}': the weights do not fit the layer.*{name}/bias"):
            load_model(tmp_path / "m.json", weights=tmp_path / "w.h5")
    written(tmp_path / "w.h5", None, {"dense": OLD_WEIGHTS["dense"]})
    with pytest.raises(StageError, match=r"weights are those of another model.*4 layers.*weights of 1: dense"):
        load_model(tmp_path / "m.json", weights=tmp_path / "w.h5")


def changed(place: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    config = old_network()
    change(config["config"]["layers"])
    written(place / "m.h5", config, OLD_WEIGHTS)
    return place / "m.h5"


CODE: dict[str, dict[str, Any]] = {
    "Lambda layer": {"class_name": "Lambda", "config": {"name": "wide", "trainable": True, "function": ["4wEA"]}},
    "TheirConvolution": {"class_name": "TheirConvolution", "config": {"name": "wide", "trainable": True}},
    "deserialize": {"class_name": "deserialize", "config": {"name": "wide", "trainable": True}},
    "StringLookup": {"class_name": "StringLookup", "config": {"name": "wide", "trainable": True, "vocabulary": "/x"}},
}


@pytest.mark.parametrize("kind", CODE)
def test_code_in_old_files_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = changed(tmp_path, lambda layers: layers[1].update(CODE[kind]))
    with pytest.raises(TrustError, match=rf"m\.h5: layer 'wide': .*Received: .*{kind}.*Next step"):
        load_model(path)


def test_old_arguments_that_would_change_something(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda layers: layers[4]["config"].update(groups=2))
    with pytest.raises(StageError, match=r"layer 'deep': DepthwiseConv2D has no argument 'groups'.*groups=2"):
        load_model(path)
    path = changed(tmp_path, lambda layers: layers[6].update(class_name="TFOpLambda", config={"function": "math.add"}))
    with pytest.raises(StageError, match=r"functions of TensorFlow.*tf\.math\.add.*Next step"):
        load_model(path)
    for layers in ([], [FRAME, {"name": "x", "class_name": "Dense", "config": 3, "inbound_nodes": 5}], [3], None):
        with h5py.File(tmp_path / "m.h5", "w") as file:
            file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": {"layers": layers}})
        with pytest.raises(StageError, match=r"m\.h5: the model cannot be made"):
            load_model(tmp_path / "m.h5")


def test_a_file_does_not_lead_to_others(tmp_path: Path, old: Path) -> None:
    content = old.read_bytes()
    for link in (h5py.ExternalLink(str(old), "model_weights/dense"), h5py.SoftLink("/model_weights/dense")):
        path = tmp_path / "m.h5"
        path.write_bytes(content)
        with h5py.File(path, "a") as file:
            del file["model_weights/dense"]
            file["model_weights/dense"] = link
        with pytest.raises(TrustError, match=r"a link, which may lead out.*dense.*Link"):
            load_model(path)
    path.write_bytes(content)
    with h5py.File(path, "a") as file:
        del file["model_weights/dense/dense/bias:0"]
        file["model_weights/dense"].create_dataset("dense/bias:0", (3,), "f4", external=[(str(old), 0, 12)])
    with pytest.raises(TrustError, match="a dataset in other files"):
        load_model(path)


def test_damage_anywhere_in_a_file(tmp_path: Path, old: Path) -> None:
    """HDF5 has no checksums, and h5py finds damage only where it reads."""
    random, content, path = np.random.default_rng(9), old.read_bytes(), tmp_path / "m.h5"
    refused: list[str] = []
    for _ in range(40):
        damaged = bytearray(content)
        for at in random.integers(0, len(content), 60):
            damaged[at] = random.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            load_model(path)
        except (StageError, TrustError) as error:
            refused.append(str(error))
    assert len(refused) > 10
    assert all("Next step" in text for text in refused)


def test_weights_that_are_no_numbers(tmp_path: Path, old: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(old.read_bytes())
    with h5py.File(path, "a") as file:
        file["model_weights/dense/dense/kernel:0"][5, 1] = np.inf
    with pytest.raises(StageError, match=r"m\.h5: a weight is not a number.*dense/kernel"):
        load_model(path)


def test_the_name_does_not_decide(tmp_path: Path, old: Path) -> None:
    frames = np.random.default_rng(8).random((1, 6, 6, 2), np.float32)
    expected = load_model(old)
    (tmp_path / "model.keras").write_bytes(old.read_bytes())
    for path in (tmp_path / "model.keras", tmp_path):  # the folder of a training
        np.testing.assert_array_equal(load_model(path)(frames), expected(frames))
    stream = io.BytesIO()
    expected.save(tmp_path / "x.keras")
    stream.write((tmp_path / "x.keras").read_bytes())
    (tmp_path / "model.h5").write_bytes(stream.getvalue())
    np.testing.assert_array_equal(load_model(tmp_path / "model.h5")(frames), expected(frames))
