# SPDX-License-Identifier: Apache-2.0
"""Keras 3 layers of networks that see a stream: delta activations, clip models, exact streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy
from codesign.layers import activation, clip, linear, meter, step  # noqa: F401  (register what they save, for Keras)

if TYPE_CHECKING:
    from codesign.layers.activation import DeltaActivation
    from codesign.layers.clip import over_time
    from codesign.layers.linear import SumPooling1D, SumPooling2D
    from codesign.layers.load import load_model
    from codesign.layers.meter import DeltaMeter
    from codesign.layers.probe import Engines
    from codesign.layers.replace import delta
    from codesign.layers.schedule import Target, WarmUp
    from codesign.layers.sparsity_loss import SparsityLoss
    from codesign.layers.streaming import StreamRun, stream

__all__ = [
    "DeltaActivation",
    "DeltaMeter",
    "Engines",
    "SparsityLoss",
    "StreamRun",
    "SumPooling1D",
    "SumPooling2D",
    "Target",
    "WarmUp",
    "delta",
    "load_model",
    "over_time",
    "stream",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "DeltaActivation": "codesign.layers.activation",
        "DeltaMeter": "codesign.layers.meter",
        "Engines": "codesign.layers.probe",
        "SparsityLoss": "codesign.layers.sparsity_loss",
        "StreamRun": "codesign.layers.streaming",
        "SumPooling1D": "codesign.layers.linear",
        "SumPooling2D": "codesign.layers.linear",
        "Target": "codesign.layers.schedule",
        "WarmUp": "codesign.layers.schedule",
        "delta": "codesign.layers.replace",
        "load_model": "codesign.layers.load",
        "over_time": "codesign.layers.clip",
        "stream": "codesign.layers.streaming",
    },
)
