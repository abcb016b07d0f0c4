# SPDX-License-Identifier: Apache-2.0
"""Fast RTL simulation: the emitted top compiled by Verilator and driven by a C++ harness through ctypes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.sim.clip import run_clip
    from codesign.sim.simulator import BeatRun, EngineRun, RtlRun, RtlSimulator, Stalls

__all__ = ["BeatRun", "EngineRun", "RtlRun", "RtlSimulator", "Stalls", "run_clip"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "BeatRun": "codesign.sim.simulator",
        "EngineRun": "codesign.sim.simulator",
        "RtlRun": "codesign.sim.simulator",
        "RtlSimulator": "codesign.sim.simulator",
        "Stalls": "codesign.sim.simulator",
        "run_clip": "codesign.sim.clip",
    },
)
