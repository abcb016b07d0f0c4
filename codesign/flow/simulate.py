# SPDX-License-Identifier: Apache-2.0
"""Clips through the RTL and through HLS csim, each clip as a new stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray
from codesign.graph.ir import Graph
from codesign.report.figures import RtlFigures
from codesign.sim import RtlSimulator, run_clip
from codesign.stored import integers, load_arrays, loaded

Track = Callable[[Iterable[Any], int, str], Iterable[Any]]


def run_rtl(
    graph: Graph, clips: NDArray[np.integer], *, cache: Path, dense_frames: int, track: Track
) -> tuple[IntArray, RtlFigures]:
    """Run clips of codes ``[N, T, *shape]`` with skipping on, and ``dense_frames`` of the first with skipping off.

    Returns:
        Output codes ``[N, T, ...]`` and the cycles.
    """
    with RtlSimulator(graph, cache / "verilator_skip", skip=True) as simulator:
        runs = [run_clip(simulator, clip) for clip in track(clips, len(clips), "clip")]
    with RtlSimulator(graph, cache / "verilator_dense", skip=False) as simulator:
        dense = simulator.run(clips[0][:dense_frames])
    figures = RtlFigures(
        cycles=np.stack([run.cycles for run in runs]),
        latency=np.stack([run.latency for run in runs]),
        busy={name: np.stack([run.engines[name].busy for run in runs]) for name in runs[0].engines},
        dense_cycles=dense.cycles[1:],
    )
    return np.stack([run.outputs for run in runs]), figures


def save_rtl(figures: RtlFigures, folder: Path) -> None:
    """Write ``cycles.npz``."""
    arrays: dict[str, Any] = {f"busy/{name}": values for name, values in figures.busy.items()}
    arrays |= {"cycles": figures.cycles, "latency": figures.latency, "dense_cycles": figures.dense_cycles}
    np.savez_compressed(folder / "cycles.npz", **arrays)


def load_rtl(folder: Path) -> RtlFigures:
    """Return what `save_rtl` wrote.

    Raises:
        StageError: the file is missing, damaged, or holds something else.
    """
    path = folder / "cycles.npz"
    data = load_arrays(path)

    def figures() -> RtlFigures:
        shapes = {values.shape for name, values in data.items() if name != "dense_cycles"}
        if len(shapes) != 1 or 0 in min(shapes) or not data["dense_cycles"].size:
            raise ValueError("cycles of other frames")
        return RtlFigures(
            cycles=integers(data, "cycles", 2),
            latency=integers(data, "latency", 2),
            dense_cycles=integers(data, "dense_cycles", 1),
            busy={key.removeprefix("busy/"): integers(data, key, 2) for key in data if key.startswith("busy/")},
        )

    return loaded(path, figures)


def run_csim(model: Any, graph: Graph, clips: NDArray[np.integer], track: Track) -> IntArray:
    """Run input codes ``[N, T, *shape]`` through the compiled HLS C++; return output codes ``[N, T, ...]``."""
    outputs = []
    for clip in track(clips, len(clips), "clip"):
        model.reset()
        values = np.asarray(model.predict(clip.astype(np.int64)), dtype=np.float64)
        outputs.append(graph.output.fmt.to_codes(values.reshape(len(clip), *graph.output.shape)))
    return np.stack(outputs)
