# SPDX-License-Identifier: Apache-2.0
"""Equalisation across layers: the same function, whose channels use the range of their codes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

from codesign.errors import ConfigError
from codesign.layers import delta
from codesign.layers.equalize import equalize
from codesign.layers.fold import fold


def uneven() -> Any:
    """Channels of very different size; a mean and a Flatten between; an Add, whose inputs stay as they are."""
    keras.utils.set_random_seed(4)
    x = frame = keras.Input((6, 6, 3), name="frame")
    x = L.Conv2D(4, 3, use_bias=False, name="conv")(x)
    x = L.ReLU(name="relu1")(L.BatchNormalization(name="norm")(x))
    x = L.DepthwiseConv2D(2, activation="relu", name="dw")(x)
    y = L.Conv2D(4, 1, activation="relu", name="side")(x)
    x = L.Add(name="sum")([x, y])
    x = L.Conv2D(4, 2, activation="relu", name="last")(x)
    x = L.Flatten(name="flatten")(L.AveragePooling2D((2, 1), name="mean")(x))
    model = keras.Model(frame, L.Dense(3, name="fc")(x))
    model.get_layer("norm").gamma.assign([1.0, 0.1, 0.02, 3.0])
    for layer in model.layers:
        if getattr(layer, "use_bias", False):
            layer.bias.assign(np.full(layer.bias.shape, 0.1))
    return model


def test_computes_the_same_and_fills_ranges(rng: np.random.Generator) -> None:
    model, frames = uneven(), rng.uniform(0, 1, (9, 6, 6, 3)).astype(np.float32)
    folded = fold(model)
    assert equalize(folded, frames) == ["relu1", "last_delta"], "not those that the sum reads"
    np.testing.assert_allclose(np.asarray(folded(frames)), np.asarray(model(frames)), rtol=1e-4, atol=1e-5)
    for name in ("relu1", "last_delta"):
        watched = keras.Model(folded.inputs[0], folded.get_layer(name).output)
        largest = np.asarray(watched(frames)).max((0, 1, 2))
        assert largest.max() / 2.0 ** np.ceil(np.log2(largest.max())) == pytest.approx(0.75, rel=1e-3)


def test_further_factors_come_on_top(rng: np.random.Generator) -> None:
    model, frames = uneven(), rng.uniform(0, 1, (9, 6, 6, 3)).astype(np.float32)
    one, other = fold(model), fold(model)
    equalize(one, frames)
    equalize(other, frames, {"relu1": np.array([1.0, 2.0, 0.5, 1.0])})
    values = [np.asarray(keras.Model(each.inputs[0], each.get_layer("relu1").output)(frames)) for each in (one, other)]
    np.testing.assert_allclose(values[1], values[0] * [1, 2, 0.5, 1], rtol=1e-5)
    np.testing.assert_allclose(np.asarray(other(frames)), np.asarray(one(frames)), rtol=1e-4, atol=1e-5)
    with pytest.raises(ConfigError, match=r"fit no activation .*relu1: \[3\], sum: \[4\]"):
        equalize(fold(model), frames, {"relu1": np.ones(3), "sum": np.ones(4)})


def test_delta_network_of_an_equalized_model_stays_close(rng: np.random.Generator) -> None:
    """Many bits, so that what is left is a fault of the equalisation and not of quantisation."""
    model, frames = uneven(), rng.integers(0, 256, (9, 6, 6, 3))
    wanted = np.asarray(model((frames / 255).astype(np.float32)))
    made = delta(model, clips=frames, input_range=(0, 1), equalized=True, weight_bits=14, activation_bits=14)
    got = np.asarray(made((frames / 256).astype(np.float32)))
    assert np.abs(got - wanted).max() < 0.002 * np.abs(wanted).max()
