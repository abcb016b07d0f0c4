# SPDX-License-Identifier: Apache-2.0
"""Clips through the user's Keras model and through the compiled HLS C++, each as a new stream."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray
from codesign.graph.ir import Graph
from codesign.verify.clips import Track, silently


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
) -> IntArray:
    """Run input codes ``[N, T, *shape]`` through a compiled hls4ml model; return output codes ``[N, T, ...]``.

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

    def run(clip: NDArray[np.integer]) -> IntArray:
        own = free.get()
        try:
            own.reset()
            values = np.asarray(own.predict(clip.astype(np.int64), logits=True), dtype=np.float64)
        finally:
            free.put(own)
        return graph.output.fmt.to_codes(values.reshape(len(clip), *graph.output.shape))

    with ThreadPoolExecutor(1 + len(beside)) as pool:
        return np.stack(list(track(pool.map(run, clips), len(clips), "clip")))
