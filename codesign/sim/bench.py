# SPDX-License-Identifier: Apache-2.0
"""Measure what skipping brings and how fast the simulation is: ``python -m codesign.sim.bench --json OUT``.

The network is 1024-64-32-10, input beats of 16 codes, PE 16 (10 in the last layer). Cycles are simulated on the
emitted RTL. Ideal cycles are counted on the golden trace, see `codesign.graph.sparsity`.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from codesign.errors import SimulationError
from codesign.fixed import Fixed, IntArray
from codesign.golden import Golden
from codesign.graph.ir import Delta, Dense, Graph, Source, accumulator_format
from codesign.graph.sparsity import activity, ideal_cycles
from codesign.rtl import emit, top_spec
from codesign.sim.cocotb_runner import run_cocotb
from codesign.sim.simulator import RtlSimulator

DENSITIES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
EFFICIENCY_TARGET = 0.90
DENSE_RATIO_TARGET = 1.02
SPEED_TARGET = 20.0
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Cycles at one input density, skip on and off.

    Attributes:
        density: share of input elements that change in each frame.
        ideal_cycles: mean over frames.
        cycles: measured with skipping, mean over frames.
        dense_cycles: measured on the same sources with skipping off.
        efficiency: ideal / measured.
        dense_ratio: measured / dense; below 1 is faster.
        latency_cycles: last input beat to the end of the packet, mean.
    """

    density: float
    ideal_cycles: float
    cycles: float
    dense_cycles: float
    efficiency: float
    dense_ratio: float
    latency_cycles: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Frames per second of wall time on the same frames: C++ harness against cocotb."""

    harness_frames_per_s: float
    cocotb_frames_per_s: float
    ratio: float


def network(seed: int = SEED, shape: tuple[int, int] = (32, 32), outputs: tuple[int, ...] = (64, 32, 10)) -> Graph:
    """Return a dense network (1024-64-32-10) with random 6-bit weights; any change of an input code is an event."""
    rng = np.random.default_rng(seed)
    source = Source(name="frame", shape=shape, fmt=Fixed(width=8, frac=8, signed=False), lanes=16)
    delta = _delta("d0", source.name, source.shape, source.fmt, source.fmt, relu=False)
    nodes: list[Source | Delta | Dense] = [source, delta]
    weight_fmt = Fixed(width=6, frac=5, signed=True)
    for i, n_out in enumerate(outputs):
        weight = rng.integers(weight_fmt.lo, weight_fmt.hi, (delta.size, n_out), endpoint=True)
        bias = rng.integers(-500, 500, n_out)
        fmt = accumulator_format(f"fc{i}", weight, bias, weight_fmt=weight_fmt, delta=delta)
        dense = Dense(
            name=f"fc{i}", input=delta.name, weight=weight, bias=bias, weight_fmt=weight_fmt, fmt=fmt, pe=min(16, n_out)
        )
        nodes.append(dense)
        if i != len(outputs) - 1:
            coarse = Fixed(width=8, frac=fmt.frac - fmt.width + 12, signed=False)
            delta = _delta(f"d{i + 1}", dense.name, dense.shape, fmt, coarse, relu=True)
            nodes.append(delta)
    return Graph(name="bench", nodes=tuple(nodes))


def _delta(name: str, source: str, shape: tuple[int, ...], in_fmt: Fixed, fmt: Fixed, *, relu: bool) -> Delta:
    return Delta(
        name=name,
        input=source,
        shape=shape,
        in_fmt=in_fmt,
        fmt=fmt,
        activation="relu" if relu else "identity",
        lo=fmt.lo,
        hi=fmt.hi,
    )


def stream(graph: Graph, frames: int, density: float, seed: int = SEED) -> IntArray:
    """Return frames ``[frames, *shape]`` in each of which exactly ``density`` of the elements change."""
    rng = np.random.default_rng(seed)
    fmt, size = graph.source.fmt, graph.source.size
    now = rng.integers(fmt.lo, fmt.hi, size, endpoint=True)
    out = np.empty((frames, size), np.int64)
    for t in range(frames):
        if t:
            where = rng.permutation(size)[: round(density * size)]
            span = fmt.hi - fmt.lo + 1
            now[where] = fmt.lo + (now[where] - fmt.lo + rng.integers(1, span, len(where))) % span
        out[t] = now
    return out.reshape(frames, *graph.source.shape)


def frames_for(density: float) -> int:
    """Frames that take about 100,000 cycles; half of them are warm-up, in which the first, dense frame drains."""
    return int(max(24, min(400, 25 / max(density, 1e-3))))


def measure(skip: RtlSimulator, dense_cycles: float, density: float) -> Row:
    """Run one density on a skipping simulator and compare its outputs with the golden model.

    Raises:
        SimulationError: an output differs.
    """
    graph = skip.graph
    frames = stream(graph, frames_for(density), density)
    trace = Golden(graph).run(frames)
    skip.reset()
    run = skip.run(frames)
    wrong = int((run.outputs != trace.outputs).sum())
    if wrong:
        raise SimulationError("the RTL differs from the golden model", where=graph.name, received=f"{wrong} values")
    steady = len(frames) // 2
    ideal = float(ideal_cycles(graph, activity(graph, trace))[steady - 1 :].mean())
    cycles = float(run.cycles[steady:].mean())
    return Row(
        density=density,
        ideal_cycles=ideal,
        cycles=cycles,
        dense_cycles=dense_cycles,
        efficiency=ideal / cycles,
        dense_ratio=cycles / dense_cycles,
        latency_cycles=float(run.latency[steady:].mean()),
    )


def dense_cycles(graph: Graph, folder: Path) -> float:
    """Return the cycles per frame with skipping off; they do not depend on the frames."""
    with RtlSimulator(graph, folder, skip=False) as simulator:
        return float(simulator.run(stream(graph, 8, 1.0)).cycles[1:].mean())


def table(graph: Graph, folder: Path, densities: tuple[float, ...] = DENSITIES) -> tuple[Row, ...]:
    """Build both tops under ``folder`` and measure every density."""
    dense = dense_cycles(graph, folder)
    with RtlSimulator(graph, folder) as simulator:
        return tuple(measure(simulator, dense, density) for density in densities)


def speed(graph: Graph, folder: Path, *, density: float = 0.1, frames: int = 40) -> Speed:
    """Time the same frames, always offered and always taken, under the harness and under cocotb."""
    codes = stream(graph, frames, density)
    with RtlSimulator(graph, folder) as simulator:
        seconds = []
        for _ in range(3):
            simulator.reset()
            start = time.perf_counter()
            outputs = simulator.run(codes).outputs
            seconds.append(time.perf_counter() - start)
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
                {"Skip": "1'b1"},
                "codesign.sim.bench_cocotb",
                Path(work) / "cocotb",
                files,
                env={"BENCH_JOB": str(job)},
                timeout_s=1200.0,
            )
        return float(json.loads(job.with_suffix(".out").read_text()))


def _pack(lanes: list[int], bits: int) -> int:
    return sum((value & ((1 << bits) - 1)) << (lane * bits) for lane, value in enumerate(lanes))


def lowest_efficiency(rows: tuple[Row, ...]) -> float:
    """Return the lowest skip efficiency over the densities that the target is about."""
    return min(row.efficiency for row in rows if 0.02 <= row.density <= 0.5)


def targets(rows: tuple[Row, ...], rate: Speed) -> tuple[bool, bool, bool]:
    """Say which targets are met: efficiency, never slower than dense, simulation speed."""
    slow = max(row.dense_ratio for row in rows)
    return lowest_efficiency(rows) >= EFFICIENCY_TARGET, slow <= DENSE_RATIO_TARGET, rate.ratio >= SPEED_TARGET


def report(rows: tuple[Row, ...], rate: Speed) -> str:
    """Return the tables as text, with the targets and whether they are met."""
    lines = ["density  ideal  measured  efficiency  dense  measured/dense  latency   (cycles per frame, simulated)"]
    lines += [
        f"{row.density:7.2f} {row.ideal_cycles:6.0f} {row.cycles:9.1f} {row.efficiency:11.3f} {row.dense_cycles:6.0f} "
        f"{row.dense_ratio:15.3f} {row.latency_cycles:8.1f}"
        for row in rows
    ]
    low, slow = lowest_efficiency(rows), max(row.dense_ratio for row in rows)
    good = ["met" if ok else "MISSED" for ok in targets(rows, rate)]
    lines += [
        f"lowest efficiency at densities 0.02 to 0.5: {low:.3f} (target >= {EFFICIENCY_TARGET}: {good[0]})",
        f"slowest against dense: {slow:.3f} (target <= {DENSE_RATIO_TARGET}: {good[1]})",
        f"harness {rate.harness_frames_per_s:.0f} frames/s, cocotb {rate.cocotb_frames_per_s:.1f} frames/s: "
        f"{rate.ratio:.0f} x (target >= {SPEED_TARGET:.0f} x: {good[2]})",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Measure, print the tables and write them as JSON. Returns 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m codesign.sim.bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"), help="build cache (default build/bench)")
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    graph = network()
    rows = table(graph, options.folder)
    rate = speed(graph, options.folder)
    print(report(rows, rate))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        record = {"skip": [asdict(row) for row in rows], "speed": asdict(rate), "seed": SEED}
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    return int(not all(targets(rows, rate)))


if __name__ == "__main__":
    raise SystemExit(main())
