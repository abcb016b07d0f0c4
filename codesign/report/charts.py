# SPDX-License-Identifier: Apache-2.0
"""The figures of the report, each by its name; one whose data is unknown is missing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import partial

from codesign.report.diagram import diagram
from codesign.report.drawing import Draw
from codesign.report.matrix import matrix
from codesign.report.model import Detail, Epoch, Report
from codesign.report.svg import Bar, Line, bar_chart, line_chart
from codesign.report.words import INPUT_SCAN, count, percent

NAMES = ("network", "cycles", "layers", "density", "accuracy", "confusion", "training")
"""Names of the figures, in the order of the page."""
PHASES = {"float": "float", "quantized": "quantised", "delta": "delta"}
"""Phases of training that have other names in words."""


def figures(report: Report, detail: Detail) -> dict[str, Draw]:
    """Return the figures that there is data for, by name, in the order of `NAMES`."""
    found = (
        partial(diagram, report=report) if report.network else None,
        cycles(report, detail),
        layers(report, detail),
        density(report),
        accuracy(report),
        confusion(report),
        training(detail.epochs),
    )
    return {name: draw for name, draw in zip(NAMES, found, strict=True) if draw is not None}


def cycles(report: Report, detail: Detail) -> Draw | None:
    """Return cycles per frame over the clip: dense, skipping, and the work of each frame's busiest layer."""
    if not detail.cycles:
        return None
    ideal = [Line(label="busiest layer", style="ideal", values=detail.ideal)] if detail.ideal else []
    lines = [*ideal, Line(label="skipping", style="delta", values=detail.cycles)]
    dense = report.throughput.dense_cycles_per_frame
    if dense is not None:
        lines.insert(0, Line(label=f"dense {count(dense)}", style="dense", values=[dense] * len(detail.cycles)))
    return partial(
        line_chart,
        lines=lines,
        title="Clock cycles of each frame of the clip, skipping against dense",
        x_label="frame of the clip",
        y_label="clock cycles per frame",
        first=1,
    )


def layers(report: Report, detail: Detail) -> Draw | None:
    """Return busy cycles of a mean frame for the input scan and each engine."""
    bars = []
    if detail.encode_cycles is not None:
        text = f"{count(detail.encode_cycles)} cycles, {count(detail.input_beats)} input beats"
        bars.append(_bar(INPUT_SCAN, detail.encode_cycles, detail.input_beats, text))
    for layer in report.layers:
        if layer.cycles_per_frame is not None:
            text = f"{count(layer.cycles_per_frame)} cycles"
            if layer.ideal_cycles_per_frame is not None:
                text += f", events {count(layer.ideal_cycles_per_frame)}"
            bars.append(_bar(layer.name, layer.cycles_per_frame, layer.ideal_cycles_per_frame, text))
    title = "Busy clock cycles of each unit in a mean frame"
    return partial(bar_chart, bars=bars, title=title, x_label="busy clock cycles per frame") if bars else None


def density(report: Report) -> Draw | None:
    """Return the share of changed inputs of each layer."""
    bars = [
        _bar(
            layer.name,
            layer.density.mean,
            layer.density.p95,
            f"mean {percent(layer.density.mean)}, 95th percentile {percent(layer.density.p95)}",
        )
        for layer in report.layers
        if layer.density.mean is not None
    ]
    title = "Share of inputs that change from frame to frame"
    x_label = "inputs that changed, percent"
    return partial(bar_chart, bars=bars, title=title, x_label=x_label, scale=100) if bars else None


def accuracy(report: Report) -> Draw | None:
    """Return the accuracy of the float, quantised and delta networks, and of one constant answer."""
    rows = (
        ("float", report.accuracy.float, "bar quiet"),
        ("quantised", report.accuracy.quantized, "bar quiet"),
        ("delta, trained for sparsity", report.accuracy.delta, "bar"),
    )
    bars = [
        Bar(label=label, style=style, value=value, text=percent(value))
        for label, value, style in rows
        if value is not None
    ]
    if not bars:
        return None
    if report.accuracy.majority is not None:
        chance = report.accuracy.majority
        bars.append(Bar(label="one constant answer", style="bar quiet", value=chance, text=percent(chance)))
    title, x_label = "Accuracy on the test split", "test clips classified correctly, percent"
    return partial(bar_chart, bars=bars, title=title, x_label=x_label, scale=100)


def confusion(report: Report) -> Draw | None:
    """Return how the test clips of each class were classified."""
    found = report.accuracy.confusion
    if found is None or not found.classes:
        return None
    return partial(matrix, confusion=found, title="Test clips by true class and by the class that the network chose")


def training(epochs: Sequence[Epoch]) -> Draw | None:
    """Return accuracy, and the share of MACs whose input does not change, over the epochs of training."""
    values = {
        "training clips": ("delta", [epoch.accuracy for epoch in epochs]),
        "validation clips": ("second", [epoch.val_accuracy for epoch in epochs]),
        "unchanged MACs": ("third", [epoch.operation_sparsity for epoch in epochs]),
    }
    lines = [
        Line(label=label, style=style, values=[None if value is None else 100 * value for value in line])
        for label, (style, line) in values.items()
        if any(value is not None for value in line)
    ]
    if not lines:
        return None
    return partial(
        line_chart,
        lines=lines,
        title="Accuracy, and multiply-accumulates whose input does not change, over the epochs of training",
        x_label="epoch",
        y_label="percent",
        first=1,
        top=100.0,
        sections=tuple(_sections(epochs)),
    )


def _sections(epochs: Sequence[Epoch]) -> Iterator[tuple[int, str]]:
    """Yield where each phase begins, and its name."""
    start = 0
    for phase, group in itertools.groupby(epochs, key=lambda epoch: epoch.phase):
        yield start, PHASES.get(phase, phase)
        start += len(list(group))


def _bar(label: str, value: float, mark: float | None, text: str) -> Bar:
    return Bar(label=label, style="bar", value=value, mark=mark, text=text)
