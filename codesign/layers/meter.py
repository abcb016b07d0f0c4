# SPDX-License-Identifier: Apache-2.0
"""`DeltaMeter`: the sparsity loss and the sparsity metrics of a clip model.

What is counted, and its names, are those of `codesign.graph.sparsity`: the input of each linear layer, each element
weighted by the multiply-accumulates (MACs) it takes part in, first frame of every clip excluded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from codesign.layers.probe import Engines, Probe
from codesign.layers.sparsity_loss import Penalty, SparsityLoss

EXACT_FLOAT32 = 2**24
"""Integers up to this are exact in float32."""


@keras.saving.register_keras_serializable(package="codesign")
class Ratio(keras.metrics.Metric):  # type: ignore[misc]
    """The ratio of two counts, exact: two integers, divided when asked. ``complement`` gives one minus it.

    Attributes:
        part: count so far.
        whole: count that it is divided by.
    """

    def __init__(self, name: str, *, complement: bool = False, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.complement = complement
        self.part = self.add_variable((), "zeros", dtype="int64", name="part")
        self.whole = self.add_variable((), "zeros", dtype="int64", name="whole")

    def update_state(self, part: Any, whole: Any) -> None:
        """Add integer counts."""
        self.part.assign_add(ops.cast(part, "int64"))
        self.whole.assign_add(ops.cast(whole, "int64"))

    def result(self) -> Any:
        """Return the ratio so far, float64; NaN before the first count."""
        part = self.whole - self.part if self.complement else self.part
        return ops.cast(part, "float64") / ops.cast(self.whole, "float64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one probe counted in the ``F`` frames of a batch that are not the first of a clip, each int64 ``[F]``.

    Attributes:
        elements: elements of the input.
        macs: MACs that these elements take part in.
        cycles: cycles that they take in the layer's engine, as events; None without engines.
    """

    elements: Any
    macs: Any
    cycles: Any


@keras.saving.register_keras_serializable(package="codesign")
class DeltaMeter(keras.layers.Layer):  # type: ignore[misc]
    """Passes the output through; measures what travels to the layers that engines compute.

    Adds the loss that `SparsityLoss` describes. Its gradient is straight-through on rounding (see `DeltaActivation`),
    the sign of the change (or value) on the absolute value.

    Metrics, all integer counts until they are divided, so they equal the golden model's; first frames are left out:

    * ``density/<linear layer>``: events / elements. An event is a change, or after a stateless activation a value
      that is not 0;
    * ``operation_sparsity``: MACs without an event / all;
    * ``spatial_sparsity``: MACs whose value is 0 / all;
    * ``cycles_per_frame``, with ``engines``: the mean over frames of the cycles of the slowest layer, an event taking
      what it takes in its engine. That is the ideal of `codesign.graph.sparsity`, input beats left out.

    Shapes: ``[output, *inputs that are measured]``, each ``[B * frames, ...]``; returns ``output``.

    Args:
        frames: T.
        probes: one for each measured input, in this order.
        sparsity: the loss; None for none.
        engines: what computes the layers; None: cycles are not counted.

    Attributes:
        penalty: the loss at work, with its state; None without loss.
        operations: the metric ``operation_sparsity``.
        cycles: the metric ``cycles_per_frame``, or None.

    Raises:
        ConfigError: the loss or the engines name a layer that is not measured.
        ConversionError: a layer's own PE does not divide its outputs.
    """

    def __init__(
        self,
        frames: int,
        probes: Sequence[Probe | dict[str, Any]],
        sparsity: SparsityLoss | dict[str, Any] | None = None,
        engines: Engines | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.frames = frames
        self.probes = [_to_probe(item) for item in probes]
        self.sparsity = SparsityLoss(**sparsity) if isinstance(sparsity, dict) else sparsity
        self.engines = _to_engines(engines) if isinstance(engines, dict) else engines
        if self.engines:
            self.engines.check([item.name for item in self.probes])
        self.densities = {item.name: Ratio(f"density/{item.name}") for item in self.probes if item.products}
        self.operations = Ratio("operation_sparsity", complement=True)
        self.spatial = Ratio("spatial_sparsity", complement=True)
        self.cycles = Ratio("cycles_per_frame") if self.engines else None
        self.penalty: Penalty | None = None
        if self.sparsity:
            self.penalty = Penalty(self.sparsity, self.probes, self.engines or Engines(), self.add_weight)

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        """Return ``inputs[0]``; count and add the loss."""
        output, *tensors = inputs
        clips = [
            ops.reshape(tensor, (-1, self.frames, item.elements))
            for item, tensor in zip(self.probes, tensors, strict=True)
        ]
        frames = ops.cast(ops.shape(output)[0] // self.frames * (self.frames - 1), "int64")
        alive = [self._seen(item, clip[:, 1:]) for item, clip in zip(self.probes, clips, strict=True)]
        events = [
            values if item.stateless else self._seen(item, clip[:, 1:] - clip[:, :-1])
            for item, clip, values in zip(self.probes, clips, alive, strict=True)
        ]
        self._count(events, alive, frames)
        if self.cycles is not None:
            slowest = ops.max(ops.stack(list(self._by_layer(events).values())), axis=0)
            self.cycles.update_state(ops.sum(slowest), frames)
        if self.penalty is not None:
            spatial = self.penalty.loss.of == "spatial"
            cycles = self._by_layer(alive if spatial else events) if self.engines else {}
            self.add_loss(self.penalty(clips, cycles, training=bool(training)))
        return output

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        """Return the shape of the output."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        records = {"sparsity": self.sparsity, "engines": self.engines}
        own = {name: record and asdict(record) for name, record in records.items()}
        probes = [asdict(item) for item in self.probes]
        return {**super().get_config(), "frames": self.frames, "probes": probes, **own}

    def _seen(self, item: Probe, values: Any) -> Seen:
        """Return the counts for the elements of ``values``, ``[B, T - 1, elements]``, that are not 0."""
        costs = [np.ones(item.shape[:-1], np.int64), item.fanout()]
        costs += [item.cycles(self.engines)] if self.engines else []
        elements, macs, *cycles = _sums(values, costs, item.shape[-1])
        return Seen(elements=elements, macs=macs, cycles=cycles[0] if cycles else None)

    def _count(self, events: Sequence[Seen], alive: Sequence[Seen], frames: Any) -> None:
        """Count what linear layers compute."""
        macs = sum(item.whole(item.fanout()) for item in self.probes)
        self.operations.update_state(sum(ops.sum(seen.macs) for seen in events), frames * macs)
        self.spatial.update_state(sum(ops.sum(seen.macs) for seen in alive), frames * macs)
        for item, seen in zip(self.probes, events, strict=True):
            if item.products:
                self.densities[item.name].update_state(ops.sum(seen.elements), frames * item.elements)

    def _by_layer(self, seen: Sequence[Seen]) -> dict[str, Any]:
        """Return the cycles of each layer, of all its inputs, ``[F]``."""
        found: dict[str, Any] = {}
        for item, each in zip(self.probes, seen, strict=True):
            found[item.name] = found.get(item.name, 0) + each.cycles
        return found


def _sums(values: Any, costs: Sequence[NDArray[np.int64]], channels: int) -> list[Any]:
    """Return for each frame the sum of each cost, ``[*positions]``, over the elements of ``values`` that are not 0.

    Exact: a matrix product of floats, which is fast, on integers that stay inside the mantissa, and of which the
    numbers multiplied are as small as can be, for graphics processors that round those.
    """
    common = [max(1, int(np.gcd.reduce(cost, axis=None))) for cost in costs]
    small = [cost.reshape(-1) // unit for cost, unit in zip(costs, common, strict=True)]
    largest = max(int(cost.sum()) * channels for cost in small)
    dtype = "float32" if largest < EXACT_FLOAT32 else "float64"
    table = ops.repeat(ops.convert_to_tensor(np.stack(small, axis=1), dtype=dtype), channels, axis=0)
    moved = ops.reshape(ops.cast(ops.not_equal(values, 0), dtype), (-1, table.shape[0]))
    counts = ops.cast(ops.matmul(moved, table), "int64") * ops.convert_to_tensor(common, dtype="int64")
    return list(ops.unstack(counts, axis=1))


def _to_probe(item: Probe | dict[str, Any]) -> Probe:
    if isinstance(item, Probe):
        return item
    reach = tuple(tuple(counts) for counts in item["reach"])
    return Probe(**{**item, "shape": tuple(item["shape"]), "reach": reach})


def _to_engines(saved: dict[str, Any]) -> Engines:
    """Return the engines of a saved model; version 0.1 wrote ``unroll`` as ``taps``."""
    return Engines(**{"unroll" if name == "taps" else name: value for name, value in saved.items()})
