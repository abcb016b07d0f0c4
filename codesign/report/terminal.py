# SPDX-License-Identifier: Apache-2.0
"""The report as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from codesign.report import against, tables
from codesign.report.boards import headline, pairs
from codesign.report.model import Report, operation_sparsity
from codesign.report.sheet import terminal
from codesign.report.words import (
    chance,
    core_model,
    count,
    decimal,
    energy_unit,
    how_to_rate,
    joules,
    made_with,
    percent,
    times,
    unit,
    what_helps,
)


def show(report: Report, console: Console) -> None:
    """Print the report."""
    console.print(Text(report.design, style="bold"))
    for item in (_headlines(report), *_layers(report), *_resources(report), *_boards(report)):
        console.print(item)
    show_notes(tuple(against.notes(report)) if report.boards else (), console)


def show_notes(notes: Sequence[str], console: Console) -> None:
    """Print the notes below a table."""
    for note in notes:
        console.print(Text(note, style="dim"))


def _headlines(report: Report) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    speed, agreement = report.throughput, report.agreement
    for name, value in (
        ("accuracy", _accuracy(report)),
        ("MACs skipped", percent(operation_sparsity(report))),
        (
            "cycles per frame",
            f"{count(speed.cycles_per_frame.mean)} mean, {count(speed.cycles_per_frame.p95)} p95, "
            f"{count(speed.cycles_per_frame.max)} max; dense {count(speed.dense_cycles_per_frame)}",
        ),
        *_hls(report),
        ("speed-up", f"{times(speed.speedup)} over dense"),
        *_efficiency(report),
        ("latency", f"{count(speed.latency_cycles)} cycles"),
        ("throughput", _throughput(report)),
        *_energy(report),
        ("mismatches", _mismatches(report)),
        ("compared", f"{count(agreement.values)} output values of {count(agreement.frames)} frames"),
        *([("made with", made_with(report))] if made_with(report) else []),
    ):
        table.add_row(name, Text(value))  # not as markup: it may have brackets
    return table


def _hls(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the cycles of the HLS project, if it was run."""
    if report.hls is not None:
        spread = report.hls.cycles_per_frame
        yield (
            "cycles of the HLS",
            f"{count(spread.mean)} mean, {count(spread.p95)} p95, {count(spread.max)} max; {report.hls.words()}",
        )


def _accuracy(report: Report) -> str:
    accuracy = report.accuracy
    parts = (f"float {percent(accuracy.float)}, quantised {percent(accuracy.quantized)}", chance(report))
    return f"{percent(accuracy.delta)}  ({'; '.join(part for part in parts if part)})"


def _efficiency(report: Report) -> Iterator[tuple[str, str]]:
    """Yield how close the cycles are to their bound, and the figure that takes each frame by itself."""
    speed = report.throughput
    busiest = unit(report, speed.bottleneck_layer)
    if report.core is not None:
        yield (
            "core",
            f"{report.core.lanes} lanes, which add in {percent(report.core.busy)} of the cycles; most: {busiest}",
        )
        yield "cycle model", core_model(report, report.core)
        return
    least, ideal = count(speed.bound_cycles_per_frame), count(speed.ideal_cycles_per_frame)
    yield "efficiency", f"{percent(speed.bound_efficiency)} (bound {least} cycles per frame; busiest unit {busiest})"
    helps = what_helps(report)
    if helps is not None:
        yield "bottleneck", f"{busiest}: {helps}"
    yield (
        "skip efficiency",
        f"{percent(speed.skip_efficiency)} (ideal {ideal} cycles, frame by frame: no bound, as frames overlap)",
    )


def _throughput(report: Report) -> str:
    """Return frames/s on the board that a summary names, else at the clock of the report."""
    pair = headline(report.boards)
    if pair and pair.skipping:
        rate, clock = pair.skipping.frames_per_second, pair.skipping.build.fmax_mhz
        rates = f"{count(rate.mean)} frames/s mean, {count(rate.worst)} worst"
        fault = "" if pair.skipping.fault is None else f", where it {pair.skipping.fault}"
        return f"{rates}, at {decimal(clock)} MHz routed for {pair.target}{fault}"
    speed = report.throughput
    if speed.frames_per_second is None:
        return f"{count(speed.cycles_per_frame.mean)} cycles per frame ({how_to_rate(report)})"
    return f"{count(speed.frames_per_second)} frames/s at {decimal(speed.clock_mhz)} MHz"


def _energy(report: Report) -> Iterator[tuple[str, str]]:
    energy = report.energy
    if energy is not None:
        of = energy_unit([report])
        skipping, dense = joules(energy.skipping.total, of), joules(energy.dense.total, of)
        yield "energy", f"{skipping} {of[0]} per frame, dense {dense}; an estimate of arithmetic and memories"


def _mismatches(report: Report) -> str:
    found = report.agreement.mismatches
    pairs = (
        ("Keras", found.keras_golden),
        ("csim", found.golden_csim),
        ("RTL", found.golden_rtl),
        ("compiled HLS", found.golden_hls),
    )
    return ", ".join(f"{name} {count(number)}" for name, number in pairs) + " (against golden)"


def _layers(report: Report) -> Iterator[RenderableType]:
    if report.layers:
        yield terminal(tables.layers(report, more=False))


def _resources(report: Report) -> Iterator[RenderableType]:
    if report.resources:
        yield terminal(tables.resources(report))


def _boards(report: Report) -> Iterator[RenderableType]:
    """Show dense beside skipping, and the parts of each build."""
    if not report.boards:
        return
    yield terminal(against.sheet(report))
    for pair in pairs(report.boards):
        if any(item is not None and item.build.layers for item in (pair.skipping, pair.dense)):
            sheet = against.layers(report, pair)
            yield Text(sheet.title)
            yield terminal(sheet)
