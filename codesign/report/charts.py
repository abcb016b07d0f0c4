# SPDX-License-Identifier: Apache-2.0
"""The charts of the report; an empty string where the figures are unknown."""

from __future__ import annotations

from functools import partial

from codesign.report.model import Detail, Report
from codesign.report.svg import Bar, Line, bar_chart, line_chart, responsive
from codesign.report.words import count, percent


def cycles(report: Report, detail: Detail) -> str:
    """Return cycles per frame over the clip: dense, skipping, ideal."""
    if not detail.cycles:
        return ""
    lines = [
        Line(label="ideal", style="ideal", values=detail.ideal),
        Line(label="skipping", style="delta", values=detail.cycles),
    ]
    dense = report.throughput.dense_cycles_per_frame
    if dense is not None:
        lines.insert(0, Line(label=f"dense {count(dense)}", style="dense", values=[dense] * len(detail.cycles)))
    return responsive(
        partial(
            line_chart,
            lines=lines,
            title="Clock cycles of each frame of the clip, skipping against dense",
            x_label="frame of the clip",
            y_label="clock cycles per frame",
            first=1,
        )
    )


def layers(report: Report, detail: Detail) -> str:
    """Return busy cycles of a mean frame for the input scan and each engine."""
    bars = []
    if detail.encode_cycles is not None:
        text = f"{count(detail.encode_cycles)} cycles, {count(detail.input_beats)} input beats"
        bars.append(_bar("input scan", detail.encode_cycles, detail.input_beats, text))
    for layer in report.layers:
        if layer.cycles_per_frame is not None:
            text = f"{count(layer.cycles_per_frame)} cycles, ideal {count(layer.ideal_cycles_per_frame)}"
            bars.append(_bar(layer.name, layer.cycles_per_frame, layer.ideal_cycles_per_frame, text))
    title = "Busy clock cycles of each unit in a mean frame"
    return responsive(partial(bar_chart, bars=bars, title=title, x_label="busy clock cycles per frame")) if bars else ""


def density(report: Report) -> str:
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
    return responsive(partial(bar_chart, bars=bars, title=title, x_label=x_label, scale=100)) if bars else ""


def accuracy(report: Report) -> str:
    """Return the accuracy of the float, quantised and delta networks."""
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
    title, x_label = "Accuracy on the test split", "test clips classified right, percent"
    return responsive(partial(bar_chart, bars=bars, title=title, x_label=x_label, scale=100)) if bars else ""


def _bar(label: str, value: float, mark: float | None, text: str) -> Bar:
    return Bar(label=label, style="bar", value=value, mark=mark, text=text)
