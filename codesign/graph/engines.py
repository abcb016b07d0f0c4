# SPDX-License-Identifier: Apache-2.0
"""The nodes that an engine computes: what stands between two delta activations.

Each keeps a sum (or, for a maximum, the codes of a window) for each output, and an event changes those that it
reaches: `reach` is what that costs in cycles, one for each output word (of PE lanes) or for ``unroll`` of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal, TypeAlias

import numpy as np

from codesign.errors import ConversionError
from codesign.fixed import Fixed, IntArray
from codesign.graph.axis import Axis, Repeat
from codesign.graph.pe import check_pe
from codesign.graph.positions import OneInput, OnPositions, SameChannels


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense(OneInput):
    """A fully connected layer on codes.

    Attributes:
        name: layer name.
        input: the `Delta` that feeds it.
        weight: codes, ``[n_in, n_out]``.
        bias: codes on the accumulator lattice, ``[n_out]``.
        weight_fmt: format of the weight codes.
        fmt: format of the accumulators; made by `accumulator_format`.
        pe: processing elements: output channels computed in one cycle. Divides ``n_out``.
    """

    name: str
    input: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    weight_fmt: Fixed
    fmt: Fixed
    pe: int = 1

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != (self.weight.shape[1],):
            raise ConversionError(
                "weight and bias shapes do not fit",
                where=self.name,
                expected="[n_in, n_out] and [n_out]",
                received=f"{self.weight.shape} and {self.bias.shape}",
            )
        check_pe(self.name, self.pe, self.n_out)

    @property
    def n_in(self) -> int:
        """Input elements."""
        return int(self.weight.shape[0])

    @property
    def n_out(self) -> int:
        """Output elements."""
        return int(self.weight.shape[1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output frame."""
        return (self.n_out,)

    @property
    def size(self) -> int:
        """Elements in an output frame."""
        return self.n_out

    @property
    def words(self) -> int:
        """Output words (of PE lanes) that one input event reaches: the cycles per event."""
        return self.n_out // self.pe

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a dense frame."""
        return self.n_in * self.n_out

    def fanout(self, at: int = 0) -> IntArray:  # noqa: ARG002  (one input)
        """Return the MACs each input element takes part in, ``[n_in]``."""
        return np.full(self.n_in, self.n_out, dtype=np.int64)

    def reach(self, at: int = 0) -> IntArray:  # noqa: ARG002  (one input)
        """Return the output words an event of each input element reaches: its cost in cycles, ``[n_in]``."""
        return np.full(self.n_in, self.words, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv(OneInput, OnPositions):
    """A convolution on codes, channels last.

    Attributes:
        name: layer name.
        input: the `Delta` that feeds it.
        weight: codes, ``[kernel_y, kernel_x, channels_in, channels_out]``, or ``[..., channels, 1]`` if depthwise.
        bias: codes on the accumulator lattice, ``[channels_out]``.
        weight_fmt: format of the weight codes.
        fmt: format of the accumulators.
        y: the vertical axis.
        x: the horizontal axis.
        depthwise: every channel has a kernel of its own (depth multiplier 1).
        pe: output channels computed in one cycle. Divides the number of output channels.
        unroll: output rows and columns that an event reaches in one cycle, each at most as many as it reaches at all.
    """

    name: str
    input: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    weight_fmt: Fixed
    fmt: Fixed
    y: Axis
    x: Axis
    depthwise: bool = False
    pe: int = 1
    unroll: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        kernel = (self.y.kernel, self.x.kernel)
        if self.weight.ndim != 4 or self.weight.shape[:2] != kernel or self.bias.shape != (self.channels_out,):
            raise ConversionError(
                "weight and bias shapes do not fit",
                where=self.name,
                expected=f"[{kernel[0]}, {kernel[1]}, channels in, channels out] and [channels out]",
                received=f"{self.weight.shape} and {self.bias.shape}",
            )
        self._check()

    @property
    def channelwise(self) -> bool:
        """Whether an event reaches one channel only, of every output position."""
        return self.depthwise

    def channels_in(self, at: int = 0) -> int:  # noqa: ARG002  (one input)
        """Return the input channels."""
        return int(self.weight.shape[2])

    @property
    def channels_out(self) -> int:
        """Output channels."""
        return int(self.weight.shape[2] if self.depthwise else self.weight.shape[3])

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a dense frame, kernel elements on padding not counted."""
        return int(self.fanout().sum())

    def fanout(self, at: int = 0) -> IntArray:
        """Return the MACs each input element takes part in, ``[n_in]``; borders counted exactly."""
        return self._positions(1 if self.depthwise else self.channels_out, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(OneInput, SameChannels):
    """The maximum or the sum of the codes in a window, channel by channel.

    An average is a sum on a finer lattice, so the window of a 'sum' has a power of two of elements. Padded places hold
    0, for a maximum of codes that can be negative, too: as a ZeroPadding layer before it, not as padding='same'.

    Attributes:
        name: layer name.
        input: the `Delta` that feeds it.
        kind: ``max`` or ``sum``.
        channels: channels of input and output.
        fmt: format of the outputs.
        y: the vertical axis.
        x: the horizontal axis.
        pe: output channels computed in one cycle. Divides ``channels``.
        unroll: output rows and columns that an event reaches in one cycle.
    """

    name: str
    input: str
    kind: Literal["max", "sum"]
    channels: int
    fmt: Fixed
    y: Axis
    x: Axis
    pe: int = 1
    unroll: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        self._check()

    @property
    def window(self) -> int:
        """Elements of a window."""
        return self.y.kernel * self.x.kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsample(OneInput, SameChannels):
    """Every code is repeated along both axes (nearest neighbour).

    Attributes:
        name: layer name.
        input: the `Delta` that feeds it.
        channels: channels of input and output.
        fmt: format of the codes.
        y: the vertical axis.
        x: the horizontal axis.
        pe: output channels computed in one cycle. Divides ``channels``.
        unroll: output rows and columns that an event reaches in one cycle.
    """

    name: str
    input: str
    channels: int
    fmt: Fixed
    y: Repeat
    x: Repeat
    pe: int = 1
    unroll: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        self._check()


@dataclass(frozen=True, slots=True, kw_only=True)
class Join(OnPositions):
    """Several frames of codes added, or put side by side (concatenated) along the channels.

    Attributes:
        name: layer name.
        inputs: the `Delta` nodes that feed it.
        kind: ``add`` or ``concat``.
        channels: channels of each input; all the same for ``add``.
        shifts: left shift that brings each input's codes to the lattice of ``fmt``.
        fmt: format of the outputs.
        y: the vertical axis; every element reaches its own output.
        x: the horizontal axis; the same.
        pe: output channels computed in one cycle. Divides the number of output channels.
        unroll: 1 and 1, as there is one output to reach.
    """

    name: str
    inputs: tuple[str, ...]
    kind: Literal["add", "concat"]
    channels: tuple[int, ...]
    shifts: tuple[int, ...]
    fmt: Fixed
    y: Axis
    x: Axis
    pe: int = 1
    unroll: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        if not len(self.inputs) == len(self.channels) == len(self.shifts) >= 2 or min(self.shifts) < 0:
            raise ConversionError(
                "two or more inputs are joined, each with its channels and its shift",
                where=self.name,
                received=f"{len(self.inputs)} inputs, channels {self.channels}, shifts {self.shifts}",
            )
        if self.kind == "add" and len(set(self.channels)) > 1:
            raise ConversionError("frames of other shapes are added", where=self.name, received=self.channels)
        self._check()

    @property
    def channels_out(self) -> int:
        """Output channels."""
        return self.channels[0] if self.kind == "add" else sum(self.channels)

    def channels_in(self, at: int = 0) -> int:
        """Return the channels of input ``at``."""
        return self.channels[at]

    @property
    def offsets(self) -> tuple[int, ...]:
        """Output channel of each input's first channel."""
        return tuple(accumulate(self.channels, initial=0))[:-1] if self.kind == "concat" else (0,) * len(self.channels)

    @property
    def n_in(self) -> int:
        """Input elements, of all inputs."""
        return self.y.size * self.x.size * sum(self.channels)


Linear: TypeAlias = Dense | Conv
"""Layers that multiply and accumulate."""
Spatial: TypeAlias = Conv | Pool | Upsample | Join
Engine: TypeAlias = Dense | Conv | Pool | Upsample | Join
