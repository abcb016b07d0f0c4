# SPDX-License-Identifier: Apache-2.0
"""Which Rescaling moves codes exactly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from codesign.graph.lattice import finest_frac

MAX_OFFSET_BITS = 16
"""Most bits of the offset of a Rescaling."""

SCALED = (
    "scale the frames before they are given to the model, inside of it the weights of the layer beside it, or use a "
    "power of two, such as Rescaling(1 / 256), and train the model so"
)


def inexact(layer: Any, channels: int) -> str | None:
    """Return what to use in place of a Rescaling of frames of ``channels`` channels; None if it is exact as it is."""
    try:
        scales, offsets = (np.asarray(value, np.float64).ravel() for value in (layer.scale, layer.offset))
    except (TypeError, ValueError):
        scales, offsets = np.array([math.nan]), np.zeros(1)
    sizes = {scales.size, offsets.size} - {1, channels}
    if sizes or not np.isfinite(scales).all() or not (np.abs(np.frexp(scales)[0]) == 0.5).all():
        return SCALED
    finite = bool(np.isfinite(offsets).all())
    if not finite or (np.abs(offsets) * 2.0 ** min(1000, finest_frac(offsets)) >= 2.0**MAX_OFFSET_BITS).any():
        return f"use an offset of at most {MAX_OFFSET_BITS} bits, such as -1 or 0.5"
    return None
