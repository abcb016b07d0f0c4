# SPDX-License-Identifier: Apache-2.0
"""The fronts of a study as a picture: accuracy against what is computed, cycles, and length of training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from codesign.outputs import replacing
from codesign.study.results import Result, Results


def plot(results: Results, path: Path) -> None:
    """Write an SVG: a mark for each seed, a larger one for a variant's mean."""
    first = next(iter(results.lengths), None)  # the others of the curve are that variant again
    names = [name for name in results.variants() if name not in results.lengths or name == first]
    panels = 3 if results.lengths else 2
    with rc_context({"svg.hashsalt": "codesign", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(5.2 * panels, 4.2), layout="constrained")
        axes = figure.subplots(1, panels, sharey=True)
        _front(axes[0], results, names, lambda r: 100 * r.active, "multiply-accumulates computed, % of dense")
        _front(axes[1], results, names, lambda r: r.cycles_per_frame, "cycles per frame, slowest layer")
        if results.lengths:
            _length(axes[2], results)
        axes[0].set_ylabel("accuracy on test clips, %")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names), frameon=False)
        with replacing(path) as part:
            figure.savefig(part, format="svg", metadata={"Date": None})


def _front(axis: Any, results: Results, names: list[str], cost: Callable[[Result], float | None], label: str) -> None:
    axis.set_xscale("log")
    for ticks in (axis.xaxis.set_major_formatter, axis.xaxis.set_minor_formatter):
        ticks(StrMethodFormatter("{x:g}"))
    for index, name in enumerate(names):
        found = [(cost(result), 100 * result.accuracy) for result in results.of(name)]
        points = [(x, y) for x, y in found if x is not None]
        if not points:
            continue
        xs, ys = zip(*points, strict=True)
        shade = f"C{index % 10}"
        mean = sum(xs) / len(xs), sum(ys) / len(ys)
        axis.plot(xs, ys, ".", color=shade, alpha=0.5, markersize=5)
        axis.plot(*mean, "o", color=shade, markersize=8, label=name)
    axis.set_xlabel(label)
    axis.grid(alpha=0.3)


def _length(axis: Any, results: Results) -> None:
    epochs = sorted(results.lengths.items(), key=lambda item: item[1])
    xs = [length for _, length in epochs]
    for seed in results.seeds():
        ys = [100 * next(r.accuracy for r in results.of(name) if r.seed == seed) for name, _ in epochs]
        axis.plot(xs, ys, ".-", alpha=0.4, color="C0")
    means = [results.summary(name, lambda r: 100 * r.accuracy) for name, _ in epochs]
    axis.plot(xs, [mean.mean for mean in means if mean is not None], "o-", color="C0")
    axis.set_xlabel("refinement epochs")
    axis.set_xscale("log", base=2)
    axis.set_xticks(xs, [str(x) for x in xs])
    axis.grid(alpha=0.3)
