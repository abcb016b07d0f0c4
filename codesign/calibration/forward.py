# SPDX-License-Identifier: Apache-2.0
"""A delta network on whole clips, layer by layer: quickly, with other holds, from any layer on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from codesign.keras_model.calls import Call, Tensor, calls_of
from codesign.layers.activation import DeltaActivation
from codesign.layers.linear import frozen
from codesign.layers.probe import Tracer

Holds = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """What a network did on clips.

    Attributes:
        outputs: ``[N, T, ...]``.
        macs: multiply-accumulates of changed elements by the layer that computes them, the first frame of each clip
            left out.
    """

    outputs: NDArray[np.float32]
    macs: dict[str, float]

    @property
    def work(self) -> float:
        """All of them."""
        return sum(self.macs.values())


class Forward:
    """Runs ``network`` on ``clips``; what `run` computes with the holds of `base` is kept and used again.

    Args:
        network: delta network of one frame, as `codesign.layers.delta` makes it.
        clips: values that it reads, ``[N, T, ...]``.

    Attributes:
        total: multiply-accumulates of all frames but the first of each clip.
        macs_of_all: the same by layer.
        activations: names of the activations, in order.
        base: holds of all activations, by name.
        result: what the network does with them.
        first: outputs ``[N, T, ...]`` with the holds that ``network`` has.
    """

    def __init__(self, network: Any, clips: NDArray[np.float32]) -> None:
        self.clips, self.frames = len(clips), clips.shape[1]
        self.calls = calls_of(network)
        self._layers = {call.name: _frozen(call) for call in self.calls.calls[1:]}
        self._readers = _readers(network)
        frames = tf.reshape(tf.constant(clips, tf.float32), (-1, *clips.shape[2:]))
        self._values: dict[Tensor, Any] = {self.calls.calls[0].outputs[0]: frames}
        self._macs: dict[str, float] = {}
        self.activations = [call.name for call in self.calls.calls if isinstance(call.layer, DeltaActivation)]
        self.base: dict[str, float | None] = {name: self._layers[name].hold for name in self.activations}
        count = self.clips * (self.frames - 1)
        self.macs_of_all = {
            name: count * int(fanout.sum()) * channels
            for readers in self._readers.values()
            for name, fanout, channels in readers
        }
        self.total = sum(self.macs_of_all.values())
        self.first = self.change({}).outputs

    def change(self, holds: Holds) -> Result:
        """Change holds of `base`, and return what the network does then."""
        self.base |= holds
        changed = set(holds) if self._macs else None
        self._values, self._macs, self.result = self._run(self.base, self._values, self._macs, changed)
        return self.result

    def run(self, holds: Holds) -> Result:
        """Return what the network would do with other ``holds`` of some activations."""
        return self._run({**self.base, **holds}, self._values, self._macs, set(holds))[2]

    def plain(self, name: str) -> NDArray[np.float32]:
        """Return the outputs ``[N, T, ...]`` if the activation ``name`` neither rounded nor held."""
        return self._run(self.base, self._values, self._macs, {name}, exact=name)[2].outputs

    def _run(
        self,
        holds: Holds,
        values: dict[Tensor, Any],
        macs: dict[str, float],
        changed: set[str] | None,
        exact: str = "",
    ) -> tuple[dict[Tensor, Any], dict[str, float], Result]:
        """Return all values, counts and the result; with ``changed``, only what depends on those activations is new."""
        known, macs, fresh = dict(values), dict(macs), set[Tensor]()
        for call in self.calls.calls[1:]:
            if changed is not None and call.name not in changed and not fresh.intersection(call.inputs):
                continue
            inputs = [known[tensor] for tensor in call.inputs]
            layer, output = self._layers[call.name], call.outputs[0]
            if isinstance(layer, DeltaActivation):
                known[output] = self._sent(layer, inputs[0], holds[call.name], exact=call.name == exact)
            else:
                known[output] = layer(inputs[0] if len(inputs) == 1 else inputs)
            macs |= self._changes(call.name, known[output])
            fresh.add(output)
        outputs = np.asarray(known[self.calls.output], np.float32)
        outputs = outputs.reshape(self.clips, self.frames, *outputs.shape[1:])
        return known, macs, Result(outputs=outputs, macs=macs)

    def _sent(self, layer: DeltaActivation, z: Any, hold: float | None, *, exact: bool) -> Any:
        quantizer = layer._quantizer(layer._value(layer._step_weight))
        if exact:
            return tf.nn.relu(z) if quantizer.relu else z
        codes = quantizer(z)
        if hold is None:
            return codes
        shape = (self.clips, self.frames, *z.shape[1:])
        active, codes = tf.reshape(quantizer.activate(z), shape), tf.reshape(codes, shape)
        threshold, sent = hold * quantizer.steps, []
        reference = tf.zeros_like(codes[:, 0])
        for t in range(self.frames):
            reference = tf.where(tf.abs(active[:, t] - reference) >= threshold, codes[:, t], reference)
            sent.append(reference)
        return tf.reshape(tf.stack(sent, axis=1), (-1, *z.shape[1:]))

    def _changes(self, name: str, output: Any) -> dict[str, float]:
        """Return the multiply-accumulates that the changes of a layer's output cost in each layer that reads it."""
        if name not in self._readers:
            return {}
        clips = tf.reshape(output, (self.clips, self.frames, *output.shape[1:]))
        moved = tf.reduce_sum(tf.cast(clips[:, 1:] != clips[:, :-1], tf.float32), axis=(0, 1))
        counts = np.asarray(moved, np.float64).sum(-1)  # by position
        return {reader: float((counts * fanout).sum()) for reader, fanout, _ in self._readers[name]}


def _frozen(call: Call) -> Any:
    """Return a layer that computes what ``call`` does, its weights quantised once."""
    layer = call.layer
    if isinstance(layer, DeltaActivation) or not layer.weights:
        return layer
    kind, config, weights = frozen(layer)
    copy = kind.from_config(config)
    copy.build(call.inputs[0].shape)
    copy.set_weights(weights)
    return copy


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
