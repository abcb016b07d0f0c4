# SPDX-License-Identifier: Apache-2.0
"""The lean dense engine of a network: its bits against the golden model, its cycles, its cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.lean import core_name, emit_lean
from codesign.graph.golden import Golden
from codesign.graph.ir import Graph
from codesign.sim import RtlSimulator, Stalls
from codesign.synth import Resources, synthesise

STALLS = Stalls(seed=1, source_probability=0.3, sink_probability=0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeanRun:
    """What was measured.

    Attributes:
        frames: frames that were compared, once without stalls and once with.
        values: output values of both.
        mismatches: those that differ from the golden model.
        cycles: cycles per frame, frames offered back to back.
        resources: its cells with AXI4-Stream in and out, on an ECP5, not routed.
    """

    frames: int
    values: int
    mismatches: int
    cycles: float
    resources: Resources


def measure_lean(graph: Graph, frames: np.ndarray, folder: Path) -> LeanRun:
    """Simulate and map the lean dense engine of ``graph``, without holds, as a dense network has none.

    Args:
        graph: a chain, see `benchmarks.lean`.
        frames: codes ``[T, *shape]``, T >= 4; cycles are the mean from the third frame on.
        folder: folder of what is built.

    Raises:
        UnsupportedLayerError: see `benchmarks.lean.emit_lean`.
        ToolNotFoundError, SimulationError, SynthesisError: a tool is missing or fails.
    """
    graph = graph.with_thresholds({delta.name: 0 for delta in graph.deltas if delta.hold is not None})
    files = emit_lean(graph)
    with RtlSimulator(graph, folder, files=files) as simulator:
        runs = [simulator.run(frames), simulator.run(frames, stalls=STALLS)]
    expected = Golden(graph).run(frames).outputs
    wrong = sum(int((run.outputs != expected).sum()) for run in runs)
    mapped = {name: text for name, text in files.items() if name != f"{graph.name}_top.sv"}
    return LeanRun(
        frames=len(frames),
        values=expected.size * len(runs),
        mismatches=wrong,
        cycles=float(runs[0].cycles[2:].mean()),
        resources=synthesise(mapped, core_name(graph), target="ecp5", folder=folder / "lean"),
    )
