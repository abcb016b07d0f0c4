# SPDX-License-Identifier: Apache-2.0
"""What linear layers of Keras and QKeras compute with, and how a BatchNormalization scales it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


def kernel_of(layer: Any) -> str:
    """Return what a linear layer calls its weights: ``'kernel'`` or ``'depthwise'``, as in ``<...>_quantizer``."""
    return "depthwise" if "Depthwise" in type(layer).__name__ else "kernel"


def affine(layer: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scale and shift of each channel of a trained BatchNormalization."""
    mean, variance = (np.asarray(weight, np.float64) for weight in (layer.moving_mean, layer.moving_variance))
    scale = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        scale = scale * np.asarray(layer.gamma, np.float64)
    shift = -mean * scale
    if layer.center:
        shift = shift + np.asarray(layer.beta, np.float64)
    return scale, shift


def weights_of(linear: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weights and biases that ``linear`` computes with, quantised if it quantises them."""
    quantizers = getattr(linear, "quantizers", None) or [None, None]
    weights = [*linear.weights] if linear.use_bias else [linear.weights[0], np.zeros(linear.output.shape[-1])]
    quantizers = [*quantizers] if linear.use_bias else [quantizers[0], None]
    kernel, bias = (
        np.asarray(quantizer(weight) if quantizer else weight, np.float64)
        for weight, quantizer in zip(weights, quantizers, strict=False)
    )
    return kernel, bias


def plain_like(linear: Any) -> Any:
    """Return a Keras layer like ``linear``, with a bias and without quantisers and constraints."""
    kind = getattr(keras.layers, type(linear).__name__.removeprefix("Q"))
    theirs = ("quantizer", "range", "mask", "constraint")
    config = {key: value for key, value in linear.get_config().items() if not key.endswith(theirs)}
    return kind.from_config({**config, "use_bias": True, "activation": None})
