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
from keras import ops

from codesign.layers.probe import Engines, Probe
from codesign.layers.sparsity_loss import Penalty, SparsityLoss


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
    """What one probe saw in a batch of ``B`` clips of ``T`` frames.

    Attributes:
        probe: the probe.
        sizes: what the loss makes small, ``[B, T or T - 1, *shape]``.
        events: elements of each position that are computed, ``[B, T - 1, *positions]``, int64: the changed ones, or
            behind a stateless activation those that are not 0.
        alive: elements of each position that are not 0, the same.
    """

    probe: Probe
    sizes: Any
    events: Any
    alive: Any


@keras.saving.register_keras_serializable(package="codesign")
class DeltaMeter(keras.layers.Layer):  # type: ignore[misc]
    """Passes the output through; measures what travels to the layers that engines compute.

    Adds the loss that `SparsityLoss` describes. Its gradient is straight-through on rounding (see `DeltaActivation`),
    the sign of the change (or value) on the absolute value.

    Metrics, all integer counts until they are divided, so they equal the golden model's; first frames are left out:

    * ``density/<linear layer>``: events / elements. An event is a change, or behind a stateless activation a value
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
        self.engines = Engines(**engines) if isinstance(engines, dict) else engines
        if self.engines:
            self.engines.check([item.name for item in self.probes])
        self.densities = {item.name: Ratio(f"density/{item.name}") for item in self.probes if item.products}
        self.operations = Ratio("operation_sparsity", complement=True)
        self.spatial = Ratio("spatial_sparsity", complement=True)
        self.cycles = Ratio("cycles_per_frame") if self.engines else None
        self._spatial = self.sparsity is not None and self.sparsity.of == "spatial"
        self.penalty: Penalty | None = None
        if self.sparsity:
            self.penalty = Penalty(self.sparsity, self.probes, self.engines or Engines(), self.add_weight)

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        """Return ``inputs[0]``; count and add the loss."""
        output, *tensors = inputs
        seen = [self._look(*pair) for pair in zip(self.probes, tensors, strict=True)]
        frames = ops.cast(ops.shape(output)[0] // self.frames * (self.frames - 1), "int64")
        self._count([each for each in seen if each.probe.products], frames)
        cycles = {}
        if self.engines and self.cycles is not None:
            cycles = _cycles(seen, self.engines)
            self.cycles.update_state(ops.sum(ops.max(ops.stack(list(cycles.values())), axis=0)), frames)
        if self.penalty is not None:
            if self.engines and self._spatial and self.penalty.cycles is not None:
                cycles = _cycles(seen, self.engines, spatial=True)
            self.add_loss(self.penalty([each.sizes for each in seen], cycles, training=bool(training)))
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

    def _look(self, item: Probe, tensor: Any) -> Seen:
        clips = ops.reshape(tensor, (-1, self.frames, *item.shape))
        changes, alive = clips[:, 1:] - clips[:, :-1], _nonzero(clips[:, 1:])
        if item.stateless:
            return Seen(probe=item, sizes=clips, events=alive, alive=alive)
        return Seen(probe=item, sizes=clips if self._spatial else changes, events=_nonzero(changes), alive=alive)

    def _count(self, seen: Sequence[Seen], frames: Any) -> None:
        """Count what linear layers compute."""
        active, alive, macs = 0, 0, 0
        for each in seen:
            item, fanout = each.probe, each.probe.fanout()
            events, values = (ops.sum(count, axis=(0, 1)) for count in (each.events, each.alive))
            self.densities[item.name].update_state(ops.sum(events), frames * item.elements)
            active = active + ops.sum(events * fanout)
            alive = alive + ops.sum(values * fanout)
            macs += item.whole(fanout)
        self.operations.update_state(active, frames * macs)
        self.spatial.update_state(alive, frames * macs)


def _cycles(seen: Sequence[Seen], engines: Engines, *, spatial: bool = False) -> dict[str, Any]:
    """Return the cycles of each layer in each frame, ``[B, T - 1]``; ``spatial``: every value but 0 an event."""
    found: dict[str, Any] = {}
    for each in seen:
        cost = (each.alive if spatial else each.events) * each.probe.cycles(engines)
        found[each.probe.name] = found.get(each.probe.name, 0) + ops.sum(cost, axis=tuple(range(2, len(cost.shape))))
    return found


def _nonzero(values: Any) -> Any:
    """Return how many of the elements of each position are not 0, ``[B, T, *positions]``, int64."""
    return ops.cast(ops.sum(ops.cast(ops.not_equal(values, 0), "float32"), axis=-1), "int64")


def _to_probe(item: Probe | dict[str, Any]) -> Probe:
    if isinstance(item, Probe):
        return item
    reach = tuple(tuple(counts) for counts in item["reach"])
    return Probe(**{**item, "shape": tuple(item["shape"]), "reach": reach})
