# SPDX-License-Identifier: Apache-2.0
"""The clips a design is measured on: frames of uint8, which are the input codes of the hardware."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CLIPS = "clips.npz"


def save_clips(clips: NDArray[np.uint8], folder: Path) -> None:
    """Write clips ``[N, T, H, W, C]``."""
    np.savez_compressed(folder / CLIPS, clips=clips)


def load_clips(folder: Path) -> NDArray[np.uint8]:
    """Return what `save_clips` wrote."""
    with np.load(folder / CLIPS) as data:
        clips: NDArray[np.uint8] = data["clips"]
        return clips
