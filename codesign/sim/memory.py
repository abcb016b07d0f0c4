# SPDX-License-Identifier: Apache-2.0
"""What goes through the external memory of a simulated core."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, fields

import numpy as np

from codesign.core.timing import DDR, SDRAM, TIMINGS, UNIT, MemoryTiming
from codesign.fixed import IntArray

__all__ = ["DDR", "SDRAM", "TIMINGS", "MemoryTiming", "MemoryTraffic", "Timing"]


class Timing(ctypes.Structure):
    """The `Timing` structure of memory.h."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("open", "closed", "row_bytes", "banks", "beat_sixteenths", "turn")),
        *((name, ctypes.c_uint32) for name in ("conflict", "least", "refresh_every", "refresh", "overlap")),
        *((name, ctypes.c_uint32) for name in ("duplex", "stall", "fault")),
        ("seed", ctypes.c_uint64),
    )

    @classmethod
    def of(cls, timing: MemoryTiming) -> Timing:
        """Return a timing as the harness takes it."""
        return cls(
            timing.open_cycles,
            timing.closed_cycles,
            timing.row_bytes,
            timing.banks,
            round(timing.beat_cycles * UNIT),
            timing.turn_cycles,
            timing.conflict_cycles,
            timing.least_cycles,
            timing.refresh_every,
            timing.refresh_cycles,
            int(timing.overlap),
            int(timing.duplex),
            int(timing.stall_probability * 2**32),
            int(timing.error_probability * 2**32),
            timing.seed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTraffic:
    """What went through the external memory in each frame, from the end of the frame before it to its own end.

    Attributes:
        read_bytes: ``[T]``.
        written_bytes: ``[T]``.
        busy_cycles: cycles in which it served somebody, those of reads and of writes if they go side by side, ``[T]``.
    """

    read_bytes: IntArray
    written_bytes: IntArray
    busy_cycles: IntArray

    @property
    def bytes(self) -> IntArray:
        """Both ways together, ``[T]``."""
        both: IntArray = self.read_bytes + self.written_bytes
        return both

    def joined(self, later: MemoryTraffic) -> MemoryTraffic:
        """Return what went through it in these frames and in later ones."""
        names = (item.name for item in fields(self))
        return MemoryTraffic(**{name: np.concatenate([getattr(self, name), getattr(later, name)]) for name in names})
