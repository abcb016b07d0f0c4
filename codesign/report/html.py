# SPDX-License-Identifier: Apache-2.0
"""``report.html``: one file without scripts or anything from the network, made from a `Report` and its `Detail`."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import jinja2
from markupsafe import Markup

from codesign.report import against, charts, style, summary, tables
from codesign.report.boards import pairs
from codesign.report.drawing import responsive
from codesign.report.model import Detail, Report
from codesign.report.png import change_image, frame_image
from codesign.report.sheet import Sheet
from codesign.report.words import (
    ORIGIN_WORDS,
    chance,
    core_model,
    count,
    decimal,
    how_to_rate,
    made_with,
    origin_figures,
    percent,
    unit,
    what_helps,
)


def render(report: Report, detail: Detail) -> str:
    """Return the page as text."""
    cards = summary.cards(report)
    return _page(
        "report.html.j2",
        report=report,
        lead=summary.lead(report),
        cards=cards,
        evidence=summary.evidence(report),
        columns=summary.columns(len(cards)),
        charts=dict.fromkeys(charts.NAMES, "")
        | {name: Markup(responsive(draw)) for name, draw in charts.figures(report, detail).items()},
        clip_text=detail.clip,
        stills=_stills(detail),
        clip_cycles=_clip_cycles(detail),
        layers=tables.layers(report, more=True) if report.layers else None,
        resources=tables.resources(report) if report.resources else None,
        made=made_with(report),
        how_to_rate=how_to_rate(report) if report.throughput.frames_per_second is None else None,
        unit=partial(unit, report),
        helps=what_helps(report),
        chance=chance(report),
        sparsity_gain=_gain(detail),
        pairs=_pairs(report),
        against=against.sheet(report) if report.boards or report.energy else None,
        boards=[(pair, against.layers(report, pair)) for pair in pairs(report.boards)],
        origins=[(origin, f"{figures}. {ORIGIN_WORDS[origin]}.") for origin, figures in origin_figures(report)],
    )


def render_sheet(sheet: Sheet) -> str:
    """Return a page with one table."""
    return _page("sheet.html.j2", sheet=sheet)


def render_of(package: str, template: str, **values: Any) -> str:
    """Return a page made of a template of another package, in the style of the report."""
    environment = _environment().overlay()
    assert environment.loader is not None
    environment.loader = jinja2.ChoiceLoader([jinja2.PackageLoader(package, "."), environment.loader])
    layout = environment.loader.get_source(environment, "report.css")[0]
    return environment.get_template(template).render(style=Markup(f"{style.sheet()}\n{layout}"), **values)


def _page(template: str, **values: Any) -> str:
    environment = _environment()
    assert environment.loader is not None
    layout = environment.loader.get_source(environment, "report.css")[0]
    return environment.get_template(template).render(style=Markup(f"{style.sheet()}\n{layout}"), **values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("codesign.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"count": count, "percent": percent, "decimal": decimal}
    environment.filters["core_model"] = lambda report: core_model(report, report.core)
    return environment


def _clip_cycles(detail: Detail) -> tuple[str, str, str] | None:
    """Return the bound of the clip's cycles, what they were, and the share, in words."""
    if detail.bound is None or not detail.cycles:
        return None
    spent = sum(detail.cycles)
    return count(detail.bound), count(spent), percent(detail.bound / spent)


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
        ("golden model = compiled HLS", mismatches.golden_hls, "integers against the Verilog of an HLS compiler"),
    )
    result = []
    for names, number, note in pairs:
        state = "unknown" if number is None else "bad" if number else "good"
        value = "not compared" if number is None else f"{number:,} mismatch" + ("" if number == 1 else "es")
        result.append({"names": names, "value": value, "note": note, "state": state})
    return result
