# SPDX-License-Identifier: Apache-2.0
"""The hls4ml plugin: ``backend='Delta'`` in plain hls4ml code.

hls4ml finds `register` through the entry-point group ``hls4ml.backends``. This package imports hls4ml before any of its
modules, so that whichever of the two is imported first, hls4ml is never loaded from inside a module that it registers.
Nothing here imports TensorFlow.

==============  ===============================================================================
module          holds
==============  ===============================================================================
`reader`        looks at a whole Keras model, refuses what cannot be exact, asks the handlers for the rest
`bridge`        Keras 3 handlers for every backend: layers that hls4ml lacks, and our `DeltaActivation`
`exact`         handlers of the reader: what delta networks compute exactly and hls4ml does not
`layers`        the hls4ml layers DeltaActivation, DeltaDense, DeltaConv, DeltaPool, DeltaUpsample, DeltaJoin
`lower`         the pass that builds the delta graph and puts those layers in its place
`templates`     C++ configuration and calls of activations and linear layers
`moving`        the same of the layers that only move codes
`cpp`           what both share
`writer`        the HLS project (with a reset argument and counters) and the RTL project
`csim`          running the compiled project frame by frame
`frames`        the input check of predict()
`backend`       the backend that ties them together
==============  ===============================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["register", "reset"]


def register(register_backend: Callable[..., None], register_writer: Callable[..., None]) -> None:
    """Register the bridge, the layers, the writer and the backend; called by hls4ml when it is imported."""
    from codesign.hls4ml_plugin import backend, bridge, layers, reader, writer

    bridge.install()
    reader.install()
    layers.install()
    register_writer("Delta", writer.DeltaWriter)
    register_backend("Delta", backend.DeltaBackend)
    backend.install_on_vitis()


def reset(model: Any) -> None:
    """Start a new stream: the next frame given to ``predict`` finds no past, in csim and in RTL simulation.

    The same as ``model.reset()``.
    """
    from codesign.hls4ml_plugin import backend

    backend.reset(model)


import hls4ml as _hls4ml  # noqa: E402, F401  (last: hls4ml calls `register` while it is imported)
