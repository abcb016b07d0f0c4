# SPDX-License-Identifier: Apache-2.0
"""A delta network on whole clips, layer by layer: quickly, with other holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from codesign.calibration.agreement import is_binary
from codesign.calibration.holding import Floats, Signal, changes
from codesign.keras_model.calls import Call, Calls, Tensor, calls_of
from codesign.layers.activation import DeltaActivation
from codesign.layers.calibrate import spread
from codesign.layers.linear import frozen
from codesign.layers.probe import Tracer

Hold: TypeAlias = float | NDArray[np.float64] | None
"""Threshold of an activation in steps, one for all channels or ``[C]``; None for memoryless."""
Holds: TypeAlias = Mapping[str, Hold]
Send: TypeAlias = Callable[[str, Any, int], Any]
Count: TypeAlias = Callable[[str, Any, int], None]

TOGETHER = 96
"""Most frames that are computed together, in whole clips: what they need fits the caches."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """What a network did on clips.

    Attributes:
        outputs: ``[N, T, ...]``.
        macs: multiply-accumulates of changed elements by the layer that computes them, the first frame of each clip
            left out.
        events: changed elements by activation, of the same frames.
    """

    outputs: NDArray[np.float32]
    macs: dict[str, float]
    events: dict[str, float]

    @property
    def work(self) -> float:
        """All multiply-accumulates."""
        return sum(self.macs.values())


class Forward:
    """Runs ``network`` on ``clips``.

    Args:
        network: delta network of one frame, as `codesign.layers.delta` makes it.
        clips: values that it reads, ``[N, T, ...]``.

    Attributes:
        network: the network.
        clips: the clips.
        calls: what the network is made of.
        layers: what each call computes with, by its name; weights are quantised once.
        activations: names of the activations, in order.
        holds: holds that the network has, by name.
        macs_of_all: multiply-accumulates of all frames but the first of each clip, by layer.
        total: all of them.
        reads: names of the layers with weights that read each activation, as it is or moved, by its name.
        sizes: elements of each activation, by its name.
        prices: mean multiply-accumulates that a changed element of an activation costs them, by its name.
    """

    def __init__(self, network: Any, clips: NDArray[np.float32]) -> None:
        self.network, self.clips = network, clips
        self.calls = calls_of(network)
        self.layers = {call.name: frozen_layer(call) for call in self.calls.calls[1:]}
        self.activations = [call.name for call in self.calls.calls if isinstance(call.layer, DeltaActivation)]
        self.holds: dict[str, Hold] = {name: self.layers[name].hold for name in self.activations}
        self._readers = _readers(network)
        count = len(clips) * (clips.shape[1] - 1)
        macs = {
            name: int(fanout.sum()) * channels for found in self._readers.values() for name, fanout, channels in found
        }
        self.macs_of_all = {name: count * each for name, each in macs.items()}
        self.total = sum(self.macs_of_all.values())
        self.reads = _reads(self.calls, macs)
        shapes = {call.name: call.outputs[0].shape for call in self.calls.calls}
        self.sizes = {name: math.prod(size or 1 for size in shapes[name]) for name in self.activations}
        self.prices = {
            name: sum(macs[other] for other in found) / self.sizes[name] for name, found in self.reads.items()
        }

    def run(self, holds: Holds | None = None) -> Result:
        """Return what the network does; with other ``holds`` of some activations, by name."""
        chosen, macs = self.holds | dict(holds or {}), dict.fromkeys(self.macs_of_all, 0.0)
        events = dict.fromkeys(self.activations, 0.0)

        def send(name: str, z: Any, clips: int) -> Any:
            return sent_by(self.layers[name], z, clips, chosen[name])

        def count(name: str, output: Any, clips: int) -> None:
            if name in self._readers or name in events:
                moved = changes(np.asarray(output).reshape(clips, -1, *output.shape[1:])).sum(-1)
                for reader, fanout, _ in self._readers.get(name, ()):
                    macs[reader] += float((moved * fanout).sum())
                if name in events:
                    events[name] += float(moved.sum())

        outputs = [self.through(values, send, count) for values in self.parts()]
        return Result(outputs=np.concatenate(outputs), macs=macs, events=events)

    def left(self, result: Result) -> float:
        """Return what is left to do: the share of the multiply-accumulates, and that of the cycles of a pipeline.

        Its engines work at the same time and take an event a cycle at best, so a frame takes as many cycles as there
        are events of the activation that has most.
        """
        frames = len(self.clips) * (self.clips.shape[1] - 1)
        return float(result.work / self.total + max(result.events.values()) / (frames * max(self.sizes.values())))

    def on(self, clips: int) -> Forward:
        """Return the same network on some of the ``clips``, evenly spread."""
        few = copy(self)
        few.clips = self.clips[spread(len(self.clips), clips)]
        return few

    def plain(self, name: str) -> NDArray[np.float32]:
        """Return the outputs ``[N, T, ...]`` of the memoryless network if the activation ``name`` did not round."""

        def send(other: str, z: Any, clips: int) -> Any:
            del clips
            quantizer = self.layers[other]._quantizer(None)
            return quantizer.activate(z) if other == name else quantizer(z)

        return np.concatenate([self.through(values, send) for values in self.parts()])

    def parts(self) -> Iterator[NDArray[np.float32]]:
        """Yield clips that are computed together."""
        yield from np.array_split(self.clips, -(-self.clips.shape[0] * self.clips.shape[1] // TOGETHER))

    def through(self, values: NDArray[np.float32], send: Send, count: Count = lambda *_: None) -> NDArray[np.float32]:
        """Compute the network on ``values``, ``[N, T, ...]``.

        Args:
            values: clips.
            send: called with the name of an activation, what it reads, ``[N * T, ...]``, and N; returns what it sends,
                in any shape.
            count: called with the name of each call, what it made, and N.

        Returns:
            The outputs, ``[N, T, ...]``.
        """
        clips, frames = values.shape[:2]
        last = self.last(tf.constant(values.reshape(-1, *values.shape[2:])), clips, send, count)
        return np.asarray(last).reshape(clips, frames, *last.shape[1:])

    def last(self, frames: Any, clips: int, send: Send, count: Count = lambda *_: None) -> Any:
        """Return the outputs for ``frames`` of N ``clips``, ``[N * T, ...]``, as a tensor; see `through`.

        Of a network that `is_binary` they are two.
        """

        def call(each: Call, given: Any) -> Any:
            layer = self.layers[each.name]
            if isinstance(layer, DeltaActivation):
                output = tf.reshape(send(each.name, given, clips), given.shape)
            else:
                output = layer(given)
            count(each.name, output, clips)
            return output

        outputs = self.calls.run(frames, call)
        return tf.concat([1 - outputs, outputs], -1) if is_binary(self.network) else outputs


def signal_of(layer: Any, z: Any, clips: int) -> Signal:
    """Return what an activation is given, ``z`` of ``[N * T, ..., C]``, N ``clips``."""
    quantizer = layer._quantizer(None)
    steps, inverse = (np.asarray(value, np.float32) for value in (quantizer.steps, quantizer.inverse))
    values = np.asarray(z).reshape(clips, z.shape[0] // clips, -1, z.shape[-1])
    codes = values * inverse
    np.rint(codes, out=codes)
    codes *= steps
    np.clip(codes, np.float32(quantizer.low), np.float32(quantizer.high), out=codes)
    return Signal(active=np.maximum(values, np.float32(0)) if quantizer.relu else values, codes=codes)


def thresholds_of(layer: Any, hold: float | NDArray[np.float64], channels: int) -> Floats:
    """Return the thresholds of an activation, ``[C]``, as it computes them: in float32."""
    steps = np.asarray(layer._quantizer(None).steps, np.float32)
    return np.broadcast_to(np.asarray(hold, np.float32) * steps, channels)


def sent_by(layer: Any, z: Any, clips: int, hold: Hold) -> Floats:
    """Return what an activation sends, ``[N, T, P, C]``, given ``z`` of ``[N * T, ..., C]``, N ``clips``."""
    signal = signal_of(layer, z, clips)
    return signal.codes if hold is None else signal.sent(thresholds_of(layer, hold, z.shape[-1]))


def frozen_layer(call: Call) -> Any:
    """Return a layer that computes what ``call`` does, its weights quantised once."""
    layer = call.layer
    if isinstance(layer, DeltaActivation) or not layer.weights:
        return layer
    kind, config, weights = frozen(layer)
    made = kind.from_config(config)
    made.build(call.inputs[0].shape)
    made.set_weights(weights)
    return made


def _reads(calls: Calls, engines: Container[str]) -> dict[str, list[str]]:
    """Return which of ``engines`` read each activation, with other layers between or not."""
    origins: dict[Tensor, frozenset[str]] = {}
    found: dict[str, list[str]] = {}
    for call in calls.calls[1:]:
        before = frozenset[str]().union(*(origins.get(tensor, frozenset()) for tensor in call.inputs))
        if isinstance(call.layer, DeltaActivation):
            before, found[call.name] = frozenset({call.name}), []
        elif call.name in engines:
            for origin in before:
                found[origin].append(call.name)
            before = frozenset()
        origins[call.outputs[0]] = before
    return found


def _readers(network: Any) -> dict[str, list[tuple[str, NDArray[np.int64], int]]]:
    """Return what reads each layer's output: names, MACs of an element by position, channels."""
    tracer, makers, kept = Tracer(between=False), dict[int, str](), list[Any]()
    found: dict[str, list[tuple[str, NDArray[np.int64], int]]] = {}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = layer(*args, **kwargs)
        tracer.follow(layer, args, output)
        kept.append(output)
        makers[id(output)] = layer.name
        return output

    keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)
    for item, tensor in zip(tracer.probes, tracer.tensors, strict=True):
        found.setdefault(makers[id(tensor)], []).append((item.name, item.fanout(), item.shape[-1]))
    return found
