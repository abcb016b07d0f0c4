# SPDX-License-Identifier: Apache-2.0
"""Calls of TensorFlow's functions in files of Keras 2: the layers that compute the same, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from old_files import CONVOLUTION, old_config, old_layer, written, zeros

from codesign.errors import StageError
from codesign.layers import delta, load_model

HERE, OTHER = ["c", 0, 0], ["other", 0, 0]
NUMBER = "_CONSTANT_VALUE"
PADS = [[0, 0], [1, 0], [2, 1], [0, 0]]
CALLS: dict[str, tuple[str, list[Any], Callable[[Any, Any], Any]]] = {
    # what Keras 2 wrote of the call, and the call
    "x / 127.5": ("math.truediv", [*HERE, {"y": 127.5, "name": None}], lambda x, _: x / 127.5),
    "x - 1": ("math.subtract", [*HERE, {"y": 1.0, "name": None}], lambda x, _: x - 1.0),
    "by channel": ("math.subtract", [*HERE, {"y": [0.5, -2.0]}], lambda x, _: tf.subtract(x, [0.5, -2.0])),
    "1 - x": ("math.subtract", [NUMBER, -1, 1.0, {"y": HERE, "name": None}], lambda x, _: 1.0 - x),
    "x + 3": ("__operators__.add", [*HERE, {"y": 3, "name": None}], lambda x, _: x + 3.0),
    "2 x": ("math.multiply", [NUMBER, -1, 2.0, {"y": HERE, "name": None}], lambda x, _: 2.0 * x),
    "-x": ("math.negative", [*HERE, {"name": None}], lambda x, _: -x),
    "x + y": ("__operators__.add", [*HERE, {"y": OTHER, "name": None}], lambda x, y: x + y),
    "x * y": ("math.multiply", [*HERE, {"y": OTHER, "name": None}], lambda x, y: x * y),
    "x - y": ("math.subtract", [*HERE, {"y": OTHER}], lambda x, y: x - y),
    "max(x, 0)": ("math.maximum", [*HERE, {"y": 0.0, "name": None}], lambda x, _: tf.maximum(x, 0.0)),
    "max(x, y)": ("math.maximum", [*HERE, {"y": OTHER}], lambda x, y: tf.maximum(x, y)),
    "clip": (
        "clip_by_value",
        [*HERE, {"clip_value_min": 0, "clip_value_max": 6}],
        lambda x, _: tf.clip_by_value(x, 0, 6),
    ),
    "relu": ("nn.relu", [*HERE, {"name": None}], lambda x, _: tf.nn.relu(x)),
    "relu6": ("nn.relu6", [*HERE, {}], lambda x, _: tf.nn.relu6(x)),
    "softmax": ("nn.softmax", [*HERE, {"axis": -1}], lambda x, _: tf.nn.softmax(x)),
    "cast": ("cast", [*HERE, {"dtype": "float32"}], lambda x, _: x),
    "mean": ("math.reduce_mean", [*HERE, {"axis": [1, 2]}], lambda x, _: tf.reduce_mean(x, [1, 2])),
    "kept": (
        "math.reduce_mean",
        [*HERE, {"axis": [1, 2], "keepdims": True}],
        lambda x, _: tf.reduce_mean(x, [1, 2], keepdims=True),
    ),
    "largest": ("math.reduce_max", [*HERE, {"axis": [-3, -2]}], lambda x, _: tf.reduce_max(x, [1, 2])),
    "pool": (
        "nn.max_pool2d",
        [*HERE, {"ksize": 2, "strides": [1, 2], "padding": "SAME"}],
        lambda x, _: tf.nn.max_pool2d(x, 2, [1, 2], "SAME"),
    ),
    "reshape": ("reshape", [*HERE, {"shape": [-1, 32]}], lambda x, _: tf.reshape(x, [-1, 32])),
    "pad": ("compat.v1.pad", [*HERE, {"paddings": PADS, "mode": "CONSTANT"}], lambda x, _: tf.pad(x, PADS)),
    "concat": ("concat", [[*HERE, {"axis": -1}], [*OTHER, {"axis": -1}]], lambda x, y: tf.concat([x, y], -1)),
}
REFUSED: dict[str, tuple[str, list[Any]]] = {
    "unknown": ("math.exp", [*HERE, {}]),
    "1 / x": ("math.truediv", [NUMBER, -1, 1.0, {"y": HERE}]),
    "x / 0": ("math.truediv", [*HERE, {"y": 0.0}]),
    "max(x, 1)": ("math.maximum", [*HERE, {"y": 1.0}]),
    "clip from below": ("clip_by_value", [*HERE, {"clip_value_min": -1, "clip_value_max": 6}]),
    "softmax over rows": ("nn.softmax", [*HERE, {"axis": 1}]),
    "mean of channels": ("math.reduce_mean", [*HERE, {"axis": [3]}]),
    "mirror": ("pad", [*HERE, {"paddings": PADS, "mode": "REFLECT"}]),
    "pads channels": ("pad", [*HERE, {"paddings": [[0, 0], [0, 0], [0, 0], [1, 1]]}]),
    "to integers": ("cast", [*HERE, {"dtype": "uint8"}]),
    "reads a file": ("io.read_file", [*HERE, {}]),
    "no call": ("nn.relu", [3]),
}


def saved(path: Path, function: str, node: list[Any]) -> dict[str, Any]:
    """Write two convolutions and a call that reads them; return the weights."""
    call = old_layer("tf.call_1", "TFOpLambda", [], function=function) | {"inbound_nodes": [node]}
    convolution = {**CONVOLUTION, "filters": 2, "bias_initializer": zeros()}
    frame = old_layer("frame", "InputLayer", [], batch_input_shape=[None, 4, 4, 2])
    names = ("c", "other") if "other" in str(node) else ("c",)
    layers = [frame, *(old_layer(name, "Conv2D", ["frame"], **convolution) for name in names), call]
    weights = {name: {f"{name}/kernel:0": (3, 3, 2, 2), f"{name}/bias:0": (2,)} for name in names}
    return written(path, old_config(layers), weights)


@pytest.mark.parametrize("name", CALLS)
def test_calls_become_layers(tmp_path: Path, name: str) -> None:
    function, node, call = CALLS[name]
    values = saved(tmp_path / "m.h5", function, node)
    frames = tf.constant(np.random.default_rng(0).uniform(-4, 4, (3, 4, 4, 2)), tf.float32)
    x, y = (
        tf.nn.conv2d(frames, values[f"{part}/kernel:0"], 1, "SAME") + values[f"{part}/bias:0"]
        for part in ("c", "other" if "other/bias:0" in values else "c")
    )
    model = load_model(tmp_path / "m.h5")
    np.testing.assert_allclose(model(frames), call(x, y), rtol=1e-6, atol=1e-6)
    assert model.layers[-1].name == "call_1"


@pytest.mark.parametrize("name", REFUSED)
def test_other_calls_are_refused_by_name(tmp_path: Path, name: str) -> None:
    function, node = REFUSED[name]
    saved(tmp_path / "m.h5", function, node)
    with pytest.raises(StageError, match=rf"m\.h5: .*functions of TensorFlow.*tf\.{function}.*Next step"):
        load_model(tmp_path / "m.h5")


def test_a_model_that_scales_its_pixels_itself(tmp_path: Path) -> None:
    """The usual first line of a network: what it does to pixels is folded."""
    scaled = old_layer("tf.math.truediv", "TFOpLambda", [], function="math.truediv")
    scaled["inbound_nodes"] = [["frame", 0, 0, {"y": 255.0, "name": None}]]
    relu = old_layer("tf.nn.relu", "TFOpLambda", [], function="nn.relu") | {"inbound_nodes": [["c", 0, 0, {}]]}
    convolution = old_layer("c", "Conv2D", ["tf.math.truediv"], filters=2, **CONVOLUTION)
    layers = [old_layer("frame", "InputLayer", [], batch_input_shape=[None, 4, 4, 2]), scaled, convolution, relu]
    written(tmp_path / "m.h5", old_config(layers), {"c": {"c/kernel:0": (3, 3, 2, 2), "c/bias:0": (2,)}})
    model = load_model(tmp_path / "m.h5")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 2))
    network = delta(model, clips=pixels[None], input_range=(0, 255))
    np.testing.assert_allclose(network(pixels / 256), model(pixels.astype(np.float32)), atol=0.2)
    assert [layer.name for layer in network.layers] == ["frame", "input_delta", "c", "nn_relu"]
