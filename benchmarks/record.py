# SPDX-License-Identifier: Apache-2.0
"""All that one run measured, and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import clips, conv, conv_network
from benchmarks.conv import ConvRun
from benchmarks.dense import Row
from benchmarks.origin import Origin
from benchmarks.speed import Speed
from benchmarks.targets import Target, conv_targets, dense_targets
from benchmarks.unrolled import Versus, settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run of the bench found.

    Attributes:
        command: the command that was run.
        origin: machine, commit and versions.
        video: what the convolutional network saw.
        seed: seed of weights, streams and stalls.
        rows: rows of the dense network, by density.
        beats: input beats of the dense network.
        unchanged: cycles of an unchanged frame through the dense network.
        speed: speed of the simulation.
        conv: the convolutional network, for each hold.
        unrolled: dense layers unrolled by da4ml, and as event engines.
    """

    command: str
    origin: Origin
    video: str
    seed: int
    rows: tuple[Row, ...]
    beats: int
    unchanged: int
    speed: Speed
    conv: tuple[ConvRun, ...]
    unrolled: tuple[Versus, ...] = ()

    def dense_targets(self) -> tuple[Target, ...]:
        """Return the targets of the dense network."""
        return dense_targets(self.rows, self.unchanged, self.beats, self.speed)

    def conv_targets(self) -> tuple[Target, ...]:
        """Return the targets of the convolutional network."""
        return conv_targets(self.conv)

    def met(self) -> bool:
        """Whether every target is met."""
        return all(target.met for target in (*self.dense_targets(), *self.conv_targets()))


def write_json(measured: Measured, path: Path) -> None:
    """Write every figure with the settings it was measured at; cycles are per frame."""
    record = {
        "command": measured.command,
        "origin": asdict(measured.origin),
        "seed": measured.seed,
        "dense": {
            "settings": {"network": [1024, 64, 32, 10], "input_codes_a_beat": conv_network.LANES, "pe": [16, 16, 10]},
            "densities": [asdict(row) for row in measured.rows],
            "input_beats": measured.beats,
            "unchanged_cycles": measured.unchanged,
            "simulation": asdict(measured.speed),
            "targets": _targets(measured.dense_targets()),
        },
        "conv": {
            "settings": _conv_settings(measured),
            "networks": [_network(run) for run in measured.conv],
            "targets": _targets(measured.conv_targets()),
        },
        "unrolled": {"settings": settings(), "layers": [asdict(row) for row in measured.unrolled]},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _conv_settings(measured: Measured) -> dict[str, Any]:
    return {
        "video": measured.video,
        "frame": [clips.SIDE, clips.SIDE, 1],
        "most_frames_of_a_clip": clips.FRAMES,
        "first_measured_frame": conv.STEADY,
        "convolutions": {"channels": conv_network.CHANNELS, "kernel": 3, "stride": 2, "pe": conv_network.CHANNELS},
        "dense_layer": {"outputs": conv_network.OUTPUTS, "pe": conv_network.OUTPUTS},
        "code_bits": conv_network.CODE_BITS,
        "weight_bits": conv_network.WEIGHT_BITS,
        "input_codes_a_beat": conv_network.LANES,
        "stall_probability": {"source": conv.SOURCE_STALLS, "sink": conv.SINK_STALLS},
    }


def _network(run: ConvRun) -> dict[str, Any]:
    summary = {
        "values": run.values,
        "mismatches": run.mismatches,
        "skip_efficiency": {"mean": run.mean("skip_efficiency"), "least": run.least("skip_efficiency")},
        "speedup": {"mean": run.mean("speedup"), "least": run.least("speedup")},
        "noise_ratio": run.noise_ratio,
        "latency_cycles": run.mean("latency_cycles"),
        "latency_share": run.latency_share,
        "lut_ratio": run.areas.lut_ratio,
        "throughput_per_lut": run.throughput_per_lut,
    }
    return {**asdict(run), "summary": summary}


def _targets(targets: tuple[Target, ...]) -> list[dict[str, Any]]:
    return [{**asdict(target), "met": target.met} for target in targets]
