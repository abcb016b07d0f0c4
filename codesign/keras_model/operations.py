# SPDX-License-Identifier: Apache-2.0
"""Operations on Keras tensors (``a + b``, ``keras.ops``) that are a Keras layer under another name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Shape = tuple[int | None, ...]


def as_layer(node: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> Any:
    """Return the layer that computes what the operation of ``node`` does; the operation itself if there is none.

    Args:
        node: node of a Keras graph.
        inputs: shapes of the tensors it reads, batch first.
        outputs: shapes of what it makes.
    """
    import keras

    operation = node.operation
    if isinstance(operation, keras.Layer) or not type(operation).__module__.startswith("keras."):
        return operation
    make = _MAKERS.get(type(operation).__name__)
    made = make(operation, node.arguments, inputs, outputs) if make is not None and len(outputs) == 1 else None
    if made is None:
        return operation
    kind, options = made
    dtype = node.outputs[0].dtype
    options["dtype"] = dtype if "float" in dtype else "float32"
    return getattr(keras.layers, kind)(**options, name=operation.name)


Made = tuple[str, dict[str, Any]] | None
Maker = Callable[[Any, Any, Sequence[Shape], Sequence[Shape]], Made]


def _sum(operation: Any, arguments: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> Made:
    return ("Add", {}) if len(inputs) == 2 else _scaled(operation, arguments, inputs, outputs)


def _scaled(operation: Any, arguments: Any, *_: Any) -> Made:
    """Return `Rescaling` for a sum, difference, product or quotient of a tensor and a number."""
    numbers = [value for value in arguments.args if _is_number(value)]
    kind, first = type(operation).__name__, bool(arguments.args) and _is_number(arguments.args[0])
    if kind == "Negative":
        return "Rescaling", {"scale": -1.0}
    if len(arguments.args) != 2 or len(numbers) != 1 or arguments.kwargs:
        return None
    number = float(numbers[0])
    if kind in ("Divide", "TrueDivide"):
        return ("Rescaling", {"scale": 1 / number}) if number and not first else None
    if kind == "Multiply":
        return "Rescaling", {"scale": number}
    sign = -1.0 if kind == "Subtract" else 1.0
    return "Rescaling", {"scale": sign if first else 1.0, "offset": number if first else sign * number}


def _maximum(_: Any, arguments: Any, *__: Any) -> Made:
    zero = any(_is_number(value) and value == 0 for value in arguments.args)
    return ("ReLU", {}) if zero and len(arguments.args) == 2 else None


def _clip(operation: Any, *_: Any) -> Made:
    lo, hi = operation.x_min, operation.x_max
    return ("ReLU", {"max_value": float(hi)}) if _is_number(lo) and lo == 0 and _is_number(hi) and hi >= 0 else None


def _reshape(_: Any, __: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> Made:
    before, after = inputs[0][1:], outputs[0][1:]
    if None in (*before, *after) or math.prod(map(int, before)) != math.prod(map(int, after)):  # type: ignore[arg-type]
        return None
    return "Reshape", {"target_shape": after}


def _permute(operation: Any, _: Any, inputs: Sequence[Shape], __: Any) -> Made:
    axes = np.empty(tuple(range(1, len(inputs[0]) + 1)), np.bool_)  # the size of an axis identifies it
    kind = type(operation).__name__
    if kind == "Transpose":
        axes = np.transpose(axes, operation.axes)
    elif kind == "Swapaxes":
        axes = np.swapaxes(axes, operation.axis1, operation.axis2)
    else:
        axes = np.moveaxis(axes, operation.source, operation.destination)
    order = [size - 1 for size in axes.shape]
    return ("Permute", {"dims": tuple(order[1:])}) if order[0] == 0 else None


def _joined(operation: Any, *_: Any) -> Made:
    return "Concatenate", {"axis": operation.axis}


def _over_positions(operation: Any, _: Any, inputs: Sequence[Shape], __: Any) -> Made:
    """Return a global pooling for a mean or maximum over all axes but the batch and the channels."""
    rank = len(inputs[0])
    if getattr(operation, "initial", None) is not None:  # one more value for the maximum
        return None
    axes = operation.axis if isinstance(operation.axis, list | tuple) else [operation.axis]
    if rank not in (3, 4) or None in axes or sorted(axis % rank for axis in axes) != list(range(1, rank - 1)):
        return None
    kind = "Average" if type(operation).__name__ == "Mean" else "Max"
    return f"Global{kind}Pooling{rank - 2}D", {"keepdims": bool(operation.keepdims)}


def _window(operation: Any, _: Any, inputs: Sequence[Shape], __: Any) -> Made:
    rank = len(inputs[0])
    if rank not in (3, 4):
        return None
    fields = {name: getattr(operation, name) for name in ("pool_size", "strides", "padding", "data_format")}
    return f"{type(operation).__name__}ing{rank - 2}D", fields


def _plain(kind: str, **options: Any) -> Maker:
    return lambda *_: (kind, dict(options))


def _softmax(operation: Any, *_: Any) -> Made:
    return "Softmax", {"axis": operation.axis}


def _cast(operation: Any, arguments: Any, *_: Any) -> Made:
    given, made = arguments.keras_tensors[0].dtype, operation.dtype
    whole = "int" in given and made in ("float32", "float64")
    return ("Identity", {}) if given == made or whole else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


_MAKERS: dict[str, Maker] = {
    "Add": _sum,
    **dict.fromkeys(("Subtract", "Multiply", "Divide", "TrueDivide", "Negative"), _scaled),
    "Concatenate": _joined,
    **dict.fromkeys(("Reshape", "Squeeze", "ExpandDims"), _reshape),
    **dict.fromkeys(("Transpose", "Swapaxes", "Moveaxis"), _permute),
    "Relu": _plain("ReLU"),
    "Relu6": _plain("ReLU", max_value=6.0),
    "Maximum": _maximum,
    "Clip": _clip,
    "Softmax": _softmax,
    "Sigmoid": _plain("Activation", activation="sigmoid"),
    **dict.fromkeys(("Mean", "Max"), _over_positions),
    **dict.fromkeys(("MaxPool", "AveragePool"), _window),
    **dict.fromkeys(("StopGradient", "Copy"), _plain("Identity")),
    "Cast": _cast,
}
