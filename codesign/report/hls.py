# SPDX-License-Identifier: Apache-2.0
"""The cycles of the HLS project in the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from codesign.report.percentiles import Percentiles
from codesign.verify.compiled import Compiled
from codesign.verify.hardware import steady
from codesign.verify.software import HlsFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Hls:
    """Clock cycles of the HLS project.

    Attributes:
        cycles_per_frame: from one output packet to the next, if measured; else of its slowest kernel in each frame.
        origin: 'estimated', the trip counts of csim's loops at II = 1; 'measured', of what a compiler made.
        compiler: name and version of that compiler; None if none was run.
        clock_mhz: clock that it scheduled for; None if none was run.
        estimated_cycles_per_frame: the estimate in any case; None if csim was not run.
    """

    cycles_per_frame: Percentiles
    origin: Literal["estimated", "measured"]
    compiler: str | None = None
    clock_mhz: float | None = None
    estimated_cycles_per_frame: Percentiles | None = None

    def words(self) -> str:
        """Return how the cycles were obtained."""
        if self.origin == "measured":
            rate = "" if self.clock_mhz is None else f" for {self.clock_mhz:g} MHz"
            spread = self.estimated_cycles_per_frame
            mean = None if spread is None else spread.mean
            estimate = "" if mean is None else f"; {mean:,.0f} if every loop had II = 1"
            return f"measured on what {self.compiler} made{rate}{estimate}"
        return "an estimate, trips of csim's loops at II = 1"


def hls_figures(hls: HlsFigures | None, compiled: Compiled | None = None) -> Hls | None:
    """Return the cycles that were measured, else those that csim counts, the first frame of each clip left out; None if
    neither was run.
    """
    estimate = None if hls is None else Percentiles.of(steady(hls.cycles))
    if compiled is not None:
        return Hls(
            cycles_per_frame=Percentiles.of(steady(compiled.cycles)),
            origin="measured",
            compiler=compiled.compiler,
            clock_mhz=compiled.clock_mhz,
            estimated_cycles_per_frame=estimate,
        )
    if estimate is None:
        return None
    return Hls(cycles_per_frame=estimate, origin="estimated", estimated_cycles_per_frame=estimate)
