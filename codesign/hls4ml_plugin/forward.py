# SPDX-License-Identifier: Apache-2.0
"""`forward`: the layers of a Keras model called on the frames of one stream, with what each of them computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConversionError
from codesign.keras_model.calls import Call, Calls

Values = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What one call of a layer computed.

    Attributes:
        call: of the layer.
        values: of the frames, ``[T, ...]``.
        tried: of the further inputs of an activation, ``[N, ...]``; None if it was given none.
    """

    call: Call
    values: Values
    tried: Values | None = None


def forward(
    calls: Calls,
    frames: Values,
    tries: Mapping[str, Values] | None = None,
    layer_of: Callable[[Call, Any], Any] = lambda call, _: call.layer,
) -> list[Computed]:
    """Return what every layer of a model computes in inference, in the order of computation, without tracing.

    Args:
        calls: of the model.
        frames: consecutive, ``[T, *input shape]``: a `DeltaActivation` with a hold recurs over them.
        tries: further inputs ``[N, ...]`` of some activations, by the name of the tensor that they make; N is a
            multiple of T, and with a hold each T are a stream of their own.
        layer_of: what to call for a call, given its inputs.

    A softmax at the end is left out.

    Raises:
        ConversionError: a layer cannot be called; names it.
    """
    import keras

    made: list[Computed] = []

    def call(each: Call, inputs: Any) -> Any:
        extra = (tries or {}).get(each.outputs[0].name)
        try:
            if each.is_operation:
                output, tried = _of_operation(each, inputs, extra, last=each.outputs[0] is calls.output)
            else:
                layer = layer_of(each, inputs)
                output, tried = _outputs(layer, inputs, extra, len(frames), last=each.outputs[0] is calls.output)
        except Exception as error:
            raise ConversionError(
                "Keras cannot compute this layer",
                where=each.name,
                received=f"{type(error).__name__}: {_reason(error)}",
                fix="repair the model: calling it on frames has to work before it is converted",
            ) from error
        to_numpy = keras.ops.convert_to_numpy
        made.append(Computed(call=each, values=to_numpy(output), tried=None if tried is None else to_numpy(tried)))
        return output

    calls.run(keras.ops.convert_to_tensor(frames, dtype=calls.calls[0].outputs[0].dtype), call)
    return made


def _outputs(layer: Any, inputs: Any, extra: Values | None, frames: int, *, last: bool) -> tuple[Any, Any]:
    """Return what ``layer`` makes of its inputs, and what its activation makes of ``extra``."""
    import keras

    options: dict[str, Any] = {"training": False} if getattr(layer, "_call_has_training_arg", False) else {}
    if getattr(layer, "hold", None) is not None and hasattr(layer, "to_codes"):
        options["frames"] = frames
    if last and _is_softmax(layer):
        return _without_softmax(layer, inputs, options), None
    if extra is None:
        return layer(inputs, **options), None
    if hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel"):  # an activation= argument
        shape = layer.compute_output_shape(inputs.shape)
        further = keras.ops.convert_to_tensor(extra.reshape(-1, *shape[1:]), dtype=layer.compute_dtype)
        return layer(inputs, **options), layer.activation(further)
    further = keras.ops.convert_to_tensor(extra.reshape(-1, *inputs.shape[1:]), dtype=inputs.dtype)
    both = layer(keras.ops.concatenate([inputs, further]), **options)
    return both[:frames], both[frames:]


def _of_operation(call: Call, inputs: Any, extra: Values | None, *, last: bool) -> tuple[Any, Any]:
    """Return the same for an operation such as ``keras.ops.relu``: the user's own, not the layer that stands for it."""
    import keras

    if last and _is_softmax(call.layer):
        return inputs, None
    if extra is None:
        return _in_batches(call, inputs if isinstance(inputs, list) else [inputs]), None
    further = keras.ops.convert_to_tensor(extra.reshape(-1, *inputs.shape[1:]), dtype=inputs.dtype)
    both = _in_batches(call, [keras.ops.concatenate([inputs, further])])
    return both[: len(inputs)], both[len(inputs) :]


def _in_batches(call: Call, inputs: list[Any]) -> Any:
    """Call an operation; its arguments may hold the size of the batch, where the model's input has one."""
    import keras

    def compute(tensors: list[Any]) -> Any:
        args, kwargs = call.arguments(tensors)
        return call.node.operation(*args, **kwargs)

    sizes = {tensor.shape[0] for tensor in call.node.arguments.keras_tensors} - {None}
    if not sizes:
        return compute(inputs)
    count, batch = len(inputs[0]), sizes.pop()
    parts = [np.resize(np.arange(first, min(first + batch, count)), batch) for first in range(0, count, batch)]
    made = [compute([keras.ops.take(tensor, part, axis=0) for tensor in inputs]) for part in parts]
    return keras.ops.concatenate(made)[:count]


def _reason(error: Exception) -> str:
    """Return the line of an error of Keras that says what is wrong, which it writes in bold behind another."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    bold = next((line for line in lines if line.startswith("\033[1m")), lines[0] if lines else "")
    return bold.removeprefix("\033[1m").removesuffix("\033[0m")


def _is_softmax(layer: Any) -> bool:
    import keras

    return isinstance(layer, keras.layers.Softmax) or getattr(layer, "activation", None) is keras.activations.softmax


def _without_softmax(layer: Any, inputs: Any, options: dict[str, Any]) -> Any:
    """Call a last layer; what is left of a softmax is what it is given."""
    import keras

    if isinstance(layer, keras.layers.Softmax):
        return inputs
    attributes = vars(layer)
    before, attributes["activation"] = attributes["activation"], keras.activations.linear
    try:
        return layer(inputs, **options)
    finally:
        attributes["activation"] = before


class InFloat64:
    """Gives for each layer a copy that computes in float64 with the same, quantised, weights."""

    def __init__(self) -> None:
        self._copies: dict[int, Any] = {}

    def __call__(self, call: Call, inputs: Any) -> Any:
        """Return the copy of the layer of ``call``, built for ``inputs``."""
        from codesign.layers.streaming import copy_in_float64

        if id(call.layer) not in self._copies:
            self._copies[id(call.layer)] = copy_in_float64(call.layer, inputs)
        return self._copies[id(call.layer)]
