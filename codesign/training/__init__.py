# SPDX-License-Identifier: Apache-2.0
"""Training of a delta network: float, then quantised, then with the temporal-sparsity loss.

Importing this package does not import TensorFlow; `train` and `load_model` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.training.config import MODEL, RESULTS, BlockConfig, ModelConfig, TrainingConfig
    from codesign.training.run import CHECKPOINT, LOG, train
    from codesign.training.saved import load_model

__all__ = [
    "CHECKPOINT",
    "LOG",
    "MODEL",
    "RESULTS",
    "BlockConfig",
    "ModelConfig",
    "TrainingConfig",
    "load_model",
    "train",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "BlockConfig": "codesign.training.config",
        "CHECKPOINT": "codesign.training.run",
        "LOG": "codesign.training.run",
        "MODEL": "codesign.training.config",
        "ModelConfig": "codesign.training.config",
        "RESULTS": "codesign.training.config",
        "TrainingConfig": "codesign.training.config",
        "load_model": "codesign.training.saved",
        "train": "codesign.training.run",
    },
)
