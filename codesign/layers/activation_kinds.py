# SPDX-License-Identifier: Apache-2.0
"""Which activations of Keras and QKeras a `DeltaActivation` can stand for."""

from __future__ import annotations

from typing import Any

import keras

from codesign.errors import UnsupportedLayerError
from codesign.graph.quantizers import QUANTIZER_FIELDS, bits_fields, relu_fields


def quantizer_fields(layer: Any) -> dict[str, Any]:
    """Return ``fmt``, ``activation``, ``lo`` and ``hi`` of a QActivation, as of `codesign.graph.ir.Delta`.

    Raises:
        UnsupportedLayerError: its quantiser, or an argument of it, has no exact implementation.
    """
    quantizer = layer.activation
    kind = type(quantizer).__name__
    if kind not in ("quantized_relu", "quantized_bits"):
        raise refused(layer.name, str(quantizer), "its outputs are no multiples of a power of two in its range")
    config = {name: getattr(quantizer, name) for name in QUANTIZER_FIELDS if hasattr(quantizer, name)}
    return (relu_fields if kind == "quantized_relu" else bits_fields)(layer.name, config)


def relu_limit(layer: Any, name: str) -> float | None:
    """Return the largest value that a relu gives out; None without a limit.

    Raises:
        UnsupportedLayerError: the layer is no relu.
    """
    if isinstance(layer, keras.layers.ReLU):
        if layer.negative_slope or layer.threshold:
            what = f"ReLU(negative_slope={layer.negative_slope}, threshold={layer.threshold})"
            raise refused(layer.name, what, "a slope or threshold has no code of its own")
        return None if layer.max_value is None else float(layer.max_value)
    if name not in ("relu", "relu6"):
        raise refused(layer.name, name or type(layer).__name__, "it is not made of straight lines on a lattice")
    return 6.0 if name == "relu6" else None


def refused(where: str, received: str, why: str) -> UnsupportedLayerError:
    """Return the error that ``received`` cannot be a `DeltaActivation`, and ``why``."""
    return UnsupportedLayerError(
        f"this activation cannot be a DeltaActivation: {why}",
        where=where,
        expected="relu, relu6, quantized_relu, quantized_bits, or softmax, sigmoid or tanh as last layer",
        received=received,
        fix="use relu or relu6 there and train the model so; end it with logits (from_logits=True), softmax, sigmoid "
        "or tanh",
    )
