# SPDX-License-Identifier: Apache-2.0
"""Sparsity and ideal cycles, counted on a golden trace. Every report uses these definitions.

``density`` = nonzero d / elements; ``operation sparsity`` = MACs whose d is 0 / all MACs; ``spatial sparsity`` = the
same with d = r. The first frame after a reset is excluded (it is dense by construction), as in Yousefzadeh &
Sifalakis 2021, section 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.errors import FrameError
from codesign.graph.axis import AnyAxis
from codesign.graph.golden import Trace
from codesign.graph.ir import Dense, Engine, Graph, Join


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerActivity:
    """Activity at the input of one engine; all arrays are ``[T]``, first frame after reset excluded.

    Attributes:
        name: name of the engine.
        elements: input elements of a frame, of all its inputs.
        macs: multiply-accumulates of a dense frame; 0 for an engine that does not multiply.
        events: nonzero deltas.
        active_macs: MACs whose delta is not 0.
        spatial_macs: MACs whose code is not 0.
        ideal_cycles: reached output words, summed over events.
        words: output words reached, each counted once.
    """

    name: str
    elements: int
    macs: int
    events: NDArray[np.int64]
    active_macs: NDArray[np.int64]
    spatial_macs: NDArray[np.int64]
    ideal_cycles: NDArray[np.int64]
    words: NDArray[np.int64]

    @property
    def density(self) -> NDArray[np.float64]:
        """Nonzero deltas / elements of each frame."""
        return self.events / self.elements

    @property
    def operation_sparsity(self) -> float | None:
        """Share of all MACs whose delta is 0; None without MACs."""
        return self._saved(self.active_macs)

    @property
    def spatial_sparsity(self) -> float | None:
        """Share of all MACs whose code is 0; None without MACs."""
        return self._saved(self.spatial_macs)

    def _saved(self, done: NDArray[np.int64]) -> float | None:
        return 1.0 - float(done.mean()) / self.macs if self.macs else None


def activity(graph: Graph, trace: Trace) -> tuple[LayerActivity, ...]:
    """Count the activity of every engine of a trace that starts at a reset.

    Raises:
        FrameError: fewer than two frames, so nothing is left once the first is excluded.
    """
    if len(trace.outputs) < 2:
        raise FrameError("sparsity needs at least two frames", expected=">= 2 frames", received=len(trace.outputs))
    layers = []
    for node in graph.engines:
        moved = [trace.deltas[name][1:] != 0 for name in node.inputs]
        alive = [trace.codes[name][1:] != 0 for name in node.inputs]
        layers.append(
            LayerActivity(
                name=node.name,
                elements=node.n_in,
                macs=node.macs,
                events=_total(array.sum(axis=1) for array in moved),
                active_macs=_total(array @ node.fanout(at) for at, array in enumerate(moved)),
                spatial_macs=_total(array @ node.fanout(at) for at, array in enumerate(alive)),
                ideal_cycles=_total(array @ node.reach(at) for at, array in enumerate(moved)),
                words=words_reached(node, moved),
            )
        )
    return tuple(layers)


def words_reached(node: Engine, moved: list[NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Return how many output words the changed elements of each input, ``[T, n_in]``, reach, counted once: ``[T]``."""
    if isinstance(node, Dense):
        return np.where(moved[0].any(axis=1), node.words, 0)
    hit = np.zeros((len(moved[0]), *node.shape[:2], node.groups))
    rows, columns = (_reaches(axis) for axis in (node.y, node.x))
    for at, changed in enumerate(moved):
        channels = changed.reshape(len(changed), node.y.size, node.x.size, -1)
        if not node.channelwise:
            hit += (rows @ channels.any(axis=3).astype(np.float64) @ columns.T)[..., None]
            continue
        first = node.offsets[at] if isinstance(node, Join) else 0
        for channel in range(channels.shape[3]):
            hit[..., (first + channel) // node.pe] += rows @ channels[..., channel].astype(np.float64) @ columns.T
    result: NDArray[np.int64] = (hit > 0).reshape(len(hit), -1).sum(axis=1)
    return result


def _reaches(axis: AnyAxis) -> NDArray[np.float64]:
    """Return 1 where an output of an axis reads an input, ``[outputs, inputs]``."""
    outputs = np.arange(axis.outputs)
    spans = [(outputs >= axis.first(i)) & (outputs <= axis.last(i)) for i in range(axis.size)]
    return np.array(spans, np.float64).T


def _total(parts: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the sum of arrays ``[T]``, one per input."""
    total: NDArray[np.int64] = np.sum(list(parts), axis=0)
    return total


def ideal_cycles(graph: Graph, layers: tuple[LayerActivity, ...]) -> NDArray[np.int64]:
    """Return the ideal cycles of each frame, ``[T]``: the largest layer, or the input beats if larger.

    This is no bound of the cycles between two outputs: frames overlap in the pipeline, so that a frame that is
    expensive in one layer shares its time with one that is expensive in another. `least_cycles` bounds a run of frames.
    """
    work = np.stack([layer.ideal_cycles for layer in layers])
    ideal: NDArray[np.int64] = np.maximum(work.max(axis=0), graph.source.beats)
    return ideal


def least_cycles(graph: Graph, layers: tuple[LayerActivity, ...]) -> int:
    """Return a lower bound of the cycles from the first input beat of the counted frames to the end of their output.

    The frames are consecutive, and none of their work is done before. The input takes one beat per cycle, and an engine
    takes one event after the other, each as many cycles as it reaches output words. So, whatever overlaps, the run
    takes at least what the busiest of them needs for all of its frames.
    """
    beats = graph.source.beats * len(layers[0].events)
    return max(beats, *(int(layer.ideal_cycles.sum()) for layer in layers))


def dense_ideal_cycles(graph: Graph) -> int:
    """Return the ideal cycles of a frame with skipping off: every element is an event."""
    engines = (sum(int(node.reach(at).sum()) for at in range(len(node.inputs))) for node in graph.engines)
    return max(graph.source.beats, *engines)
