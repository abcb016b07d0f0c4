# SPDX-License-Identifier: Apache-2.0
"""Keras 3 layer handlers: QKeras layers for which hls4ml has only a Keras 2 parser, and `DeltaActivation`."""

from __future__ import annotations

from typing import Any

from hls4ml.converters.keras_v3._base import KerasV3LayerHandler, registry

from codesign.errors import UnsupportedLayerError

PARSED_BY_V2 = ("QDense", "QConv1D", "QConv2D", "QBatchNormalization", "BatchNormalization")

# Attributes of quantized_relu and quantized_bits that change the result; get_config() leaves some of them out.
_QUANTIZER_FIELDS = (
    *("bits", "integer", "symmetric", "keep_negative", "alpha", "negative_slope", "use_sigmoid"),
    *("use_stochastic_rounding", "relu_upper_bound", "is_quantized_clip", "qnoise_factor"),
)


def install() -> None:
    """Register the handlers. All but the last stand back if hls4ml has its own, under a short or a full name."""
    known = {key.rsplit(".", 1)[-1] for key in registry if key.split(".")[0] in ("qkeras", "keras") or "." not in key}
    handlers = {**dict.fromkeys(PARSED_BY_V2, V2Handler()), "QActivation": QActivationHandler()}
    registry.update({name: handler for name, handler in handlers.items() if name not in known})
    registry["DeltaActivation"] = DeltaActivationHandler()


class V2Handler(KerasV3LayerHandler):  # type: ignore[misc]
    """A layer by hls4ml's Keras 2 parser; an inline activation becomes its own layer."""

    def handle(self, layer: Any, in_tensors: Any, out_tensors: Any) -> Any:
        """Return the layer's configuration, and one more for an inline activation."""
        config = _parse_v2(layer, layer.get_config(), in_tensors)
        config.pop("activation", None)
        outputs = [tensor.name for tensor in out_tensors]
        names = {
            "input_keras_tensor_names": [tensor.name for tensor in in_tensors],
            "output_keras_tensor_names": outputs,
        }
        config.update(names, keras_class=type(layer).__name__)
        activation = getattr(layer, "activation", None)
        if activation is None or getattr(activation, "__name__", "") == "linear":
            return (config,)
        between = [f"{outputs[0]}_activation"]
        config["output_keras_tensor_names"] = between
        kind = getattr(activation, "__name__", type(activation).__name__)
        follow = _activation(f"{layer.name}_{kind}", activation, out_tensors)
        return config, {**follow, "input_keras_tensor_names": between, "output_keras_tensor_names": outputs}


class QActivationHandler(KerasV3LayerHandler):  # type: ignore[misc]
    """QActivation by hls4ml's Keras 2 parser."""

    def handle(self, layer: Any, in_tensors: Any, _: Any) -> Any:
        """Return the layer's configuration."""
        quantizer = getattr(layer, "quantizer", None) or layer.activation
        return ({**self.default_config, **_activation(layer.name, quantizer, in_tensors)},)


class DeltaActivationHandler(KerasV3LayerHandler):  # type: ignore[misc]
    """`codesign.layers.DeltaActivation`."""

    def handle(self, layer: Any, *_: Any) -> Any:
        """Return what `codesign.graph.ir.Delta` needs."""
        return (
            {
                **self.default_config,
                "class_name": "DeltaActivation",
                "activation": layer.activation,
                "code_format": {"width": layer.fmt.width, "frac": layer.fmt.frac, "signed": layer.fmt.signed},
                "step_log2": [int(k) for k in layer.step_log2],
                "lo": int(layer.lo),
                "hi": int(layer.hi),
                "hold": layer.hold,
            },
        )


class _Weights:
    """The weight reader that Keras 2 parsers expect, for one layer."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def get_weights_data(self, _: str, var_name: str) -> Any:
        """Return the weight whose name holds ``var_name``; None if there is none."""
        from keras.ops import convert_to_numpy

        return next((convert_to_numpy(w) for w in self.layer.weights if var_name in w.name), None)


def _parse_v2(layer: Any, config: dict[str, Any], in_tensors: Any) -> dict[str, Any]:
    from hls4ml.converters.keras_v2_to_hls import get_layer_handlers

    kind = type(layer).__name__
    parse = get_layer_handlers()[kind]
    names = [tensor.name for tensor in in_tensors]
    shapes = [list(tensor.shape) for tensor in in_tensors]
    parsed: dict[str, Any] = parse({"class_name": kind, "config": config}, names, shapes, _Weights(layer))[0]
    return parsed


def _activation(name: str, quantizer: Any, tensors: Any) -> dict[str, Any]:
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
            "hls4ml cannot parse this quantiser", where=name, received=f"{quantizer} ({error})"
        ) from error
    fields = config["activation_quantizer"]["config"]
    for key in _QUANTIZER_FIELDS:
        value = getattr(quantizer, key, fields.get(key))
        if value is not None or key in fields:
            fields[key] = value
    return config
