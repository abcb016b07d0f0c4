# SPDX-License-Identifier: Apache-2.0
"""`DeltaMeter`: the temporal-sparsity loss and the sparsity metrics of a clip model.

What is counted, and its names, are those of `codesign.graph.sparsity`: the input of each linear layer, each element
weighted by the multiply-accumulates (MACs) it takes part in, first frame of every clip excluded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from codesign.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The input of one linear layer.

    Attributes:
        name: of the linear layer.
        shape: of its input frame.
        code: value of one code of that input (the smallest step).
        products: MACs of an element for each output position it reaches.
        reach: for each spatial axis of a convolution, output positions reached from each input position; empty for
            a dense layer.
    """

    name: str
    shape: tuple[int, ...]
    code: float
    products: int
    reach: tuple[tuple[int, ...], ...] = ()

    def fanout(self) -> NDArray[np.int64]:
        """Return the MACs each input element takes part in, ``[*shape]``; borders counted exactly."""
        fanout = np.full(self.shape, self.products, np.int64)
        for axis, counts in enumerate(self.reach):
            fanout *= np.reshape(counts, (-1, *(1,) * (len(self.shape) - axis - 1)))
        return fanout


def probe(layer: Any, tensor: Any, code: float) -> Probe | None:
    """Return the probe of ``tensor``, the input of ``layer``; None unless the layer multiplies and accumulates.

    Dense, Conv1D, Conv2D, DepthwiseConv2D and what derives from them (QKeras) are counted.

    Raises:
        ConfigError: the shape of a frame is not known, a convolution is not channels-last, or it is two in one layer.
    """
    if isinstance(layer, (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)):
        raise ConfigError(
            "what travels inside a separable convolution cannot be measured",
            where=layer.name,
            expected="DepthwiseConv2D and a Conv2D of kernel 1",
            received=type(layer).__name__,
            fix="write it as the two, with a DeltaActivation between",
        )
    convolution = isinstance(layer, (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.DepthwiseConv2D))
    if not convolution and not isinstance(layer, keras.layers.Dense):
        return None
    shape = tuple(tensor.shape[1:])
    if None in shape:
        raise ConfigError("the shape of a frame must be known", where=layer.name, received=tensor.shape)
    if not convolution:
        return Probe(name=layer.name, shape=shape, code=code, products=layer.units)
    if layer.data_format != "channels_last":
        raise ConfigError("a convolution must be channels-last", where=layer.name, received=layer.data_format)
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    products = layer.depth_multiplier if depthwise else layer.filters // layer.groups
    reach = tuple(
        _reach(*axis, layer.padding)
        for axis in zip(shape[:-1], layer.kernel_size, layer.strides, layer.dilation_rate, strict=True)
    )
    return Probe(name=layer.name, shape=shape, code=code, products=products, reach=reach)


def _reach(size: int, kernel: int, stride: int, dilation: int, padding: str) -> tuple[int, ...]:
    span = dilation * (kernel - 1) + 1
    outputs = -(-size // stride) if padding in ("same", "causal") else (size - span) // stride + 1
    pad = {"same": max(0, (outputs - 1) * stride + span - size) // 2, "causal": span - 1}.get(padding, 0)
    counts = [0] * size
    for output in range(outputs):
        for tap in range(kernel):
            position = output * stride + tap * dilation - pad
            if 0 <= position < size:
                counts[position] += 1
    return tuple(counts)


@keras.saving.register_keras_serializable(package="codesign")
class Share(keras.metrics.Metric):  # type: ignore[misc]
    """A share of a count, exact: two integers, divided when asked. ``complement`` gives one minus it."""

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
        """Return the share so far, float64; NaN before the first count."""
        part = self.whole - self.part if self.complement else self.part
        return ops.cast(part, "float64") / ops.cast(self.whole, "float64")


@keras.saving.register_keras_serializable(package="codesign")
class DeltaMeter(keras.layers.Layer):  # type: ignore[misc]
    """Passes the output through; measures what changed at the inputs of the linear layers.

    Adds the temporal-sparsity loss, with ``d`` in codes, ``MACs`` those of a whole dense frame, and the mean taken
    over clips and over frames but the first::

        loss = sparsity * mean( sum over elements e of |d_e| * fanout_e ) / MACs
             = sparsity * sum over dense layers l of (MACs_l / MACs) * mean |d_l|

    Its gradient is straight-through on rounding (see `DeltaActivation`), the sign of ``d`` on the absolute value.

    Metrics: ``density/<linear layer>`` = nonzero d / elements; ``operation_sparsity`` = MACs whose d is 0 / all.
    They are integer counts, so they equal the golden model's.

    Shapes: ``[output, *inputs of linear layers]``, each ``[B * frames, ...]``; returns ``output``.

    Args:
        frames: T.
        probes: one for each linear layer.
        sparsity: factor of the loss.
    """

    def __init__(
        self, frames: int, probes: Sequence[Probe | dict[str, Any]], sparsity: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.frames = frames
        self.sparsity = float(sparsity)
        self.probes = [_to_probe(item) for item in probes]
        names = [item.name for item in self.probes]
        if len(set(names)) != len(names):
            raise ConfigError("a linear layer is used twice in one frame", where=self.name, received=names)
        self.densities = [Share(f"density/{name}") for name in names]
        self.operations = Share("operation_sparsity", complement=True)

    def call(self, inputs: list[Any]) -> Any:
        """Return ``inputs[0]``; count and add the loss."""
        output, *tensors = inputs
        fanouts = [item.fanout() for item in self.probes]
        macs = sum(int(fanout.sum()) for fanout in fanouts)
        loss, active, frames = 0.0, 0, 0
        for item, tensor, fanout, density in zip(self.probes, tensors, fanouts, self.densities, strict=True):
            clips = ops.reshape(tensor, (-1, self.frames, *item.shape))
            d = clips[:, 1:] - clips[:, :-1]
            moved = ops.cast(ops.not_equal(d, 0), "int64")
            frames = ops.cast(ops.shape(d)[0] * (self.frames - 1), "int64")
            density.update_state(ops.sum(moved), frames * math.prod(item.shape))
            active = active + ops.sum(moved * fanout)
            if self.sparsity:
                weight = ops.convert_to_tensor(fanout / (item.code * macs), dtype=d.dtype)
                loss = loss + ops.sum(ops.mean(ops.abs(d), axis=(0, 1)) * weight)
        self.operations.update_state(active, frames * macs)
        if self.sparsity:
            self.add_loss(self.sparsity * loss)
        return output

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        """Return the shape of the output."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        probes = [asdict(item) for item in self.probes]
        return {**super().get_config(), "frames": self.frames, "probes": probes, "sparsity": self.sparsity}


def _to_probe(item: Probe | dict[str, Any]) -> Probe:
    if isinstance(item, Probe):
        return item
    reach = tuple(tuple(counts) for counts in item["reach"])
    return Probe(**{**item, "shape": tuple(item["shape"]), "reach": reach})
