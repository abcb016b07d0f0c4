# SPDX-License-Identifier: Apache-2.0
"""Measure a convolutional network on video: agreement of all four implementations, cycles, speed of the simulation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.area import Areas, measure_areas
from benchmarks.clips import Clip, noise_clip
from benchmarks.still import unchanged_cycles
from codesign.report.model import Mismatches
from codesign.sim import RtlSimulator, Stalls, run_clip
from codesign.verify import forms
from codesign.verify.compare import compare
from codesign.verify.golden_run import run_golden

if TYPE_CHECKING:
    from benchmarks.conv_network import ConvNetwork

STEADY = 10
"""The first frame (number 0) is dense; frames from this one on are measured."""
SOURCE_STALLS, SINK_STALLS = 0.3, 0.3
HOLDS = (None, 1.0)
TIMED_RUNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRow:
    """One clip through one network.

    Attributes:
        name: name of the clip.
        frames: number of its frames; all are compared.
        values: output values compared in each pair.
        mismatches: mismatches of Keras and golden model, golden model and HLS C++, golden model and RTL without stalls.
        mismatches_with_stalls: mismatches of golden model and RTL, with random stalls on both sides.
        density: changed input codes / pixels, mean over steady frames.
        ideal_cycles: ideal cycles, mean over steady frames.
        cycles: measured cycles, mean over steady frames.
        skip_efficiency: ideal / measured.
        speedup: measured dense cycles / measured.
        latency_cycles: cycles from the last input beat to the end of the packet, mean over steady frames.
    """

    name: str
    frames: int
    values: int
    mismatches: Mismatches
    mismatches_with_stalls: int
    density: float
    ideal_cycles: float
    cycles: float
    skip_efficiency: float
    speedup: float
    latency_cycles: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvRun:
    """One network on all clips; cycles are per frame.

    Attributes:
        hold: hold of every delta layer in steps; None: memoryless.
        input_beats: input beats of a frame.
        dense_cycles: cycles of the same sources with skipping off.
        noise_cycles: cycles with skipping, every pixel changing a lot.
        noise_mismatches: values of the noise video in which golden model and RTL differ, skipping off and on.
        unchanged_cycles: cycles of an unchanged frame on its own: first input beat to the end of its packet.
        frames_per_s: frames per second of the C++ harness without stalls, wall time; the best of `TIMED_RUNS` runs over
            all clips.
        frames_per_core_s: the same by processor time (the harness has one thread): what an idle core gives.
        areas: area mapped with skipping and dense.
        clips: one row per clip.
    """

    hold: float | None
    input_beats: int
    dense_cycles: float
    noise_cycles: float
    noise_mismatches: int
    unchanged_cycles: int
    frames_per_s: float
    frames_per_core_s: float
    areas: Areas
    clips: tuple[ClipRow, ...]

    @property
    def noise_ratio(self) -> float:
        """Cycles of the noise video / dense cycles."""
        return self.noise_cycles / self.dense_cycles

    @property
    def latency_share(self) -> float:
        """Mean latency / time of a dense frame."""
        return self.mean("latency_cycles") / self.dense_cycles

    @property
    def throughput_per_lut(self) -> float:
        """Frames per second per LUT over those of the dense baseline at the same clock, mean over clips."""
        return self.mean("speedup") / self.areas.lut_ratio

    @property
    def mismatches(self) -> int:
        """Values that differ in any comparison."""
        clips = sum(row.mismatches.total() + row.mismatches_with_stalls for row in self.clips)
        return clips + self.noise_mismatches

    @property
    def values(self) -> int:
        """Output values of the clips, each compared by every pair."""
        return sum(row.values for row in self.clips)

    def mean(self, figure: str) -> float:
        """Return the mean of a figure of `ClipRow` over clips."""
        return float(np.mean([getattr(row, figure) for row in self.clips]))

    def least(self, figure: str) -> float:
        """Return the least of a figure of `ClipRow` over clips."""
        return float(min(getattr(row, figure) for row in self.clips))


def calibration(clips: Sequence[Clip]) -> NDArray[np.uint8]:
    """Return every twentieth frame of the clips, on which the network's steps are chosen."""
    return np.concatenate([clip.frames[::20] for clip in clips])


def measure(network: ConvNetwork, clips: Sequence[Clip], folder: Path, *, seed: int) -> ConvRun:
    """Run every clip through Keras, golden model, HLS C++ (compiled here) and RTL.

    Args:
        network: network to measure.
        clips: clips, at least one, of more than `STEADY` frames each.
        folder: cache folder for RTL builds.
        seed: seed of the stalls and the noise video.

    Raises:
        ToolNotFoundError: Verilator, g++, make, perl or Yosys is missing.
        SimulationError: a build failed, or the design hung or broke a protocol rule.
        SynthesisError: Yosys failed.
    """
    network.hls.compile()
    noise = noise_clip(seed).frames
    with RtlSimulator(network.graph, folder, skip=False) as simulator:
        dense = run_clip(simulator, noise)
    dense_cycles = float(dense.cycles[2:].mean())
    with RtlSimulator(network.graph, folder) as simulator:
        rows = tuple(
            _row(network, simulator, clip, dense_cycles, folder=folder / "verify", seed=seed + n)
            for n, clip in enumerate(clips)
        )
        noisy = run_clip(simulator, noise)
        unchanged = unchanged_cycles(simulator, clips[0].frames[:1])
        speeds = [_speed(simulator, clips) for _ in range(TIMED_RUNS)]
    expected = run_golden(network.graph, noise[None]).outputs
    wrong = [compare("golden_rtl", expected, run.outputs[None]).mismatches for run in (dense, noisy)]
    return ConvRun(
        hold=network.hold,
        input_beats=network.graph.source.beats,
        dense_cycles=dense_cycles,
        noise_cycles=float(noisy.cycles[2:].mean()),
        noise_mismatches=sum(wrong),
        unchanged_cycles=unchanged,
        frames_per_s=max(wall for wall, _ in speeds),
        frames_per_core_s=max(core for _, core in speeds),
        areas=measure_areas(network.graph, folder / "area" / network.graph.name),
        clips=rows,
    )


def _row(
    network: ConvNetwork, simulator: RtlSimulator, clip: Clip, dense_cycles: float, *, folder: Path, seed: int
) -> ClipRow:
    found = forms.run(network.graph, clip.frames[None], cache=folder, keras=network.model, hls=network.hls)
    stalls = Stalls(seed=seed, source_probability=SOURCE_STALLS, sink_probability=SINK_STALLS)
    stalled = run_clip(simulator, clip.frames, stalls=stalls).outputs[None]
    ideal = float(found.golden.ideal[STEADY - 1 :].mean())  # the first frame is not in it
    cycles = float(found.rtl.cycles[0, STEADY:].mean())
    return ClipRow(
        name=clip.name,
        frames=len(clip.frames),
        values=found.golden.outputs.size,
        mismatches=Mismatches(**{item.pair: item.mismatches for item in found.comparisons}),
        mismatches_with_stalls=compare("golden_rtl", found.golden.outputs, stalled).mismatches,
        density=float(found.golden.layers[0].density[STEADY - 1 :].mean()),
        ideal_cycles=ideal,
        cycles=cycles,
        skip_efficiency=ideal / cycles,
        speedup=dense_cycles / cycles,
        latency_cycles=float(found.rtl.latency[0, STEADY:].mean()),
    )


def _speed(simulator: RtlSimulator, clips: Sequence[Clip]) -> tuple[float, float]:
    """Return frames per second over all clips, beats always offered and always taken: wall and processor time."""
    wall, core = time.perf_counter(), time.process_time()
    for clip in clips:
        simulator.reset()
        simulator.run(clip.frames)
    wall, core = time.perf_counter() - wall, time.process_time() - core
    frames = sum(len(clip.frames) for clip in clips)
    return frames / wall, frames / core
