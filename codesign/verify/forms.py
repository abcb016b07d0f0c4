# SPDX-License-Identifier: Apache-2.0
"""A network in all its forms on the same frames, each compared with the golden model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.graph.ir import Graph
from codesign.rtl.project import emit
from codesign.sim.simulator import VERILATOR, RtlSimulator
from codesign.verify.clips import Track, silently
from codesign.verify.compare import Comparison, compare
from codesign.verify.golden_run import GoldenRun, run_golden
from codesign.verify.hardware import RtlFigures, run_rtl
from codesign.verify.software import HlsFigures, run_csim, run_keras


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What every form of a network computed.

    Attributes:
        golden: what the golden model computed and counted.
        rtl: cycles of the RTL.
        comparisons: comparison of each form with the golden model: ``keras_golden`` and ``golden_csim`` if they were
            given, and ``golden_rtl``.
        hls: cycles of the HLS C++; None if it was not given.
    """

    golden: GoldenRun
    rtl: RtlFigures
    comparisons: tuple[Comparison, ...]
    hls: HlsFigures | None = None

    @property
    def mismatches(self) -> int:
        """Values that differ in any comparison."""
        return sum(item.mismatches for item in self.comparisons)


def run(
    graph: Graph,
    clips: NDArray[np.integer],
    *,
    cache: Path,
    keras: Any = None,
    hls: Any = None,
    dense_frames: int = 0,
    track: Track = silently,
) -> Verified:
    """Run clips of input codes, each as a new stream, through every form of a network.

    Args:
        graph: graph of the network.
        clips: input codes ``[N, T, *shape]``, T >= 2.
        cache: folder that the simulators are built in.
        keras: the user's Keras model of one frame; None: leave it out.
        hls: the hls4ml model, compiled; None: leave it out.
        dense_frames: frames of the first clip that are also simulated with skipping off.
        track: progress display.

    Raises:
        ToolNotFoundError: Verilator, g++, make or perl is missing.
        SimulationError: a build failed, or the design hung or broke a protocol rule.
    """
    golden = run_golden(graph, clips)
    comparisons, cycles = [], None
    if keras is not None:
        comparisons.append(compare("keras_golden", golden.outputs, run_keras(keras, graph, clips, track)))
    if hls is not None:
        codes, cycles = run_csim(hls, graph, clips, track)
        comparisons.append(compare("golden_csim", golden.outputs, codes))
    simulate = partial(RtlSimulator, graph, cache / VERILATOR, files=emit(graph))
    outputs, rtl = run_rtl(simulate, clips, dense_frames=dense_frames, track=track)
    comparisons.append(compare("golden_rtl", golden.outputs, outputs))
    return Verified(golden=golden, rtl=rtl, comparisons=tuple(comparisons), hls=cycles)
