# SPDX-License-Identifier: Apache-2.0
"""How fast the simulation is: the C++ harness and cocotb, on the same frames of the same top."""

from __future__ import annotations

import io
import json
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dense import stream
from codesign.fixed import IntArray
from codesign.graph.ir import Graph
from codesign.rtl import emit, top_spec
from codesign.sim.cocotb_runner import run_cocotb
from codesign.sim.simulator import RtlSimulator


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Frames per second of processor time on the same frames: C++ harness and cocotb, one thread each."""

    harness_frames_per_s: float
    cocotb_frames_per_s: float
    ratio: float


def speed(graph: Graph, folder: Path, *, density: float = 0.1, frames: int = 40) -> Speed:
    """Time the same frames, always offered and always taken, under the harness and under cocotb."""
    codes = stream(graph, frames, density)
    with RtlSimulator(graph, folder) as simulator:
        seconds = []
        for _ in range(3):
            simulator.reset()
            start = time.process_time()
            outputs = simulator.run(codes).outputs
            seconds.append(time.process_time() - start)
    harness = frames / min(seconds)
    cocotb = frames / _cocotb_seconds(graph, folder, codes, outputs)
    return Speed(harness_frames_per_s=harness, cocotb_frames_per_s=cocotb, ratio=harness / cocotb)


def _cocotb_seconds(graph: Graph, folder: Path, codes: IntArray, outputs: IntArray) -> float:
    spec, files = top_spec(graph), emit(graph)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        job = Path(work).resolve() / "job.json"
        beats = codes.reshape(-1, spec.in_lanes)
        job.write_text(
            json.dumps(
                {
                    "beats": [_pack(row, spec.in_lane_bits) for row in beats.tolist()],
                    "per_frame": spec.beats,
                    "packets": [_pack(row, spec.out_lane_bits) for row in outputs.reshape(-1, spec.out_lanes).tolist()],
                }
            )
        )
        with redirect_stdout(io.StringIO()):
            run_cocotb(
                spec.module,
                files["filelist.f"].split(),
                {},
                "benchmarks.cocotb_loop",
                Path(work) / "cocotb",
                files,
                env={"BENCH_JOB": str(job)},
                timeout_s=1200.0,
            )
        return float(json.loads(job.with_suffix(".out").read_text()))


def _pack(lanes: list[int], bits: int) -> int:
    return sum((value & ((1 << bits) - 1)) << (lane * bits) for lane, value in enumerate(lanes))
