# SPDX-License-Identifier: Apache-2.0
"""Quantisers of weights: a power-of-two step for each output channel."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import qkeras
from keras import layers as L  # noqa: N812

from codesign.errors import ConfigError
from codesign.keras_model.file import load_keras
from codesign.layers import delta
from codesign.layers.linear import ChannelBits
from codesign.layers.weights import WeightStep, quantizers


def test_each_channel_has_its_own_lattice() -> None:
    values = np.array([[0.3, 30.0], [-0.7, -70.0], [0.11, 7.0]])
    got = np.asarray(ChannelBits(4, [-3, 4])(values.astype("float32")))
    np.testing.assert_array_equal(got, [[0.25, 32.0], [-0.75, -64.0], [0.125, 0.0]])
    np.testing.assert_array_equal(
        np.asarray(ChannelBits(2, [0])(np.array([[-9.0], [9.0], [0.5]], np.float32))), [[-2], [1], [0]]
    )


def test_depthwise_channels_are_on_the_axis_before_the_last() -> None:
    kernel = np.ones((3, 3, 2, 1), np.float32) * np.array([0.3, 30.0], np.float32)[:, None]
    got = np.asarray(ChannelBits(4, [-3, 4], axis=-2)(kernel))
    np.testing.assert_array_equal(got[0, 0, :, 0], [0.25, 32.0])


@pytest.mark.parametrize(("bits", "exponents", "axis"), [(1, [0], -1), (25, [0], -1), (8, [], -1), (8, [0], 0)])
def test_arguments_are_checked(bits: int, exponents: list[int], axis: int) -> None:
    with pytest.raises(ConfigError):
        ChannelBits(bits, exponents, axis)


def test_another_number_of_channels_is_refused() -> None:
    with pytest.raises(ConfigError, match="wrong number of steps"):
        ChannelBits(8, [0, 0])(np.zeros((3, 3), np.float32))


def test_channels_of_different_size_keep_their_digits() -> None:
    rng = np.random.default_rng(2)
    kernel = rng.normal(0, 1, (50, 3)) * [1, 2.0**-5, 0]
    values = [kernel, np.array([0.1, 0.1, 0.0])]
    errors = {}
    steps: tuple[WeightStep, ...] = ("layer", "channel")
    for per in steps:
        quantizer = quantizers("kernel", values, 2.0**-4, 8, per)["kernel_quantizer"]
        errors[per] = np.abs(np.asarray(quantizer(kernel)) - kernel)[:, 1].max() / np.abs(kernel[:, 1]).max()
    assert errors["channel"] < 0.01 < errors["layer"]


def test_network_with_channel_steps_is_saved_and_loaded(tmp_path: Path, rng: np.random.Generator) -> None:
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2), name="frame"),
            L.Conv2D(3, 3, activation="relu", name="conv"),
            L.DepthwiseConv2D(2, name="depthwise"),
            L.Flatten(name="flatten"),
            L.Dense(2, name="fc"),
        ]
    )
    network = delta(model)
    network.save(tmp_path / "network.keras")
    loaded = load_keras(tmp_path / "network.keras", fix="-")
    assert isinstance(loaded.get_layer("conv").kernel_quantizer_internal, ChannelBits)
    assert loaded.get_layer("depthwise").depthwise_quantizer_internal.axis == -2
    frames = rng.integers(0, 256, (5, 4, 4, 2)) / np.float32(256)
    np.testing.assert_array_equal(np.asarray(loaded(frames)), np.asarray(network(frames)))
    plain = delta(model, weight_step="layer").get_layer("conv").kernel_quantizer_internal
    assert isinstance(plain, qkeras.quantized_bits)


def test_unknown_weight_step_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown weight_step"):
        delta(keras.Sequential([keras.Input((2,)), L.Dense(1)]), weight_step="neuron")  # type: ignore[arg-type]
