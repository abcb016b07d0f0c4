# SPDX-License-Identifier: Apache-2.0
"""What was counted on frames, and what it becomes when engines get another PE or unroll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codesign.errors import FrameError
from codesign.graph.cycles import FloatArray, Reached, mean_reach
from codesign.graph.ir import Dense, Engine, Graph
from codesign.graph.sparsity import LayerActivity

BLOCK = 64
"""Consecutive frames that are kept together where fewer are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What consecutive frames did in each engine of a network, as `codesign.graph.cycles.estimate` takes it.

    Attributes:
        events: events of each engine in each frame, ``[T]``, by its name.
        reached: what these events reach, at the PE and unroll that the network has; None: as many words as evenly
            spread events do.
    """

    events: Mapping[str, ArrayLike]
    reached: Mapping[str, Reached] | None = None

    @classmethod
    def of(cls, layers: Sequence[LayerActivity]) -> Measured:
        """Return what a golden run counted: `codesign.verify.golden_run.GoldenRun.layers`, or those of a trace."""
        return cls(
            events={layer.name: layer.events for layer in layers},
            reached={layer.name: Reached(cycles=layer.ideal_cycles, words=layer.words) for layer in layers},
        )

    def frames(self) -> int:
        """Return the number of frames."""
        return len(np.asarray(next(iter(self.events.values()))))

    def thinned(self, most: int) -> Measured:
        """Return about ``most`` frames of these, in blocks of consecutive ones."""
        total = self.frames()
        if total <= most:
            return self
        blocks = max(1, most // BLOCK)
        starts = np.linspace(0, max(0, total - BLOCK), blocks).astype(int)
        kept = np.unique((starts[:, None] + np.arange(min(BLOCK, total))).ravel())
        return Measured(
            events={name: np.asarray(values)[kept] for name, values in self.events.items()},
            reached=None
            if self.reached is None
            else {
                name: Reached(cycles=np.asarray(item.cycles)[kept], words=np.asarray(item.words)[kept])
                for name, item in self.reached.items()
            },
        )

    def check(self, graph: Graph) -> None:
        """Check that every engine of ``graph`` was measured, in as many frames as the others.

        Raises:
            FrameError: one was not.
        """
        names = [node.name for node in graph.engines]
        lacking = [name for name in names if name not in self.events]
        if self.reached is not None:
            lacking += [name for name in names if name not in self.reached and name not in lacking]
        shapes = {np.asarray(self.events[name]).shape for name in names if name in self.events}
        if lacking or len(shapes) != 1 or len(next(iter(shapes))) != 1 or next(iter(shapes)) < (1,):
            raise FrameError(
                "what was measured does not fit the network",
                where=graph.name,
                expected=f"counts of the same frames for each of {', '.join(names)}",
                received=f"none for {', '.join(lacking)}" if lacking else f"counts of shapes {sorted(shapes)}",
            )


def reached_by(graph: Graph, measured: Measured) -> dict[str, Reached]:
    """Return what the events of every engine reach in ``graph`` as it is."""
    if measured.reached is not None:
        return {
            node.name: Reached(
                cycles=np.asarray(measured.reached[node.name].cycles, np.float64),
                words=np.asarray(measured.reached[node.name].words, np.float64),
            )
            for node in graph.engines
        }
    found = {}
    for node in graph.engines:
        events = np.asarray(measured.events[node.name], np.float64)
        found[node.name] = Reached(cycles=events * mean_reach(node), words=_spread(node, events))
    return found


def with_hardware(node: Engine, made: Engine, before: Reached, events: ArrayLike) -> Reached:
    """Return what ``events`` that reached ``before`` in ``node`` reach in ``made``: the same with other PE and unroll.

    Exact for another PE, but where an event reaches one channel only; another unroll changes the cycles of every event
    as those of the mean element change.
    """
    cycles = np.asarray(before.cycles, np.float64) * (mean_reach(made) / mean_reach(node))
    words = np.asarray(before.words, np.float64)
    if isinstance(node, Dense) or not node.channelwise:
        return Reached(cycles=cycles, words=words * (made.words / node.words))
    counted = np.asarray(events, np.float64)
    even, other = _spread(node, counted), _spread(made, counted)
    scale = np.divide(other, even, out=np.ones_like(even), where=even > 0)
    return Reached(cycles=cycles, words=np.minimum(words * scale, made.words))


def _spread(node: Engine, events: FloatArray) -> NDArray[np.float64]:
    """Return the words that events which fall anywhere reach at least once."""
    once = node if isinstance(node, Dense) else replace(node, unroll=(1, 1))
    visits = events * mean_reach(once)
    words: NDArray[np.float64] = node.words * (1.0 - (1.0 - 1.0 / node.words) ** visits)
    return words
