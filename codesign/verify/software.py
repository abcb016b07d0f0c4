# SPDX-License-Identifier: Apache-2.0
"""Clips through the user's Keras model and through the compiled HLS C++, each as a new stream."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray
from codesign.graph.ir import Graph
from codesign.verify.clips import Track, silently


def run_keras(model: Any, graph: Graph, clips: NDArray[np.integer], track: Track = silently) -> IntArray:
    """Run the values of input codes ``[N, T, *shape]`` through a Keras model of one frame.

    Returns:
        Output codes ``[N, T, ...]``.
    """
    from codesign.layers import stream

    values = graph.source.fmt.to_values
    outputs = [stream(model, values(clip)).outputs for clip in track(clips, len(clips), "clip")]
    return graph.output.fmt.to_codes(np.stack(outputs))


def run_csim(model: Any, graph: Graph, clips: NDArray[np.integer], track: Track = silently) -> IntArray:
    """Run input codes ``[N, T, *shape]`` through a compiled hls4ml model; return output codes ``[N, T, ...]``."""
    outputs = []
    for clip in track(clips, len(clips), "clip"):
        model.reset()
        values = np.asarray(model.predict(clip.astype(np.int64)), dtype=np.float64)
        outputs.append(graph.output.fmt.to_codes(values.reshape(len(clip), *graph.output.shape)))
    return np.stack(outputs)
