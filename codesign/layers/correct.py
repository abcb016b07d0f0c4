# SPDX-License-Identifier: Apache-2.0
"""Bias correction: what rounding adds to the mean of each channel goes into its bias."""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from codesign.keras_model.calls import Call, Tensor, calls_of
from codesign.layers.activation import DeltaActivation
from codesign.layers.linear import ChannelBits, kernel_of, plain_like


def correct_biases(network: Any, frames: NDArray[np.float32]) -> None:
    """Change biases of a memoryless delta network of fixed steps, so that rounding keeps the mean of each channel.

    Layer by layer the network is computed beside itself without rounding; what the means of a layer's outputs differ by
    goes into its bias. Only layers whose weights `codesign.layers.delta` quantises are changed.

    Args:
        network: what `delta` returns for a float model.
        frames: ``[N, ...]``, values that it reads.

    Source: Nagel et al., "Data-free quantization through weight equalization and bias correction", ICCV 2019, appendix.
    """
    calls = calls_of(network)
    uses = Counter(tensor for call in calls.calls for tensor in call.inputs)
    first = calls.calls[0].outputs[0]
    rounded: dict[Tensor, Any] = {first: keras.ops.convert_to_tensor(frames)}
    exact = dict(rounded)
    for call in calls.calls[1:]:
        given, wanted = ([values[tensor] for tensor in call.inputs] for values in (rounded, exact))
        rounded[call.outputs[0]], exact[call.outputs[0]] = _both(call, given, wanted)
        uses.subtract(call.inputs)
        for tensor in call.inputs:
            if not uses[tensor]:
                rounded.pop(tensor, None), exact.pop(tensor, None)


def _both(call: Call, given: list[Any], wanted: list[Any]) -> tuple[Any, Any]:
    """Return the outputs of a call with and without rounding, after its bias is corrected."""
    layer = call.layer
    if isinstance(layer, DeltaActivation):
        return layer(given[0]), layer._quantizer(None).activate(wanted[0])
    if not layer.weights:
        one = len(given) == 1
        return layer(given[0] if one else given), layer(wanted[0] if one else wanted)
    output, quantizer = layer(given[0]), getattr(layer, f"{kernel_of(layer)}_quantizer_internal", None)
    if not isinstance(quantizer, ChannelBits):
        return output, layer(wanted[0])
    beside = plain_like(layer)
    beside.build(call.inputs[0].shape)
    weights = layer.get_weights()
    beside.set_weights(weights if layer.use_bias else [*weights, np.zeros(output.shape[-1])])
    plain = beside(wanted[0])
    if not layer.use_bias:
        return output, plain
    axes = tuple(range(len(output.shape) - 1))
    off = keras.ops.convert_to_numpy(keras.ops.mean(plain - output, axis=axes))
    layer.set_weights([weights[0], weights[1] + off])
    return layer(given[0]), plain
