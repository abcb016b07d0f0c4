# SPDX-License-Identifier: Apache-2.0
"""Clips through the RTL and through HLS csim, each clip as a new stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray
from codesign.graph.ir import Graph
from codesign.report.figures import RtlFigures
from codesign.sim import RtlRun, RtlSimulator

Track = Callable[[Iterable[Any], int, str], Iterable[Any]]


def run_rtl(
    graph: Graph, clips: NDArray[np.integer], *, cache: Path, dense_frames: int, track: Track
) -> tuple[IntArray, RtlFigures]:
    """Run input codes ``[N, T, *shape]`` with skipping on, and the first ``dense_frames`` with skipping off.

    The first frame of a clip, which is dense, leaves before the second one enters: while it is computed the input
    would be scanned far ahead, and the frames after it would seem cheaper than they are.

    Returns:
        Output codes ``[N, T, ...]`` and the cycles.
    """
    with RtlSimulator(graph, cache / "verilator_skip", skip=True) as simulator:
        runs = []
        for clip in track(clips, len(clips), "clip"):
            simulator.reset()
            runs.append((simulator.run(clip[:1]), simulator.run(clip[1:])))
    with RtlSimulator(graph, cache / "verilator_dense", skip=False) as simulator:
        dense = simulator.run(clips[0][:dense_frames])

    def join(pick: Callable[[RtlRun], IntArray]) -> IntArray:
        return np.stack([np.concatenate([pick(first), pick(rest)]) for first, rest in runs])

    figures = RtlFigures(
        cycles=join(lambda run: run.cycles),
        latency=join(lambda run: run.latency),
        busy={name: join(partial(_busy, name)) for name in runs[0][0].engines},
        dense_cycles=dense.cycles[1:],
    )
    return join(lambda run: run.outputs), figures


def _busy(engine: str, run: RtlRun) -> IntArray:
    return run.engines[engine].busy


def save_rtl(figures: RtlFigures, folder: Path) -> None:
    """Write ``cycles.npz``."""
    arrays: dict[str, Any] = {f"busy/{name}": values for name, values in figures.busy.items()}
    arrays |= {"cycles": figures.cycles, "latency": figures.latency, "dense_cycles": figures.dense_cycles}
    np.savez_compressed(folder / "cycles.npz", **arrays)


def load_rtl(folder: Path) -> RtlFigures:
    """Return what `save_rtl` wrote."""
    with np.load(folder / "cycles.npz") as data:
        busy = {key.removeprefix("busy/"): data[key] for key in data if key.startswith("busy/")}
        return RtlFigures(cycles=data["cycles"], latency=data["latency"], dense_cycles=data["dense_cycles"], busy=busy)


def run_csim(model: Any, graph: Graph, clips: NDArray[np.integer], track: Track) -> IntArray:
    """Run input codes ``[N, T, *shape]`` through the compiled HLS C++; return output codes ``[N, T, ...]``."""
    outputs = []
    for clip in track(clips, len(clips), "clip"):
        model.reset()
        values = np.asarray(model.predict(clip.astype(np.int64)), dtype=np.float64)
        outputs.append(graph.output.fmt.to_codes(values.reshape(len(clip), *graph.output.shape)))
    return np.stack(outputs)
