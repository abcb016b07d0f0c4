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
from codesign.keras_model.kinds import ending_of
from codesign.layers.anew import free_name
from codesign.layers.equalize import LINEAR, PASSES, Walk, commutes, scale_channels
from codesign.layers.linear import SumPooling1D, SumPooling2D

MAXIMA = ("MaxPooling1D", "MaxPooling2D")
MEANS = ("AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D")
HEADROOM = 1
"""Bits of the sums of a mean above those for what was seen: few elements, which other scenes make larger."""


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


def summed(layer: Any, x: Any, taken: set[str], divided: int | None = None) -> Any:
    """Return the sums of the windows of ``x`` that ``layer`` takes means of; a layer of its name makes them.

    Args:
        layer: mean for which `has_no_code`.
        x: tensor.
        taken: names of layers. More are needed for one that leaves out the axes that a global mean does not keep, and
            for one that divides.
        divided: the sums are divided by 2 to this.
    """
    sizes = tuple(x.shape[1:-1])
    kind, whole = SumPooling1D if len(sizes) == 1 else SumPooling2D, type(layer).__name__.startswith("Global")
    size, strides = (sizes, None) if whole else (layer.pool_size, layer.strides)
    output = kind(size, strides, name=layer.name)(x)
    if whole and not layer.keepdims:
        output = keras.layers.Reshape((x.shape[-1],), name=free_name(f"{layer.name}_flat", taken))(output)
    if divided is None:
        return output
    return keras.layers.Rescaling(2.0**-divided, name=free_name(f"{layer.name}_divided", taken))(output)


def divided_before(folded: Any) -> dict[str, int]:
    """Let the layer with weights before a mean take its divisor where none comes after it; in place.

    A mean over N elements at the end of a model becomes their sum, times a power of two: its size is chosen so that
    ``2**k / N``, between 1 and 2, goes into the weights that made them. Relu and what moves values may stand between.

    Args:
        folded: what `codesign.layers.fold` returns. What it computes gets larger by that factor.

    Returns:
        k by the name of the mean.
    """
    walk, found = Walk(folded), {}
    for layer in folded.layers:
        if type(layer).__name__ in MEANS and has_no_code(layer, layer.input.shape) and _ends(walk, layer):
            maker = _maker(walk, layer)
            if maker is not None:
                count = elements(layer, layer.input.shape)
                found[layer.name] = (count - 1).bit_length()
                scale_channels(maker, 2.0 ** found[layer.name] / count)
    return found


def _ends(walk: Walk, layer: Any) -> bool:
    """Return whether nothing after ``layer`` has weights or adds up."""
    after = walk.after(layer)
    return all((type(each).__name__ in PASSES or ending_of(each)) and _ends(walk, each) for each in after)


def _maker(walk: Walk, layer: Any) -> Any:
    """Return the layer with weights whose scale becomes that of ``layer``; None if there is none, or others read it."""
    while True:
        layer = walk.before(layer)
        kind = type(layer).__name__
        if len(walk.after(layer)) != 1:
            return None
        if kind in LINEAR:
            return layer
        if not commutes(layer) and (kind not in PASSES or kind in MEANS):
            return None


def undivided(where: str, received: str, fix: str) -> UnsupportedLayerError:
    """Return the error that nothing takes the divisor of a mean."""
    return UnsupportedLayerError(
        "nothing takes the divisor of the mean before it",
        where=where,
        expected="a layer of Keras with weights after the mean, or before it if it ends the model; relu, and what only "
        "moves values, may stand between",
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
