# SPDX-License-Identifier: Apache-2.0
"""Keras 3 layer handlers: layers for which hls4ml has only a Keras 2 parser, `DeltaActivation`, and what it drops."""

from __future__ import annotations

from typing import Any

import numpy as np
from hls4ml.converters.keras_v3._base import KerasV3LayerHandler, registry

from codesign.errors import UnsupportedLayerError
from codesign.graph.quantizers import QUANTIZER_FIELDS
from codesign.hls4ml_plugin.reader.weights import OwnWeight, attach
from codesign.keras_model.kinds import FOLDED

PARSED_BY_V2 = (
    *("QDense", "QConv1D", "QConv2D", "QDepthwiseConv2D", "ZeroPadding1D", "ZeroPadding2D"),
    *("QBatchNormalization", "BatchNormalization", "UpSampling1D", "UpSampling2D"),
)
SEPARABLE = ("SeparableConv2D", "QSeparableConv2D")

# Attributes that change what a layer computes and that hls4ml leaves out.
DROPPED = ("dilation_rate", "groups", "axis", "keepdims", "interpolation")

MERGES = ("Add", "Concatenate")


def install() -> None:
    """Register the handlers.

    A handler of a layer that hls4ml cannot read is left out if hls4ml has its own, under a short or a full name.
    """
    handlers = {**dict.fromkeys(PARSED_BY_V2, V2Handler()), "QActivation": QActivationHandler()}
    handlers |= dict.fromkeys(FOLDED, FoldedHandler())
    known = {_short(key) for key in registry if key.split(".")[0] in ("qkeras", "keras") or "." not in key}
    registry.update({name: handler for name, handler in handlers.items() if name not in known})
    registry["DeltaActivation"] = DeltaActivationHandler()
    for key in [key for key in registry if _short(key) in SEPARABLE]:
        del registry[key]  # hls4ml 1.3 asks a separable layer for a kernel that it does not have
    registry.update(dict.fromkeys(SEPARABLE, SeparableHandler()))
    for key in registry:
        if any(part in _short(key) for part in ("Conv", "BatchNorm", "Pooling", "UpSampling")):
            registry[key] = _Complete(registry[key])
        elif _short(key) in MERGES:
            registry[key] = _Merge(registry[key])


def _short(key: str) -> str:
    return key.rsplit(".", 1)[-1]


class _Complete:
    """A handler that adds the attributes `DROPPED` to what another one returns."""

    def __init__(self, handler: Any) -> None:
        self.handler = handler

    def __call__(self, layer: Any, in_tensors: Any, out_tensors: Any) -> tuple[dict[str, Any], ...]:
        """Return the layer's configurations, the first completed."""
        first, *rest = self.handler(layer, in_tensors, out_tensors)
        return {**{name: getattr(layer, name) for name in DROPPED if hasattr(layer, name)}, **first}, *rest


class _Merge:
    """A handler that makes a merge of three or more tensors, for which hls4ml has no layer, a `DeltaMerge`."""

    def __init__(self, handler: Any) -> None:
        self.handler = handler

    def __call__(self, layer: Any, in_tensors: Any, out_tensors: Any) -> tuple[dict[str, Any], ...]:
        """Return the layer's configuration."""
        (config,) = self.handler(layer, in_tensors, out_tensors)
        return ({**config, "class_name": "DeltaMerge"} if len(in_tensors) > 2 else config,)


class V2Handler(KerasV3LayerHandler):  # type: ignore[misc]
    """A layer by hls4ml's Keras 2 parser; an inline activation becomes its own layer."""

    def handle(self, layer: Any, in_tensors: Any, out_tensors: Any) -> Any:
        """Return the layer's configuration, and one more for an inline activation."""
        chain = self.parse(layer, in_tensors)
        outputs = [tensor.name for tensor in out_tensors]
        activation = getattr(layer, "activation", None)
        if activation is not None and getattr(activation, "__name__", "") != "linear":
            kind = getattr(activation, "__name__", type(activation).__name__)
            chain.append(activation_config(f"{layer.name}_{kind}", activation, out_tensors))
        tensors = [[tensor.name for tensor in in_tensors]]
        tensors += [[f"{outputs[0]}_{config['name']}"] for config in chain[:-1]] + [outputs]
        for config, before, after in zip(chain, tensors, tensors[1:], strict=False):
            config.update(input_keras_tensor_names=before, output_keras_tensor_names=after)
        return tuple(chain)

    def parse(self, layer: Any, in_tensors: Any) -> list[dict[str, Any]]:
        """Return the configurations of the linear layers that ``layer`` is, in order."""
        weights = {weight.name: weight for weight in layer.weights}
        parsed, _ = _parse_v2(layer, type(layer).__name__, {}, _shape(in_tensors), weights)
        kernel = "depthwise" if "depthwise_kernel" in weights else "kernel"
        _use_own(parsed, layer, kernel, weights.get("depthwise_kernel", weights.get("kernel")), weights.get("bias"))
        return [parsed]


class FoldedHandler(V2Handler):
    """QConv2DBatchnorm and its kin as the layers that they are once they are trained."""

    def parse(self, layer: Any, in_tensors: Any) -> list[dict[str, Any]]:
        """Return a linear layer with the folded weights."""
        from codesign.layers.linear import folded_weights, kernel_of

        kind, kernel = FOLDED[type(layer).__name__], kernel_of(layer)
        weight, bias = folded_weights(layer)
        named = {"depthwise_kernel" if kernel == "depthwise" else "kernel": weight, "bias": bias}
        parsed, _ = _parse_v2(layer, kind, {"use_bias": True}, _shape(in_tensors), named)
        _use_own(parsed, layer, kernel, weight, bias)
        return [parsed]


class SeparableHandler(V2Handler):
    """A separable convolution as the two that it is; the first is called ``<name>_depthwise``."""

    def parse(self, layer: Any, in_tensors: Any) -> list[dict[str, Any]]:
        """Return a depthwise convolution without bias and one of kernel 1."""
        config, weights = layer.get_config(), {weight.name: weight for weight in layer.weights}
        changes = {"name": f"{layer.name}_depthwise", "use_bias": False, "bias_quantizer": None, "filters": None}
        depthwise, shape = _parse_v2(
            layer, "QDepthwiseConv2D", changes, _shape(in_tensors), {"depthwise_kernel": weights["depthwise_kernel"]}
        )
        _use_own(depthwise, layer, "depthwise", weights.pop("depthwise_kernel"), None)
        changes = {"kernel_size": (1, 1), "strides": (1, 1), "padding": "valid"}
        changes["kernel_quantizer"] = config.get("pointwise_quantizer")
        weights["kernel"] = weights.pop("pointwise_kernel")
        pointwise, _ = _parse_v2(layer, "QConv2D", changes, shape, weights)
        _use_own(pointwise, layer, "pointwise", weights["kernel"], weights.get("bias"))
        return [depthwise, pointwise]


class QActivationHandler(KerasV3LayerHandler):  # type: ignore[misc]
    """QActivation by hls4ml's Keras 2 parser."""

    def handle(self, layer: Any, in_tensors: Any, _: Any) -> Any:
        """Return the layer's configuration."""
        quantizer = getattr(layer, "quantizer", None) or layer.activation
        return ({**self.default_config, **activation_config(layer.name, quantizer, in_tensors)},)


class DeltaActivationHandler(KerasV3LayerHandler):  # type: ignore[misc]
    """`codesign.layers.DeltaActivation`."""

    def handle(self, layer: Any, in_tensors: Any, _: Any) -> Any:
        """Return what `codesign.graph.ir.Delta` needs: what is trained, as it is now.

        hls4ml keeps the output of a layer among its attributes, under the layer's name: Keras calls many "activation".

        Raises:
            ConversionError: a real step.
            UnsupportedLayerError: a step per neuron where neurons share a channel.
        """
        shape = in_tensors[0].shape
        if len(layer.step_log2) not in (1, shape[-1]):
            raise UnsupportedLayerError(
                "hardware has one step per channel, not one per neuron",
                where=layer.name,
                expected=f"1 or {shape[-1]} steps for frames of {list(shape[1:])}",
                received=f"{len(layer.step_log2)} steps",
                fix="train with per='channel', or per='neuron' only after dense layers, where a neuron is a channel",
            )
        return (
            {
                **self.default_config,
                "class_name": "DeltaActivation",
                "delta:activation": layer.activation,
                "code_format": {"width": layer.fmt.width, "frac": layer.fmt.frac, "signed": layer.fmt.signed},
                "step_log2": [int(k) for k in layer.step_log2],
                "delta:lo": int(layer.lo),
                "delta:hi": int(layer.hi),
                "delta:hold": layer.hold,
            },
        )


class _Weights:
    """The weight reader that Keras 2 parsers expect."""

    def __init__(self, weights: dict[str, Any]) -> None:
        self.weights = weights

    def get_weights_data(self, _: str, var_name: str) -> Any:
        """Return the weight whose name holds ``var_name``; None if there is none."""
        found = (value for name, value in self.weights.items() if var_name in name)
        return next((np.asarray(value).copy() for value in found), None)  # np.array(variable): NumPy 2 warns


def _use_own(parsed: dict[str, Any], layer: Any, kernel: str, weight: Any, bias: Any) -> None:
    """Let hls4ml take quantised tensors from the layer: ``weight`` by its ``<kernel>_quantizer``, and ``bias``."""
    key = "depthwise_quantizer" if kernel == "depthwise" else "weight_quantizer"
    attach(parsed, key, OwnWeight(layer, kernel, weight))
    attach(parsed, "bias_quantizer", OwnWeight(layer, "bias", bias))


def _shape(tensors: Any) -> list[int | None]:
    return list(tensors[0].shape)


def _parse_v2(
    layer: Any, kind: str, changes: dict[str, Any], shape: list[int | None], weights: dict[str, Any]
) -> tuple[dict[str, Any], list[int | None]]:
    """Return what hls4ml's Keras 2 parser of ``kind`` makes of ``layer`` with some changes, and its output shape."""
    from hls4ml.converters.keras_v2_to_hls import get_layer_handlers

    config = {key: value for key, value in {**layer.get_config(), **changes}.items() if key != "filters" or value}
    config |= {key: _known(value) for key, value in config.items() if key.endswith("_quantizer")}
    parsed, output = get_layer_handlers()[kind](
        {"class_name": kind, "config": config}, [layer.name], [shape], _Weights(weights)
    )
    parsed.pop("activation", None)
    parsed["keras_class"] = type(layer).__name__
    return parsed, output


def _known(quantizer: Any) -> Any:
    """Return a quantizer's configuration as one of QKeras', which hls4ml knows: as many bits, a scale per channel."""
    if not isinstance(quantizer, dict) or quantizer.get("class_name") != "ChannelBits":
        return quantizer
    return {"class_name": "quantized_bits", "config": {"bits": quantizer["config"]["bits"], "alpha": "auto_po2"}}


def activation_config(name: str, quantizer: Any, tensors: Any) -> dict[str, Any]:
    """Return the configuration of a QKeras quantiser, or of a plain activation function, as a layer of its own."""
    from hls4ml.converters.keras.qkeras import get_activation_quantizer

    if hasattr(quantizer, "__name__") and not hasattr(quantizer, "bits"):
        kind = "Softmax" if quantizer.__name__ == "softmax" else "Activation"
        return {"name": name, "class_name": kind, "activation": quantizer.__name__}
    layer = {"class_name": "QActivation", "config": {"name": name, "activation": quantizer}}
    try:
        config: dict[str, Any] = get_activation_quantizer(layer, [tensor.name for tensor in tensors])
    except Exception as error:
        raise UnsupportedLayerError(
            "hls4ml cannot parse this quantiser",
            where=name,
            received=f"{type(quantizer).__name__} ({error})",
            fix="use quantized_relu or quantized_bits",
        ) from error
    fields = config["activation_quantizer"]["config"]
    for key in QUANTIZER_FIELDS:
        value = getattr(quantizer, key, fields.get(key))
        if value is not None or key in fields:
            fields[key] = value
    return config
