# SPDX-License-Identifier: Apache-2.0
"""The trained frame model in a folder: all that later stages need of a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codesign.training.config import MODEL


def load_model(folder: Path) -> Any:
    """Return the frame model that `codesign.training.train` saved in ``folder``.

    Raises:
        StageError: there is none, or it is damaged.
        TrustError: it holds code, see `codesign.keras_model.file`.
    """
    import qkeras  # noqa: F401  (registers its layers)

    import codesign.layers  # noqa: F401  (registers DeltaActivation)
    from codesign.keras_model.file import load_keras

    return load_keras(folder / MODEL, fix="run the training stage again: codesign run DESIGN.toml --from 1_model")
