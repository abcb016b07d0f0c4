# SPDX-License-Identifier: Apache-2.0
"""The report as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from codesign.report import against
from codesign.report.boards import headline, pairs
from codesign.report.model import Report, operation_sparsity
from codesign.report.sheet import terminal
from codesign.report.words import count, decimal, percent, times


def show(report: Report, console: Console) -> None:
    """Print the report."""
    console.print(Text(report.design, style="bold"))
    for item in (_headlines(report), *_layers(report), *_resources(report), *_boards(report)):
        console.print(item)
    show_notes(tuple(against.notes(report)) if report.boards else (), console)


def show_notes(notes: Sequence[str], console: Console) -> None:
    """Print what has to be said below a table."""
    for note in notes:
        console.print(Text(note, style="dim"))


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)


def _headlines(report: Report) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    speed, agreement, accuracy = report.throughput, report.agreement, report.accuracy
    for name, value in (
        (
            "accuracy",
            f"{percent(accuracy.delta)}  (float {percent(accuracy.float)}, quantised {percent(accuracy.quantized)})",
        ),
        ("MACs skipped", percent(operation_sparsity(report))),
        (
            "cycles per frame",
            f"{count(speed.cycles_per_frame.mean)} mean, {count(speed.cycles_per_frame.p95)} p95, "
            f"{count(speed.cycles_per_frame.max)} max; dense {count(speed.dense_cycles_per_frame)}",
        ),
        ("speed-up", f"{times(speed.speedup)} over dense"),
        (
            "skip efficiency",
            f"{percent(speed.skip_efficiency)} (ideal {count(speed.ideal_cycles_per_frame)} cycles; "
            f"bottleneck {speed.bottleneck_layer or 'unknown'})",
        ),
        ("latency", f"{count(speed.latency_cycles)} cycles"),
        ("throughput", _throughput(report)),
        *_energy(report),
        ("mismatches", _mismatches(report)),
        ("compared", f"{count(agreement.values)} output values of {count(agreement.frames)} frames"),
    ):
        table.add_row(name, value)
    return table


def _throughput(report: Report) -> str:
    """Return frames/s on the board that a summary names, else at the clock of the report."""
    pair = headline(report.boards)
    if pair and pair.skipping:
        rate, clock = pair.skipping.frames_per_second, pair.skipping.build.fmax_mhz
        rates = f"{count(rate.mean)} frames/s mean, {count(rate.worst)} worst"
        fault = "" if pair.skipping.fault is None else f", where it {pair.skipping.fault}"
        return f"{rates}, at {decimal(clock)} MHz routed for {pair.target}{fault}"
    speed = report.throughput
    return f"{count(speed.frames_per_second)} frames/s at {decimal(speed.clock_mhz)} MHz"


def _energy(report: Report) -> Iterator[tuple[str, str]]:
    energy = report.energy
    if energy is not None:
        skipping, dense = count(energy.skipping.total), count(energy.dense.total)
        yield "energy", f"{skipping} nJ a frame, dense {dense}; an estimate of arithmetic and memories"


def _mismatches(report: Report) -> str:
    found = report.agreement.mismatches
    pairs = (("Keras", found.keras_golden), ("csim", found.golden_csim), ("RTL", found.golden_rtl))
    return ", ".join(f"{name} {count(number)}" for name, number in pairs) + " (against golden)"


def _layers(report: Report) -> Iterator[RenderableType]:
    if not report.layers:
        return
    table = _table()
    table.add_column("layer")
    for name in ("MACs", "density", "op. sparsity", "spatial", "events", "cycles", "ideal"):
        table.add_column(name, justify="right")
    for layer in report.layers:
        table.add_row(
            layer.name,
            count(layer.macs_per_frame),
            percent(layer.density.mean),
            percent(layer.operation_sparsity),
            percent(layer.spatial_sparsity),
            count(layer.events_per_frame),
            count(layer.cycles_per_frame),
            count(layer.ideal_cycles_per_frame),
        )
    yield table


def _resources(report: Report) -> Iterator[RenderableType]:
    if not report.resources:
        return
    table = _table()
    for name in ("target", "kind", "tool"):
        table.add_column(name)
    for name in ("LUT", "FF", "DSP", "BRAM kbit", "Fmax MHz"):
        table.add_column(name, justify="right")
    for item in report.resources:
        table.add_row(
            item.target,
            item.kind,
            f"{item.tool} {item.tool_version or ''}".strip(),
            count(item.lut),
            count(item.ff),
            count(item.dsp),
            count(None if item.bram_bits is None else item.bram_bits / 1024),
            decimal(item.fmax_mhz),
        )
    yield table


def _boards(report: Report) -> Iterator[RenderableType]:
    """Show dense beside skipping, and the parts of each build."""
    if not report.boards:
        return
    yield terminal(against.sheet(report))
    for pair in pairs(report.boards):
        if any(item is not None and item.build.layers for item in (pair.skipping, pair.dense)):
            sheet = against.layers(pair)
            yield Text(sheet.title)
            yield terminal(sheet)
