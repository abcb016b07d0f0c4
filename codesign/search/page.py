# SPDX-License-Identifier: Apache-2.0
"""``search.html``: what a search tried and found, one file without scripts."""

from __future__ import annotations

from functools import partial
from typing import Any

from markupsafe import Markup

from codesign.report.drawing import responsive
from codesign.report.html import render_of
from codesign.report.sheet import Group, Sheet
from codesign.search import charts
from codesign.search.best import COMPARED, Checked, design_text
from codesign.search.live import COLUMNS, apart, number
from codesign.search.objectives import OBJECTIVES
from codesign.search.run import Found

MOST_DESIGNS = 300
"""Designs whose TOML the page holds besides the front; `codesign search FILE --design N` prints any."""


def page(found: Found, checked: list[Checked], command: str) -> str:
    """Return the page."""
    known = [item for item in found.tried if item.outcome and item.outcome.figures]
    front = found.front()
    section = found.search.section
    names = " and ".join(item.name.replace("_", " ") for item in found.search.objectives)
    pruned = sum(item.outcome is not None and item.outcome.pruned for item in found.tried)
    return render_of(
        "codesign.search",
        "search.html.j2",
        name=section.name,
        lead=(
            f"{len(found.tried)} designs trained in {found.seconds / 60:.0f} minutes, {pruned} of them given up early; "
            f"{len(front)} on the front of {names}."
        ),
        command=command,
        seed=section.seed,
        target=found.search.target.title,
        clock=f"{found.search.clock_mhz:g}",
        constraints=[str(item) for item in found.search.constraints],
        unmet=found.unmet(),
        plane=Markup(responsive(partial(charts.plane, found=found))) if known else "",
        parallel=Markup(responsive(partial(charts.parallel, found=found))) if known else "",
        importances=[
            (OBJECTIVES[name].words, Markup(responsive(partial(charts.importance, shares=shares, objective=name))))
            for name, shares in found.importances.items()
        ],
        front=_front(found) if front else None,
        checked=_checked(checked) if checked else None,
        designs=_designs(found),
    )


def _front(found: Found) -> Sheet:
    rows = [
        (f"trial {item.number}", *(number(item.outcome.figures, name) for name in COLUMNS))
        for item in found.front()
        if item.outcome and item.outcome.figures
    ]
    if found.hand_made and found.hand_made.figures:
        figures = found.hand_made.figures
        rows.append(("hand-made", *(number(figures, name) for name in COLUMNS)))
    return Sheet(
        title="Designs that no other one beats, as predicted",
        head=("design", *(name.replace("_", " ") for name in COLUMNS)),
        groups=(Group(title="", rows=tuple(rows)),),
    )


def _checked(checked: list[Checked]) -> Sheet:
    groups = [
        Group(
            title=f"{item.name}: {item.values:,} output values compared, all equal",
            rows=(
                ("predicted", *(number(item.predicted, name) for name in COMPARED)),
                ("measured", *(number(item.measured, name) for name in COMPARED)),
                ("apart", *(apart(item, name) for name in COMPARED)),
            ),
        )
        for item in checked
    ]
    return Sheet(
        title="The best designs through the whole flow",
        head=("", *(name.replace("_", " ") for name in COMPARED)),
        groups=tuple(groups),
        notes=(
            "predicted: accuracy and cycles on validation clips, by the cycle model; cells by the resource model.",
            "measured: accuracy on test clips, which only these designs were run on; cycles of the simulated RTL on "
            "the clips of [clip]; cells of Yosys. Frames a second at the same clock, which is not a routed one.",
        ),
    )


def _designs(found: Found) -> list[dict[str, Any]]:
    """Return the designs of the page: the front and the first others, by number."""
    front = {item.number for item in found.front()}
    known = [item for item in found.tried if item.outcome]
    others = [item for item in known if item.number not in front][:MOST_DESIGNS]
    return [
        {
            "anchor": charts.anchor(item.number),
            "name": f"trial {item.number}{', on the front' if item.number in front else ''}",
            "words": charts.says(item.outcome.figures) if item.outcome and item.outcome.figures else "",
            "problem": item.outcome.problem if item.outcome else None,
            "toml": design_text(found, item),
        }
        for item in sorted([*(item for item in known if item.number in front), *others], key=lambda item: item.number)
    ]
