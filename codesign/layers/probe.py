# SPDX-License-Identifier: Apache-2.0
"""What a clip model measures: the inputs of the layers that engines will compute, and what an event costs there.

The counts are those of `codesign.graph.engines`, found on the Keras layers, so that training sees them too.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConfigError, OldNameWarning
from codesign.graph.axis import Axis, Repeat
from codesign.graph.pe import DEFAULT_PE, check_pe, largest_divisor
from codesign.layers.activation import DeltaActivation

layers = keras.layers
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, *DEPTHWISE)
GLOBAL = (
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
)
POOLINGS = (layers.MaxPooling1D, layers.MaxPooling2D, layers.AveragePooling1D, layers.AveragePooling2D)
UPSAMPLINGS = (layers.UpSampling1D, layers.UpSampling2D)
LINEAR = (layers.Dense, *CONVOLUTIONS)
"""Layers that multiply and accumulate."""
BETWEEN = (*POOLINGS, *GLOBAL, *UPSAMPLINGS, layers.Add, layers.Concatenate)
"""Layers without multiplications that have an engine too."""


@dataclass(frozen=True, slots=True)
class Engines:
    """How many output words an engine computes per cycle, under the names of an hls4ml config of backend Delta.

    Attributes:
        pe: processing elements of every layer: the largest divisor of its outputs not above this is used.
        layer_pe: PE of single layers; divides the layer's outputs, or is not below them.
        unroll: output rows and columns that an event of single layers reaches in one cycle; 1 and 1 where unset.
        taps: ``unroll`` as version 0.1 called it; accepted with an `OldNameWarning`.

    Raises:
        ConfigError: a value is not a positive integer.
    """

    pe: int = DEFAULT_PE
    layer_pe: Mapping[str, int] = field(default_factory=dict)
    unroll: Mapping[str, Sequence[int]] = field(default_factory=dict)
    taps: InitVar[Mapping[str, Sequence[int]] | None] = None

    def __post_init__(self, taps: Mapping[str, Sequence[int]] | None) -> None:
        if taps is not None:
            warnings.warn("Engines: 'taps' is now 'unroll'; write the new name", OldNameWarning, stacklevel=3)
            object.__setattr__(self, "unroll", self.unroll or taps)
        given = {"pe": [self.pe], **{f"layer_pe[{name!r}]": [pe] for name, pe in self.layer_pe.items()}}
        given |= {f"unroll[{name!r}]": list(given) for name, given in self.unroll.items()}
        for where, values in given.items():
            if not values or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in values):
                raise ConfigError("not a positive integer", where=where, expected="1 or more", received=values)

        object.__setattr__(self, "layer_pe", dict(self.layer_pe))
        object.__setattr__(self, "unroll", {name: tuple(given) for name, given in self.unroll.items()})

    def check(self, names: Sequence[str]) -> None:
        """Check that every layer that is named is one of ``names``.

        Raises:
            ConfigError: one is not.
        """
        for key, entries in (("layer_pe", self.layer_pe), ("unroll", self.unroll)):
            unknown = sorted(set(entries) - set(names))
            if unknown:
                raise ConfigError(
                    "no such layer has an engine", where=f"engines.{key}", expected=list(names), received=unknown
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """An input of a layer that an engine computes. All elements of one position cost the same.

    Attributes:
        name: name of the layer.
        shape: shape of the input frame, ``[*positions, channels]``.
        unit: value that changes are measured in, the finest step of what made the codes; None if no codes are read.
        products: MACs of an element for each output position it reaches; 0 for a layer that does not multiply.
        reach: output positions reached from each input position, for each spatial axis; empty for a layer that
            keeps positions.
        stateless: the codes come from a stateless activation: all that are not 0 are computed, changed or not.
    """

    name: str
    shape: tuple[int, ...]
    unit: float | None = None
    products: int = 0
    reach: tuple[tuple[int, ...], ...] = ()
    stateless: bool = False

    @property
    def elements(self) -> int:
        """Elements of a frame."""
        return math.prod(self.shape)

    def whole(self, each: NDArray[np.int64]) -> int:
        """Return the sum over all elements of a frame of what is given for ``each`` position, ``[*positions]``."""
        return int(each.sum()) * self.shape[-1]

    def fanout(self) -> NDArray[np.int64]:
        """Return the MACs of an element at each position, ``[*positions]``; borders counted exactly."""
        return self._reached() * self.products

    def cycles(self, engines: Engines) -> NDArray[np.int64]:
        """Return the cycles that an event at each position takes, ``[*positions]``.

        Raises:
            ConversionError: the layer's own PE does not divide its outputs.
        """
        words = 1
        if self.products:
            pe = largest_divisor(self.products, engines.pe)
            if self.name in engines.layer_pe:
                pe = min(engines.layer_pe[self.name], self.products)
                check_pe(self.name, pe, self.products)
            words = self.products // pe
        return self._reached(engines.unroll.get(self.name, ())) * words

    def _reached(self, unroll: Sequence[int] = ()) -> NDArray[np.int64]:
        """Return the output positions reached from each position, ``unroll`` of each axis counted as one."""
        reached = np.ones(self.shape[:-1], np.int64)
        for axis, counts in enumerate(self.reach):
            together = unroll[axis] if axis < len(unroll) else 1
            reached *= np.reshape(-(-np.array(counts) // together), (-1, *(1,) * (reached.ndim - axis - 1)))
        return reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What is known of a tensor inside a frame model.

    Attributes:
        tensor: the tensor; after a zero padding, what it pads.
        unit: as in `Probe`.
        stateless: as in `Probe`.
        padding: zeros before and after along each spatial axis; empty for none.
    """

    tensor: Any
    unit: float | None = None
    stateless: bool = False
    padding: tuple[tuple[int, int], ...] = ()


class Tracer:
    """Follows the tensors of a frame model from layer to layer and collects probes.

    Attributes:
        probes: found so far.
        tensors: what each of them measures.
    """

    def __init__(self, *, between: bool) -> None:
        """``between``: also look at layers that have an engine but do not multiply."""
        self.probes: list[Probe] = []
        self.tensors: list[Any] = []
        self._kinds = (*LINEAR, *BETWEEN) if between else LINEAR
        self._wires: dict[int, Wire] = {}

    def follow(self, layer: Any, args: Any, output: Any) -> None:
        """Note that ``layer(*args)`` is ``output``.

        Raises:
            ConfigError: what `probe` raises, the layer was seen before, or it is two convolutions in one.
        """
        if isinstance(layer, (layers.SeparableConv1D, layers.SeparableConv2D)):
            raise ConfigError(
                "what travels inside a separable convolution cannot be measured",
                where=layer.name,
                expected="DepthwiseConv2D and a Conv2D of kernel 1",
                received=type(layer).__name__,
                fix="write it as the two, with a DeltaActivation between",
            )
        wires = [self._wires.get(id(tensor), Wire(tensor=tensor)) for tensor in keras.tree.flatten(args)]
        if isinstance(layer, self._kinds):
            if any(item.name == layer.name for item in self.probes):
                raise ConfigError("a layer with an engine is used twice in one frame", where=layer.name)
            self.probes += [probe(layer, wire) for wire in wires]
            self.tensors += [wire.tensor for wire in wires]
        self._wires[id(output)] = _after(layer, wires, output)


def probe(layer: Any, wire: Wire) -> Probe:
    """Return the probe of ``wire``, an input of ``layer``, one of `LINEAR` or `BETWEEN` or derived from one (QKeras).

    Raises:
        ConfigError: the shape of a frame is not known, or it is not channels-last.
    """
    shape = tuple(wire.tensor.shape[1:])
    if None in shape:
        raise ConfigError("the shape of a frame must be known", where=layer.name, received=wire.tensor.shape)
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise ConfigError("frames must be channels-last", where=layer.name, received=layer.data_format)
    products = _products(layer)
    return Probe(
        name=layer.name,
        shape=shape,
        unit=1.0 if products and wire.unit is None else wire.unit,
        products=products,
        reach=_reach(layer, shape[:-1], wire.padding or ((0, 0),) * (len(shape) - 1)),
        stateless=wire.stateless,
    )


def _after(layer: Any, wires: Sequence[Wire], output: Any) -> Wire:
    """Return what is known of ``output`` of ``layer``."""
    if isinstance(layer, DeltaActivation):
        return Wire(tensor=output, unit=layer.unit, stateless=layer.stateless)
    if not wires or isinstance(layer, (*LINEAR, layers.Add)):
        return Wire(tensor=output)
    known = Wire(tensor=output, unit=wires[0].unit, stateless=any(wire.stateless for wire in wires))
    if isinstance(layer, layers.Rescaling) and known.unit is not None:
        return replace(known, unit=known.unit * float(np.min(np.abs(layer.scale))))
    if isinstance(layer, (layers.ZeroPadding1D, layers.ZeroPadding2D)) and not wires[0].padding:
        sides = layer.padding if isinstance(layer, layers.ZeroPadding2D) else (layer.padding,)
        return Wire(tensor=wires[0].tensor, unit=known.unit, stateless=known.stateless, padding=tuple(sides))
    return known


def _products(layer: Any) -> int:
    if isinstance(layer, layers.Dense):
        return int(layer.units)
    if isinstance(layer, DEPTHWISE):
        return int(layer.depth_multiplier)
    return int(layer.filters // layer.groups) if isinstance(layer, CONVOLUTIONS) else 0


def _reach(layer: Any, sizes: tuple[int, ...], padding: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Return `Probe.reach` of an input with ``sizes`` positions, which ``padding`` zeros surround."""
    if isinstance(layer, UPSAMPLINGS):
        factors = layer.size if isinstance(layer.size, (tuple, list)) else (layer.size,)
        made = (Repeat(size=size, factor=factor) for size, factor in zip(sizes, factors, strict=True))
        return tuple(tuple(axis.counts().tolist()) for axis in made)
    if isinstance(layer, GLOBAL):
        return tuple((1,) * size for size in sizes)
    if not isinstance(layer, (*CONVOLUTIONS, *POOLINGS)):
        return ()
    kernel = layer.kernel_size if isinstance(layer, CONVOLUTIONS) else layer.pool_size
    dilation = layer.dilation_rate if isinstance(layer, CONVOLUTIONS) else (1,) * len(sizes)
    windows = zip(sizes, padding, kernel, layer.strides, dilation, strict=True)
    return tuple(_counts(*window, layer.padding) for window in windows)


def _counts(
    size: int, zeros: tuple[int, int], kernel: int, stride: int, dilation: int, padding: str
) -> tuple[int, ...]:
    """Return how many outputs each of ``size`` elements reaches; a dilated window reads each ``dilation``-th."""
    span, whole = dilation * (kernel - 1) + 1, size + sum(zeros)
    if padding == "same":
        axis = Axis.same(whole, span, stride)
    else:
        axis = Axis(size=whole, kernel=span, stride=stride, before=span - 1 if padding == "causal" else 0)
    return tuple(
        sum(axis.tap(i, output) % dilation == 0 for output in range(axis.first(i), axis.last(i) + 1))
        for i in range(zeros[0], zeros[0] + size)
    )
