# SPDX-License-Identifier: Apache-2.0
"""The simulators of one hls4ml model, csim, RTL and compiled HLS, which share where their streams start."""

from __future__ import annotations

from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray
from codesign.hls4ml_plugin import csim

SIMULATOR = "codesign.sim:RtlSimulator"
"""Imported when RTL is first simulated, as conversion needs no simulator."""
COMPILED = "codesign.hls4ml_plugin.compiled:hls_simulator"
"""Imported when an HLS compiler is first used."""


def run_rtl(model: Any, codes: IntArray, *, skip: bool) -> NDArray[np.float64]:
    """Push frames of codes, ``[T, size]``, through the RTL; set ``model.rtl_stats``; return values ``[T, *shape]``."""
    result = rtl_simulator(model, skip=skip).run(codes)
    model.rtl_stats = {
        "cycles_per_frame": result.cycles,
        "latency_cycles": result.latency,
        "layers": {
            name: {"events": engine.events, "cycles": engine.busy, "stalled": engine.stalled}
            for name, engine in result.engines.items()
        },
    }
    values: NDArray[np.float64] = model.delta_graph.output.fmt.to_values(result.outputs)
    return values


def run_hls(model: Any, codes: IntArray, tool: str | None) -> NDArray[np.float64]:
    """Push frames of codes, ``[T, size]``, through the compiled HLS project; set ``model.hls_stats``; return values
    ``[T, *shape]``.
    """
    running, compiler = resolve_name(COMPILED)(model, tool)
    result = running.run(codes)
    model.hls_stats = {
        "compiler": compiler,
        "cycles_per_frame": result.cycles,
        "latency_cycles": result.latency,
    }
    values: NDArray[np.float64] = model.delta_graph.output.fmt.to_values(result.outputs)
    return values


def rtl_simulator(model: Any, *, skip: bool) -> Any:
    """Return the model's RTL simulator, built on first use under ``<output_dir>/rtl_sim``."""
    simulators = model.__dict__.setdefault("rtl_simulators", {})
    if skip not in simulators:
        folder = Path(model.config.get_output_dir()) / "rtl_sim"
        simulators[skip] = resolve_name(SIMULATOR)(model.delta_graph, folder, skip=skip)
    return simulators[skip]


def reset(model: Any) -> None:
    """Start a new stream in every simulation of ``model``."""
    csim.reset(model)
    for simulator in model.__dict__.get("rtl_simulators", {}).values():
        simulator.reset()
    for simulator, _ in model.__dict__.get("hls_simulators", {}).values():
        simulator.reset()
