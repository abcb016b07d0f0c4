# SPDX-License-Identifier: Apache-2.0
"""Handlers of `reader.keras_model` for layers that delta networks compute exactly and hls4ml does not."""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType
from typing import Any

from hls4ml.converters.keras_v3._base import registry

from codesign.hls4ml_plugin.reader.bridge import activation_config
from codesign.keras_model.calls import Tensor
from codesign.keras_model.kinds import LINEAR, NO_OPS

Configurations = tuple[dict[str, Any], ...]


def _common(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> dict[str, Any]:
    return {
        "name": layer.name,
        "input_keras_tensor_names": [tensor.name for tensor in inputs],
        "output_keras_tensor_names": [tensor.name for tensor in outputs],
        "keras_class": type(layer).__name__,
    }


def _nothing(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Configurations:
    """Return a layer that does nothing in inference as a linear activation."""
    return ({**_common(layer, inputs, outputs), "class_name": "Activation", "activation": "linear"},)


def _relu(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Configurations:
    """Return a ReLU with its limit, which hls4ml does not have."""
    config = {**_common(layer, inputs, outputs), "class_name": "Activation", "activation": "relu"}
    return ({**config, "relu_max_value": None if layer.max_value is None else float(layer.max_value)},)


def _rescaling(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Configurations:
    import numpy as np

    fields = {
        f"rescaling_{name}": np.asarray(getattr(layer, name), float).ravel().tolist() for name in ("scale", "offset")
    }
    return ({**_common(layer, inputs, outputs), "class_name": "DeltaRescale", **fields},)


def _reshape(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Configurations:
    """Return a Permute that only moves axes of one element as the Reshape that it is."""
    return ({**_common(layer, inputs, outputs), "class_name": "Reshape", "target_shape": list(outputs[0].shape[1:])},)


def _activation(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Configurations:
    """Return an Activation, which may be a quantizer of QKeras."""
    config = activation_config(layer.name, layer.activation, inputs)
    if config["class_name"] == "Softmax":
        config["axis"] = -1
    return ({**_common(layer, inputs, outputs), **config},)


def _by_hls4ml(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Configurations:
    kind = layer.__class__  # of what an `_Inactive` stands for, too
    handler: Any = registry.get(f"{kind.__module__}.{kind.__name__}") or registry[kind.__name__]
    made: Configurations = handler(layer, inputs, outputs)
    return made


def _global_pooling(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Configurations:
    """Return a pooling that keeps its axes as one of the whole frame; hls4ml's shape of it would lack the axes."""
    import keras

    if layer.keepdims and layer.data_format == "channels_last":
        kind = getattr(keras.layers, type(layer).__name__.removeprefix("Global"))
        layer = kind(inputs[0].shape[1:-1], data_format=layer.data_format, name=layer.name)
    return _by_hls4ml(layer, inputs, outputs)


def _sum_pooling(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Configurations:
    """Return a sum as the mean that hls4ml reads; ``sums`` says that nothing is divided."""
    import keras

    kind = getattr(keras.layers, type(layer).__name__.replace("Sum", "Average"))
    mean = kind(layer.pool_size, layer.strides, layer.padding, layer.data_format, name=layer.name)
    (config,) = _by_hls4ml(mean, inputs, outputs)
    return ({**config, "keras_class": type(layer).__name__, "sums": True},)


class _Inactive:
    """A layer of Keras as if it had no activation."""

    activation = None

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._layer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)


def _linear(layer: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Configurations:
    """Return a linear layer of Keras by hls4ml's handler, which knows no quantizer as its activation."""
    if isinstance(layer.activation, FunctionType | None):
        return _by_hls4ml(layer, inputs, outputs)
    (linear,) = _by_hls4ml(_Inactive(layer), inputs, outputs)
    between = [f"{outputs[0].name}_before_activation"]
    name = f"{layer.name}_{type(layer.activation).__name__}"
    active = {**_common(layer, inputs, outputs), **activation_config(name, layer.activation, outputs)}
    active["input_keras_tensor_names"] = linear["output_keras_tensor_names"] = between
    return linear, active


HANDLERS: dict[str, Any] = {
    **dict.fromkeys(NO_OPS, _nothing),
    **dict.fromkeys([kind for kind in LINEAR if kind[0] != "Q" and kind != "SeparableConv2D"], _linear),
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "Permute": _reshape,
    "Activation": _activation,
    "SumPooling1D": _sum_pooling,
    "SumPooling2D": _sum_pooling,
    **{f"Global{kind}Pooling{axes}D": _global_pooling for kind in ("Max", "Average") for axes in (1, 2)},
}
"""Handlers by class, in the place of those that hls4ml has."""
