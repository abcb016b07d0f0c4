# SPDX-License-Identifier: Apache-2.0
"""What pixels are to a model is found from the statistics of its BatchNormalizations."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from calibration.moving import SIZE, spots
from keras import layers as L  # noqa: N812

from codesign.calibration.ranges import likely_range

RANGES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0))
PIXELS = spots(4, 4).reshape(-1, SIZE, SIZE, 3)


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_the_range_it_was_trained_with(low: float, high: float) -> None:
    keras.utils.set_random_seed(3)
    layers = [L.Conv2D(6, 3, strides=2), L.BatchNormalization(momentum=0.0), L.ReLU(), L.Conv2D(4, 3), L.Flatten()]
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), *layers, L.BatchNormalization(momentum=0.0)])
    assert likely_range(model, PIXELS, RANGES) is None, "not trained"
    model((low + (high - low) / 255 * spots(4, 4, seed=9).reshape(PIXELS.shape)).astype(np.float32), training=True)
    assert likely_range(model, PIXELS, RANGES) == (low, high)


def test_a_model_without_statistics_does_not_tell() -> None:
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), L.Flatten(), L.Dense(2)])
    assert likely_range(model, PIXELS, RANGES) is None
