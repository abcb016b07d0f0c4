# SPDX-License-Identifier: Apache-2.0
"""The hls4ml plugin: ``backend='Delta'`` in plain hls4ml code.

hls4ml finds `register` through the entry-point group ``hls4ml.backends``. This package imports hls4ml before any of its
modules, so that whichever of the two is imported first, hls4ml is never loaded from inside a module that it registers.
Nothing here imports TensorFlow.

==============  ===============================================================================
room            holds
==============  ===============================================================================
`reader`        a Keras model, then the hls4ml model made of it, to the delta graph
`writer`        the delta graph to an HLS project and an RTL project
`against_keras` the check of every conversion against the user's model; `forward` runs that model
`calls`         the arguments of convert, predict and build
`frames`        the input check of predict()
`simulators`    csim and RTL of one model; `csim` runs the compiled project, `library` compiles and loads it
`backend`       the backend that ties them together
==============  ===============================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["register", "reset"]


def register(register_backend: Callable[..., None], register_writer: Callable[..., None]) -> None:
    """Register the bridge, the layers, the writer and the backend; called by hls4ml when it is imported."""
    from codesign.hls4ml_plugin import backend
    from codesign.hls4ml_plugin.reader import bridge, keras_model
    from codesign.hls4ml_plugin.writer import layers, project

    bridge.install()
    keras_model.install()
    layers.install()
    register_writer("Delta", project.DeltaWriter)
    register_backend("Delta", backend.DeltaBackend)
    backend.install_on_vitis()


def reset(model: Any) -> None:
    """Start a new stream: the next frame given to ``predict`` finds no past, in csim and in RTL simulation.

    The same as ``model.reset()``.
    """
    from codesign.hls4ml_plugin import simulators

    simulators.reset(model)


import hls4ml as _hls4ml  # noqa: E402, F401  (last: hls4ml calls `register` while it is imported)
