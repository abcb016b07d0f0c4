# SPDX-License-Identifier: Apache-2.0
"""The lattices that the sums of a core lie on: of each channel as coarse as its weights allow.

A core keeps ``n`` of ``z = (n << align) + low``, where ``low`` is what the bias has below the lattice of the channel
(`codesign.graph.channels`), and puts ``z`` together before it quantises. So weights and sums are as narrow as the
channel that needs most bits, and sums that a reader wants on a finer lattice cost none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from codesign.core.plan import Plan
from codesign.fixed import IntArray
from codesign.graph.channels import channel_lattices
from codesign.graph.engines import Conv, Dense, Engine, Join

LOW_BITS = 16
"""Bits of ``low``, the field of that name in the rows of parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattices:
    """What an engine of a core computes with.

    Attributes:
        align: left shift of each output channel's sums, ``[channels]``, or ``[1]`` of all.
        low: what is added after it, the same shape.
        weight: codes in the shape of the layer's weights; None for an engine without.
        bias: of each output channel; None for an engine without.
    """

    align: IntArray
    low: IntArray
    weight: IntArray | None = field(default=None, repr=False)
    bias: IntArray | None = field(default=None, repr=False)


def lattices_of(plan: Plan, node: Engine) -> Lattices:
    """Return the lattices of an engine's output channels."""
    widen = plan.widen[node.name]
    if not isinstance(node, Dense | Conv):
        return Lattices(align=np.array([widen]), low=np.zeros(1, np.int64), bias=_bias(plan, node))
    found = channel_lattices(_alone(node), plan.delta(node.input))
    shifts = np.minimum(found.shifts, max(0, LOW_BITS - widen))
    across = shifts[:, None] if isinstance(node, Conv) and node.depthwise else shifts
    return Lattices(
        align=shifts + widen,
        low=(node.bias & ((np.int64(1) << shifts) - 1)) << widen,
        weight=node.weight >> across,
        bias=node.bias >> shifts,
    )


def _bias(plan: Plan, node: Engine) -> IntArray | None:
    """Return the biases of the layers that an addition computes, too, in Python's integers; None if there are none."""
    if not isinstance(node, Join):
        return None
    found = [
        np.array([int(value) << shift for value in layer.bias], object)
        for at, shift in enumerate(node.shifts)
        if (layer := plan.through.get((node.name, at)))
    ]
    total: IntArray | None = np.sum(found, axis=0) if found else None
    return total


def _alone(node: Dense | Conv) -> Dense | Conv:
    """Return the layer with a lane for each channel, as another shift costs a core nothing."""
    return replace(node, pe=node.n_out if isinstance(node, Dense) else node.channels_out)
