# SPDX-License-Identifier: Apache-2.0
"""A padded maximum of values that can be negative: raised before it, lowered after it, and exact through conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from layers.plain_models import trained

from codesign.graph.golden import Golden
from codesign.layers import DeltaActivation, delta, stream


def residual(size: int, kind: Any, kernel: int) -> Any:
    """Return what `mini Xception` is made of: a normalised branch, pooled, and one with strides."""
    keras.utils.set_random_seed(size)
    frame = keras.Input((size, size, 2), name="frame")
    first = L.BatchNormalization(name="norm")(L.Conv2D(4, 3, padding="same", name="conv")(frame))
    pooled = kind(kernel, strides=2, padding="same", name="pool")(first)
    total = L.Add(name="sum")([pooled, L.Conv2D(4, 1, strides=2, padding="same", name="short")(frame)])
    return trained(keras.Model(frame, L.Dense(3, name="logits")(L.Flatten()(L.ReLU(name="relu")(total)))))


@pytest.mark.parametrize("size", [7, 8])
def test_of_values_that_can_be_negative(tmp_path: Path, size: int) -> None:
    model = residual(size, L.MaxPooling2D, 3)
    frames = np.random.default_rng(size).integers(0, 256, (6, size, size, 2)) / 256
    network = delta(model, clips=frames)
    expected, reached = model(frames.astype(np.float32)), stream(network, frames).outputs
    assert np.abs(reached - expected).max() < 0.1 * np.ptp(expected)
    raised = keras.Model(network.inputs[0], network.get_layer("pool").output)
    first = keras.Model(model.inputs[0], model.get_layer("norm").output)(frames.astype(np.float32))
    by = network.get_layer("pool_raised").offset
    assert (np.asarray(raised(frames.astype(np.float32))) - by < 0).any(), "a maximum of negative values only"
    assert np.min(first) < 0
    config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = "ap_ufixed<8,0>"
    hardware = hls4ml.converters.convert_from_keras_model(
        network, hls_config=config, backend="Delta", output_dir=str(tmp_path)
    )
    graph = hardware.delta_graph
    received = graph.output.fmt.to_values(Golden(graph).run(graph.source.fmt.to_codes(frames)).outputs)
    np.testing.assert_array_equal(received, reached)
    assert "pool_raised" not in [node.name for node in graph.nodes], "part of the biases before it"


def test_only_where_it_is_needed() -> None:
    for model in (residual(8, L.MaxPooling2D, 2), residual(8, L.AveragePooling2D, 2)):
        names = [layer.name for layer in delta(model).layers]
        assert "pool" in names
        assert not [name for name in names if name.startswith("pool_")]
    relu = keras.Sequential(
        [keras.Input((7, 7, 2)), L.Conv2D(2, 3), L.ReLU(), L.MaxPooling2D(3, 2, "same", name="pool")]
    )
    assert not [layer.name for layer in delta(relu).layers if layer.name.startswith("pool_")]
    assert [layer.name for layer in delta(relu).layers if isinstance(layer, DeltaActivation)] == [
        "input_delta",
        relu.layers[1].name,
    ]
