# SPDX-License-Identifier: Apache-2.0
"""The intermediate representation: what both implementations, the golden model and the report read.

A `Graph` is a tuple of immutable nodes in topological order; every node names its inputs. All numbers are
integer codes. The kinds follow the semantics of the project's section "Skipping never changes a bit":

==========  =====================================================================  ==================
node        computes                                                               hardware
==========  =====================================================================  ==================
`Source`    frames of codes from outside, `lanes` codes per input beat             AXI4-Stream input
`Delta`     ``r_t = q(z_t)`` with step, clip and hold; sends ``d_t``               `encode`, `emit`
`Dense`     ``a_t = W r_t + b`` as ``a_t = a_{t-1} + W d_t``                       `dense` engine
`Conv`      the same with a kernel that slides; one or two axes, or depthwise      `conv` engine
`Pool`      the maximum or the sum of a window of codes                            `conv` engine
`Upsample`  every code repeated                                                    `conv` engine
`Join`      several frames of codes added or concatenated                          `conv` engine
==========  =====================================================================  ==================

The last node's codes (or accumulators) leave through `decode`. A graph always starts ``Source, Delta`` and every
other node is fed by a `Delta`, but a `Delta` itself by an engine (an identity `Delta` is inserted where the user wrote
none). A node may feed several others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from codesign.errors import AccumulatorRangeError, ConversionError
from codesign.fixed import Fixed, IntArray
from codesign.graph.axis import Axis, Repeat
from codesign.graph.engines import Conv, Dense, Engine, Join, Linear, Pool, Spatial, Upsample
from codesign.graph.pe import check_pe
from codesign.graph.positions import OneInput

__all__ = [
    "MAX_ACCUMULATOR_BITS",
    "Activation",
    "Axis",
    "Conv",
    "Delta",
    "Dense",
    "Engine",
    "Graph",
    "Join",
    "Linear",
    "Node",
    "Pool",
    "Repeat",
    "Source",
    "Spatial",
    "Upsample",
    "accumulator_format",
    "check_pe",
]

MAX_ACCUMULATOR_BITS = 53
"""Widest accumulator that float64 Keras, HLS csim, golden model and RTL all compute exactly."""

MAX_CODE_BITS = 30
"""Widest code that events carry: the RTL adds the sign of a difference, and counts in 32 bits."""

REGISTER_BITS = 32
"""A register of a board: thresholds that can be set reach no further than it."""

Activation: TypeAlias = Literal["relu", "identity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Frames from outside.

    Attributes:
        name: layer name.
        shape: shape of one frame, channels last.
        fmt: format of the input codes.
        lanes: codes in one AXI4-Stream beat (P).
        explicit: the user chose ``fmt``, so integers given to ``predict`` are codes; otherwise they are values.
    """

    name: str
    shape: tuple[int, ...]
    fmt: Fixed
    lanes: int = 16
    explicit: bool = True

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
class Delta(OneInput):
    """A delta activation: quantise, compare with what was last sent, send the difference.

    For input code ``z`` on ``in_fmt`` and ``s = in_fmt.frac - fmt.frac`` (``z`` is widened first if negative)::

        q(z) = clip(round_half_even(f(z) / 2**(s+k)) * 2**k, lo, hi)
        r_t  = q(z_t) if |f(z_t) - r_{t-1} * 2**s| >= hold * 2**(s+k) else r_{t-1}

    Attributes:
        name: layer name.
        input: node that makes ``z``.
        shape: shape of one frame.
        in_fmt: format of ``z``.
        fmt: format of the codes ``r``.
        activation: ``f``.
        step_log2: ``k`` per channel (last axis of ``channels``), or one value for the whole layer.
        channels: period of the channel index along the flattened frame: element ``e`` is channel ``e % channels``.
        lo: smallest code after the clip.
        hi: largest code after the clip.
        hold: send-on-delta threshold (hysteresis, dead band) in steps, at least 0.5; None for the memoryless layer.
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

    def threshold(self) -> int:
        """Return the hold threshold of the layer as one integer, that of its coarsest step; 0 if memoryless.

        It gives all of `thresholds`: ``ceil(h * 2**(s+k)) = ceil(T / 2**(k_max-k))`` by nested ceilings.
        """
        return 0 if self.hold is None else math.ceil(math.ldexp(self.hold, self.shift + max(self.step_log2)))

    @property
    def threshold_bits(self) -> int:
        """Bits of a threshold that hardware can be given: the width of the clip range, at most `REGISTER_BITS`.

        A threshold beyond the clip range would hold all that is not clipped. A `threshold` that is larger decides.
        """
        reach = (self.hi - self.lo).bit_length() + self.shift
        return max(1, min(reach, REGISTER_BITS), self.threshold().bit_length())

    def with_threshold(self, threshold: int) -> Delta:
        """Return the layer with the hold that `threshold` gives back exactly; 0 makes it memoryless.

        Raises:
            ConversionError: more than `threshold_bits` or `MAX_ACCUMULATOR_BITS` bits, or less than half a step.
        """
        bits = self.shift + max(self.step_log2)
        least = max(1, 1 << bits >> 1)
        most = (1 << min(self.threshold_bits, MAX_ACCUMULATOR_BITS)) - 1
        if threshold != 0 and not least <= threshold <= most:
            raise ConversionError(
                "the hold threshold is out of range",
                where=self.name,
                expected=f"0 (memoryless) or {least} to {most}, where {1 << bits} is one step",
                received=threshold,
                fix="a threshold is ceil(hold * step), and a hold at least 0.5 steps",
            )
        return replace(self, hold=math.ldexp(threshold, -bits) if threshold else None)


Node: TypeAlias = Source | Delta | Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A whole network. ``nodes[0]`` is the `Source`; the last node's output leaves.

    Attributes:
        name: design name, a C and SystemVerilog identifier.
        nodes: nodes in topological order.
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
    def output(self) -> Delta | Engine:
        """The node whose codes leave."""
        node = self.nodes[-1]
        assert not isinstance(node, Source)
        return node

    @property
    def deltas(self) -> tuple[Delta, ...]:
        """All delta activations, in order."""
        return tuple(node for node in self.nodes if isinstance(node, Delta))

    @property
    def engines(self) -> tuple[Engine, ...]:
        """All nodes but the source and the delta activations, in order."""
        return tuple(node for node in self.nodes if not isinstance(node, Source | Delta))

    @property
    def linears(self) -> tuple[Linear, ...]:
        """All layers with multiply-accumulates, in order."""
        return tuple(node for node in self.nodes if isinstance(node, Dense | Conv))

    def readers(self, name: str) -> tuple[str, ...]:
        """Return the names of the nodes that read ``name``, in order; a node that reads it twice comes twice."""
        return tuple(node.name for node in self.nodes for read in node.inputs if read == name)

    def with_thresholds(self, thresholds: Mapping[str, int]) -> Graph:
        """Return the network with other hold thresholds, by layer: what hardware computes when it is given them.

        Raises:
            ConversionError: a layer that has no hold, or see `Delta.with_threshold`.
        """
        holds = [node.name for node in self.deltas if node.hold is not None]
        for name in thresholds:
            if name not in holds:
                raise ConversionError(
                    "a layer has no hold threshold that could be set",
                    where=self.name,
                    expected=f"one of {holds}" if holds else "no thresholds: every layer is memoryless",
                    received=repr(name),
                    fix="give the layer a hold before conversion",
                )
        nodes = tuple(
            node.with_threshold(thresholds[node.name]) if isinstance(node, Delta) and node.name in thresholds else node
            for node in self.nodes
        )
        return replace(self, nodes=nodes)

    def __getitem__(self, name: str) -> Node:
        """Return the node called ``name``; KeyError if there is none."""
        return {node.name: node for node in self.nodes}[name]


def accumulator_format(name: str, weight: IntArray, bias: IntArray, *, weight_fmt: Fixed, delta: Delta) -> Fixed:
    """Return the accumulator format from the bound ``|b| + sum|w| * max|r|`` over outputs.

    Every partial sum of either form stays inside it, so nothing rounds or overflows. ``weight`` is ``[..., n_out]`` and
    summed over all axes but the last (a depthwise kernel: pass ``weight[..., 0]``).

    Raises:
        AccumulatorRangeError: more than `MAX_ACCUMULATOR_BITS` bits.
    """
    rows = np.abs(weight).reshape(-1, weight.shape[-1])
    if int(rows.max(initial=0)).bit_length() + len(rows).bit_length() > 62:
        rows = rows.astype(object)  # sums of Python's integers, which have no largest one
    sums = zip(rows.sum(axis=0).tolist(), bias.tolist(), strict=True)
    bound = max(reach * max(-delta.lo, delta.hi) + abs(offset) for reach, offset in sums)
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
