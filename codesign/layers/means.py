# SPDX-License-Identifier: Apache-2.0
"""Poolings that need help: means over windows whose size is no power of two, and padded maxima of signed values.

Such a mean is a sum, and a factor that later weights take. A place that pads a maximum holds the code 0, so what can be
negative is raised before it and lowered after it.
"""

from __future__ import annotations

import math
from typing import Any

import keras

from codesign.errors import UnsupportedLayerError
from codesign.layers.linear import SumPooling1D, SumPooling2D

MAXIMA = ("MaxPooling1D", "MaxPooling2D")
MEANS = ("AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D")


def elements(layer: Any, shape: tuple[int | None, ...]) -> int:
    """Return how many elements of a frame of ``shape``, batch first, each mean of ``layer`` is over."""
    sizes = shape[1:-1] if type(layer).__name__.startswith("Global") else layer.pool_size
    return math.prod(int(size or 1) for size in sizes)


def has_no_code(layer: Any, shape: tuple[int | None, ...]) -> bool:
    """Return whether ``layer`` is a mean whose divisor is no power of two, inside a frame of ``shape``."""
    if type(layer).__name__ not in MEANS or layer.data_format != "channels_last":
        return False
    count = elements(layer, shape)
    return bool(count & (count - 1)) and not pads(layer, shape)


def summed(layer: Any, x: Any, reshape_name: str) -> Any:
    """Return the sums of the windows of ``x`` that ``layer`` takes means of; a layer of its name makes them.

    Args:
        layer: mean for which `has_no_code`.
        x: tensor.
        reshape_name: name of the layer that leaves out the axes that a global mean does not keep.
    """
    sizes = tuple(x.shape[1:-1])
    kind = SumPooling1D if len(sizes) == 1 else SumPooling2D
    if type(layer).__name__.startswith("Global"):
        output = kind(sizes, name=layer.name)(x)
        return output if layer.keepdims else keras.layers.Reshape((x.shape[-1],), name=reshape_name)(output)
    return kind(layer.pool_size, layer.strides, name=layer.name)(x)


def undivided(where: str, received: str, fix: str) -> UnsupportedLayerError:
    """Return the error that nothing takes the divisor of a mean."""
    return UnsupportedLayerError(
        "nothing takes the divisor of the mean before it",
        where=where,
        expected="a layer of Keras with weights after the mean; relu, and what only moves values, may stand between",
        received=received,
        fix=fix,
    )


def is_padded_maximum(layer: Any, shape: tuple[int | None, ...]) -> bool:
    """Return whether ``layer`` is a maximum over windows that reach over the border of a frame of ``shape``."""
    return type(layer).__name__ in MAXIMA and layer.data_format == "channels_last" and pads(layer, shape)


def pads(layer: Any, shape: tuple[int | None, ...]) -> bool:
    """Return whether windows reach over the border, where Keras divides by fewer."""
    if getattr(layer, "padding", "valid") == "valid":
        return False
    windows = zip(shape[1:-1], layer.pool_size, layer.strides, strict=True)
    return any(max(0, (-(-int(n or 1) // s) - 1) * s + k - int(n or 1)) for n, k, s in windows)
