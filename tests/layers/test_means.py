# SPDX-License-Identifier: Apache-2.0
"""Means over windows of any size: a sum that is exact, and the divisor in the weights after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

from codesign.errors import ConfigError, UnsupportedLayerError
from codesign.graph.file import load_graph, save_graph
from codesign.graph.golden import Golden
from codesign.layers import SumPooling1D, SumPooling2D, delta, stream
from codesign.verify.software import without_ending


@pytest.mark.parametrize(("pool", "strides"), [((3, 2), (3, 2)), ((3, 2), (2, 1)), ((7, 9), None)])
def test_sums_of_windows(pool: tuple[int, int], strides: Any, rng: np.random.Generator) -> None:
    frames = rng.integers(0, 2**14, (2, 7, 9, 3))
    layer = SumPooling2D(pool, strides)
    got = np.asarray(layer(frames.astype(np.float32)))
    down, right = strides or pool
    windows = np.lib.stride_tricks.sliding_window_view(frames, pool, axis=(1, 2))[:, ::down, ::right]
    np.testing.assert_array_equal(got, windows.sum((-2, -1)))
    assert layer.compute_output_shape(frames.shape) == got.shape


def test_sums_of_one_dimension(rng: np.random.Generator) -> None:
    frames = rng.integers(0, 9, (2, 7, 3))
    got = np.asarray(SumPooling1D(3, 2)(frames.astype(np.float32)))
    np.testing.assert_array_equal(got, np.stack([frames[:, i : i + 3].sum(1) for i in (0, 2, 4)], axis=1))


def test_windows_over_the_border_are_refused() -> None:
    with pytest.raises(ConfigError, match="inside the frame"):
        SumPooling2D(3, padding="same")(np.zeros((1, 7, 7, 1), np.float32))


def two_means() -> Any:
    """A mean of 3x2 before a relu6, a global one over 4x4 less a row: 12 positions, and 1/12 into the dense layer."""
    keras.utils.set_random_seed(1)
    x = frame = keras.Input((9, 10, 3), name="frame")
    x = L.Conv2D(8, 3, name="c1", activation="relu")(x)
    x = L.AveragePooling2D((3, 2), (2, 2), name="p1")(x)
    x = L.ReLU(6.0, name="r1")(x)
    x = L.Conv2D(6, (1, 2), name="c2", activation="relu")(x)
    x = L.GlobalAveragePooling2D(name="gap")(x)
    return keras.Model(frame, L.Dense(4, name="fc")(L.Dropout(0.1)(x)))


def golden_agrees(network: Any, frames: Any, folder: Path) -> Any:
    config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = "ufixed<8,0>"
    model = hls4ml.converters.convert_from_keras_model(
        network, hls_config=config, backend="Delta", output_dir=str(folder)
    )
    graph = model.delta_graph
    expected = Golden(graph).run(graph.source.fmt.to_codes(frames)).outputs
    got = graph.output.fmt.to_codes(stream(without_ending(network), frames).outputs)
    np.testing.assert_array_equal(got.reshape(expected.shape), expected)
    return model


def test_network_with_means_converts_and_stays_close(rng: np.random.Generator, tmp_path: Path) -> None:
    model, frames = two_means(), rng.integers(0, 256, (6, 9, 10, 3)) / np.float32(256)
    network = delta(model, clips=frames, activation_bits=10, weight_bits=10)
    kinds = {layer.name: type(layer).__name__ for layer in network.layers}
    assert kinds["p1"] == kinds["gap"] == "SumPooling2D"
    wanted = np.asarray(model(frames))
    assert np.abs(np.asarray(network(frames)) - wanted).max() < 0.01 * np.abs(wanted).max()
    graph = golden_agrees(network, frames, tmp_path).delta_graph
    assert [graph[name].kind for name in ("p1", "gap")] == ["sum", "sum"]


def test_sums_of_a_mean_are_not_clipped_a_little_above_what_was_seen(rng: np.random.Generator) -> None:
    x = frame = keras.Input((3, 3, 2), name="frame")
    x = L.GlobalAveragePooling2D(name="mean")(L.ReLU(name="relu", max_value=1.0)(L.Conv2D(2, 1, name="conv")(x)))
    model = keras.Model(frame, L.Dense(2, name="fc")(x))
    model.get_layer("conv").set_weights([np.eye(2).reshape(1, 1, 2, 2), np.zeros(2)])
    model.get_layer("fc").set_weights([np.eye(2), np.zeros(2)])
    bright = np.full((1, 3, 3, 2), 0.75, np.float32)
    seen = bright * (rng.random((8, 3, 3, 1)) < 0.25)
    assert 0.75 / 3 < np.asarray(model(seen)).max() < 4 / 9
    np.testing.assert_allclose(delta(model, clips=seen)(bright), model(bright), rtol=0.02)


@pytest.mark.heavy
def test_csim_and_rtl_of_means(rng: np.random.Generator, tmp_path: Path) -> None:
    frames = rng.integers(0, 256, (4, 9, 10, 3)) / np.float32(256)
    network = delta(two_means(), clips=frames)
    hardware = golden_agrees(network, frames, tmp_path)
    hardware.compile()
    expected = stream(network, frames).outputs
    for where in ({}, {"sim": "rtl"}):
        hardware.reset()
        np.testing.assert_array_equal(hardware.predict(frames, logits=True, **where), expected)


def ending(*layers: Any, relu: Any = "relu") -> Any:
    x = frame = keras.Input((3, 3, 2), name="frame")
    for layer in (L.Conv2D(2, 1, activation=relu, name="conv"), L.GlobalAveragePooling2D(name="mean"), *layers):
        x = layer(x)
    return keras.Model(frame, x)


@pytest.mark.parametrize(
    ("layers", "where"),
    [
        ([], "the end of the model"),
        ([L.Softmax(name="classes")], "classes"),
        ([L.Rescaling(0.5, 0.25, name="moved"), L.Dense(2)], "moved"),
    ],
)
def test_a_divisor_that_nothing_takes_is_refused_by_name(layers: list[Any], where: str) -> None:
    """Not the convolution before it either, as the limit of a relu6 would have to move, too."""
    with pytest.raises(UnsupportedLayerError, match=f"^{where}: nothing takes the divisor .* 9 elements, 'mean'"):
        delta(ending(*layers, relu="relu6"))


@pytest.mark.parametrize("layers", [[], [L.Flatten(), L.Softmax(name="classes")]])
@pytest.mark.parametrize("relu", ["relu", None])
def test_weights_before_a_mean_take_its_divisor_at_the_end(
    layers: list[Any], relu: Any, rng: np.random.Generator, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(3)
    model, frames = ending(*layers, relu=relu), rng.integers(0, 256, (20, 3, 3, 2)).astype(np.float32) / 256
    network = delta(model, activation_bits=12, weight_bits=12, clips=frames)
    np.testing.assert_allclose(np.asarray(network(frames)), np.asarray(model(frames)), atol=2e-3)
    kernel, _ = network.get_layer("conv").get_weights()
    np.testing.assert_allclose(kernel, model.get_layer("conv").get_weights()[0] * 16 / 9, rtol=1e-6)
    graph = golden_agrees(network, frames, tmp_path).delta_graph
    save_graph(graph, tmp_path)
    assert load_graph(tmp_path).output.fmt == graph.output.fmt


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore::codesign.errors.ConversionWarning")  # accumulators beyond float32
@pytest.mark.parametrize("name", ["MobileNet", "ResNet50"])
def test_networks_of_keras_with_a_mean_of_7_by_7_convert(name: str, tmp_path: Path) -> None:
    network = delta(getattr(keras.applications, name)(weights=None, classifier_activation=None))
    config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
    config["LayerName"][network.inputs[0].name]["Precision"] = "ufixed<8,0>"
    model = hls4ml.converters.convert_from_keras_model(
        network, hls_config=config, backend="Delta", output_dir=str(tmp_path)
    )
    pools = [node for node in model.delta_graph.engines if node.name in ("global_average_pooling2d", "avg_pool")]
    assert [(node.kind, node.y.kernel, node.x.kernel) for node in pools] == [("sum", 7, 7)]


def wide_branches(spread: float) -> Any:
    """A sum of two convolutions, then means of what another one makes; weights of channels are ``spread`` apart."""
    keras.utils.set_random_seed(4)
    x = frame = keras.Input((4, 4, 2), name="frame")
    left, right = (L.Conv2D(4, 3, padding="same", name=name)(x) for name in ("left", "right"))
    x = L.Conv2D(3, 1, name="last")(L.ReLU(name="relu")(L.Add(name="sum")([left, right])))
    model = keras.Model(frame, L.Softmax(name="ends")(L.GlobalAveragePooling2D(name="mean")(x)))
    kernel, bias = model.get_layer("left").get_weights()
    model.get_layer("left").set_weights([kernel * spread ** np.arange(4), bias])
    return model


@pytest.mark.parametrize(("spread", "coded"), [(1.0, False), (2.0**-5, True)])
def test_sums_that_are_joined_are_quantised_where_they_are_too_wide(
    spread: float, coded: bool, rng: np.random.Generator
) -> None:
    clips = rng.random((6, 4, 4, 2))
    made = delta(wide_branches(spread), clips=clips, weight_bits=12, activation_bits=12)
    names = [layer.name for layer in made.layers]
    assert ("left_delta" in names, "right_delta" in names) == (coded, False)
    assert "last_delta" in names, "a mean reads codes"


def test_wide_sums_of_a_padded_maximum_are_raised(rng: np.random.Generator) -> None:
    keras.utils.set_random_seed(4)
    frame = keras.Input((4, 4, 2), name="frame")
    x = L.MaxPooling2D(3, 2, padding="same", name="max")(L.Conv2D(4, 3, padding="same", name="left")(frame))
    model = keras.Model(frame, L.Dense(2, name="fc")(L.Flatten(name="flat")(x)))
    kernel, bias = model.get_layer("left").get_weights()
    model.get_layer("left").set_weights([kernel * 2.0 ** (-5 * np.arange(4)), bias])
    made = delta(model, clips=rng.random((6, 4, 4, 2)), weight_bits=12, activation_bits=12)
    assert made.get_layer("max_delta").activation == "relu"
    assert "left_delta" not in [layer.name for layer in made.layers]
