# SPDX-License-Identifier: Apache-2.0
"""The results of a study as tables: Markdown for a document, rich for a terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table

from codesign.report.document import table
from codesign.study.config import Study
from codesign.study.results import Results, Summary

HEAD = (
    "variant",
    "accuracy %",
    "points",
    "MACs skipped %",
    "fewer MACs",
    "zero codes %",
    "events",
    "cycles",
    "RTL cycles",
)
"""Columns; ``points`` of accuracy and ``fewer MACs`` compare with the baseline, seed by seed."""


def rows(results: Results) -> list[tuple[str, ...]]:
    """Return a row for each variant, means and spreads over seeds."""
    return [
        (
            variant,
            _words(results.summary(variant, lambda r: 100 * r.accuracy), 1),
            _words(results.points(variant), 1, sign=True),
            _words(results.summary(variant, lambda r: 100 * r.operation_sparsity), 1),
            _words(results.fewer(variant), 2, unit="x"),
            _words(results.summary(variant, lambda r: 100 * r.spatial_sparsity), 1),
            _words(results.summary(variant, lambda r: r.events_per_frame), 0),
            _words(results.summary(variant, lambda r: r.cycles_per_frame), 0),
            _words(results.summary(variant, lambda r: r.simulated_cycles_per_frame), 0),
        )
        for variant in results.variants()
    ]


def markdown(results: Results) -> dict[str, str]:
    """Return the parts of a document, by the name of their marks."""
    texts = [(name, results.texts[name]) for name in results.variants() if results.texts[name]]
    parts = {
        "command": f"`{results.command}`, seeds {', '.join(map(str, results.seeds()))}.",
        "variants": table(("variant", "what it is"), texts),
        "results": table(HEAD, rows(results)),
        "targets": table(("target", "limit", "measured", "seed by seed", ""), _targets(results)),
        "times": _times(results),
    }
    if any(result.rtl_density for result in results.results):
        parts["deployed"] = table(("variant", "seed", "values compared", "mismatches", "sparsity"), _deployed(results))
    return parts


def parts_of(study: Study) -> list[str]:
    """Return the names of the parts that `markdown` makes of the results of ``study``."""
    deployed = ["deployed"] if any(variant.simulate for variant in study.variants) else []
    return ["command", "variants", "results", "targets", "times", *deployed]


def terminal(results: Results) -> Table:
    """Return the table of the results for a terminal."""
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in HEAD:
        shown.add_column(name, justify="left" if name == "variant" else "right")
    for row in rows(results):
        shown.add_row(*row)
    return shown


def _targets(results: Results) -> list[tuple[str, ...]]:
    return [
        (
            f"{item.variant}: {item.figure} against {item.against}",
            item.limit,
            _words(results.figure(item), 2),
            ", ".join(f"{value:.2f}" for value in results.each(item)),
            "met" if results.met(item) else "**MISSED**",
        )
        for item in results.targets
    ]


def _deployed(results: Results) -> list[tuple[str, ...]]:
    return [
        (
            result.variant,
            str(result.seed),
            f"{result.values:,}",
            str(result.mismatches),
            "as training counts it" if result.as_trained() else "**DIFFERS**",
        )
        for result in results.results
        if result.rtl_density is not None
    ]


def _times(results: Results) -> str:
    total = sum(result.training_s for result in results.results)
    longest = max(result.training_s for result in results.results)
    made = results.origin
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items() if version)
    return (
        f"{len(results.results)} trainings, {results.jobs} at a time, {total / 60:.0f} minutes of training in all, the "
        f"longest {longest / 60:.1f}, on {made.machine or 'an unknown processor'}, {made.cores} cores. "
        f"Made by commit {made.commit or 'unknown'} with {versions}."
    )


def _words(summary: Summary | None, digits: int, *, unit: str = "", sign: bool = False) -> str:
    if summary is None:
        return "-"
    mean = f"{summary.mean:{'+' if sign else ''},.{digits}f}{unit}"
    return mean if summary.spread is None else f"{mean} ± {summary.spread:,.{digits}f}"
