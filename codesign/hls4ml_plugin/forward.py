# SPDX-License-Identifier: Apache-2.0
"""What layers of a Keras model compute when they are called on given values, without tracing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from codesign.errors import ConversionError
from codesign.hls4ml_plugin.reader.weights import elementwise
from codesign.hls4ml_plugin.trials import Trial, Values, is_linear, quantizer_of
from codesign.keras_model.calls import Call, Tensor
from codesign.keras_model.kinds import ending_of

LayerOf = Callable[[Call, Any], Any]


def compute_all(trials: Sequence[Trial], last: Tensor) -> list[Values | None]:
    """Return what Keras computes of each of ``trials``, ``[N, ...]``; None where there are no values to compute of.

    Quantizers that do the same to each element are called once for all the activations that they are.

    Args:
        trials: trials of a model.
        last: what the model makes; a softmax or sigmoid there is left out.

    Raises:
        ConversionError: a layer cannot be called; names it.
    """
    made: list[Values | None] = [None] * len(trials)
    groups: dict[Any, list[int]] = {}
    for at, trial in enumerate(trials):
        alone = trial.activation and trial.network is not None and len(trial.calls) == 1
        quantizer = quantizer_of(trial.call) if alone else None
        if quantizer is not None:
            groups.setdefault(elementwise(quantizer), []).append(at)
        elif trial.network is not None:
            made[at] = compute(trial, last)
    for members in groups.values():
        given = {at: next(iter(trials[at].inputs.values())) for at in members}
        parts = {id(values): values for values in given.values()}  # the same for activations that do the same
        call = trials[members[0]].call
        with _errors(call):
            whole = quantizer_of(call)(_tensor(np.concatenate([part.ravel() for part in parts.values()]), "float32"))
        flat = np.split(_numpy(whole), np.cumsum([part.size for part in parts.values()])[:-1])
        results = {key: own.reshape(part.shape) for (key, part), own in zip(parts.items(), flat, strict=True)}
        made = [results[id(given[at])] if at in given else values for at, values in enumerate(made)]
    return made


def compute(trial: Trial, last: Tensor, layer_of: LayerOf = lambda call, _: call.layer) -> Values:
    """Return what Keras computes of one trial, ``[N, ...]``.

    Args:
        trial: trial with values.
        last: what the model makes; a softmax or sigmoid there is left out.
        layer_of: what to call for a call, given its inputs.

    Raises:
        ConversionError: a layer cannot be called; names it.
    """
    tensors = {}
    for call in trial.calls:
        with _errors(call):
            for tensor in call.inputs:
                if tensor.name not in tensors:
                    tensors[tensor.name] = _tensor(trial.inputs[tensor.name], tensor.dtype)
            inputs = [tensors[tensor.name] for tensor in call.inputs]
            given = inputs[0] if len(inputs) == 1 else inputs
            if call.is_operation:
                made = given if _leaves_ending(call, last) else _in_batches(call, inputs)
            elif trial.activation and is_linear(call.layer):
                made = call.layer.activation(given)
            else:
                made = _outputs(layer_of(call, given), given, trial.frames, leave=_leaves_ending(call, last))
            tensors[call.outputs[0].name] = made
    return _numpy(tensors[trial.call.outputs[0].name])


def _tensor(values: Values, dtype: str) -> Any:
    import keras

    wide = "float" in dtype and keras.config.floatx() == "float64"
    return keras.ops.convert_to_tensor(values, dtype="float64" if wide else dtype)


def _numpy(tensor: Any) -> Values:
    import keras

    made: Values = keras.ops.convert_to_numpy(tensor)
    return made


@contextmanager
def _errors(call: Call) -> Iterator[None]:
    """Name the layer in whatever Keras raises."""
    try:
        yield
    except Exception as error:
        raise ConversionError(
            "Keras cannot compute this layer",
            where=call.name,
            received=f"{type(error).__name__}: {_reason(error)}",
            fix="repair the model: calling it on frames has to work before it is converted",
        ) from error


def _outputs(layer: Any, inputs: Any, frames: int, *, leave: bool) -> Any:
    """Return what ``layer`` makes of its inputs, without the softmax or sigmoid if that is to be left out."""
    import keras

    options: dict[str, Any] = {"training": False} if getattr(layer, "_call_has_training_arg", False) else {}
    if getattr(layer, "hold", None) is not None and hasattr(layer, "to_codes"):
        options["frames"] = frames
    if leave:
        return _without_ending(layer, inputs, options)
    plain = layer.built and type(layer).__call__ is keras.Layer.__call__
    alike = layer.compute_dtype == layer.variable_dtype == getattr(inputs, "dtype", None)
    return (layer.call if plain and alike else layer)(inputs, **options)  # half of the time is in Keras' __call__


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
    """Return the line of a Keras error that names what is wrong, which is in bold after another."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    bold = next((line for line in lines if line.startswith("\033[1m")), lines[0] if lines else "")
    return bold.removeprefix("\033[1m").removesuffix("\033[0m")


def _leaves_ending(call: Call, last: Tensor) -> bool:
    """Return whether a call ends the model with what is left to the host."""
    return call.outputs[0] is last and bool(ending_of(call.layer))


def _without_ending(layer: Any, inputs: Any, options: dict[str, Any]) -> Any:
    """Call a last layer; what is left of one without weights is what it is given."""
    import keras

    if isinstance(layer, keras.layers.Softmax | keras.layers.Activation):
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
