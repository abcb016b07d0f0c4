# SPDX-License-Identifier: Apache-2.0
"""Equalisation across layers: channels that are small beside others get larger, and the weights after them smaller."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConfigError
from codesign.keras_model.kinds import NO_OPS, name_of
from codesign.layers.linear import kernel_of

LINEAR = ("Dense", "Conv1D", "Conv2D", "DepthwiseConv2D")
"""Classes of layers whose weights can be scaled."""
PASSES = (
    *("Flatten", "Reshape", "ZeroPadding1D", "ZeroPadding2D", "UpSampling1D", "UpSampling2D"),
    *("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"),
    *("AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"),
    *NO_OPS,
)
"""Classes of layers that commute with a factor for each channel."""
POWER = 0.5
"""How much of the way all channels go to the range of the largest: 1 would make noise of small ones events."""
MOST = 64.0
"""Largest factor of a channel."""
FULL = 0.75
"""Share of the next power of two that the largest value is scaled to: others will be larger."""
BATCH = 8


Factors: TypeAlias = Mapping[str, NDArray[np.float64]]


def equalize(folded: Any, frames: NDArray[np.float32], more: Factors | None = None) -> list[str]:
    """Scale channels of a folded model between a layer with weights, a relu, and layers with weights; in place.

    What the model computes stays the same but for rounding: relu commutes with positive factors, and the weights after
    it are divided by them. The largest value on ``frames`` comes just below a power of two, so that codes use their
    range; a channel whose largest is r times smaller gets the factor ``r ** POWER`` more.

    Args:
        folded: what `codesign.layers.fold` returns.
        frames: ``[N, ...]``, as the model reads them.
        more: further factors, ``[C]`` by the name of an activation.

    Returns:
        The names of the activations that were scaled.

    Raises:
        ConfigError: ``more`` names others, or has other numbers of channels.
    """
    found, more = _pairs(folded), more or {}
    _check(more, {name: folded.get_layer(name).output.shape[-1] for name in found})
    if not found:
        return []
    watched = keras.Model(folded.inputs[0], {name: folded.get_layer(name).output for name in found})
    largest: dict[str, NDArray[np.float64]] = {}
    for at in range(0, len(frames), BATCH):
        for name, values in watched.predict_on_batch(frames[at : at + BATCH]).items():
            top = np.asarray(values, np.float64).reshape(-1, values.shape[-1]).max(0)
            largest[name] = np.maximum(largest.get(name, 0.0), top)
    scaled = [name for name in found if largest[name].max() > 0]
    for name in scaled:
        factors, (maker, readers) = _factors(largest[name]) * more.get(name, 1.0), found[name]
        scale_channels(maker, factors)
        for reader in readers:
            _divide(reader, factors)
    return scaled


def scalable(folded: Any) -> list[str]:
    """Return the names of the activations that `equalize` scales."""
    return list(_pairs(folded))


def _pairs(folded: Any) -> dict[str, tuple[Any, list[Any]]]:
    walk = Walk(folded)
    return {layer.name: pair for layer in folded.layers if (pair := walk.around(layer)) is not None}


def _check(more: Factors, channels: Mapping[str, int]) -> None:
    odd = [name for name, factors in more.items() if np.shape(factors) != (channels.get(name),)]
    if odd:
        raise ConfigError(
            "these factors fit no activation that can be scaled",
            where="delta, equalized",
            expected=", ".join(f"{name}: {count}" for name, count in channels.items()),
            received=", ".join(f"{name}: {list(np.shape(more[name]))}" for name in odd),
        )


def _factors(largest: NDArray[np.float64]) -> NDArray[np.float64]:
    top = float(largest.max())
    to_power_of_two = FULL * 2.0 ** math.ceil(math.log2(top)) / top
    apart = np.minimum(top / np.maximum(largest, top / MOST**2), MOST ** (1 / POWER))
    return np.asarray(to_power_of_two * apart**POWER)


class Walk:
    """Goes from layer to layer of a model; layers that only its layers were made of do not count."""

    def __init__(self, model: Any) -> None:
        self._own = {id(layer) for layer in model.layers}

    def around(self, layer: Any) -> tuple[Any, list[Any]] | None:
        """Return the layer with weights that a relu reads, and those that read it; None if there are others, too."""
        if not commutes(layer):
            return None
        maker = self.before(layer)
        while type(maker).__name__ in NO_OPS and len(self.after(maker)) == 1:
            maker = self.before(maker)
        if type(maker).__name__ not in LINEAR or len(self.after(maker)) != 1:
            return None
        readers, waiting, channels = [], self.after(layer), layer.output.shape[-1]
        while waiting:
            reader = waiting.pop()
            kind = type(reader).__name__
            if kind in LINEAR and reader.input.shape[-1] % channels == 0:
                readers.append(reader)
            elif kind in PASSES and reader.output.shape[-1] % channels == 0 and self.after(reader):
                waiting += self.after(reader)
            else:
                return None
        return (maker, readers) if readers else None

    def before(self, layer: Any) -> Any:
        """Return the layer that made the first input of ``layer``."""
        return keras.tree.flatten(layer.input)[0]._keras_history.operation

    def after(self, layer: Any) -> list[Any]:
        """Return the layers that read what ``layer`` makes."""
        return [node.operation for node in layer._outbound_nodes if id(node.operation) in self._own]


def commutes(layer: Any) -> bool:
    """Return whether a layer is a relu that commutes with positive factors: without limit, slope and threshold."""
    if type(layer).__name__ == "ReLU":
        return layer.max_value is None and not layer.negative_slope and not layer.threshold
    return type(layer).__name__ == "Activation" and name_of(layer.activation) == "relu"


def scale_channels(layer: Any, factors: NDArray[np.float64] | float) -> None:
    """Multiply what a layer of `LINEAR` makes by ``factors``, one for each channel or for all; in place."""
    kernel, *bias = layer.get_weights()
    across = np.reshape(factors, (-1, 1)) if kernel_of(layer) == "depthwise" else factors
    layer.set_weights([kernel * across, *(values * factors for values in bias)])


def _divide(layer: Any, factors: NDArray[np.float64]) -> None:
    kernel, *bias = layer.get_weights()
    each = np.tile(factors, kernel.shape[-2] // len(factors))  # a frame that is flattened has its channels in turn
    layer.set_weights([kernel / each[:, None], *bias])
