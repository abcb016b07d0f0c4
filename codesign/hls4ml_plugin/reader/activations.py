# SPDX-License-Identifier: Apache-2.0
"""From the activations of hls4ml to the fields of a `codesign.graph.ir.Delta`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.fixed import Fixed
from codesign.graph.lattice import finest_frac
from codesign.graph.quantizers import bits_fields, relu_fields
from codesign.hls4ml_plugin.reader import config as hls_config

KINDS = ("DeltaActivation", "Activation", "ParametrizedActivation")
"""hls4ml classes of the layers that `fields` reads."""

MAX_LIMIT_BITS = 8
"""How many bits finer than the codes before it the largest value of a relu may be."""


def fields(model: Any, layer: Any, given: Fixed) -> dict[str, Any] | None:
    """Return the fields of the `Delta` that an hls4ml activation layer becomes; None if it becomes none.

    Args:
        model: hls4ml ModelGraph.
        layer: layer of one of `KINDS`.
        given: format of the codes before it.

    Raises:
        UnsupportedLayerError: a quantiser argument has no exact implementation.
        ConversionError: a plain relu with a coarser Precision.
    """
    if layer.class_name == "DeltaActivation":
        same = ("activation", "lo", "hi", "hold")
        parameters = {"fmt": Fixed(**layer.get_attr("code_format")), "step_log2": tuple(layer.get_attr("step_log2"))}
        return {**parameters, **{name: layer.get_attr(f"delta:{name}") for name in same}}
    activation, quantizer = layer.get_attr("activation"), layer.get_attr("activation_quantizer")
    if layer.class_name == "ParametrizedActivation":
        if quantizer is not None and quantizer["class_name"] == "quantized_relu":
            relu_fields(layer.name, quantizer["config"])  # refuses the slope
        threshold = activation == "thresholdedrelu" and layer.get_attr("activ_param") == 0.0
        return _plain_relu(model, layer, given) if threshold else None  # hls4ml's reading of keras.layers.ReLU
    if quantizer is not None and activation in ("relu", "linear"):
        return (relu_fields if activation == "relu" else bits_fields)(layer.name, quantizer["config"])
    return _plain_relu(model, layer, given) if activation in ("relu", "relu6") else None


def _plain_relu(model: Any, layer: Any, given: Fixed) -> dict[str, Any]:
    """Return the fields of a relu that quantises nothing: every bit is kept, up to its largest value."""
    limit = 6.0 if layer.get_attr("activation") == "relu6" else layer.get_attr("relu_max_value")
    fmt, hi = _limited(layer.name, given, limit)
    asked = hls_config.asked_precision(model, layer)
    if asked is not None and (asked.frac < fmt.frac or asked.hi * asked.scale < fmt.hi * fmt.scale):
        raise ConversionError(
            "a plain relu computes every bit in Keras, so a coarser Precision would change the result",
            where=layer.name,
            expected=f"at least {fmt}, or no Precision",
            received=asked,
            fix="quantise in the Keras model: QActivation(quantized_relu(...)) or DeltaActivation",
        )
    return {"fmt": fmt, "activation": "relu", "lo": 0, "hi": hi}


def _limited(name: str, given: Fixed, limit: float | None) -> tuple[Fixed, int]:
    """Return the format of codes from 0 to ``limit``, on the lattice of ``given`` or a finer one, and the largest."""
    if limit is None or not limit < given.hi * given.scale:
        return replace(given, signed=False, width=max(1, given.hi.bit_length())), given.hi
    frac = max(given.frac, finest_frac(limit))
    hi = int(limit * 2.0**frac)
    if frac - given.frac > MAX_LIMIT_BITS:
        raise UnsupportedLayerError(
            "the largest value of this relu needs codes that are much finer than those before it",
            where=name,
            expected=f"a multiple of 2**-{given.frac + MAX_LIMIT_BITS}",
            received=f"max_value={limit}",
            fix=f"use max_value={round(limit * 2.0**given.frac) / 2.0**given.frac}, and train the model so",
        )
    return Fixed(width=max(1, hi.bit_length()), frac=frac, signed=False), hi
