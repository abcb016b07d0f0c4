# SPDX-License-Identifier: Apache-2.0
"""Figures as people read them. Unknown is a dash."""

from __future__ import annotations

import math
from collections.abc import Sequence

from codesign.graph.balance import cure, wider_input
from codesign.report.core_use import CoreUse
from codesign.report.model import Number, Origin, Report, input_scan

DASH = "\N{EN DASH}"
NOT_ROUTED = "not routed"
"""In place of a figure that a build has once it is placed and routed."""
INPUT_SCAN = "input scan"
"""Name in reports of the unit that compares input beats with what was last sent."""
TIMES = "\N{MULTIPLICATION SIGN}"
KINDS = {"estimate": "estimate", "synth": "synthesis", "route": "place and route"}

ORIGIN_WORDS: dict[Origin, str] = {
    "simulated": "Run on the clip or the test split: Keras, golden model, HLS C++ and Verilated RTL",
    "synthesised": "Counted by a synthesis tool in the netlist it made",
    "routed": "From a netlist that was placed and routed",
    "estimated": "From a model of the hardware, not from running or building it",
    "counted": "Exact from the shapes and formats of the network",
    "given": "Set in the design's TOML",
}
FIGURES = {
    "accuracy": "accuracy",
    "agreement": "agreement",
    "layers.density": "density, sparsity and events",
    "layers.cycles_per_frame": "cycles of each layer",
    "layers.ideal_cycles_per_frame": "ideal cycles",
    "throughput.bound_cycles_per_frame": "bound of the cycles",
    "network": "shapes, engines and weights of the network",
    "layers.macs_per_frame": "MACs, weight and state bits",
    "throughput.cycles_per_frame": "cycles per frame, dense and skipping",
    "throughput.latency_cycles": "latency",
    "throughput.estimated_cycles_per_frame": "predicted cycles of layers and frames",
    "memories": "memory bits",
    "fits": "boards whose memory it fits",
    "throughput.clock_mhz": "clock and frames per second",
    "resources.synth": "resources after synthesis",
    "resources.route": "resources and Fmax after place and route",
    "resources.estimate": "resource estimates",
    "boards.synthesised": "cells on boards that are not routed yet",
    "boards.routed": "cells, clock and frames per second on boards",
    "energy": "energy",
    "hls.cycles_per_frame": "cycles per frame of the HLS C++",
    "layers.hls_cycles_per_frame": "cycles of each of its layers",
}


def count(value: Number) -> str:
    """Return a count: thousands separated; one decimal below 100 if it has any."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if value >= 100 or float(value).is_integer() else f"{value:,.1f}"


def decimal(value: Number) -> str:
    """Return a number with one decimal."""
    return DASH if value is None else f"{value:,.1f}"


def percent(value: Number) -> str:
    """Return a share of 1 in percent with one decimal."""
    return DASH if value is None else f"{100 * value:.1f} %"


def times(value: Number) -> str:
    """Return a ratio."""
    return DASH if value is None else f"{value:.1f}{TIMES}" if value < 100 else f"{value:,.0f}{TIMES}"


def quotient(value: Number, by: Number) -> str:
    """Return ``value / by`` as a factor, ``1/40`` where it is small; a dash if it is unknown."""
    if value is None or not by:
        return DASH
    factor = value / by
    if 0 < factor < 0.1:
        return f"1/{1 / factor:,.1f}"
    return f"{factor:.2f}{TIMES}" if factor < 10 else times(factor)


def used(value: Number, share: Number) -> str:
    """Return a count of cells with its share of the device."""
    return count(value) if share is None else f"{count(value)} ({percent(share)})"


def kbit(bits: Number) -> Number:
    """Return bits as kbit."""
    return None if bits is None else bits / 1024


def significant(value: Number) -> str:
    """Return a number with three significant digits, thousands separated, never in powers of ten."""
    if value is None:
        return DASH
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 - math.floor(math.log10(abs(value)))}f}"


def unit(report: Report, name: str | None) -> str:
    """Return what people read for a unit: `INPUT_SCAN` for the one with the name of the first delta layer."""
    return "unknown" if name is None else INPUT_SCAN if name == input_scan(report) else name


def what_helps(report: Report) -> str | None:
    """Return what makes the busiest unit faster; None if that is not known, as of reports of version 0.1."""
    name = report.throughput.bottleneck_layer
    found = next((item for item in report.network if item.name == name), None)
    if found is None:
        return None
    if name == input_scan(report):
        lanes = report.network[0].lanes
        return None if lanes is None else wider_input(lanes)
    if found.pe is None or not found.shape:
        return None
    unroll = (found.unroll[0], found.unroll[1]) if found.unroll else (1, 1)
    most = unroll
    if found.kernel and found.stride:
        rows, columns = (
            min(-(-kernel // stride), size)
            for kernel, stride, size in zip(found.kernel, found.stride, found.shape, strict=False)
        )
        most = (rows, columns)
    channelwise = found.kind not in ("dense", "conv")
    return cure(pe=found.pe, outputs=found.shape[-1], unroll=unroll, most=most, channelwise=channelwise)


def energy_unit(reports: Sequence[Report]) -> tuple[str, float]:
    """Return the unit of energy for all of these reports, by the largest of their figures, and how many nJ it is."""
    most = max((report.energy.dense.total for report in reports if report.energy), default=1.0)
    return next((unit for unit in (("pJ", 1e-3), ("nJ", 1.0), ("µJ", 1e3)) if most < 1e3 * unit[1]), ("mJ", 1e6))


def joules(nanojoules: Number, of: tuple[str, float]) -> str:
    """Return an energy in a unit of `energy_unit`, without its name."""
    if nanojoules is None:
        return DASH
    value = nanojoules / of[1]
    return count(value) if float(value).is_integer() else significant(value)


def chance(report: Report) -> str:
    """Return what an accuracy is to be compared with: the clips it is a share of, and the best constant answer."""
    parts = (
        None if report.accuracy.clips is None else f"{count(report.accuracy.clips)} test clips",
        None if report.accuracy.majority is None else f"one constant answer {percent(report.accuracy.majority)}",
    )
    return ", ".join(part for part in parts if part)


def how_to_rate(report: Report) -> str:
    """Return what to run for the frames per second of a design that has no clock yet."""
    if report.core is not None:
        return "frames/s: [report] clock_mhz, that of a core from codesign build --core, or [synth] route = true"
    return (
        f"frames/s: codesign build build/{report.design.partition(':')[0]} --target ulx3s-85f, or [synth] route = true"
    )


def core_model(report: Report, core: CoreUse) -> str:
    """Return what the model of a core gives beside what was simulated: cycles, and bytes of an external memory."""
    speed = report.throughput
    parts = [_beside("cycles", speed.estimated_cycles_per_frame, core.cycles_per_frame)]
    if core.bytes_per_frame is not None:
        parts.append(_beside("bytes to and from the memory", core.estimated_bytes_per_frame, core.bytes_per_frame))
    return f"{'; '.join(parts)} per frame"


def _beside(what: str, model: float | None, simulated: float | None) -> str:
    off = f", {model / simulated - 1:+.1%}" if model is not None and simulated else ""
    return f"{count(model)} {what} ({count(simulated)} simulated{off})"


def made_with(report: Report) -> str:
    """Return what the report was made with, as far as it is known."""
    made = report.made
    parts = (
        made.command,
        None if made.seed is None else f"seed {made.seed}",
        None if made.version is None else f"codesign {made.version}",
        None if made.commit is None else f"commit {made.commit}",
        made.date,
    )
    return ", ".join(part for part in parts if part)


def origin_figures(report: Report) -> list[tuple[Origin, str]]:
    """Return for each origin that occurs the figures got that way, in words."""
    groups: dict[Origin, list[str]] = {}
    for key, origin in report.origins.items():
        groups.setdefault(origin, []).append(FIGURES.get(key, key))
    return [(origin, _sentence(", ".join(groups[origin]))) for origin in ORIGIN_WORDS if origin in groups]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
