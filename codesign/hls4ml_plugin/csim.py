# SPDX-License-Identifier: Apache-2.0
"""Runs the compiled HLS project (csim) frame by frame and reads its counters."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import SimulationError
from codesign.fixed import IntArray
from codesign.hls4ml_plugin.writer.project import delta_layers

COUNTERS = ("beats", "events", "macs", "words", "cycles")


def run(model: Any, codes: IntArray) -> NDArray[np.float64]:
    """Push frames of codes, ``[T, size]``, through csim; set ``model.csim_stats``; return values ``[T, *shape]``.

    ``model.csim_stats[layer]`` holds totals over the frames and, under ``per_frame``, arrays ``[T]``; of the network's
    output layer once more, as ``<layer>_frame``, what is counted where the frame leaves:

    * ``beats``: groups of codes read at the input, or written at the output;
    * ``events``: changed codes, sent by an activation or taken by any other layer;
    * ``macs``: multiply-accumulates done;
    * ``words``: touched words, sent by a layer or taken by an activation;
    * ``cycles``: trips of the slowest of the layer's processes, which overlap: what II = 1 implies, an estimate.

    Raises:
        SimulationError: the model is not compiled.
    """
    graph = model.delta_graph
    library = _library(model)
    layers = delta_layers(model)
    frames = np.ascontiguousarray(graph.source.fmt.to_values(codes))
    outputs = np.zeros((len(frames), graph.output.size))
    counters = np.zeros((len(frames), len(layers), len(COUNTERS)), np.uint64)
    library.delta_run(len(frames), frames.ctypes.data, outputs.ctypes.data, counters.ctypes.data)
    model.csim_stats = {layer.name: _stats(counters[:, i].astype(np.int64)) for i, layer in enumerate(layers)}
    return outputs.reshape(-1, *graph.output.shape)


def reset(model: Any) -> None:
    """Start a new stream; nothing to do before the project is compiled."""
    if model._top_function_lib is not None:
        _library(model).delta_reset()


def _library(model: Any) -> Any:
    library = model._top_function_lib
    if library is None:
        raise SimulationError(
            "the HLS project is not compiled", where=model.delta_graph.name, fix="call model.compile()"
        )
    if not hasattr(library, "delta_run"):
        raise SimulationError(
            "only projects of backend Delta can be reset and read out",
            expected="backend='Delta'",
            received=f"backend={model.config.backend.name!r}",
        )
    library.delta_run.argtypes = [ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    library.delta_run.restype = library.delta_reset.restype = None
    return library


def _stats(counts: IntArray) -> dict[str, Any]:
    """Return totals and per-frame counts ``[T]`` of one layer, given all of them, ``[T, counters]``."""
    per_frame = {name: counts[:, at] for at, name in enumerate(COUNTERS)}
    return {**{name: int(values.sum()) for name, values in per_frame.items()}, "per_frame": per_frame}
