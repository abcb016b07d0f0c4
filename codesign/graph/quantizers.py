# SPDX-License-Identifier: Apache-2.0
"""From the arguments of a QKeras activation quantizer to the fields of a `codesign.graph.ir.Delta`."""

from __future__ import annotations

from typing import Any

from codesign.errors import UnsupportedLayerError
from codesign.fixed import Fixed

QUANTIZER_FIELDS = (
    *("bits", "integer", "symmetric", "keep_negative", "alpha", "negative_slope", "use_sigmoid"),
    *("use_stochastic_rounding", "relu_upper_bound", "is_quantized_clip", "qnoise_factor"),
)
"""Attributes of ``quantized_relu`` and ``quantized_bits`` that change the result; ``get_config`` leaves some out."""


def relu_fields(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the `Delta` fields of QKeras ``quantized_relu``: half to even, clip to ``0 .. 2**bits - 1``."""
    _refuse(name, "quantized_relu", config, use_sigmoid=0, negative_slope=0, use_stochastic_rounding=False)
    if config.get("relu_upper_bound") is not None and not config.get("is_quantized_clip", True):
        _refuse(name, "quantized_relu", config, relu_upper_bound=None)
    fmt = Fixed.from_qkeras(int(config["bits"]), int(config["integer"]), signed=False)
    return {"fmt": fmt, "activation": "relu", "lo": 0, "hi": fmt.hi}


def bits_fields(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the `Delta` fields of QKeras ``quantized_bits``: half to even, symmetric clip if asked."""
    alpha = 1 if config.get("alpha") is None else config["alpha"]
    _refuse(name, "quantized_bits", {**config, "alpha": alpha}, alpha=1, use_stochastic_rounding=False)
    signed = bool(config.get("keep_negative", True))
    if int(config["bits"]) <= int(signed):
        raise UnsupportedLayerError(
            "quantized_bits of one bit is a sign, which has no code for 0",
            where=name,
            expected="bits >= 2",
            received=1,
            fix="use quantized_bits(2, 0, alpha=1), and train the model so",
        )
    fmt = Fixed.from_qkeras(int(config["bits"]), int(config["integer"]), signed=signed)
    lo = fmt.lo + int(signed and bool(config.get("symmetric")))
    return {"fmt": fmt, "activation": "identity", "lo": lo, "hi": fmt.hi}


def _refuse(name: str, quantizer: str, config: dict[str, Any], **wanted: Any) -> None:
    """Refuse a quantiser argument that differs from the one the hardware computes."""
    for key, value in {**wanted, "qnoise_factor": 1.0}.items():
        if key in config and config[key] != value:
            raise UnsupportedLayerError(
                f"{quantizer} with this {key} has no exact delta implementation",
                where=name,
                expected=f"{key}={value}",
                received=f"{key}={config[key]!r}",
                fix=f"leave {key} at {value}, or use codesign.layers.DeltaActivation",
            )
