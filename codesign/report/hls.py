# SPDX-License-Identifier: Apache-2.0
"""The cycles of the HLS project in the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from codesign.report.percentiles import Percentiles
from codesign.verify.hardware import steady
from codesign.verify.software import HlsFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Hls:
    """Clock cycles of the HLS project.

    Attributes:
        cycles_per_frame: of its slowest kernel in each frame.
        origin: 'estimated', the trip counts of csim's loops at II = 1; 'measured', of what a compiler made.
        compiler: name and version of that compiler; None if none was run.
    """

    cycles_per_frame: Percentiles
    origin: Literal["estimated", "measured"]
    compiler: str | None = None

    def words(self) -> str:
        """Return how the cycles were obtained."""
        if self.origin == "measured":
            return f"measured on what {self.compiler} made"
        return "an estimate, trips of csim's loops at II = 1"


def hls_figures(hls: HlsFigures | None) -> Hls | None:
    """Return the cycles that csim counts, the first frame of each clip left out; None if it was not run."""
    return None if hls is None else Hls(cycles_per_frame=Percentiles.of(steady(hls.cycles)), origin="estimated")
