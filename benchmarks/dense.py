# SPDX-License-Identifier: Apache-2.0
"""Measure a dense network on streams of given density.

The network is 1024-64-32-10, input beats of 16 codes, PE 16 (10 in the last layer).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.errors import SimulationError
from codesign.fixed import Fixed, IntArray
from codesign.graph.golden import Golden
from codesign.graph.ir import Delta, Dense, Graph, Source, accumulator_format
from codesign.graph.sparsity import activity, ideal_cycles
from codesign.sim.simulator import RtlSimulator

DENSITIES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
USEFUL = (0.02, 0.5)
"""Densities between which skip efficiency is compared with its target."""
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Cycles at one input density, skip on and off.

    Attributes:
        density: share of input elements that change in each frame.
        ideal_cycles: ideal cycles, mean over frames.
        cycles: cycles with skipping, mean over frames.
        dense_cycles: cycles of the same sources with skipping off.
        efficiency: ideal / measured.
        dense_ratio: measured / dense; below 1 is faster.
        latency_cycles: cycles from the last input beat to the end of the packet, mean.
    """

    density: float
    ideal_cycles: float
    cycles: float
    dense_cycles: float
    efficiency: float
    dense_ratio: float
    latency_cycles: float


def network(seed: int = SEED, shape: tuple[int, ...] = (32, 32), outputs: tuple[int, ...] = (64, 32, 10)) -> Graph:
    """Return a dense network (1024-64-32-10) with random 6-bit weights; any change of an input code is an event."""
    rng = np.random.default_rng(seed)
    source = Source(name="frame", shape=shape, fmt=Fixed(width=8, frac=8, signed=False), lanes=16)
    delta = _delta("d0", source.name, source.shape, source.fmt, source.fmt, relu=False)
    nodes: list[Source | Delta | Dense] = [source, delta]
    weight_fmt = Fixed(width=6, frac=5, signed=True)
    for i, n_out in enumerate(outputs):
        weight = rng.integers(weight_fmt.lo, weight_fmt.hi, (delta.size, n_out), endpoint=True)
        bias = rng.integers(-500, 500, n_out)
        fmt = accumulator_format(f"fc{i}", weight, bias, weight_fmt=weight_fmt, delta=delta)
        dense = Dense(
            name=f"fc{i}", input=delta.name, weight=weight, bias=bias, weight_fmt=weight_fmt, fmt=fmt, pe=min(16, n_out)
        )
        nodes.append(dense)
        if i != len(outputs) - 1:
            coarse = Fixed(width=8, frac=fmt.frac - fmt.width + 12, signed=False)
            delta = _delta(f"d{i + 1}", dense.name, dense.shape, fmt, coarse, relu=True)
            nodes.append(delta)
    return Graph(name="bench", nodes=tuple(nodes))


def _delta(name: str, source: str, shape: tuple[int, ...], in_fmt: Fixed, fmt: Fixed, *, relu: bool) -> Delta:
    return Delta(
        name=name,
        input=source,
        shape=shape,
        in_fmt=in_fmt,
        fmt=fmt,
        activation="relu" if relu else "identity",
        lo=fmt.lo,
        hi=fmt.hi,
    )


def stream(graph: Graph, frames: int, density: float, seed: int = SEED) -> IntArray:
    """Return frames ``[frames, *shape]`` in each of which exactly ``density`` of the elements change."""
    rng = np.random.default_rng(seed)
    fmt, size = graph.source.fmt, graph.source.size
    now = rng.integers(fmt.lo, fmt.hi, size, endpoint=True)
    out = np.empty((frames, size), np.int64)
    for t in range(frames):
        if t:
            where = rng.permutation(size)[: round(density * size)]
            span = fmt.hi - fmt.lo + 1
            now[where] = fmt.lo + (now[where] - fmt.lo + rng.integers(1, span, len(where))) % span
        out[t] = now
    return out.reshape(frames, *graph.source.shape)


def frames_for(density: float) -> int:
    """Frames that take about 100,000 cycles; half of them are warm-up, in which the first, dense frame drains."""
    return int(max(24, min(400, 25 / max(density, 1e-3))))


def measure(skip: RtlSimulator, dense_cycles: float, density: float) -> Row:
    """Run one density on a skipping simulator and compare its outputs with the golden model.

    Raises:
        SimulationError: an output differs.
    """
    graph = skip.graph
    frames = stream(graph, frames_for(density), density)
    trace = Golden(graph).run(frames)
    skip.reset()
    run = skip.run(frames)
    wrong = int((run.outputs != trace.outputs).sum())
    if wrong:
        raise SimulationError("the RTL differs from the golden model", where=graph.name, received=f"{wrong} values")
    steady = len(frames) // 2
    ideal = float(ideal_cycles(graph, activity(graph, trace))[steady - 1 :].mean())
    cycles = float(run.cycles[steady:].mean())
    return Row(
        density=density,
        ideal_cycles=ideal,
        cycles=cycles,
        dense_cycles=dense_cycles,
        efficiency=ideal / cycles,
        dense_ratio=cycles / dense_cycles,
        latency_cycles=float(run.latency[steady:].mean()),
    )


def dense_cycles(graph: Graph, folder: Path) -> float:
    """Return the cycles per frame with skipping off; they do not depend on the frames."""
    with RtlSimulator(graph, folder, skip=False) as simulator:
        return float(simulator.run(stream(graph, 8, 1.0)).cycles[1:].mean())


def table(graph: Graph, folder: Path, densities: tuple[float, ...] = DENSITIES) -> tuple[Row, ...]:
    """Build both tops under ``folder`` and measure every density."""
    dense = dense_cycles(graph, folder)
    with RtlSimulator(graph, folder) as simulator:
        return tuple(measure(simulator, dense, density) for density in densities)


def lowest_efficiency(rows: tuple[Row, ...]) -> float:
    """Return the lowest skip efficiency over the densities that the target is about."""
    return min(row.efficiency for row in rows if USEFUL[0] <= row.density <= USEFUL[1])
