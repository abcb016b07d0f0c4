# SPDX-License-Identifier: Apache-2.0
"""What a linear layer of hls4ml holds: codes of its tensors, how its kernel slides, and the node made of both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codesign.errors import UnsupportedLayerError
from codesign.fixed import Fixed, IntArray
from codesign.graph.ir import Axis, Conv, Delta, Linear, accumulator_format
from codesign.graph.lattice import codes_of, finest_frac, refine
from codesign.graph.wide import warn_if_wide
from codesign.hls4ml_plugin.reader import config as hls_config
from codesign.hls4ml_plugin.reader.weights import own_weight
from codesign.keras_model.instead import ONE

FloatArray = NDArray[np.float64]

FOLDED_BIAS_BITS = 16
"""Bits, before the spread of scales, that a bias may have after a batch normalisation is folded into it."""


class Padding(NamedTuple):
    """Zeros around a frame, in elements."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


def padding(layer: Any) -> Padding:
    """Return the padding of an hls4ml layer; in one dimension (time) it is at the top and the bottom."""
    given = Padding(*(int(layer.get_attr(f"pad_{side}", 0)) for side in Padding._fields))
    return Padding(given.left, given.right) if layer.class_name.endswith("1D") else given


def axes(layer: Any, zeros: Padding | None, window: str = "filt") -> tuple[Axis, Axis]:
    """Return the vertical and the horizontal axis of a convolution or pooling; time is vertical, so that rows stream.

    Args:
        layer: hls4ml layer.
        zeros: what a ZeroPadding layer put around its input, to be made by the layer instead.
        window: hls4ml's word for its kernel, "filt" or "pool".
    """
    top, bottom, left, right = zeros or padding(layer)
    one = layer.class_name.endswith("1D")
    sides = [("width", top, bottom)] if one else [("height", top, bottom), ("width", left, right)]
    made = []
    for side, before, after in sides:
        size, kernel, stride = (int(layer.get_attr(f"{what}_{side}")) for what in ("in", window, "stride"))
        size -= before + after if zeros else 0
        made.append(Axis(size=size, kernel=kernel, stride=stride, before=before, after=after))
    return made[0], Axis(size=1, kernel=1) if one else made[1]


def check_convolution(layer: Any) -> None:
    """Check that a convolution is one the engines compute.

    Raises:
        UnsupportedLayerError: an attribute has no delta implementation; names it and what would work.
    """
    wanted: dict[str, tuple[Any, str]] = {name: (1, fix) for name, fix in ONE.items()}
    wanted["data_format"] = ("channels_last", "keep frames channels last")
    for name, (value, fix) in wanted.items():
        given = layer.get_attr(name, value)
        if given not in (value, (value,), (value, value)):
            raise UnsupportedLayerError(
                f"a convolution with this {name} has no delta implementation",
                where=layer.name,
                expected=f"{name}={value}",
                received=f"{name}={given!r}",
                fix=fix,
            )


def tensor_codes(model: Any, layer: Any, what: str) -> tuple[IntArray, Fixed]:
    """Return the codes and format of the layer's ``weight`` or ``bias``, of QKeras' layers as Keras itself computes it.

    Raises:
        LatticeError: they lie on no power-of-two lattice; names the layer and the quantiser that would do.
    """
    variable = layer.get_weights(what)
    depthwise = what == "weight" and layer.class_name.startswith("Depthwise")
    kernel = "depthwise" if depthwise else "kernel" if what == "weight" else what
    quantizer = layer.get_attr("depthwise_quantizer" if depthwise else f"{what}_quantizer")
    own, data, bits, fmt = own_weight(layer, what), variable.data, 0, None
    if own is not None:
        kernel, data = own.what, own.values
    if quantizer is None:
        fmt = hls_config.precision(model, variable.type.precision, f"{layer.name} {what}")
        if not variable.data.any():
            fmt = Fixed(width=1, frac=0, signed=True)
        kind = layer.get_attr("keras_class") or ""
        kind = kind if kind.startswith("Q") else f"Q{layer.class_name}"
        fix = f"use {kind} with {kernel}_quantizer=quantized_bits(bits, integer, alpha=1)"
    else:
        given = getattr(quantizer, "qkeras_config", {})
        config = given.get("config", {})
        bits = int(config.get("bits") or quantizer.bits)
        if given.get("class_name") == "quantized_bits" and config.get("alpha") in (None, 1) and bits > 1:
            signed = bool(config.get("keep_negative", True))
            fmt = Fixed.from_qkeras(bits, int(config.get("integer", 0)), signed=signed)
        fix = f"use {kernel}_quantizer=quantized_bits(bits, integer, alpha=1)"
    return codes_of(data, fmt, bits=bits, where=f"{layer.name} {what}", fix=fix)


def place(node: Linear, delta: Delta) -> Linear:
    """Return ``node``, whose ``fmt`` is still that of its bias codes, on its accumulator lattice.

    The lattice is that of weight * code; a finer bias refines it by scaling the weight codes.

    Raises:
        AccumulatorRangeError: the accumulator is too wide to be exact everywhere.

    Warns:
        ConversionWarning: it is wider than float32 Keras computes exactly.
    """
    values = node.fmt.to_values(node.bias)
    extra = max(0, finest_frac(values) - node.weight_fmt.frac - delta.fmt.frac)
    weight, weight_fmt = refine(node.weight, node.weight_fmt, extra)
    bias = np.rint(values * 2.0 ** (weight_fmt.frac + delta.fmt.frac)).astype(np.int64)
    per_output = weight[..., 0] if isinstance(node, Conv) and node.depthwise else weight
    fmt = accumulator_format(node.name, per_output, bias, weight_fmt=weight_fmt, delta=delta)
    warn_if_wide(node.name, fmt)
    return replace(node, weight=weight, weight_fmt=weight_fmt, bias=bias, fmt=fmt)


def normalization(node: Linear, layer: Any) -> tuple[FloatArray, FloatArray]:
    """Return what the BatchNormalization ``layer`` after ``node`` multiplies by and adds, by channel.

    Raises:
        UnsupportedLayerError: it does not normalise the channels, or has quantisers of its own.
    """
    scale, shift = (np.asarray(layer.get_weights(name).data, dtype=np.float64) for name in ("scale", "bias"))
    kind, axis = layer.get_attr("keras_class"), layer.get_attr("axis", -1)
    last = len(layer.get_output_variable().shape)
    if kind != "BatchNormalization" or axis not in (-1, last) or scale.shape != node.bias.shape:
        raise UnsupportedLayerError(
            "only a BatchNormalization of the channels of a linear layer can be folded into it",
            where=layer.name,
            expected="BatchNormalization(axis=-1) directly after it",
            received=f"{kind}(axis={axis}) of {scale.size} channels",
            fix="use BatchNormalization(axis=-1)",
        )
    return scale, shift


def fold(node: Linear, name: str, scale: FloatArray, shift: FloatArray, delta: Delta) -> Linear:
    """Return ``node`` with the layer ``name`` after it, ``scale * x + shift`` by channel, folded in.

    Raises:
        LatticeError: the folded weights or biases lie on no power-of-two lattice.
    """
    fix = (
        "use QConv2DBatchnorm or its kin, which quantise the folded weights, or fold it into the layer before and "
        "quantise that again before conversion"
    )
    across = scale[:, None] if isinstance(node, Conv) and node.depthwise else scale
    values = node.weight_fmt.to_values(node.weight) * across
    weight, weight_fmt = codes_of(values, None, bits=node.weight_fmt.width, where=f"{name} weight", fix=fix)
    values = node.fmt.to_values(node.bias) * scale + shift
    bias, bias_fmt = codes_of(values, None, bits=FOLDED_BIAS_BITS, where=f"{name} bias", fix=fix)
    return place(replace(node, weight=weight, weight_fmt=weight_fmt, bias=bias, fmt=bias_fmt), delta)


def scaled(name: str, scale: FloatArray, shift: FloatArray, delta: Delta, axes: tuple[Axis, Axis], pe: int) -> Linear:
    """Return ``scale * x + shift`` by channel of the codes of ``delta``: a depthwise convolution of kernel 1.

    Raises:
        LatticeError: they lie on no power-of-two lattice.
    """
    fix = "use powers of two, and an offset of few bits"
    weight, weight_fmt = codes_of(scale, None, bits=2, where=f"{name} scale", fix=fix)
    bias, bias_fmt = codes_of(shift, None, bits=FOLDED_BIAS_BITS, where=f"{name} offset", fix=fix)
    node = Conv(
        name=name,
        input=delta.name,
        weight=weight[None, None, :, None],
        weight_fmt=weight_fmt,
        bias=bias,
        fmt=bias_fmt,
        y=axes[0],
        x=axes[1],
        depthwise=True,
        pe=pe,
    )
    return place(node, delta)
