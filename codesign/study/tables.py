# SPDX-License-Identifier: Apache-2.0
"""The results of a study as tables: Markdown for a document, rich for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from rich import box
from rich.table import Table

from codesign.report.document import table
from codesign.study.config import Study
from codesign.study.results import Result, Results, Summary

OPTIONAL = ("classes", "layers")
"""Parts that a document may leave out."""
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
            _named(results, variant),
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
    known = results.variants()
    texts = [(name, text if name in known else f"{text} (not run)") for name, text in results.texts.items() if text]
    parts = {
        "command": f"`{results.command}`, seeds {', '.join(map(str, results.seeds()))}.",
        "variants": table(("variant", "what it is"), texts),
        "results": table(HEAD, rows(results)),
        "targets": table(("target", "limit", "measured", "seed by seed", ""), _targets(results)),
        "layers": table(("layer", *(_named(results, name) for name in known)), _layers(results), right=True),
        "times": _times(results),
    }
    if all(result.class_sparsity for result in results.results):
        parts["classes"] = table(("class", *(_named(results, name) for name in known)), _classes(results), right=True)
    if any(result.rtl_density for result in results.results):
        parts["deployed"] = table(("variant", "seed", "values compared", "mismatches", "sparsity"), _deployed(results))
    return parts


def parts_of(study: Study) -> list[str]:
    """Return the names of the parts that `markdown` makes of the results of ``study``."""
    deployed = ["deployed"] if any(variant.simulate for variant in study.variants) else []
    return ["command", "variants", "results", "targets", "times", *deployed, *OPTIONAL]


def terminal(results: Results) -> Table:
    """Return the table of the results for a terminal."""
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in HEAD:
        shown.add_column(name, justify="left" if name == "variant" else "right")
    for row in rows(results):
        shown.add_row(*row)
    return shown


def _named(results: Results, variant: str) -> str:
    """Return the name of a variant, and its seeds where others have more."""
    seeds = [result.seed for result in results.of(variant)]
    return variant if len(seeds) == len(results.seeds()) else f"{variant} (seed {', '.join(map(str, seeds))})"


def _classes(results: Results) -> list[Sequence[str]]:
    """Return a row for each class: MACs skipped, and accuracy, of each variant; means over seeds."""
    return [
        (name, *(_of_class(results.of(variant), name) for variant in results.variants()))
        for name in results.results[0].class_sparsity or ()
    ]


def _of_class(found: list[Result], name: str) -> str:
    pairs = [((item.class_sparsity or {}).get(name), (item.class_accuracy or {}).get(name)) for item in found]
    shares = [
        None if any(value is None for value in values) else 100 * fmean(value or 0.0 for value in values)
        for values in zip(*pairs, strict=True)
    ]
    return " / ".join("-" if share is None else f"{share:.1f}" for share in shares)


def _layers(results: Results) -> list[Sequence[str]]:
    """Return a row for each linear layer: events / elements of each variant in percent, means over seeds."""
    variants = {variant: results.of(variant) for variant in results.variants()}
    return [
        (layer, *(f"{100 * fmean(item.density[layer] for item in found):.1f}" for found in variants.values()))
        for layer in results.results[0].density
    ]


def _targets(results: Results) -> list[tuple[str, ...]]:
    missing: list[tuple[str, ...]] = [
        (f"{item.variant}: {item.figure} against {item.against}", item.limit, "-", "-", "not run")
        for item in results.targets
        if not results.known(item)
    ]
    return missing + [
        (
            f"{item.variant}: {item.figure} against {item.against}",
            item.limit,
            _words(results.figure(item), 2),
            ", ".join(f"{value:.2f}" for value in results.each(item)),
            "met" if results.met(item) else "**MISSED**",
        )
        for item in results.targets
        if results.known(item)
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
