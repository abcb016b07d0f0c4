# SPDX-License-Identifier: Apache-2.0
"""A compiled core in the simulator of the RTL top."""

from __future__ import annotations

from pathlib import Path

from codesign.hls.core import Core, Source
from codesign.sim.simulator import VERILATOR, RtlSimulator

SLOWER = 200
"""How many times as long as our RTL a core may take before its simulation is given up."""


def simulator(core: Core, source: Source, cache: Path) -> RtlSimulator:
    """Return a simulator of what a compiler made of a network, built in ``cache``.

    Raises:
        ToolNotFoundError, SimulationError: see `RtlSimulator`.
    """
    return RtlSimulator(source.graph, cache / VERILATOR, files=core.project(source), spec=source.spec, slower=SLOWER)
