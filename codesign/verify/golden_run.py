# SPDX-License-Identifier: Apache-2.0
"""The judge: clips through the golden model, once, with what is counted on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray
from codesign.graph.golden import Golden
from codesign.graph.ir import Graph
from codesign.graph.sparsity import LayerActivity, activity, ideal_cycles, least_cycles
from codesign.stored import integers, load_arrays, loaded

GOLDEN = "golden.npz"
_COUNTS = ("events", "active_macs", "spatial_macs", "ideal_cycles", "words")


BUSY = 0.9
"""Share of the frames that a layer keeps up with, see `activity_on`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenRun:
    """What the golden model did on clips, each a new stream.

    Attributes:
        outputs: codes of the last node, ``[N, T, *shape]``.
        layers: activity of every engine, first frame of each clip left out, ``[N * (T - 1)]``.
        ideal: ideal cycles of each frame, first frame of each clip left out, ``[N * (T - 1)]``.
        least: lower bound of the cycles of all frames of a clip but the first, ``[N]``; see `least_cycles`.
    """

    outputs: IntArray
    layers: tuple[LayerActivity, ...]
    ideal: IntArray
    least: IntArray


def run_golden(graph: Graph, clips: NDArray[np.integer]) -> GoldenRun:
    """Run clips of input codes, ``[N, T, *shape]``, each as a new stream."""
    outputs, counted = [], []
    for clip in clips:
        trace = Golden(graph).run(clip)
        outputs.append(trace.outputs)
        counted.append(activity(graph, trace))
    layers = tuple(_join(parts) for parts in zip(*counted, strict=True))
    return GoldenRun(
        outputs=np.stack(outputs),
        layers=layers,
        ideal=ideal_cycles(graph, layers),
        least=np.array([least_cycles(graph, clip) for clip in counted]),
    )


def activity_on(graph: Graph, clips: NDArray[np.integer]) -> dict[str, float]:
    """Return the share of the inputs of each engine that change in a frame of ``clips``, ``[N, T, *shape]``.

    It is that of nine frames in ten, or of a mean frame if that is more: frames differ, each is as slow as its slowest
    layer, and layers that only keep up in a mean frame make most frames slower than the mean.
    """
    return {
        layer.name: max(float(layer.density.mean()), float(np.quantile(layer.density, BUSY)))
        for layer in run_golden(graph, clips).layers
    }


def _join(parts: Sequence[LayerActivity]) -> LayerActivity:
    """Return the activity of one layer over several streams as one."""
    return dataclasses.replace(
        parts[0],
        events=np.concatenate([part.events for part in parts]),
        active_macs=np.concatenate([part.active_macs for part in parts]),
        spatial_macs=np.concatenate([part.spatial_macs for part in parts]),
        ideal_cycles=np.concatenate([part.ideal_cycles for part in parts]),
        words=np.concatenate([part.words for part in parts]),
    )


def save_golden(run: GoldenRun, folder: Path) -> None:
    """Write ``golden.npz``."""
    arrays: dict[str, Any] = {"outputs": run.outputs, "ideal": run.ideal, "least": run.least}
    arrays |= {f"{layer.name}/{name}": getattr(layer, name) for layer in run.layers for name in _COUNTS}
    np.savez_compressed(folder / GOLDEN, **arrays)


def load_golden(graph: Graph, folder: Path) -> GoldenRun:
    """Return what `save_golden` wrote of a run of ``graph``.

    Raises:
        StageError: the file is missing, damaged, or of another graph.
    """
    arrays = load_arrays(folder / GOLDEN)

    def run() -> GoldenRun:
        outputs = integers(arrays, "outputs", 2 + len(graph.output.shape))
        clips, frames = outputs.shape[:2]
        if outputs.shape[2:] != graph.output.shape or clips < 1 or frames < 2:
            raise ValueError(f"outputs of another network: {list(outputs.shape)}")
        counts = {key: integers(arrays, key, 1) for key in arrays if key != "outputs"}
        if any(len(values) != (clips if key == "least" else clips * (frames - 1)) for key, values in counts.items()):
            raise ValueError("counts of other frames")
        layers = tuple(
            LayerActivity(
                name=node.name,
                elements=node.n_in,
                macs=node.macs,
                **{name: counts[f"{node.name}/{name}"] for name in _COUNTS},
            )
            for node in graph.engines
        )
        return GoldenRun(outputs=outputs, layers=layers, ideal=counts["ideal"], least=counts["least"])

    return loaded(folder / GOLDEN, run)
