# SPDX-License-Identifier: Apache-2.0
"""The check of every conversion: the delta graph against the Keras model that it was made from.

First the weights, value by value: what the graph holds is what the quantizers of the Keras layers make of their
variables. Then the results, layer by layer (`codesign.hls4ml_plugin.trials`): what each layer of the Keras model itself
computes of a few frames is what the node that stands for it computes of them. Each activation is tried on inputs of its
own, which reach both ends of its range whatever the weights before it.

Exactness: Keras computes in float32 as its user does. Where a result differs, it is computed again in float64, since
float32 is not exact for sums of more than 24 bits; only what differs in float64, too, is refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConversionError, ConversionWarning
from codesign.graph.ir import Linear
from codesign.graph.sample import is_narrow
from codesign.hls4ml_plugin.forward import InFloat64, compute, compute_all
from codesign.hls4ml_plugin.reader.builder import Reading
from codesign.hls4ml_plugin.reader.pytorch import check_against_pytorch, module_of
from codesign.hls4ml_plugin.reader.weights import OwnWeight, known, numpy_of, own_weight
from codesign.hls4ml_plugin.trials import Trial, Values, trials_of
from codesign.keras_model.calls import Calls, calls_of
from codesign.keras_model.kinds import FOLDED

FLOAT32_ROUNDING = 2.0**-20
"""Relative difference of the scale of a BatchNormalization in float32 from the exact one."""

FAULT = (
    "use another layer than this {kind}, or other arguments, and report this with the model: it is a fault of the "
    "conversion"
)


def check_against_keras(model: Any, reading: Reading) -> None:
    """Compare ``reading``, made from an hls4ml ``ModelGraph``, with the Keras model or PyTorch module it was made from.

    Raises:
        ConversionError: weights or results differ; names the layer. Or Keras cannot compute the model.

    Warns:
        ConversionWarning: there is no Keras model to compare with, or float32 Keras is not exact.
    """
    keras_model = model.config.config.get("KerasModel")
    if not hasattr(keras_model, "inputs") or not hasattr(keras_model, "layers"):
        if (module := module_of(model)) is not None:
            check_against_pytorch(module, reading.graph)
            return
        warnings.warn(
            f"{reading.graph.name}: there is no Keras model to compare the converted network with, as it comes from "
            "another front end. Compare predict() with your model on some frames before you rely on it.",
            ConversionWarning,
            stacklevel=2,
        )
        return
    calls = calls_of(keras_model)
    _check_weights(calls, reading)
    _check_results(calls, reading)


def _check_weights(calls: Calls, reading: Reading) -> None:
    """Compare the weights and biases of every linear layer with those that Keras computes with."""
    layers = {call.name: call.layer for call in calls.calls}
    for name, (linear, *folded) in reading.sources.items():
        node, layer = reading.graph[name], layers[linear.get_attr("keras_layer")]
        assert isinstance(node, Linear)
        kernel, bias = _kernel(layer, linear), _bias(layer, linear, len(node.bias))
        for other in folded:
            scale, shift = _affine(layers[other.get_attr("keras_layer")], len(bias))
            kernel = kernel * (scale[:, None] if getattr(node, "depthwise", False) else scale)
            bias = bias * scale + shift
        rounding = FLOAT32_ROUNDING if folded else 0.0
        weight = node.weight_fmt.to_values(node.weight).reshape(kernel.shape)
        where = linear.get_attr("keras_layer")
        _compare_weights(where, "weights", weight, kernel, rounding)
        _compare_weights(where, "biases", node.fmt.to_values(node.bias), bias, rounding)


def _kernel(layer: Any, linear: Any) -> Values:
    from codesign.layers.linear import folded_weights

    own = own_weight(linear, "weight")
    if own is not None:
        return own.values
    if type(layer).__name__ in FOLDED:
        return numpy_of(folded_weights(layer)[0])
    depthwise = linear.class_name.startswith("Depthwise")
    names = ("depthwise_kernel", "kernel") if depthwise else ("pointwise_kernel", "kernel")
    return numpy_of(next(getattr(layer, name) for name in names if hasattr(layer, name)))


def _bias(layer: Any, linear: Any, size: int) -> Values:
    from codesign.layers.linear import folded_weights

    own = own_weight(linear, "bias")
    if own is not None:
        return own.values
    if type(layer).__name__ in FOLDED:
        return numpy_of(folded_weights(layer)[1])
    first = linear.class_name.startswith("Depthwise") and hasattr(layer, "pointwise_kernel")  # of a separable one
    return np.zeros(size) if first or layer.bias is None else numpy_of(layer.bias)


def _affine(layer: Any, size: int) -> tuple[Values, Values]:
    """Return scale and shift of a Rescaling, or of a BatchNormalization up to `FLOAT32_ROUNDING`."""
    from codesign.layers.linear import affine

    if hasattr(layer, "moving_mean"):
        return affine(layer)
    scale, shift = (np.broadcast_to(np.asarray(value, np.float64), size) for value in (layer.scale, layer.offset))
    return scale, shift


def _compare_weights(name: str, what: str, received: Values, expected: Values, rounding: float) -> None:
    wrong = np.abs(received - expected) > rounding * np.abs(expected)
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ConversionError(
            f"{int(wrong.sum())} of {wrong.size} {what} of the converted network differ from those of Keras",
            where=name,
            expected=f"{expected[at]} at {list(at)}, what the quantizers of the Keras layer compute",
            received=received[at],
            fix="use quantized_bits(bits, integer, alpha=1) in this layer, and report this with the model: it is a "
            "fault of the conversion",
        )


def _check_results(calls: Calls, reading: Reading) -> None:
    """Compare what the layers compute with what the nodes that stand for them do."""
    from codesign.layers.streaming import float64

    trials, rounds = list(trials_of(calls, reading)), None
    with known(_own_weights(reading)):
        made = compute_all(trials, calls.output)
    for trial, values in zip(trials, made, strict=True):
        if trial.network is None:
            raise _reads_other(trial)
        if values is None or not _differs(values, trial.network).any():
            continue
        with float64():
            exact = compute(trial, calls.output, InFloat64())
        if _differs(exact, trial.network).any():
            raise _difference(trial, exact, trial.network, reading)
        rounds = rounds or trial.call.name
    if rounds is not None and is_narrow(reading.graph):
        warnings.warn(
            f"{rounds}: Keras in float32 rounds here, so its results differ from the exact ones that hardware "
            "computes. Evaluate in float64 (codesign.layers.streaming).",
            ConversionWarning,
            stacklevel=2,
        )


def _own_weights(reading: Reading) -> Iterator[OwnWeight]:
    for linear, *_ in reading.sources.values():
        for what in ("weight", "bias"):
            own = own_weight(linear, what)
            if own is not None:
                yield own


def _differs(keras: Values, network: Values) -> NDArray[np.bool_]:
    values = keras.reshape(len(keras), -1)
    different: NDArray[np.bool_] = values != network if values.shape == network.shape else np.ones(network.shape, bool)
    return different


def _reads_other(trial: Trial) -> ConversionError:
    return ConversionError(
        "the converted network reads something else here, or makes frames of another size, than Keras does",
        where=trial.call.name,
        fix=FAULT.format(kind=trial.call.kind),
    )


def _difference(trial: Trial, keras: Values, network: Values, reading: Reading) -> ConversionError:
    """Return the error that names where Keras and the network first differ."""
    wrong, values = _differs(keras, network), keras.reshape(len(keras), -1)
    frame, element = (int(i) for i in np.argwhere(wrong)[0])
    same = values.shape == network.shape
    shown = str(values[frame, element]) if same else f"{values.shape[1]} values in a frame"
    given = ""
    if trial.activation:
        tried = next(iter(trial.inputs.values()))
        given = f" of input {tried.reshape(len(tried), -1)[frame, element]}"
    what, kind = "tried input" if trial.activation else "frame", trial.call.kind
    return ConversionError(
        f"{int(wrong.sum())} of {wrong.size} values of the converted network differ from those of Keras",
        where=trial.call.name,
        expected=f"{shown} as {kind} computes it{given}, {what} {frame} of {len(wrong)}, element {element}",
        received=f"{network[frame, element] if same else network.shape[1]} of "
        f"{reading.tensors[trial.call.outputs[0].name].node!r}",
        fix=FAULT.format(kind=kind),
    )
