# SPDX-License-Identifier: Apache-2.0
"""What ``codesign stream`` shows: a table that changes on a terminal, one line per refresh anywhere else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
from rich import box
from rich.console import Console, Group
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from codesign.host.stream import Live, Summary
from codesign.report.words import count, decimal, percent


@contextlib.contextmanager
def display(console: Console, design: str) -> Iterator[Callable[[Live], None]]:
    """Yield what shows a `Live`; on a terminal the table stays where it is and its last state remains."""
    if not console.is_terminal:
        yield lambda live: console.print(line(live), markup=False)
        return
    with Screen(console=console, auto_refresh=False) as screen:
        yield lambda live: screen.update(table(live, design), refresh=True)


def line(live: Live) -> str:
    """Return one line of text."""
    checked = "" if live.mismatches is None else f", {count(live.mismatches)} mismatches"
    return (
        f"frame {count(live.frames)}: {answer(live)}, {decimal(live.frames_per_second)} frames/s, "
        f"{count(live.cycles)} cycles per frame, {percent(live.operation_sparsity)} of MACs skipped{checked}"
    )


def answer(live: Live) -> str:
    """Return the class of the mean result, and how far it is ahead; the value itself where there is only one."""
    if live.values.size == 1:
        return f"output {live.values[0]:.1f}"
    best, second = np.argsort(live.values)[-2:][::-1]
    return f"class {best} (ahead of {second} by {live.values[best] - live.values[second]:.1f})"


def table(live: Live, design: str) -> Group:
    """Return the screen."""
    head = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in (
        ("result", answer(live)),
        ("frames", f"{count(live.frames)} in {live.seconds:.0f} s, now {decimal(live.frames_per_second)} per second"),
        ("cycles per frame", count(live.cycles)),
        ("MACs skipped", percent(live.operation_sparsity)),
        ("mismatches", "not compared (--check)" if live.mismatches is None else count(live.mismatches)),
        ("link", f"{count(live.repeated)} repeated, {count(live.reconnections)} reconnections"),
    ):
        head.add_row(name, value)
    layers = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("layer", "changed", "events per frame"):
        layers.add_column(name, justify="left" if name == "layer" else "right")
    for layer in live.layers:
        layers.add_row(layer.name, percent(layer.density), decimal(layer.events_per_frame))
    return Group(Text(design, style="bold"), head, layers)


def last_words(summary: Summary) -> str:
    """Return the last line of a stream."""
    cycles = summary.cycles_per_frame
    checked = "not compared with the golden model (--check)"
    if summary.mismatches is not None:
        checked = f"{count(summary.mismatches)} mismatches with the golden model"
    return (
        f"{summary.design}: {count(summary.frames)} frames in {summary.seconds:.1f} s, "
        f"{decimal(summary.frames_per_second)} frames/s; {count(cycles.mean)} cycles per frame mean, "
        f"{count(cycles.p95)} p95, {count(cycles.max)} max; {percent(summary.operation_sparsity)} of MACs skipped; "
        f"{checked}"
    )
