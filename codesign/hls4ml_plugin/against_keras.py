# SPDX-License-Identifier: Apache-2.0
"""The check of every conversion: the delta graph against the Keras model that it was made from.

First the weights, value by value: what the graph holds is what the quantizers of the Keras layers make of their
variables. Then the results: a few frames, as one stream, through the layers of the Keras model itself and through the
golden model; what a layer computes is what the node that stands for it computes. Each activation is also tried on
inputs of its own, which reach both ends of its range whatever the weights before it.

Exactness: Keras computes in float32 as its user does. Where a result differs, it is computed again in float64, since
float32 is not exact for sums of more than 24 bits; only what differs in float64, too, is refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConversionError, ConversionWarning
from codesign.graph.golden import Golden, send
from codesign.graph.ir import Delta, Linear
from codesign.graph.sample import is_narrow, sample_frames, sample_inputs
from codesign.hls4ml_plugin.forward import Computed, InFloat64, Values, forward
from codesign.hls4ml_plugin.reader.builder import Reading
from codesign.hls4ml_plugin.reader.weights import OwnWeight, known, numpy_of, own_weight
from codesign.keras_model.calls import Calls, calls_of

FLOAT32_ROUNDING = 2.0**-20
"""Relative difference of the scale of a BatchNormalization in float32 from the exact one."""


def check_against_keras(model: Any, reading: Reading) -> None:
    """Compare ``reading``, made from an hls4ml ``ModelGraph``, with the Keras model behind it.

    Raises:
        ConversionError: weights or results differ; names the layer. Or Keras cannot compute the model.

    Warns:
        ConversionWarning: there is no Keras model to compare with, or float32 Keras is not exact.
    """
    keras_model = model.config.config.get("KerasModel")
    if not hasattr(keras_model, "inputs") or not hasattr(keras_model, "layers"):
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
    own = own_weight(linear, "weight")
    if own is not None:
        return own.values
    depthwise = linear.class_name.startswith("Depthwise")
    names = ("depthwise_kernel", "kernel") if depthwise else ("pointwise_kernel", "kernel")
    return numpy_of(next(getattr(layer, name) for name in names if hasattr(layer, name)))


def _bias(layer: Any, linear: Any, size: int) -> Values:
    own = own_weight(linear, "bias")
    if own is not None:
        return own.values
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """What the golden model computes.

    Attributes:
        frames: values of each tensor of Keras, ``[T, size]``, by name.
        tries: inputs of activations, ``[N, size]`` values, by the name of the tensor that they make.
        tried: what the activations make of them, ``[N, size]``.
        nodes: what stands for each tensor.
    """

    frames: Mapping[str, Values]
    tries: Mapping[str, Values]
    tried: Mapping[str, Values]
    nodes: Mapping[str, str]


def _check_results(calls: Calls, reading: Reading) -> None:
    graph = reading.graph
    codes = sample_frames(graph, calls.calls[0].outputs[0].dtype)
    frames = graph.source.fmt.to_values(codes).reshape(-1, *graph.source.shape)
    expected = _expected(reading, codes, calls)
    with known(_own_weights(reading)):
        computed = forward(calls, frames, expected.tries)
    wrong = _first_difference(expected, computed)
    if wrong is None:
        return
    really = _first_difference(expected, _in_float64(calls, frames, expected.tries))
    if really is not None:
        raise _differs(expected, really)
    if is_narrow(graph):
        warnings.warn(
            f"{wrong.call.name}: Keras in float32 rounds here, so its results differ from the exact ones that "
            "hardware computes. Evaluate in float64 (codesign.layers.streaming).",
            ConversionWarning,
            stacklevel=2,
        )


def _expected(reading: Reading, codes: Values, calls: Calls) -> _Expected:
    graph = reading.graph
    dtypes = {call.outputs[0].name: call.inputs[0].dtype for call in calls.calls if call.inputs}
    trace = Golden(graph).run(codes)
    made = {graph.source.name: codes, **trace.codes, **trace.accumulators}
    frames = {
        name: tensor.fmt(graph[tensor.node].fmt).to_values(made[tensor.node])
        for name, tensor in reading.tensors.items()
    }
    tries, tried = {}, {}
    for name, node_name in reading.activations.items():
        node = graph[node_name]
        assert isinstance(node, Delta)
        tensor = reading.tensors[name]
        z = sample_inputs(node, len(codes))
        if "int" in dtypes[name]:
            whole = 1 << max(0, tensor.fmt(node.in_fmt).frac)
            z = z // whole * whole
        tries[name] = tensor.fmt(node.in_fmt).to_values(z).reshape(-1, node.size)
        sent = [send(node, stream, np.zeros(node.size, np.int64)) for stream in z]
        tried[name] = tensor.fmt(node.fmt).to_values(np.concatenate(sent))
    nodes = {name: tensor.node for name, tensor in reading.tensors.items()}
    return _Expected(frames=frames, tries=tries, tried=tried, nodes=nodes)


def _own_weights(reading: Reading) -> Iterator[OwnWeight]:
    for linear, *_ in reading.sources.values():
        for what in ("weight", "bias"):
            own = own_weight(linear, what)
            if own is not None:
                yield own


def _in_float64(calls: Calls, frames: Values, tries: Mapping[str, Values]) -> list[Computed]:
    """Return what `forward` does of copies of the layers in float64."""
    from codesign.layers.streaming import float64

    with float64():
        return forward(calls, frames, tries, InFloat64())


def _first_difference(expected: _Expected, computed: Iterable[Computed]) -> Computed | None:
    """Return the first call of Keras that makes something else than what stands for it."""
    return next((item for item in computed if any(wrong.any() for wrong, *_ in _differences(expected, item))), None)


def _differences(expected: _Expected, item: Computed) -> Iterator[tuple[NDArray[np.bool_], Values, Values, str]]:
    """Yield what is wrong, what Keras computes, what the network does, and on what: frames, and then tried inputs."""
    name = item.call.outputs[0].name
    if name in expected.frames:
        yield _wrong(item.values, expected.frames[name], "frame")
    if item.tried is not None:
        yield _wrong(item.tried, expected.tried[name], "tried input")


def _wrong(keras: Values, network: Values, what: str) -> tuple[NDArray[np.bool_], Values, Values, str]:
    values = keras.reshape(len(keras), -1).astype(np.float64)
    different = values != network if values.shape == network.shape else np.ones(network.shape, bool)
    return different, values, network, what


def _differs(expected: _Expected, item: Computed) -> ConversionError:
    wrong, values, network, what = next(found for found in _differences(expected, item) if found[0].any())
    frame, element = (int(i) for i in np.argwhere(wrong)[0])
    same = values.shape == network.shape
    shown = str(values[frame, element]) if same else f"{values.shape[1]} values in a frame"
    name, kind = item.call.outputs[0].name, item.call.kind
    given = f" of input {expected.tries[name][frame, element]}" if what == "tried input" else ""
    return ConversionError(
        f"{int(wrong.sum())} of {wrong.size} values of the converted network differ from those of Keras",
        where=item.call.name,
        expected=f"{shown} as {kind} computes it{given}, {what} {frame} of {len(wrong)}, element {element}",
        received=f"{network[frame, element] if same else network.shape[1]} of {expected.nodes.get(name, name)!r}",
        fix=f"use another layer than this {kind}, or other arguments, and report this with the model: it is a fault of "
        "the conversion",
    )
