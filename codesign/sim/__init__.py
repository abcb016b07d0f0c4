# SPDX-License-Identifier: Apache-2.0
"""Fast RTL simulation: the emitted top compiled by Verilator and driven by a C++ harness through ctypes."""

from codesign.sim.clip import run_clip
from codesign.sim.simulator import BeatRun, EngineRun, RtlRun, RtlSimulator, Stalls

__all__ = ["BeatRun", "EngineRun", "RtlRun", "RtlSimulator", "Stalls", "run_clip"]
