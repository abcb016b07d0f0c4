# SPDX-License-Identifier: Apache-2.0
"""The figures of the bench as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.conv import ConvRun
from benchmarks.record import Measured
from benchmarks.targets import Target, hold_words
from benchmarks.unrolled_tables import unrolled_tables
from codesign.report.document import table

CLIP_COLUMNS = ("clip", "frames", "density", "ideal", "measured", "skip efficiency", "speed-up", "latency")


def tables(measured: Measured) -> dict[str, str]:
    """Return every part of the document that is made from figures, by name."""
    return {
        "origin": _origin(measured),
        "dense": _dense(measured),
        "dense targets": _targets(measured.dense_targets()),
        "conv": _conv(measured.conv),
        "conv targets": _targets(measured.conv_targets()),
        "clips": "\n\n".join(_clips(run) for run in measured.conv),
        "video": measured.video,
        **unrolled_tables(measured.unrolled),
    }


def _origin(measured: Measured) -> str:
    place = measured.origin
    tools = ", ".join(f"{name} {number or 'unknown'}" for name, number in place.tools.items())
    return (
        f"`{measured.command}`, commit {place.commit or 'unknown'}, seed {measured.seed}.\n"
        f"Machine: {place.cpu or 'unknown processor'}, {place.cores} cores, load {place.load:g} before it;\n{tools}."
    )


def _dense(measured: Measured) -> str:
    head = ("input density", "ideal cycles", "measured", "skip efficiency", "measured / dense", "latency")
    rows = [
        (
            f"{row.density:g}",
            f"{row.ideal_cycles:.0f}",
            f"{row.cycles:.1f}",
            f"{row.efficiency:.3f}",
            f"{row.dense_ratio:.3f}",
            f"{row.latency_cycles:.1f}",
        )
        for row in measured.rows
    ]
    rate = measured.speed
    return (
        f"{table(head, rows)}\n\n"
        f"An unchanged frame on its own takes {measured.unchanged} cycles, {measured.beats} of them input beats. "
        f"Simulation: {rate.harness_frames_per_s:,.0f}\nframes/s of processor time by the C++ harness against "
        f"{rate.cocotb_frames_per_s:.1f} by cocotb on the same top with only its\nports visible, "
        f"{rate.ratio:.0f} times faster."
    )


def _conv(runs: Sequence[ConvRun]) -> str:
    figures = (
        ("output values compared in each pair", [f"{run.values:,}" for run in runs]),
        ("mismatches", [str(run.mismatches) for run in runs]),
        ("skip efficiency, mean (least)", [_mean_least(run, "skip_efficiency", 3) for run in runs]),
        ("speed-up over dense, mean (least)", [_mean_least(run, "speedup", 1) for run in runs]),
        ("dense, cycles", [f"{run.dense_cycles:,.0f}" for run in runs]),
        ("noise video, cycles (share of dense)", [f"{run.noise_cycles:,.0f} ({run.noise_ratio:.2f})" for run in runs]),
        ("unchanged frame on its own, cycles", [str(run.unchanged_cycles) for run in runs]),
        (
            "latency, cycles (share of a dense frame)",
            [f"{run.mean('latency_cycles'):.0f} ({100 * run.latency_share:.1f} %)" for run in runs],
        ),
        (
            "simulated frames/s of processor time (wall time)",
            [f"{run.frames_per_core_s:.0f} ({run.frames_per_s:.0f})" for run in runs],
        ),
        ("LUTs on ECP5, not routed: skipping / dense", [_luts(run) for run in runs]),
        ("frames/s per LUT over dense, same clock", [f"{run.throughput_per_lut:.1f}" for run in runs]),
    )
    head = ("per frame", *(hold_words(run.hold) for run in runs))
    return table(head, [(name, *values) for name, values in figures])


def _luts(run: ConvRun) -> str:
    return f"{run.areas.skipping.lut:,} / {run.areas.dense.lut:,} = {run.areas.lut_ratio:.3f}"


def _mean_least(run: ConvRun, figure: str, digits: int) -> str:
    return f"{run.mean(figure):.{digits}f} ({run.least(figure):.{digits}f})"


def _clips(run: ConvRun) -> str:
    rows = [
        (
            row.name,
            str(row.frames),
            f"{row.density:.3f}",
            f"{row.ideal_cycles:.0f}",
            f"{row.cycles:.1f}",
            f"{row.skip_efficiency:.3f}",
            f"{row.speedup:.1f}",
            f"{row.latency_cycles:.0f}",
        )
        for row in run.clips
    ]
    kind = hold_words(run.hold)
    return f"{kind[0].upper()}{kind[1:]}:\n\n{table(CLIP_COLUMNS, rows)}"


def _targets(targets: Sequence[Target]) -> str:
    rows = [
        (
            target.figure,
            f"{target.bound} {target.limit:g}",
            f"{target.value:,.4g}" if target.value < 100 else f"{target.value:,.0f}",
            "met" if target.met else "**MISSED**",
        )
        for target in targets
    ]
    return table(("target", "limit", "measured", ""), rows)
