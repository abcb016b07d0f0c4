# SPDX-License-Identifier: Apache-2.0
"""What linear layers of Keras and QKeras compute with, and how a BatchNormalization scales it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import qkeras
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


def frozen(layer: Any) -> tuple[type[Any], dict[str, Any], list[Any]]:
    """Return class, configuration and weights of a layer that computes, in any float type, what ``layer`` does.

    What QKeras quantises and what a BatchNormalization scales with is evaluated now, in float32, as ``layer`` does it:
    quantised weights then have no quantizers any more. Any other layer is described as it is.
    """
    kind, config, weights = type(layer), layer.get_config(), layer.get_weights()
    if kind.__name__ == "QConv2DBatchnorm":
        names = ("name", "filters", "kernel_size", "strides", "padding", "data_format", "activation", "dilation_rate")
        config = {name: config[name] for name in names if name in config}
        kind, tensors = qkeras.QConv2D, layer.get_folded_weights()
        weights = [_quantized(*pair) for pair in zip(tensors, layer.quantizers, strict=True)]
    elif kind.__name__ == "BatchNormalization":
        scale, shift = _affine_in_float32(layer)
        config |= {"epsilon": 0.0, "scale": True, "center": True}
        weights = [scale, shift, np.zeros_like(scale), np.ones_like(scale)]
    elif any(getattr(layer, "quantizers", None) or ()) and hasattr(layer, "use_bias"):
        weights = [_quantized(*pair) for pair in zip(layer.weights, layer.quantizers, strict=False)]
        config |= {key: None for key in config if key.endswith("_quantizer")}
    return kind, config, weights


def _quantized(weight: Any, quantizer: Any) -> NDArray[Any]:
    values: NDArray[Any] = keras.ops.convert_to_numpy(quantizer(weight) if quantizer else weight)
    return values


def _affine_in_float32(layer: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return scale and shift of a BatchNormalization as Keras computes them."""
    scale = keras.ops.rsqrt(layer.moving_variance + layer.epsilon)
    if layer.scale:
        scale = scale * layer.gamma
    shift = -layer.moving_mean * scale
    if layer.center:
        shift = layer.beta + shift
    return keras.ops.convert_to_numpy(scale), keras.ops.convert_to_numpy(shift)


def plain_like(linear: Any) -> Any:
    """Return a Keras layer like ``linear``, with a bias and without quantisers and constraints."""
    kind = getattr(keras.layers, type(linear).__name__.removeprefix("Q"))
    theirs = ("quantizer", "range", "mask", "constraint")
    config = {key: value for key, value in linear.get_config().items() if not key.endswith(theirs)}
    return kind.from_config({**config, "use_bias": True, "activation": None})
