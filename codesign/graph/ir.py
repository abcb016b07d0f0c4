# SPDX-License-Identifier: Apache-2.0
"""The intermediate representation: what both implementations, the golden model and the report read.

A `Graph` is a tuple of immutable nodes in topological order; every node names its inputs. All numbers are
integer codes. The kinds follow the semantics of the project's section "Skipping never changes a bit":

==========  =====================================================================  ==================
node        computes                                                               hardware
==========  =====================================================================  ==================
`Source`    frames of codes from outside, `lanes` codes an input beat              AXI4-Stream input
`Delta`     ``r_t = q(z_t)`` with step, clip and hold; sends ``d_t``               `encode`, `emit`
`Dense`     ``a_t = W r_t + b`` as ``a_t = a_{t-1} + W d_t``                       `dense` engine
`Conv`      the same with a kernel that slides; one or two axes, or depthwise      `conv` engine
==========  =====================================================================  ==================

The last node's codes (or accumulators) leave through `decode`. A graph always starts ``Source, Delta`` and every
linear node is fed by a `Delta`: the pass that builds the graph inserts the identity `Delta` where the user wrote
none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from codesign.errors import AccumulatorRangeError, ConversionError
from codesign.fixed import Fixed, IntArray

MAX_ACCUMULATOR_BITS = 53
"""Widest accumulator that float64 Keras, HLS csim, golden model and RTL all compute exactly."""

Activation: TypeAlias = Literal["relu", "identity"]


def check_pe(name: str, pe: int, outputs: int) -> None:
    """Check that a layer of ``outputs`` output channels folds evenly onto ``pe`` processing elements.

    Raises:
        ConversionError: it does not; the message lists the values that do.
    """
    if pe < 1 or outputs % pe:
        raise ConversionError(
            "PE does not divide the number of outputs",
            where=name,
            expected=f"one of {[d for d in range(1, outputs + 1) if outputs % d == 0]}",
            received=f"PE={pe} for {outputs} outputs",
            fix=f"set PE of layer {name!r} to one of these",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Frames from outside.

    Attributes:
        name: layer name.
        shape: of one frame, channels last.
        fmt: format of the input codes.
        lanes: codes in one AXI4-Stream beat (P).
    """

    name: str
    shape: tuple[int, ...]
    fmt: Fixed
    lanes: int = 16

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes this one reads: none."""
        return ()

    @property
    def size(self) -> int:
        """Elements in a frame."""
        return math.prod(self.shape)

    @property
    def beats(self) -> int:
        """Input beats of a frame; the last one is padded when ``lanes`` does not divide ``size``."""
        return -(-self.size // self.lanes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A delta activation: quantise, compare with what was last sent, send the difference.

    For input code ``z`` on ``in_fmt`` and ``s = in_fmt.frac - fmt.frac`` (``z`` is widened first if negative)::

        q(z) = clip(round_half_even(f(z) / 2**(s+k)) * 2**k, lo, hi)
        r_t  = q(z_t) if |f(z_t) - r_{t-1} * 2**s| >= hold * 2**(s+k) else r_{t-1}

    Attributes:
        name: layer name.
        input: node that makes ``z``.
        shape: of one frame.
        in_fmt: format of ``z``.
        fmt: format of the codes ``r``.
        activation: ``f``.
        step_log2: ``k`` per channel (last axis of ``channels``), or one value for the whole layer.
        channels: period of the channel index along the flattened frame: element ``e`` is channel
            ``e % channels``.
        lo: smallest code after the clip.
        hi: largest code after the clip.
        hold: threshold in steps, at least 0.5, or None for the memoryless layer.
    """

    name: str
    input: str
    shape: tuple[int, ...]
    in_fmt: Fixed
    fmt: Fixed
    activation: Activation
    step_log2: tuple[int, ...] = (0,)
    channels: int = 1
    lo: int
    hi: int
    hold: float | None = None

    def __post_init__(self) -> None:
        if len(self.step_log2) not in (1, self.channels):
            raise ConversionError(
                "wrong number of per-channel steps",
                where=self.name,
                expected=f"1 or {self.channels}",
                received=len(self.step_log2),
            )
        if min(self.step_log2) < 0:
            raise ConversionError(
                "a step is finer than the code lattice",
                where=self.name,
                received=f"log2 step {min(self.step_log2)}",
            )
        if not self.fmt.lo <= self.lo <= 0 <= self.hi <= self.fmt.hi:
            raise ConversionError(
                "the clip range must hold 0 and fit the code format",
                where=self.name,
                expected=f"{self.fmt.lo} <= lo <= 0 <= hi <= {self.fmt.hi}",
                received=f"lo={self.lo}, hi={self.hi}",
            )
        if self.hold is not None and not self.hold >= 0.5:
            raise ConversionError(
                "hold is too small",
                where=self.name,
                expected="at least 0.5 steps, or None",
                received=self.hold,
            )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes this one reads."""
        return (self.input,)

    @property
    def size(self) -> int:
        """Elements in a frame."""
        return math.prod(self.shape)

    @property
    def widen(self) -> int:
        """Left shift that brings ``z`` to a lattice at least as fine as the codes' (usually 0)."""
        return max(0, self.fmt.frac - self.in_fmt.frac)

    @property
    def shift(self) -> int:
        """``s``: extra fraction bits of ``z`` (after `widen`) over the codes."""
        return max(0, self.in_fmt.frac - self.fmt.frac)

    @property
    def delta_bits(self) -> int:
        """Bits of a two's-complement delta ``d`` in ``lo-hi .. hi-lo``."""
        return (self.hi - self.lo).bit_length() + 1

    def steps(self) -> IntArray:
        """Return ``k`` for each element of the flattened frame, ``[size]``."""
        k = np.asarray(self.step_log2, dtype=np.int64)
        return np.resize(k, self.size)

    def thresholds(self) -> IntArray | None:
        """Return the hold threshold in z-lattice units for each element, ``[size]``; None if memoryless.

        ``|x| >= h * 2**(s+k)`` and ``|x| >= ceil(h * 2**(s+k))`` are the same for integer ``x``.
        """
        if self.hold is None:
            return None
        threshold: IntArray = np.ceil(self.hold * 2.0 ** (self.shift + self.steps())).astype(np.int64)
        return threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
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
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes this one reads."""
        return (self.input,)

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
        """Output words (of PE lanes) that one input event reaches: cycles an event costs."""
        return self.n_out // self.pe

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a dense frame."""
        return self.n_in * self.n_out

    def fanout(self) -> IntArray:
        """Return the MACs each input element takes part in, ``[n_in]``."""
        return np.full(self.n_in, self.n_out, dtype=np.int64)

    def reach(self) -> IntArray:
        """Return the output words an event of each input element reaches: its cost in cycles, ``[n_in]``."""
        return np.full(self.n_in, self.words, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """How a kernel slides along one axis: output ``o`` reads inputs ``o * stride - before + tap``.

    Attributes:
        size: input elements.
        kernel: taps.
        stride: input elements from one output to the next.
        before: zeros padded in front.
        after: zeros padded behind.
    """

    size: int
    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0

    def __post_init__(self) -> None:
        if min(self.size, self.kernel, self.stride) < 1 or min(self.before, self.after) < 0 or self.outputs < 1:
            raise ConversionError(
                "a kernel does not fit its axis",
                expected="size, kernel, stride >= 1, padding >= 0, at least one output",
                received=self,
            )

    @classmethod
    def same(cls, size: int, kernel: int, stride: int) -> Axis:
        """Return Keras' padding 'same': ``ceil(size / stride)`` outputs, the odd zero behind."""
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return cls(size=size, kernel=kernel, stride=stride, before=total // 2, after=total - total // 2)

    @property
    def outputs(self) -> int:
        """Output elements."""
        return (self.size + self.before + self.after - self.kernel) // self.stride + 1

    def first(self, position: int) -> int:
        """Return the first output that input ``position`` reaches (may be one past the last when it reaches none)."""
        return max(0, -(-(position + self.before - self.kernel + 1) // self.stride))

    def last(self, position: int) -> int:
        """Return the last output that input ``position`` reaches (may be one before `first` when it reaches none)."""
        return min(self.outputs - 1, (position + self.before) // self.stride)

    def counts(self) -> IntArray:
        """Return how many outputs each input element reaches, ``[size]``."""
        return np.array([max(0, self.last(i) - self.first(i) + 1) for i in range(self.size)], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv:
    """A convolution on codes, channels last. One axis is a height of 1.

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

    def __post_init__(self) -> None:
        kernel = (self.y.kernel, self.x.kernel)
        if self.weight.ndim != 4 or self.weight.shape[:2] != kernel or self.bias.shape != (self.channels_out,):
            raise ConversionError(
                "weight and bias shapes do not fit",
                where=self.name,
                expected=f"[{kernel[0]}, {kernel[1]}, channels in, channels out] and [channels out]",
                received=f"{self.weight.shape} and {self.bias.shape}",
            )
        check_pe(self.name, self.pe, self.channels_out)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes this one reads."""
        return (self.input,)

    @property
    def channels_in(self) -> int:
        """Input channels."""
        return int(self.weight.shape[2])

    @property
    def channels_out(self) -> int:
        """Output channels."""
        return int(self.weight.shape[2] if self.depthwise else self.weight.shape[3])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output frame, ``(height, width, channels)``."""
        return (self.y.outputs, self.x.outputs, self.channels_out)

    @property
    def size(self) -> int:
        """Elements in an output frame."""
        return math.prod(self.shape)

    @property
    def n_in(self) -> int:
        """Input elements."""
        return self.y.size * self.x.size * self.channels_in

    @property
    def groups(self) -> int:
        """Output words of one output position."""
        return self.channels_out // self.pe

    @property
    def words(self) -> int:
        """Output words (of PE lanes) of a frame."""
        return self.y.outputs * self.x.outputs * self.groups

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a dense frame, taps on padding not counted."""
        return int(self.fanout().sum())

    def fanout(self) -> IntArray:
        """Return the MACs each input element takes part in, ``[n_in]``; borders counted exactly."""
        return self._positions(1 if self.depthwise else self.channels_out)

    def reach(self) -> IntArray:
        """Return the output words an event of each input element reaches: its cost in cycles, ``[n_in]``."""
        return self._positions(1 if self.depthwise else self.groups)

    def _positions(self, each: int) -> IntArray:
        positions = np.outer(self.y.counts(), self.x.counts()).ravel() * each
        result: IntArray = np.repeat(positions, self.channels_in)
        return result


Linear: TypeAlias = Dense | Conv
Node: TypeAlias = Source | Delta | Dense | Conv


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A whole network. ``nodes[0]`` is the `Source`; the last node's output leaves.

    Attributes:
        name: design name, a C and SystemVerilog identifier.
        nodes: in topological order.
    """

    name: str
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        names = [node.name for node in self.nodes]
        if len(set(names)) != len(names):
            raise ConversionError("two nodes share a name", where=self.name, received=names)
        for position, node in enumerate(self.nodes):
            for name in node.inputs:
                if name not in names[:position]:
                    raise ConversionError("a node reads a later or unknown node", where=node.name, received=name)
        if len(self.nodes) < 2 or not isinstance(self.nodes[0], Source) or not isinstance(self.nodes[1], Delta):
            raise ConversionError("a graph must start with Source, Delta", where=self.name, received=names[:2])

    @property
    def source(self) -> Source:
        """The input."""
        node = self.nodes[0]
        assert isinstance(node, Source)
        return node

    @property
    def output(self) -> Delta | Linear:
        """The node whose codes leave."""
        node = self.nodes[-1]
        assert not isinstance(node, Source)
        return node

    @property
    def deltas(self) -> tuple[Delta, ...]:
        """All delta activations, in order."""
        return tuple(node for node in self.nodes if isinstance(node, Delta))

    @property
    def linears(self) -> tuple[Linear, ...]:
        """All layers with multiply-accumulates, in order."""
        return tuple(node for node in self.nodes if isinstance(node, Dense | Conv))

    def __getitem__(self, name: str) -> Node:
        """Return the node called ``name``; KeyError if there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)


def accumulator_format(name: str, weight: IntArray, bias: IntArray, *, weight_fmt: Fixed, delta: Delta) -> Fixed:
    """Return the accumulator format from the bound ``|b| + sum|w| * max|r|`` over outputs.

    Every partial sum of either form stays inside it, so nothing rounds or overflows. ``weight`` is
    ``[..., n_out]`` and is summed over all axes but the last (a depthwise kernel: pass ``weight[..., 0]``).

    Raises:
        AccumulatorRangeError: more than `MAX_ACCUMULATOR_BITS` bits.
    """
    peak = max(abs(delta.lo), abs(delta.hi))
    reach = np.abs(weight.astype(object)).reshape(-1, weight.shape[-1]).sum(axis=0) * peak + np.abs(bias.astype(object))
    bound = int(max(reach))
    fmt = Fixed.holding(-bound, bound, frac=weight_fmt.frac + delta.fmt.frac, signed=True)
    if fmt.width > MAX_ACCUMULATOR_BITS:
        raise AccumulatorRangeError(
            "the accumulator is too wide to be exact in float64, csim and RTL alike",
            where=name,
            expected=f"at most {MAX_ACCUMULATOR_BITS} bits",
            received=f"{fmt.width} bits (|b| + sum|w| * max|r| = {bound})",
            fix="use fewer weight or activation bits in this layer",
        )
    return fmt
