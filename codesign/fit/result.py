# SPDX-License-Identifier: Apache-2.0
"""What `codesign.fit.fit` found: the hardware, what it is predicted to take and to reach, and what is in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from codesign.graph.ir import Dense, Engine, Graph
from codesign.synth.record import Area, LayerArea

Minimise = Literal["lut", "dsp", "energy"]
Architecture = Literal["pipeline", "core"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """Clock cycles of a frame, predicted: of the mean frame, and of the 95th percentile."""

    mean: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A network with its hardware.

    Attributes:
        graph: the network with the PE, unroll and P that were chosen; of a core as it was given.
        architecture: ``pipeline``, or ``core``: the network as a program of the board's core.
        target: name of the board.
        minimise: what was made small.
        cycles: predicted cycles of a frame.
        busy: predicted cycles in which each engine has work, by its name.
        clock_mhz: clock that the frames are counted at.
        clock_origin: where it is from, in words.
        wanted: frames per second that were asked for; None: as many as fit.
        resources: predicted cells of the whole, with what the board adds.
        layers: the same of each node of the network, of its counters and registers, and of the board's link.
        available: what the device has.
        usable: as much of it as a design may use.
        energy_nj: estimated energy of a mean frame [nJ], see `codesign.report.energy`; None: of a core.
        in_the_way: why it does not fit, or is not as fast as wanted, one line each; empty: it fits.
        resource_origin: where the resources are from, in words.
        no_pipeline: of a core: why a pipeline would not do, one line each; empty: it would.
    """

    graph: Graph
    architecture: Architecture = "pipeline"
    target: str
    minimise: Minimise
    cycles: Cycles
    busy: Mapping[str, Cycles]
    clock_mhz: float
    clock_origin: str
    wanted: float | None
    resources: Area
    layers: tuple[LayerArea, ...]
    available: Area
    usable: Area
    energy_nj: float | None
    in_the_way: tuple[str, ...]
    resource_origin: str
    no_pipeline: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether it fits the board, and is as fast as wanted."""
        return not self.in_the_way

    @property
    def frames_per_second(self) -> float:
        """Frames per second at the 95th percentile of the cycles."""
        return self.clock_mhz * 1e6 / self.cycles.p95

    @property
    def frames_per_second_mean(self) -> float:
        """Frames per second at the mean cycles."""
        return self.clock_mhz * 1e6 / self.cycles.mean

    def hardware(self) -> dict[str, tuple[int, tuple[int, int]]]:
        """Return PE and unroll of every engine, by its name."""
        return {node.name: (node.pe, unroll_of(node)) for node in self.graph.engines}


def unroll_of(node: Engine) -> tuple[int, int]:
    """Return the output rows and columns that an event of an engine reaches in one cycle."""
    return (1, 1) if isinstance(node, Dense) else node.unroll
