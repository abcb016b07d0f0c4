# SPDX-License-Identifier: Apache-2.0
"""Limits that the figures must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.conv import ConvRun
from benchmarks.dense import Row, lowest_efficiency
from benchmarks.speed import Speed

Bound = Literal["at least", "at most"]

UNCHANGED_EXTRA = 200
"""Most cycles that an unchanged frame may cost beyond its input beats."""
SPEEDUPS = {None: (14.0, 10.0), 1.0: (40.0, 25.0)}
"""For each hold, speed-up over dense: mean over clips, and least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure and its limit."""

    figure: str
    value: float
    bound: Bound
    limit: float

    @property
    def met(self) -> bool:
        """Whether the figure keeps its limit."""
        return self.value >= self.limit if self.bound == "at least" else self.value <= self.limit


def dense_targets(rows: tuple[Row, ...], unchanged: int, beats: int, rate: Speed) -> tuple[Target, ...]:
    """Return the targets of the dense network."""
    return (
        _least("least skip efficiency, densities 0.02 to 0.5", lowest_efficiency(rows), 0.90),
        _most("most measured / dense", max(row.dense_ratio for row in rows), 1.02),
        _most("unchanged frame, cycles", unchanged, beats + UNCHANGED_EXTRA),
        _least("harness / cocotb, frames/s", rate.ratio, 20.0),
    )


def conv_targets(runs: Sequence[ConvRun]) -> tuple[Target, ...]:
    """Return the targets of the convolutional network, for each hold."""
    return tuple(target for run in runs for target in _conv_targets(run))


def _conv_targets(run: ConvRun) -> tuple[Target, ...]:
    kind = hold_words(run.hold)
    mean, least = SPEEDUPS[run.hold]
    return (
        _most(f"{kind}: mismatches", run.mismatches, 0),
        _least(f"{kind}: skip efficiency, mean", run.mean("skip_efficiency"), 0.90),
        _least(f"{kind}: skip efficiency, least of the clips", run.least("skip_efficiency"), 0.90),
        _least(f"{kind}: speed-up over dense, mean", run.mean("speedup"), mean),
        _least(f"{kind}: speed-up over dense, least of the clips", run.least("speedup"), least),
        _most(f"{kind}: noise video, measured / dense", run.noise_ratio, 1.02),
        _most(f"{kind}: unchanged frame, cycles", run.unchanged_cycles, run.input_beats + UNCHANGED_EXTRA),
        _most(f"{kind}: latency / dense frame", run.latency_share, 0.10),
        _least(f"{kind}: simulated frames/s of processor time", run.frames_per_core_s, 300),
        _most(f"{kind}: LUTs / dense", run.areas.lut_ratio, 1.35),
        _least(f"{kind}: frames/s per LUT / dense, same clock", run.throughput_per_lut, 10.0),
    )


def hold_words(hold: float | None) -> str:
    """Return how a network is called."""
    return "memoryless" if hold is None else f"hold = {hold:g}"


def _least(figure: str, value: float, limit: float) -> Target:
    return Target(figure=figure, value=value, bound="at least", limit=limit)


def _most(figure: str, value: float, limit: float) -> Target:
    return Target(figure=figure, value=value, bound="at most", limit=limit)
