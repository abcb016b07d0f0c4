# SPDX-License-Identifier: Apache-2.0
"""Skipping beside dense, on the same target: the table for a paper, and the one of the layers."""

from __future__ import annotations

from collections.abc import Iterator

from codesign.report.board_figures import FIGURES
from codesign.report.boards import Pair, pairs
from codesign.report.model import Report, operation_sparsity
from codesign.report.sheet import Group, Sheet, known
from codesign.report.words import (
    DASH,
    chance,
    count,
    decimal,
    energy_unit,
    how_to_rate,
    joules,
    kbit,
    percent,
    quotient,
    unit,
)
from codesign.synth.record import Area, LayerArea

HEAD = ("", "dense", "skipping", "skipping / dense")


def sheet(report: Report) -> Sheet:
    """Return the network and every target it was built for, dense and skipping in adjacent columns."""
    built = pairs(report.boards)
    groups = [Group(title="Network, on the measured clips", rows=known(_network(report))), *map(_target, built)]
    return Sheet(
        title=f"{report.design}: skipping what did not change, against the same engines computing every frame in full.",
        head=HEAD,
        groups=tuple(groups),
        notes=tuple(notes(report)),
    )


def layers(report: Report, pair: Pair) -> Sheet:
    """Return what each part of the design takes on one target."""
    skipping = {item.name: item for item in pair.skipping.build.layers} if pair.skipping else {}
    dense = {item.name: item for item in pair.dense.build.layers} if pair.dense else {}
    whole = (pair.skipping.build.used if pair.skipping else None, pair.dense.build.used if pair.dense else None)
    names = dict.fromkeys([*skipping, *dense])
    parts = tuple(_layer(unit(report, name), skipping.get(name), dense.get(name)) for name in names)
    return Sheet(
        title=f"Cells of each part on {pair.target}.",
        head=("", "LUT", "FF", "DSP", "BRAM kbit", "dense LUT", "LUT, skipping / dense"),
        groups=(Group(title="", rows=parts), Group(title="", rows=(_layer("whole", *whole),))),
    )


def notes(report: Report) -> Iterator[str]:
    """Yield where the figures come from, and what is missing."""
    if report.clips is not None:
        clips = report.clips
        yield (
            f"Cycles: simulated RTL, {count(clips.count)} clip{'s' * (clips.count != 1)} of {count(clips.frames)} "
            f"frames ({clips.source}), the first frame of each left out. Outputs of both columns are the same bits."
        )
    if chance(report):
        yield f"Accuracy: {chance(report)}."
    if not report.boards and report.throughput.frames_per_second is None:
        yield f"No clock is known; {how_to_rate(report)}."
    for item in report.boards:
        if item.build.problem:
            yield f"{item.build.folder}: {item.build.problem}"
        elif item.build.met is False:
            yield (
                f"{item.build.folder} misses its clock: {decimal(item.build.fmax_mhz)} MHz routed, "
                f"{decimal(item.build.clock_mhz)} MHz asked for."
            )
        if item.build.kind != "route":
            yield f"{item.build.folder} is not routed: its cells are those of synthesis and its clock is unknown."
    if report.boards:
        yield "Frames/s: routed Fmax / cycles per frame, of the core; the link that brings the frames may be slower."
        yield from _serial(report)
    if report.energy is not None:
        yield (
            f"Energy is an estimate, not a measurement: {report.energy.source}; arithmetic and memory accesses only, "
            "no clock tree, control, routing or leakage."
        )


def _serial(report: Report) -> Iterator[str]:
    """Yield what the rates over serial ports are made of, a sentence for each kind of line."""
    lines: dict[tuple[int | None, ...], dict[str, None]] = {}
    for item in report.boards:
        build = item.build
        if item.frames_per_second_over_serial is not None:
            lines.setdefault((build.baud, build.frame_bytes, build.result_bytes), {})[build.target] = None
    for (baud, frame, result), targets in lines.items():
        yield (
            f"Frames/s over the serial port of {', '.join(targets)}, the most that a host sees: {count(baud)} baud, "
            f"10 bits per byte; a frame travels as {count(frame)} bytes, is computed (mean cycles at the clock of the "
            f"build), and its result travels as {count(result)} bytes, one after the other; escaped bytes and the "
            "host's own time come on top."
        )


def _network(report: Report) -> tuple[tuple[str, ...], ...]:
    speed, energy = report.throughput, report.energy
    macs, skipped = sum(layer.macs_per_frame for layer in report.layers) or None, operation_sparsity(report)
    done = None if macs is None or skipped is None else macs * (1 - skipped)
    dense, now = speed.dense_cycles_spread, speed.cycles_per_frame
    return (
        ("accuracy", percent(report.accuracy.delta), percent(report.accuracy.delta), DASH),
        _row("MACs per frame", macs, done),
        _row("cycles per frame, mean", speed.dense_cycles_per_frame, now.mean),
        _row("cycles per frame, 95th percentile", dense.p95, now.p95),
        _row("cycles per frame, most", dense.max, now.max),
        *([] if energy is None else [_energy(energy.dense.total, energy.skipping.total, energy_unit([report]))]),
    )


def _energy(dense: float, skipping: float, of: tuple[str, float]) -> tuple[str, ...]:
    name = f"energy per frame, {of[0]} (estimate)"
    return name, joules(dense, of), joules(skipping, of), quotient(skipping, dense)


def _target(pair: Pair) -> Group:
    """Return the rows of one target of which something is known."""
    dense, skipping = pair.dense, pair.skipping
    rows = ((item.name, item.text(dense), item.text(skipping), item.over(skipping, dense)) for item in FIGURES)
    return Group(title=pair.target, rows=known(rows))


def _row(name: str, dense: float | None, skipping: float | None) -> tuple[str, ...]:
    return name, count(dense), count(skipping), quotient(skipping, dense)


def _layer(name: str, skipping: LayerArea | Area | None, dense: LayerArea | Area | None) -> tuple[str, ...]:
    now, full = skipping or Area(), dense.lut if dense else None
    cells = (count(now.lut), count(now.ff), count(now.dsp), count(kbit(now.bram_bits)))
    return name, *cells, count(full), quotient(now.lut, full)
