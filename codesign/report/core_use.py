# SPDX-License-Identifier: Apache-2.0
"""The record of a core in a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Architecture: TypeAlias = Literal["pipeline", "core"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreUse:
    """How a core executes a network.

    Attributes:
        lanes: sums in a word, and multiplications in a cycle.
        cycles_per_frame: measured, mean.
        bytes_per_frame: bytes that a frame moves between the core and a memory outside, mean; None: all is inside.
        estimated_bytes_per_frame: those that the model of the core gives (`codesign.core.cycles`), mean; None: all is
            inside, or it was not asked.
        busy: share of the cycles in which the lanes multiply and add, 0 to 1.
    """

    lanes: int
    cycles_per_frame: float | None
    bytes_per_frame: float | None
    busy: float | None
    estimated_bytes_per_frame: float | None = None
