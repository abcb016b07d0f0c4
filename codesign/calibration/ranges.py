# SPDX-License-Identifier: Apache-2.0
"""What a float model was trained to read for pixels, as the statistics that it has kept since show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

CLEARLY = 1.5
"""Times the second best range has to be farther off than the best one."""
SMALL = 1e-3
"""Added to variances, as Keras does."""

Range = tuple[float, float]


def likely_range(model: Any, pixels: NDArray[np.uint8], ranges: Sequence[Range]) -> Range | None:
    """Return the one of ``ranges`` with which every BatchNormalization reads what it read in training, about.

    Mean and variance of each channel on ``pixels`` are compared with the moving ones, as divergence of two normal
    distributions; the median over channels, then over layers, decides. None if there is no trained BatchNormalization,
    or none of the ranges is `CLEARLY` better.

    Args:
        model: Keras model of one frame.
        pixels: some frames, ``[N, *frame]``.
        ranges: what may stand for pixels of 0 and of 255.
    """
    layers = [layer for layer in model.layers if _is_trained(layer)]
    if not layers:
        return None
    read = keras.Model(model.inputs[0], [layer.input for layer in layers])
    found = []
    for low, high in ranges:
        values = read.predict_on_batch((low + (high - low) / 255 * pixels).astype(np.float32))
        values = values if isinstance(values, list) else [values]
        found.append(float(np.median([_off(layer, value) for layer, value in zip(layers, values, strict=True)])))
    best, second = sorted(found)[:2]
    return ranges[found.index(best)] if second >= CLEARLY * best else None


def _is_trained(layer: Any) -> bool:
    """Return whether it is a BatchNormalization of the last axis, used once, whose statistics have moved."""
    if type(layer).__name__ != "BatchNormalization" or len(layer._inbound_nodes) != 1:
        return False
    mean = np.asarray(layer.moving_mean)
    return bool(layer.input.shape[-1] == mean.size and mean.any())


def _off(layer: Any, values: NDArray[Any]) -> float:
    """Return how far what a BatchNormalization reads is from what it read in training."""
    mean, variance = (np.asarray(weight, np.float64) for weight in (layer.moving_mean, layer.moving_variance))
    values = np.asarray(values, np.float64).reshape(-1, mean.size)
    ratio = (values.var(0) + SMALL) / (variance + SMALL)
    moved = np.square(values.mean(0) - mean) / (variance + SMALL)
    return float(np.median((ratio + moved - 1 - np.log(ratio)) / 2))
