# SPDX-License-Identifier: Apache-2.0
"""Output channels on lattices of their own: the same sums in fewer bits.

Where the weights of an output channel are all multiples of ``2**s``, so is what events add to its accumulator:
``a = (n << s) + low`` with a constant ``low``, the bias below ``2**s``. Hardware keeps ``n`` alone, from weights
``w >> s`` and the bias ``b >> s``, and puts ``a`` together where it leaves the engine. Weights, products and sums are
then as wide as the channel needs that needs most, whatever the power-of-two steps of the channels are. Exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from codesign.fixed import IntArray
from codesign.graph.engines import Conv, Engine, Linear
from codesign.graph.ir import Delta, Graph

MULTIPLEXER_BITS = 4
"""Bits of a weight and a sum together that have to be saved where words have different shifts, which costs shifters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLattices:
    """What an engine computes with.

    Attributes:
        shifts: ``s`` of each output channel, ``[n_out]``; all 0 where it saves no bit.
        weight: codes ``w >> s``, in the shape of the layer's.
        bias: ``b >> s``, ``[n_out]``.
        low: the bits of each bias below ``2**s``, ``[n_out]``.
        weight_bits: bits of a weight, two's complement.
        sum_bits: bits of ``n``.
    """

    shifts: IntArray = field(repr=False)
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    low: IntArray = field(repr=False)
    weight_bits: int
    sum_bits: int

    @property
    def narrow(self) -> bool:
        """Whether a channel is not on the common lattice."""
        return bool(self.shifts.any())


def channel_lattices(node: Linear, delta: Delta) -> ChannelLattices:
    """Return the lattices of the output channels of ``node`` after ``delta``.

    No channel is shifted further than saves bits, and channels that share a lane by the same as far as that is free.
    """
    depthwise = isinstance(node, Conv) and node.depthwise
    per_output = node.weight[..., 0] if depthwise else node.weight
    columns = per_output.reshape(-1, per_output.shape[-1])
    weight_bits = node.weight_fmt.width + int(not node.weight_fmt.signed)
    most = _trailing_zeros(columns)
    if not most.any():
        return _shifted(node, most, weight_bits, node.fmt.width)
    needs = _Needs(columns, node.bias, max(-delta.lo, delta.hi))
    by_lane = np.resize(most.reshape(-1, node.pe).min(axis=0), most.shape)  # no multiplexer
    for limit in (most, by_lane):
        least = needs.bits(limit).max(axis=1)
        saved = needs.bits(np.zeros_like(most)).max(axis=1) - least
        shifts = _by_lane(needs.fewest(least, limit), limit, node.pe)
        wires = (shifts.reshape(-1, node.pe) == shifts[: node.pe]).all()
        if saved.sum() >= (1 if wires else MULTIPLEXER_BITS):
            return _shifted(node, shifts, weight_bits - int(saved[0]), node.fmt.width - int(saved[1]))
    return _shifted(node, np.zeros_like(most), weight_bits, node.fmt.width)


def stored_bits(graph: Graph, node: Engine) -> tuple[int, int]:
    """Return the bits of a weight, 0 if there are none, and of a sum or code as the engine of ``node`` stores them."""
    if not isinstance(node, Linear):
        return 0, node.fmt.width
    delta = graph[node.input]
    assert isinstance(delta, Delta)
    lattices = channel_lattices(node, delta)
    return lattices.weight_bits, lattices.sum_bits


def _shifted(node: Linear, shifts: IntArray, weight_bits: int, sum_bits: int) -> ChannelLattices:
    across = shifts[:, None] if isinstance(node, Conv) and node.depthwise else shifts
    return ChannelLattices(
        shifts=shifts,
        weight=node.weight >> across,
        bias=node.bias >> shifts,
        low=node.bias & ((np.int64(1) << shifts) - 1),
        weight_bits=weight_bits,
        sum_bits=sum_bits,
    )


def _trailing_zeros(columns: IntArray) -> IntArray:
    """Return how many low bits are 0 in all weights of each column; of a column of zeros, the most of the others."""
    ones = np.bitwise_or.reduce(columns, axis=0)
    found = _length(ones & -ones) - 1
    return np.where(ones == 0, found.max(initial=0), found)


class _Needs:
    """The bits that each channel needs, by its shift."""

    def __init__(self, columns: IntArray, bias: IntArray, peak: int) -> None:
        self.lo, self.hi, self.bias = columns.min(axis=0), columns.max(axis=0), bias
        self.sums = np.abs(columns).sum(axis=0) * peak

    def bits(self, shifts: IntArray) -> IntArray:
        """Return the bits of a weight and of a sum of every channel, ``[2, n_out]``."""
        lo, hi, offset = self.lo >> shifts, self.hi >> shifts, self.bias >> shifts
        weights = np.maximum(_length(np.where(lo < 0, ~lo, lo)), _length(np.where(hi < 0, ~hi, hi)))
        return np.array([weights, _length((self.sums >> shifts) + np.abs(offset))]) + 1

    def fewest(self, limits: IntArray, most: IntArray) -> IntArray:
        """Return the smallest shift of every channel, at most ``most``, that needs no more than ``limits`` bits."""
        found = most
        for shift in range(int(most.max()) - 1, -1, -1):
            shifts = np.minimum(most, shift)
            found = np.where((self.bits(shifts) <= limits[:, None]).all(axis=0), shifts, found)
        return found


def _length(values: IntArray) -> IntArray:
    """Return the bits of values that are not negative."""
    return np.array([int(value).bit_length() for value in values], dtype=np.int64)


def _by_lane(least: IntArray, most: IntArray, lanes: int) -> IntArray:
    """Return a shift from ``least`` to ``most`` for every channel, as few different ones in each lane as there can be.

    A lane with one shift is wiring, one with several needs a multiplexer.
    """
    shifts = np.empty_like(least)
    for lane in range(lanes):
        low, high = least[lane::lanes], most[lane::lanes]
        chosen = np.full_like(low, -1)
        while (chosen < 0).any():
            together = (chosen < 0) & (low <= high[chosen < 0].min())
            chosen[together] = low[together].max()
        shifts[lane::lanes] = chosen
    return shifts
