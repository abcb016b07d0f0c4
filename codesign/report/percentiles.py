# SPDX-License-Identifier: Apache-2.0
"""A figure that differs from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """A figure that differs from frame to frame."""

    mean: float | None = None
    p95: float | None = None
    max: float | None = None

    @classmethod
    def of(cls, values: Sequence[float] | NDArray[np.generic]) -> Percentiles:
        """Return mean, 95th percentile and maximum of ``values``, ``[T]``; unknown if there are none."""
        array = np.asarray(values, dtype=np.float64)
        if not array.size:
            return cls()
        return cls(mean=float(array.mean()), p95=float(np.percentile(array, 95)), max=float(array.max()))
