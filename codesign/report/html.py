# SPDX-License-Identifier: Apache-2.0
"""``report.html``: one file without scripts or anything from the network, made from a `Report` and its `Detail`."""

from __future__ import annotations

from typing import Any

import jinja2
from markupsafe import Markup

from codesign.report import charts
from codesign.report.model import Detail, Report, operation_sparsity
from codesign.report.png import change_image, frame_image
from codesign.report.words import KINDS, ORIGIN_WORDS, count, decimal, origin_figures, percent, times


def render(report: Report, detail: Detail) -> str:
    """Return the page as text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("codesign.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"count": count, "percent": percent, "decimal": decimal}
    sources = environment.loader
    assert sources is not None
    style = sources.get_source(environment, "report.css")[0]
    return environment.get_template("report.html.j2").render(
        report=report,
        style=Markup(style),
        lead=_lead(report),
        cards=_cards(report),
        charts={
            "cycles": Markup(charts.cycles(report, detail)),
            "layers": Markup(charts.layers(report, detail)),
            "density": Markup(charts.density(report)),
            "accuracy": Markup(charts.accuracy(report)),
        },
        clip_text=detail.clip,
        stills=_stills(detail),
        efficiency=percent(report.throughput.skip_efficiency) if report.throughput.skip_efficiency else None,
        sparsity_gain=_gain(detail),
        pairs=_pairs(report),
        kinds=KINDS,
        origins=[(origin, f"{figures}. {ORIGIN_WORDS[origin]}.") for origin, figures in origin_figures(report)],
    )


def _lead(report: Report) -> str:
    speedup, mismatches = report.throughput.speedup, report.agreement.mismatches
    parts = []
    if speedup is not None:
        parts.append(
            f"On this stream the hardware needs {times(speedup)} fewer clock cycles than the same engines "
            "computing every frame in full"
        )
    if report.agreement.values and mismatches.golden_rtl is not None:
        same = "every output bit is the same" if mismatches.total() == 0 else "but the outputs differ"
        parts.append(f"and {same}" if parts and mismatches.total() == 0 else same)
    sentence = ", ".join(parts) + "." if parts else ""
    return sentence[:1].upper() + sentence[1:]


def _cards(report: Report) -> list[dict[str, Any]]:
    """Return the headline figures that are known."""
    speed, accuracy = report.throughput, report.accuracy
    cards = []
    if speed.speedup is not None:
        note = f"{count(speed.cycles_per_frame.mean)} cycles a frame; dense takes {count(speed.dense_cycles_per_frame)}"
        cards.append(_card("Speed-up", times(speed.speedup), note))
    if speed.frames_per_second is not None:
        note = f"at {decimal(speed.clock_mhz)} MHz ({report.origins.get('throughput.clock_mhz', 'given')})"
        cards.append(_card("Frames/s", count(speed.frames_per_second), note))
    skipped = operation_sparsity(report)
    if skipped is not None:
        value = times(1 / (1 - skipped)) if skipped < 1 else "all"
        cards.append(_card("Fewer MACs", value, f"{percent(skipped)} are skipped"))
    if accuracy.delta is not None:
        note = "of test clips right"
        if accuracy.quantized is not None:
            note = f"{100 * (accuracy.delta - accuracy.quantized):+.1f} points against the quantised network"
        cards.append(_card("Accuracy", percent(accuracy.delta), note))
    if report.agreement.values:
        total = report.agreement.mismatches.total()
        note = f"of {count(report.agreement.values)} output values"
        cards.append(_card("Mismatches", count(total), note, bad=total > 0))
    return cards


def _card(what: str, value: str, note: str, *, bad: bool = False) -> dict[str, Any]:
    return {"what": what, "value": value, "note": note, "bad": bad}


def _stills(detail: Detail) -> list[dict[str, Any]]:
    return [
        {
            "index": still.frame,
            "width": still.width,
            "height": still.height,
            "frame_uri": frame_image(still),
            "change_uri": change_image(still),
            "changed": sum(change != 0 for change in still.changes),
            "pixels": len(still.changes),
        }
        for still in detail.stills
    ]


def _gain(detail: Detail) -> tuple[str, str] | None:
    """Return the share of MACs done on the test split before and after the sparsity loss."""
    if detail.sparsity_quantized is None or detail.sparsity_delta is None:
        return None
    return percent(1 - detail.sparsity_quantized), percent(1 - detail.sparsity_delta)


def _pairs(report: Report) -> list[dict[str, str]]:
    """Return the three comparisons in words."""
    mismatches = report.agreement.mismatches
    pairs = (
        ("Keras = golden model", mismatches.keras_golden, "the trained network in float64 against integers"),
        ("golden model = HLS C++", mismatches.golden_csim, "integers against the C simulation of the HLS project"),
        ("golden model = RTL", mismatches.golden_rtl, "integers against the Verilated SystemVerilog"),
    )
    result = []
    for names, number, note in pairs:
        state = "unknown" if number is None else "bad" if number else "good"
        value = "not compared" if number is None else f"{number:,} mismatch" + ("" if number == 1 else "es")
        result.append({"names": names, "value": value, "note": note, "state": state})
    return result
