# SPDX-License-Identifier: Apache-2.0
"""Training of a delta network: float, then quantised, then with the temporal-sparsity loss.

Importing this package does not import TensorFlow; `train` and `load_model` do.
"""

from codesign.training.config import BlockConfig, ModelConfig, TrainingConfig
from codesign.training.run import CHECKPOINT, LOG, MODEL, RESULTS, load_model, train

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
