# SPDX-License-Identifier: Apache-2.0
"""The search: a choice for the input and each layer, the cheapest that is fast enough or the fastest that fits.

All layers get the cheapest choice that keeps up with a number of cycles. That number is as large as the wanted rate
allows, or as small as the board allows; then each layer is narrowed further as long as the whole stays as fast. What
the whole takes is `codesign.graph.cycles.estimate` on the measured frames, so layers that are busy in different frames
share their time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConfigError
from codesign.fit.board import Board
from codesign.fit.core import better, on_core
from codesign.fit.measured import Measured, reached_by, with_hardware
from codesign.fit.options import TAIL, Option, fixed_cells, options, with_options
from codesign.fit.resources import Cells, ResourceModel, resource_model
from codesign.fit.result import Fit, Minimise
from codesign.fit.words import finished
from codesign.graph.cycles import CycleEstimate, Reached, estimate
from codesign.graph.ir import Graph
from codesign.synth.target import Target

WORK = 4_000
"""Frames times engines that are looked at while searching; all frames are in the end."""
LEAST_FRAMES = 256
TRIES = 4
"""Times that the choice is made stricter where all frames are slower than those that were looked at."""
Chosen = tuple[Option, ...]
Key = Callable[[Option], tuple[float, ...]]


def fit(
    graph: Graph,
    frames: Measured,
    target: Target,
    *,
    frames_per_second: float | None = None,
    clock_mhz: float | None = None,
    minimise: Minimise = "lut",
    clip: NDArray[np.integer] | None = None,
) -> Fit:
    """Choose PE and unroll of every layer, and P, for a board; or its core.

    Args:
        graph: the network; the PE, unroll and P that it has are those that ``frames`` were measured with.
        frames: what consecutive frames did.
        target: the board.
        frames_per_second: rate to reach at the 95th percentile of the cycles, with the least of ``minimise``; None:
            the highest that fits the board.
        clock_mhz: clock of the design; None: the board's.
        minimise: ``lut``, ``dsp``, or ``energy``: the estimate of `codesign.report.energy`; equal ones by LUTs.
        clip: codes of consecutive frames, ``[T, *shape]``, from the first of a stream on: the network is tried on the
            core of the board, too. None: as a pipeline only.

    Returns:
        The best that was found. If nothing fits or is fast enough, what comes nearest, and what is in the way.

    Raises:
        FrameError: an engine was not measured.
        ConfigError: no such rate, clock or objective.
    """
    if minimise not in KEYS:
        raise ConfigError(
            "nothing that can be made small", where="minimise", expected=", ".join(KEYS), received=repr(minimise)
        )
    frames.check(graph)
    board = Board.of(target, clock_mhz)
    goal = None if frames_per_second is None else board.cycles_for(frames_per_second)
    search = _Search.of(graph, frames, board, replace(resource_model(), top=target.top), KEYS[minimise])
    chosen = search.cheapest(goal) if goal is not None else search.fastest()
    made = finished(
        search.graph_of(chosen),
        search.model,
        board,
        cycles=search.all_frames(chosen),
        reached=search.reached(chosen, full=True),
        frames=frames,
        wanted=frames_per_second,
        minimise=minimise,
    )
    if clip is None:
        return made
    asked = {"frames_per_second": frames_per_second, "clock_mhz": clock_mhz}
    return better(made, on_core(graph, clip, target, minimise=minimise, **asked))


KEYS: dict[str, Key] = {
    "lut": lambda option: (option.cells.lut, option.cells.dsp),
    "dsp": lambda option: (option.cells.dsp, option.cells.lut),
    "energy": lambda option: (option.energy_pj, option.cells.lut),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """All options, and the frames that they are tried on.

    Attributes:
        graph: the network.
        frames: the measured frames.
        few: those of them that are looked at while searching.
        board: the board.
        model: the resource model.
        options: of the input and each layer.
        fixed: cells that are there whatever is chosen.
        key: what is made small.
    """

    graph: Graph
    frames: Measured
    few: Measured
    board: Board
    model: ResourceModel
    options: list[list[Option]]
    fixed: Cells
    key: Key

    @classmethod
    def of(cls, graph: Graph, frames: Measured, board: Board, model: ResourceModel, key: Key) -> _Search:
        few = frames.thinned(max(LEAST_FRAMES, WORK // len(graph.engines)))
        return cls(
            graph=graph,
            frames=frames,
            few=few,
            board=board,
            model=model,
            options=options(graph, few, reached_by(graph, few), model),
            fixed=fixed_cells(graph, model),
            key=key,
        )

    def graph_of(self, chosen: Chosen) -> Graph:
        return with_options(self.graph, chosen)

    def reached(self, chosen: Chosen, *, full: bool = False) -> dict[str, Reached]:
        """Return what events reach with a choice, in the few frames or in all."""
        if not full:
            return {name: item for option in chosen for name, item in option.reached.items()}
        known, made = reached_by(self.graph, self.frames), self.graph_of(chosen)
        before = {node.name: node for node in self.graph.engines}
        return {
            node.name: with_hardware(before[node.name], node, known[node.name], self.frames.events[node.name])
            for node in made.engines
        }

    def all_frames(self, chosen: Chosen) -> CycleEstimate:
        """Return what every measured frame takes."""
        return estimate(self.graph_of(chosen), self.frames.events, self.reached(chosen, full=True))

    def tail(self, chosen: Chosen) -> float:
        """Return the cycles of the few frames at the 95th percentile."""
        found = estimate(self.graph_of(chosen), self.few.events, self.reached(chosen))
        return float(np.quantile(found.cycles, TAIL))

    def cells(self, chosen: Chosen) -> Cells:
        return sum((option.cells for option in chosen), self.fixed)

    def within(self, cycles: float, key: Key | None = None) -> Chosen:
        """Return the cheapest choices that keep up with so many cycles, or come nearest."""
        cost = key or self.key
        found = []
        for each in self.options:
            least = max(cycles, min(option.cycles for option in each))
            found.append(min((option for option in each if option.cycles <= least), key=cost))
        return tuple(found)

    def steps(self) -> list[float]:
        """Return the numbers of cycles at which a choice changes, the most first."""
        slowest = max(min(option.cycles for option in each) for each in self.options)
        every = {max(slowest, option.cycles) for each in self.options for option in each}
        return sorted(every, reverse=True)

    def cheapest(self, goal: float) -> Chosen:
        """Return the cheapest choice of at most ``goal`` cycles in all frames, or the fastest there is."""
        aim, chosen = goal, self.within(0.0)
        for _ in range(TRIES):
            if self.tail(self.within(0.0)) > aim:
                return self.within(0.0)
            chosen = self._cheapest(aim)
            found = float(np.quantile(self.all_frames(chosen).cycles, TAIL))
            if found <= goal:
                break
            aim *= min(0.995, goal / found)
        return chosen

    def _cheapest(self, goal: float) -> Chosen:
        """Return the cheapest choice of at most ``goal`` cycles in the few frames; one that fits, if there is one."""
        first = self.narrowed(self._slowest(goal, self.key), goal)
        if self.board.holds(self.cells(first)):
            return first
        others = (self._slowest(goal, key) for key in self.keys()[1:])
        fitting = next((chosen for chosen in others if self.board.holds(self.cells(chosen))), None)
        return first if fitting is None else self.narrowed(fitting, goal)

    def _slowest(self, goal: float, key: Key) -> Chosen:
        """Return the choice for the most cycles of each layer at which the whole takes at most ``goal``."""
        steps = self.steps()
        at = bisect_left(steps[:-1], True, key=lambda cycles: self.tail(self.within(cycles, key)) <= goal)
        return self.within(steps[at], key)

    def fastest(self) -> Chosen:
        """Return the fastest choice that the board holds, or the smallest there is."""
        steps = self.steps()[::-1]
        at = bisect_left(steps[:-1], True, key=lambda cycles: self.fitting(cycles) is not None)
        chosen = self.fitting(steps[at])
        if chosen is None:
            return min((self.within(steps[at], key) for key in self.keys()), key=self.excess)
        return self.narrowed(chosen, self.tail(chosen))

    def keys(self) -> tuple[Key, ...]:
        """Return what may be made small so that a choice fits."""
        others = [key for key in KEYS.values() if key is not self.key]
        return self.key, *others, lambda option: (self.board.share(option.cells),)

    def fitting(self, cycles: float) -> Chosen | None:
        """Return a choice that keeps up with so many cycles and fits the board."""
        for key in self.keys():
            chosen = self.within(cycles, key)
            if self.board.holds(self.cells(chosen)):
                return chosen
        return None

    def excess(self, chosen: Chosen) -> float:
        return self.board.share(self.cells(chosen))

    def narrowed(self, chosen: Chosen, goal: float) -> Chosen:
        """Return a choice with cheaper options wherever the whole stays within ``goal`` cycles."""
        limit = max(goal, self.tail(chosen))
        order = sorted(range(len(chosen)), key=lambda at: -self._saving(chosen, at))
        for at in order:
            for option in self._cheaper(chosen[at], self.options[at]):
                tried = (*chosen[:at], option, *chosen[at + 1 :])
                if self.tail(tried) <= limit and self._no_worse(tried, chosen):
                    chosen = tried
                    break
        return chosen

    def _no_worse(self, tried: Chosen, chosen: Chosen) -> bool:
        return self.board.holds(self.cells(tried)) or not self.board.holds(self.cells(chosen))

    def _saving(self, chosen: Chosen, at: int) -> float:
        return self.key(chosen[at])[0] - min(self.key(option)[0] for option in self.options[at])

    def _cheaper(self, chosen: Option, every: Sequence[Option]) -> list[Option]:
        """Return the options that are cheaper than one, the cheapest first."""
        return sorted((option for option in every if self.key(option) < self.key(chosen)), key=self.key)
