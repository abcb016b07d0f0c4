# SPDX-License-Identifier: Apache-2.0
"""Clips through the user's Keras model and through the compiled HLS C++, each as a new stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray
from codesign.graph.ir import Graph
from codesign.stored import integers, load_arrays, loaded
from codesign.verify.clips import Track, silently

CYCLES = "hls_cycles.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsFigures:
    """Trips of each kernel of the HLS project, ``[N, T]`` by its name, first frames still in.

    A kernel's trips in a frame are those of the slowest of its processes: what it takes at II = 1. That of the output,
    which writes the frame, is called ``<last layer>_frame``.
    """

    layers: dict[str, IntArray]

    @property
    def cycles(self) -> IntArray:
        """Cycles of each frame, ``[N, T]``: those of the slowest kernel, as all overlap on consecutive frames."""
        slowest: IntArray = np.max(np.stack(list(self.layers.values())), axis=0)
        return slowest

    @classmethod
    def of(cls, clips: Sequence[Mapping[str, Any]]) -> HlsFigures:
        """Return the figures in ``model.csim_stats`` of each clip."""
        return cls(
            layers={name: np.stack([clip[name]["per_frame"]["cycles"] for clip in clips]) for name in clips[0]},
        )


def save_hls(figures: HlsFigures, folder: Path) -> None:
    """Write ``hls_cycles.npz``."""
    arrays: dict[str, Any] = {f"layers/{name}": values for name, values in figures.layers.items()}
    np.savez_compressed(folder / CYCLES, **arrays)


def load_hls(folder: Path) -> HlsFigures:
    """Return what `save_hls` wrote.

    Raises:
        StageError: the file is missing, damaged, or holds something else.
    """
    path = folder / CYCLES
    data = load_arrays(path)

    def figures() -> HlsFigures:
        layers = {key.removeprefix("layers/"): integers(data, key, 2) for key in data if key.startswith("layers/")}
        shapes = {values.shape for values in layers.values()}
        if len(shapes) != 1 or 0 in min(shapes):
            raise ValueError("cycles of other frames")
        return HlsFigures(layers=layers)

    return loaded(path, figures)


def run_keras(model: Any, graph: Graph, clips: NDArray[np.integer], track: Track = silently) -> IntArray:
    """Run the values of input codes ``[N, T, *shape]`` through a Keras model of one frame.

    A softmax or sigmoid at its end is left out.

    Returns:
        Output codes ``[N, T, ...]``.
    """
    from codesign.layers.streaming import streaming

    run, values = streaming(without_ending(model), clips.shape[1]), graph.source.fmt.to_values
    outputs = [run(values(clip)).outputs for clip in track(clips, len(clips), "clip")]
    return graph.output.fmt.to_codes(np.stack(outputs))


def without_ending(frame_model: Any) -> Any:
    """Return ``frame_model``, functional; if its last layer is a softmax or sigmoid, left to the host, without it."""
    import keras

    from codesign.keras_model.kinds import ending_of
    from codesign.layers.clip import as_functional

    functional = as_functional(frame_model)
    last = functional.outputs[0]._keras_history.operation
    if ending_of(last) and not last.weights:
        return keras.Model(functional.inputs[0], last.input, name=functional.name)
    return functional


def run_csim(
    model: Any, graph: Graph, clips: NDArray[np.integer], track: Track = silently, beside: Sequence[Any] = ()
) -> tuple[IntArray, HlsFigures]:
    """Run input codes ``[N, T, *shape]`` through a compiled hls4ml model.

    Returns:
        Output codes ``[N, T, ...]`` and the cycles.

    Args:
        model: compiled.
        graph: of it.
        clips: input codes.
        track: of the progress.
        beside: other copies of the model, see `codesign.hls4ml_plugin.library.copies`: clips are run by all of them at
            the same time.
    """
    free: SimpleQueue[Any] = SimpleQueue()
    for each in (model, *beside):
        free.put(each)

    def run(clip: NDArray[np.integer]) -> tuple[IntArray, Any]:
        own = free.get()
        try:
            own.reset()
            values = np.asarray(own.predict(clip.astype(np.int64), logits=True), dtype=np.float64)
            counted = own.csim_stats
        finally:
            free.put(own)
        return graph.output.fmt.to_codes(values.reshape(len(clip), *graph.output.shape)), counted

    with ThreadPoolExecutor(1 + len(beside)) as pool:
        outputs, counted = zip(*track(pool.map(run, clips), len(clips), "clip"), strict=True)
    return np.stack(outputs), HlsFigures.of(counted)
