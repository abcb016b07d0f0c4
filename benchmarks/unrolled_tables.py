# SPDX-License-Identifier: Apache-2.0
"""Unrolled against events as Markdown: cells, cells times cycles, and the size at which unrolling ends."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.unrolled import DEVICE, DEVICE_LUT, At, Versus
from codesign.report.document import table
from codesign.report.words import DASH, count, kbit

CELLS = (
    "layer",
    "unrolled LUT",
    "FF",
    "latency",
    "skipping LUT",
    "FF",
    "DSP",
    "BRAM kbit",
    "dense LUT",
)


def unrolled_tables(rows: Sequence[Versus]) -> dict[str, str]:
    """Return the part of the document that is made from these figures, by name."""
    return {"unrolled": "\n\n".join((_cells(rows), _costs(rows), _wins(rows), _limit(rows), *_stopped(rows)))}


def _cells(rows: Sequence[Versus]) -> str:
    """Return what each side takes of the device; unrolled takes neither multipliers nor block RAM."""
    lines = [
        (
            row.name,
            _lut(row),
            count(row.unrolled.ff),
            count(row.unrolled.latency_cycles),
            count(row.skipping.lut),
            count(row.skipping.ff),
            count(row.skipping.dsp),
            count(kbit(row.skipping.bram_bits)),
            count(row.dense.lut),
        )
        for row in rows
    ]
    return table(CELLS, lines, right=True)


def _lut(row: Versus) -> str:
    """Return the LUTs of the netlist with their share of the device; da4ml's estimate where there is no netlist."""
    found = row.unrolled
    if found.lut is not None:
        return f"{found.lut:,} ({100 * found.lut / DEVICE_LUT:.0f} %)"
    return DASH if found.estimate_lut is None else f"(da4ml: {found.estimate_lut:,})"


def _costs(rows: Sequence[Versus]) -> str:
    """Return thousands of LUTs times cycles per frame: what a frame takes of the fabric. The least of a row is bold."""
    lines = [_cost(row, place) for row in rows for place in range(len(row.at))]
    head = (
        "layer",
        "inputs that change",
        *("cycles: unrolled", "skipping", "dense"),
        *("1,000 LUT x cycles: unrolled", "skipping", "dense"),
    )
    return table(head, lines, right=True)


def _cost(row: Versus, place: int) -> tuple[str, ...]:
    at = row.at[place]
    costs = _thousands(row, at)
    least = min((cost for cost in costs if cost is not None), default=None)
    words = [f"**{count(cost)}**" if cost is not None and cost == least else count(cost) for cost in costs]
    cycles = ("1" if row.unrolled.lut is not None else DASH, count(at.cycles), count(row.dense_cycles))
    return row.name, f"{100 * at.density:.1f} %", *cycles, *words


def _thousands(row: Versus, at: At) -> tuple[float | None, float | None, float | None]:
    """Return thousands of LUTs times cycles: unrolled, skipping, dense."""
    return (
        None if row.unrolled.lut is None else row.unrolled.lut / 1e3,
        None if row.skipping.lut is None else row.skipping.lut * at.cycles / 1e3,
        None if row.dense.lut is None else row.dense.lut * row.dense_cycles / 1e3,
    )


def _wins(rows: Sequence[Versus]) -> str:
    """Return where skipping takes less of the fabric per frame than unrolling."""
    both = [(row, at) for row in rows for at in row.at if row.unrolled.lut is not None and row.skipping.lut is not None]
    better = [f"{row.name} at {100 * at.density:.1f} %" for row, at in both if _is_less(row, at)]
    if not both:
        return "No layer was mapped both ways."
    where = f": {'; '.join(better)}" if better else ""
    return (
        f"In LUTs times cycles, skipping takes less than unrolled in {len(better)} of the {len(both)} cases "
        f"that were\nmapped both ways{where}."
    )


def _is_less(row: Versus, at: At) -> bool:
    unrolled, skipping, _ = _thousands(row, at)
    return unrolled is not None and skipping is not None and skipping < unrolled


def _limit(rows: Sequence[Versus]) -> str:
    """Return at which size of a square layer the device is full."""
    known = sorted((row.inputs, row.unrolled.lut) for row in rows if row.unrolled.lut and row.inputs == row.outputs)
    if len(known) < 2:
        return f"Fewer than two square layers were mapped, so where a {DEVICE} is full is not known."
    (small, few), (large, many) = known[-2:]
    power = math.log(many / few) / math.log(large / small)
    full = math.floor(large * (DEVICE_LUT / many) ** (1 / power))
    return (
        f"A {DEVICE} has {DEVICE_LUT:,} LUTs. Of the square layers that were mapped, {large} x {large} takes\n"
        f"{many:,} of them, {many / few:.1f} times as many as {small} x {small}. Going on like this, {full} x {full}\n"
        "is the largest that fits (extrapolated)."
    )


def _stopped(rows: Sequence[Versus]) -> list[str]:
    """Return what did not finish."""
    return [f"{row.name}: {row.unrolled.stopped}." for row in rows if row.unrolled.stopped]
