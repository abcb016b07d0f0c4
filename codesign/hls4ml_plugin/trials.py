# SPDX-License-Identifier: Apache-2.0
"""What a conversion is compared with Keras on: for each layer codes of its own, and what the graph makes of them.

Every layer is tried on its own, on codes of the nodes that stand for what it reads. If each makes of any codes what its
node makes of them, and reads what its node reads, so does the whole network. Wherever a layer's kernel slides over a
frame, the codes are those of as small a frame as has all the borders that it has, so the size of a frame costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import Fixed, IntArray
from codesign.graph.golden import send
from codesign.graph.ir import Delta, Linear
from codesign.graph.part import Part, part_of, resized, run_part, smallest, widest
from codesign.graph.sample import (
    FRAMES,
    INPUT_FRAMES,
    INPUTS,
    LEAST,
    WORK,
    input_range,
    narrowed,
    sample_codes,
    sample_inputs,
)
from codesign.hls4ml_plugin.reader.builder import Reading
from codesign.hls4ml_plugin.reader.nodes import Tensor as Known
from codesign.hls4ml_plugin.reader.weights import elementwise
from codesign.keras_model.calls import Call, Calls, Tensor
from codesign.keras_model.kinds import LINEAR

Values = NDArray[Any]

_ANY_SIZE = (
    *LINEAR,
    *("ZeroPadding1D", "ZeroPadding2D", "UpSampling1D", "UpSampling2D", "MaxPooling1D", "MaxPooling2D"),
    *(
        "SumPooling1D",
        "SumPooling2D",
        "AveragePooling1D",
        "AveragePooling2D",
        "Add",
        "Concatenate",
        "BatchNormalization",
        "Rescaling",
    ),
)
"""Classes of layers that work on frames of any height and width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Values for some calls of Keras, and what the graph makes of the same codes.

    Attributes:
        calls: calls in order; the last makes what is compared.
        inputs: their inputs, ``[N, ...]`` values by the name of the tensor.
        frames: number of consecutive frames of the N that are one stream.
        network: values that the graph computes, ``[N, size]``; None if the node reads something else than its layer.
        activation: whether only the activation of the call is tried.
    """

    calls: tuple[Call, ...]
    inputs: Mapping[str, Values]
    frames: int
    network: Values | None
    activation: bool = False

    @property
    def call(self) -> Call:
        """The one that makes what is compared."""
        return self.calls[-1]


def trials_of(calls: Calls, reading: Reading) -> Iterator[Trial]:
    """Yield the trials of every layer, in the order of computation."""
    makers = {call.outputs[0].name: call for call in calls.calls}
    random = np.random.default_rng(0)
    tried: dict[Any, tuple[Values, Values]] = {}
    for call in calls.calls[1:]:
        name = call.outputs[0].name
        if name not in reading.tensors:
            continue
        segment: dict[str, Call] = {}
        over = reading.merged.get(reading.activations.get(name, ""))
        read = list({tensor.name: tensor for tensor in _collect(call, makers, reading, segment, over)}.values())
        several = name not in reading.activations or len(segment) > 1 or is_linear(call.layer)
        if several:
            yield _of_frames(tuple(segment.values()), read, reading, random)
        if over is not None:
            before = makers.get(call.inputs[0].name)
            if before is not None and reading.activations.get(before.outputs[0].name) == over:
                yield _of_activation((before, call), None, reading, tried)
        elif name in reading.activations:
            yield _of_activation((call,), None if several else read[0], reading, tried)


def is_linear(layer: Any) -> bool:
    """Return whether a layer of Keras has weights, so that its activation is an argument of it."""
    return hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel")


def quantizer_of(call: Call) -> Any:
    """Return the quantizer that an activation is, if it is one that looks at one element at a time; else None."""
    own = not call.is_operation and (is_linear(call.layer) or call.kind == "QActivation")
    return call.layer.activation if own and elementwise(call.layer.activation) is not None else None


def _collect(
    call: Call, makers: Mapping[str, Call], reading: Reading, segment: dict[str, Call], over: str | None = None
) -> Iterator[Tensor]:
    """Put ``call`` and those before it, up to tensors that nodes stand for, into ``segment``; yield these tensors.

    The node called ``over`` is passed over, and what that passes over.
    """
    for tensor in call.inputs:
        at = reading.tensors.get(tensor.name)
        if at is not None and at.node != over:
            yield tensor
        elif tensor.name not in segment:
            active = reading.activations.get(tensor.name)
            further = over if active is None else reading.merged.get(active)
            yield from _collect(makers[tensor.name], makers, reading, segment, further)
    segment[call.outputs[0].name] = call


def _of_frames(calls: tuple[Call, ...], read: list[Tensor], reading: Reading, random: np.random.Generator) -> Trial:
    """Return the trial of layers on frames of random codes."""
    graph, made = reading.graph, calls[-1].outputs[0]
    known = {tensor.name: reading.tensors[tensor.name] for tensor in read}
    target = reading.tensors[made.name]
    part = part_of(graph, target.node, {tensor.node for tensor in known.values()})
    if part is None or _size(made) != graph[target.node].size:
        return Trial(calls=calls, inputs={}, frames=0, network=None)
    part, shapes = _small(calls, part, known)
    sizes = {known[name].node: math.prod(shape) for name, shape in shapes.items()}
    work = sum(sizes.values()) + sum(node.macs for node in part if isinstance(node, Linear))
    frames = int(np.clip(WORK // work, LEAST, FRAMES))
    codes: dict[str, IntArray] = {}
    for tensor in read:
        name = known[tensor.name].node
        if name not in codes:
            node = graph[name]
            ends = (node.lo, node.hi) if isinstance(node, Delta) else (node.fmt.lo, node.fmt.hi)
            drawn = sample_codes(*narrowed(*ends, max(widest(part), node.fmt.width)), (frames, sizes[name]), random)
            codes[name] = _whole(drawn, tensor, known[tensor.name].fmt(node.fmt))
    inputs = {name: tensor.fmt(graph[tensor.node].fmt).to_values(codes[tensor.node]) for name, tensor in known.items()}
    inputs = {name: values.reshape(-1, *shapes[name]) for name, values in inputs.items()}
    network = target.fmt(graph[target.node].fmt).to_values(run_part(part, codes) if part else codes[target.node])
    return Trial(calls=calls, inputs=inputs, frames=frames, network=network)


def _of_activation(
    calls: tuple[Call, ...], read: Tensor | None, reading: Reading, known: dict[Any, tuple[Values, Values]]
) -> Trial:
    """Return the trial of an activation on inputs that reach both ends of its range.

    Args:
        calls: call of the activation, or of the linear layer whose argument it is; before it that of one that it has
            been merged with.
        read: tensor that an activation reads; None if it is an argument, as no Keras tensor stands for what it reads.
        reading: reading of the model.
        known: values of inputs and results of activations that do the same.
    """
    call, graph, name = calls[0], reading.graph, calls[-1].outputs[0].name
    node, made = graph[reading.activations[name]], reading.tensors[name]
    assert isinstance(node, Delta)
    fmt = made.fmt(node.in_fmt)
    if read is not None:
        tensor = reading.tensors[read.name]
        fmt = tensor.fmt(graph[tensor.node].fmt)
        if tensor.node != node.input or _size(read) != node.size:
            return Trial(calls=calls, inputs={}, frames=0, network=None, activation=True)
    lo, hi = input_range(node)
    in_fmt = Fixed.holding(lo, hi, frac=node.in_fmt.frac, signed=node.in_fmt.signed)
    size = node.channels if quantizer_of(calls[-1]) is None else -(-INPUTS // INPUT_FRAMES)
    one = replace(node, name="", input="", shape=(size,), channels=size, in_fmt=in_fmt)
    key = one, fmt.frac, made.fmt(node.fmt), call.inputs[0].dtype
    if key not in known:
        z = _whole(sample_inputs(one), call.inputs[0], fmt)
        sent = np.concatenate([send(one, stream, np.zeros(one.size, np.int64)) for stream in z])
        known[key] = fmt.to_values(z).reshape(-1, size), made.fmt(node.fmt).to_values(sent)
    values, network = known[key]
    inputs = {call.inputs[0].name: values}
    return Trial(calls=calls, inputs=inputs, frames=INPUT_FRAMES, network=network, activation=True)


def _size(tensor: Tensor) -> int:
    """Return the elements of a frame; there are no open sizes."""
    return math.prod(size for size in tensor.shape[1:] if size is not None)


def _whole(codes: IntArray, tensor: Tensor, fmt: Fixed) -> IntArray:
    """Return ``codes`` of ``fmt``; if ``tensor`` is of integers, whole numbers of its range."""
    if not np.issubdtype(tensor.dtype, np.integer):
        return codes
    one, ends = 1 << max(0, fmt.frac), np.iinfo(tensor.dtype)
    return np.clip(codes // one * one, int(ends.min) * one, int(ends.max) * one)


def _small(calls: tuple[Call, ...], part: Part, known: Mapping[str, Known]) -> tuple[Part, dict[str, tuple[int, ...]]]:
    """Return ``part``, and the shapes of what it reads, on the smallest frames that show all that its kernels do.

    Layers whose result depends on the size of the frame keep it.
    """
    own = {name: tensor.shape for name, tensor in known.items()}
    sizes = smallest(part)
    if sizes is None or any(call.is_operation or call.kind not in _ANY_SIZE for call in calls):
        return part, own
    engine: Any = next(node for node in part if not isinstance(node, Delta))
    axes, shapes = (engine.y.size, engine.x.size), {}
    for name, (*positions, channels) in own.items():
        kept = [at for at in (0, 1) if len(positions) == 2 or axes[at] > 1] or [0]
        if [axes[at] for at in kept] != positions or channels not in map(engine.channels_in, range(len(engine.inputs))):
            return part, own
        shapes[name] = (*(sizes[at] for at in kept), channels)
    return resized(part, sizes), shapes
