# SPDX-License-Identifier: Apache-2.0
"""Calls of TensorFlow's own functions in a model of Keras 2 (`TFOpLambda`), as the layers that compute the same.

Keras 2 wrote ``inputs / 255.0`` or ``tf.nn.relu(x)`` in a functional model as a layer that names the function, with the
arguments of the call beside the tensors. Nothing is looked up by that name in TensorFlow: what is not in the table here
stays, and is refused by name (see `codesign.keras_model.old_config`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Tensor = list[Any]
"""``[layer, call, output]``."""
Layer = tuple[str, dict[str, Any], list[Tensor]]
"""Class of a layer, its arguments, and what it reads."""


@dataclass(frozen=True, slots=True)
class _Call:
    """The arguments of a function: tensors, numbers, or others.

    Attributes:
        first: the first one.
        named: the others, by name; None left out.
    """

    first: Any
    named: dict[str, Any]

    def tensors(self) -> list[Tensor] | None:
        """Return both operands if they are tensors, and there is no other argument."""
        operands = [self.first, self.named.get("y")]
        return operands if set(self.named) == {"y"} and all(map(_is_tensor, operands)) else None

    def with_number(self) -> tuple[Tensor, Any, bool] | None:
        """Return tensor, number (or one for each channel) and whether the number is the first of two operands."""
        if set(self.named) != {"y"}:
            return None
        one, other = self.first, self.named["y"]
        if _is_tensor(one) and _is_number(other):
            return one, other, False
        return (other, one, True) if _is_tensor(other) and _is_number(one) else None

    def alone(self, **kept: Any) -> list[Tensor] | None:
        """Return the one tensor, if other arguments have no other values than in ``kept``."""
        named = {key: value for key, value in self.named.items() if key not in kept or value != kept[key]}
        return [self.first] if not named and _is_tensor(self.first) else None


def as_layers(config: Any) -> Any:
    """Return the configuration of a model with the calls that are a layer replaced by it; ``config`` stays as it is."""
    if isinstance(config, list):
        return [as_layers(part) for part in config]
    if not isinstance(config, dict):
        return config
    changed = {key: as_layers(part) for key, part in config.items()}
    layers = changed.get("layers")
    if not isinstance(layers, list) or not any(_is_call(layer) for layer in layers):
        return changed
    taken = {layer.get("name") for layer in layers if isinstance(layer, dict)}
    names: dict[str, str] = {}
    for place, layer in enumerate(layers):
        made = _layer_of(layer) if _is_call(layer) else None
        if made is None:
            continue
        kind, arguments, reads = made
        names[layer["name"]] = name = _name(layer["name"], taken)
        layers[place] = {
            "class_name": kind,
            "config": {"name": name, "trainable": True, "dtype": "float32", **arguments},
            "name": name,
            "inbound_nodes": [[[*tensor, {}] for tensor in reads]],
        }
    return {key: _renamed(part, names) for key, part in changed.items()}


def _is_call(layer: Any) -> bool:
    return isinstance(layer, dict) and layer.get("class_name") == "TFOpLambda" and isinstance(layer.get("name"), str)


def _name(name: str, taken: set[Any]) -> str:
    """Return a name for a layer that hardware can have, too."""
    plain = re.sub(r"\W+", "_", name.removeprefix("tf.").replace("__operators__.", "")) or "call"
    free, number = plain, 1
    while free in taken:
        free, number = f"{plain}_{number}", number + 1
    taken.add(free)
    return free


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    """Return a part of a configuration in which tensors have the new names of the layers that make them."""
    if isinstance(part, list):
        if _is_tensor(part, named=True) and part[0] in names:
            return [names[part[0]], *(_renamed(item, names) for item in part[1:])]
        return [_renamed(item, names) for item in part]
    return {key: _renamed(item, names) for key, item in part.items()} if isinstance(part, dict) else part


def _layer_of(layer: Mapping[str, Any]) -> Layer | None:
    """Return the layer that computes what a call does; None if there is none."""
    nodes, config = layer.get("inbound_nodes"), layer.get("config")
    function = config.get("function") if isinstance(config, dict) else None
    if not isinstance(nodes, list) or len(nodes) != 1 or not isinstance(nodes[0], list) or function not in _MAKERS:
        return None
    node = nodes[0]
    if node and all(_is_tensor(part, named=True) for part in node):  # a list of tensors is the first argument
        first, named = [part[:3] for part in node], node[0][3] if len(node[0]) > 3 else {}
    elif len(node) == 4 and isinstance(node[3], dict):
        first, named = node[2] if node[0] == "_CONSTANT_VALUE" else node[:3], node[3]
    else:
        return None
    call = _Call(first, {key: value for key, value in named.items() if value is not None and key != "name"})
    return _MAKERS[function](call)


def _is_tensor(value: Any, *, named: bool = False) -> bool:
    """Return whether ``value`` is a tensor, with the other arguments of its call behind it if ``named``."""
    lengths = (3, 4) if named else (3,)
    is_list = isinstance(value, list) and len(value) in lengths and isinstance(value[0], str)
    return is_list and value[0] != "_CONSTANT_VALUE" and all(type(part) is int for part in value[1:3])


def _is_number(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_is_number(part) and not isinstance(part, list) for part in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _each(function: Callable[[float], float], value: Any) -> Any:
    return [function(part) for part in value] if isinstance(value, list) else function(value)


def _sum(call: _Call) -> Layer | None:
    if tensors := call.tensors():
        return "Add", {}, tensors
    found = call.with_number()
    return found and ("Rescaling", {"scale": 1.0, "offset": found[1]}, [found[0]])


def _difference(call: _Call) -> Layer | None:
    if tensors := call.tensors():
        return "Subtract", {}, tensors
    found = call.with_number()
    if found is None:
        return None
    tensor, number, first = found
    scale, offset = (-1.0, number) if first else (1.0, _each(lambda part: -part, number))
    return "Rescaling", {"scale": scale, "offset": offset}, [tensor]


def _product(call: _Call) -> Layer | None:
    if tensors := call.tensors():
        return "Multiply", {}, tensors
    found = call.with_number()
    return found and ("Rescaling", {"scale": found[1], "offset": 0.0}, [found[0]])


def _quotient(call: _Call) -> Layer | None:
    found = call.with_number()
    if found is None or found[2] or not all(found[1] if isinstance(found[1], list) else [found[1]]):
        return None
    return "Rescaling", {"scale": _each(lambda part: 1 / part, found[1]), "offset": 0.0}, [found[0]]


def _larger(call: _Call) -> Layer | None:
    if tensors := call.tensors():
        return "Maximum", {}, tensors
    found = call.with_number()
    return ("ReLU", {}, [found[0]]) if found is not None and found[1] == 0 else None


def _clipped(call: _Call) -> Layer | None:
    most: Any = call.named.get("clip_value_max")
    if call.named.get("clip_value_min") != 0 or not _is_number(most) or isinstance(most, list) or len(call.named) != 2:
        return None
    return ("ReLU", {"max_value": float(most)}, [call.first]) if _is_tensor(call.first) else None


def _reduced(kind: str) -> Callable[[_Call], Layer | None]:
    """Return the maker of a pooling over all positions; of tensors with other axes the layer cannot be built."""

    def make(call: _Call) -> Layer | None:
        named = dict(call.named)
        axis, keepdims = named.pop("axis", None), bool(named.pop("keepdims", False))
        axes = axis if isinstance(axis, list) else [axis]
        if named or axes not in ([1], [1, 2], [-3, -2]) or not _is_tensor(call.first):
            return None
        return f"Global{kind}Pooling{len(axes)}D", {"keepdims": keepdims}, [call.first]

    return make


def _window(kind: str) -> Callable[[_Call], Layer | None]:
    def make(call: _Call) -> Layer | None:
        named = dict(call.named)
        size, strides, padding = (named.pop(key, None) for key in ("ksize", "strides", "padding"))
        plain = all(type(value) is int or (isinstance(value, list) and len(value) == 2) for value in (size, strides))
        if not plain or padding not in ("VALID", "SAME") or named.pop("data_format", "NHWC") != "NHWC" or named:
            return None
        arguments = {"pool_size": size, "strides": strides, "padding": str(padding).lower()}
        return (f"{kind}Pooling2D", arguments, [call.first]) if _is_tensor(call.first) else None

    return make


def _reshaped(call: _Call) -> Layer | None:
    shape = call.named.get("shape")
    if set(call.named) != {"shape"} or not _is_number(shape) or not isinstance(shape, list) or shape[0] != -1:
        return None
    return ("Reshape", {"target_shape": shape[1:]}, [call.first]) if _is_tensor(call.first) else None


def _padded(call: _Call) -> Layer | None:
    named = dict(call.named)
    widths = named.pop("paddings", None)
    zero = named.pop("mode", "CONSTANT") == "CONSTANT" and named.pop("constant_values", 0) == 0
    if named or not zero or not _is_tensor(call.first) or not isinstance(widths, list) or len(widths) not in (3, 4):
        return None
    if not all(_is_number(width) and isinstance(width, list) and len(width) == 2 for width in widths):
        return None
    if widths[0] != [0, 0] or widths[-1] != [0, 0]:
        return None
    inner = widths[1:-1]
    return f"ZeroPadding{len(inner)}D", {"padding": inner if len(inner) == 2 else inner[0]}, [call.first]


def _joined(call: _Call) -> Layer | None:
    axis = call.named.get("axis")
    if set(call.named) != {"axis"} or type(axis) is not int or not isinstance(call.first, list):
        return None
    return ("Concatenate", {"axis": axis}, call.first) if all(map(_is_tensor, call.first)) else None


def _single(kind: str, *, kept: Mapping[str, Any] | None = None, **arguments: Any) -> Callable[[_Call], Layer | None]:
    """Return the maker of a layer with ``arguments`` that reads one tensor; ``kept`` are arguments of the call."""

    def make(call: _Call) -> Layer | None:
        reads = call.alone(**(kept or {}))
        return (kind, arguments, reads) if reads else None

    return make


_MAKERS: dict[str, Callable[[_Call], Layer | None]] = {
    **dict.fromkeys(("math.add", "__operators__.add"), _sum),
    **dict.fromkeys(("math.subtract", "__operators__.sub"), _difference),
    **dict.fromkeys(("math.multiply", "__operators__.mul"), _product),
    **dict.fromkeys(("math.truediv", "math.divide", "realdiv", "__operators__.truediv"), _quotient),
    "math.negative": _single("Rescaling", scale=-1.0, offset=0.0),
    "math.maximum": _larger,
    "clip_by_value": _clipped,
    "nn.relu": _single("ReLU"),
    "nn.relu6": _single("ReLU", max_value=6.0),
    "nn.softmax": _single("Softmax", kept={"axis": -1}),
    **dict.fromkeys(("math.sigmoid", "nn.sigmoid"), _single("Activation", activation="sigmoid")),
    **dict.fromkeys(("math.tanh", "nn.tanh"), _single("Activation", activation="tanh")),
    **dict.fromkeys(("identity", "stop_gradient"), _single("Identity")),
    "cast": _single("Identity", kept={"dtype": "float32"}),
    "compat.v1.squeeze": _single("Flatten", kept={"axis": [1, 2]}),
    "math.reduce_mean": _reduced("Average"),
    "math.reduce_max": _reduced("Max"),
    "nn.max_pool2d": _window("Max"),
    **dict.fromkeys(("nn.avg_pool2d", "nn.avg_pool"), _window("Average")),
    "reshape": _reshaped,
    **dict.fromkeys(("pad", "compat.v1.pad"), _padded),
    "concat": _joined,
}
