# SPDX-License-Identifier: Apache-2.0
"""Quantisers of weights: one power-of-two step for a layer, or one for each of its output channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import qkeras
from numpy.typing import NDArray

from codesign.graph.lattice import MAX_SPREAD_BITS
from codesign.layers.calibrate import range_exponent, step_exponent
from codesign.layers.linear import ChannelBits

BIAS_BITS = 16
"""Bits of a bias; its lattice is that of the accumulator, or coarser where it would not fit."""

WeightStep = Literal["channel", "layer"]


def quantizers(kernel: str, values: Sequence[NDArray[Any]], unit: float, bits: int, per: WeightStep) -> dict[str, Any]:
    """Return the quantisers, as arguments, of a linear layer with certain weights.

    The weights lie on the power-of-two lattice that shows them best (least squared error), the biases on that of the
    accumulator. Steps of channels are at most `MAX_SPREAD_BITS` bits apart.

    Args:
        kernel: what the layer calls its weights, as `codesign.layers.linear.kernel_of` says.
        values: weights, and biases if it has them.
        unit: value of a code that it reads.
        bits: bits of a weight.
        per: what has a step of its own.
    """
    weights, *biases = (np.asarray(value, np.float64) for value in values)
    if per == "layer" or (kernel == "depthwise" and weights.shape[-1] > 1):  # depth_multiplier: trained, not converted
        exponent = step_exponent(weights, bits, signed=True)
        exponent = 1 - bits if exponent is None else exponent
        found = {f"{kernel}_quantizer": lattice(bits, exponent)}
        if biases:
            found["bias_quantizer"] = lattice(BIAS_BITS, _bias_exponent(biases[0], exponent, unit))
        return found
    axis = -2 if kernel == "depthwise" else -1
    channels = np.moveaxis(weights, axis, 0)
    exponents = _channel_exponents(channels, bits)
    found = {f"{kernel}_quantizer": ChannelBits(bits, exponents, axis)}
    if biases:
        own = [_bias_exponent(bias, exponent, unit) for bias, exponent in zip(biases[0], exponents, strict=True)]
        found["bias_quantizer"] = ChannelBits(BIAS_BITS, [max(each, max(own) - MAX_SPREAD_BITS) for each in own])
    return found


def sum_bits(quantizer: Any, values: Sequence[NDArray[Any]], unit: float, most: float) -> int:
    """Return about how many bits all sums of a linear layer take on one lattice; 0 if its weights have one step.

    Args:
        quantizer: of its weights.
        values: weights, and biases if it has them.
        unit: value of a code that it reads.
        most: largest magnitude of what it reads.
    """
    if not isinstance(quantizer, ChannelBits):
        return 0
    channels, *biases = (np.abs(np.asarray(value, np.float64)) for value in values)
    channels = np.moveaxis(channels, quantizer.axis, 0)
    sums = channels.reshape(len(channels), -1).sum(1) * most + (biases[0] if biases else 0)
    finest = 2.0 ** min(quantizer.exponents) * unit
    return 1 + math.ceil(math.log2(max(1.0, float(sums.max()) / finest)))


def lattice(bits: int, exponent: int) -> Any:
    """Return a quantiser of codes of ``bits`` bits times ``2**exponent``."""
    return qkeras.quantized_bits(bits, exponent + bits - 1, alpha=1)


def _channel_exponents(channels: NDArray[np.float64], bits: int) -> list[int]:
    """Return the exponent of each of ``channels``, ``[C, ...]``."""
    found = [step_exponent(channel, bits, signed=True) for channel in channels]
    top = max((exponent for exponent in found if exponent is not None), default=1 - bits)
    return [top if exponent is None else max(exponent, top - MAX_SPREAD_BITS) for exponent in found]


def _bias_exponent(bias: NDArray[np.float64], weights: int, unit: float) -> int:
    """Return the exponent of ``bias`` beside weights of ``2**weights``."""
    accumulator = weights + int(np.log2(unit))
    largest = range_exponent(bias)
    fits = accumulator if largest is None else largest + 1 - BIAS_BITS
    return max(accumulator, fits)
