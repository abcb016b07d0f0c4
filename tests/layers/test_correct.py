# SPDX-License-Identifier: Apache-2.0
"""Bias correction: means of channels stay what they are without rounding."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers as L  # noqa: N812

from codesign.layers import delta
from codesign.layers.correct import correct_biases


def test_means_of_channels_are_those_without_rounding(rng: np.random.Generator) -> None:
    keras.utils.set_random_seed(5)
    given = [L.Conv2D(6, 3, activation="relu"), L.DepthwiseConv2D(3, activation="relu"), L.Flatten(), L.Dense(4)]
    model = keras.Sequential([keras.Input((9, 9, 2)), *given])
    frames = rng.uniform(0, 1, (16, 9, 9, 2)).astype(np.float32)
    network = delta(model, clips=frames, step="fixed", weight_bits=4)
    wanted = np.asarray(model(frames)).mean(0)
    before = np.abs(np.asarray(network(frames)).mean(0) - wanted).max()
    correct_biases(network, frames)
    after = np.abs(np.asarray(network(frames)).mean(0) - wanted).max()
    assert after < 0.02 * before
