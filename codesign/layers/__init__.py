# SPDX-License-Identifier: Apache-2.0
"""Keras 3 layers of networks that see a stream: delta activations, clip models, exact streams."""

from codesign.layers.activation import DeltaActivation
from codesign.layers.clip import over_time
from codesign.layers.meter import DeltaMeter
from codesign.layers.probe import Engines
from codesign.layers.replace import delta
from codesign.layers.schedule import Target, WarmUp
from codesign.layers.sparsity_loss import SparsityLoss
from codesign.layers.stream import StreamRun, stream

__all__ = [
    "DeltaActivation",
    "DeltaMeter",
    "Engines",
    "SparsityLoss",
    "StreamRun",
    "Target",
    "WarmUp",
    "delta",
    "over_time",
    "stream",
]
