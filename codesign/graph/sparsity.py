# SPDX-License-Identifier: Apache-2.0
"""Sparsity and ideal cycles, counted on a golden trace. Every report uses these definitions.

``density`` = nonzero d / elements; ``operation sparsity`` = MACs whose d is 0 / all MACs; ``spatial sparsity`` = the
same with d = r. The first frame after a reset is excluded (it is dense by construction), as in Yousefzadeh &
Sifalakis 2021, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.errors import FrameError
from codesign.golden import Trace
from codesign.graph.ir import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerActivity:
    """Activity at the input of one linear layer; all arrays are ``[T]``, first frame after reset excluded.

    Attributes:
        name: of the linear layer.
        elements: input elements of a frame.
        macs: multiply-accumulates of a dense frame.
        events: nonzero deltas.
        active_macs: MACs whose delta is not 0.
        spatial_macs: MACs whose code is not 0.
        ideal_cycles: reached output words, summed over events.
    """

    name: str
    elements: int
    macs: int
    events: NDArray[np.int64]
    active_macs: NDArray[np.int64]
    spatial_macs: NDArray[np.int64]
    ideal_cycles: NDArray[np.int64]

    @property
    def density(self) -> NDArray[np.float64]:
        """Nonzero deltas / elements of each frame."""
        return self.events / self.elements

    @property
    def operation_sparsity(self) -> float:
        """Share of all MACs whose delta is 0."""
        return 1.0 - float(self.active_macs.mean()) / self.macs

    @property
    def spatial_sparsity(self) -> float:
        """Share of all MACs whose code is 0."""
        return 1.0 - float(self.spatial_macs.mean()) / self.macs


def activity(graph: Graph, trace: Trace) -> tuple[LayerActivity, ...]:
    """Count the activity of every linear layer of a trace that starts at a reset.

    Raises:
        FrameError: fewer than two frames, so nothing is left once the first is excluded.
    """
    if len(trace.outputs) < 2:
        raise FrameError("sparsity needs at least two frames", expected=">= 2 frames", received=len(trace.outputs))
    layers = []
    for node in graph.linears:
        moved = trace.deltas[node.input][1:] != 0
        fanout = node.fanout()
        layers.append(
            LayerActivity(
                name=node.name,
                elements=node.n_in,
                macs=node.macs,
                events=moved.sum(axis=1),
                active_macs=moved @ fanout,
                spatial_macs=(trace.codes[node.input][1:] != 0) @ fanout,
                ideal_cycles=moved @ node.reach(),
            )
        )
    return tuple(layers)


def ideal_cycles(graph: Graph, layers: tuple[LayerActivity, ...]) -> NDArray[np.int64]:
    """Return the ideal cycles of each frame, ``[T]``: the largest layer, or the input beats if larger."""
    work = np.stack([layer.ideal_cycles for layer in layers])
    ideal: NDArray[np.int64] = np.maximum(work.max(axis=0), graph.source.beats)
    return ideal


def dense_ideal_cycles(graph: Graph) -> int:
    """Return the ideal cycles of a frame with skipping off: every element is an event."""
    return max(graph.source.beats, *(int(node.reach().sum()) for node in graph.linears))
