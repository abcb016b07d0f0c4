# SPDX-License-Identifier: Apache-2.0
"""Several designs side by side, one column a design, and what makes them hard to compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from codesign.report.board_figures import FIGURES, LUT, PER_LUT
from codesign.report.boards import Pair, pairs
from codesign.report.model import Report, operation_sparsity
from codesign.report.sheet import Group, Sheet, known
from codesign.report.words import DASH, count, percent, quotient, times

Figure = tuple[str, Callable[[Report], str]]


def sheet(reports: Sequence[Report]) -> Sheet:
    """Return the designs, a column each, in their order."""
    built = [{pair.target: pair for pair in pairs(report.boards)} for report in reports]
    targets = dict.fromkeys(target for found in built for target in found)
    groups = [
        Group(title=title, rows=known((name, *map(get, reports)) for name, get in figures))
        for title, figures in NETWORK.items()
    ]
    groups += [_target(target, [found.get(target) for found in built]) for target in targets]
    return Sheet(
        title=f"Designs side by side: {', '.join(report.design for report in reports)}.",
        head=("", *(report.design for report in reports)),
        groups=tuple(groups),
        notes=tuple(differences(reports)),
    )


def differences(reports: Sequence[Report]) -> Iterator[str]:
    """Say where the columns do not show the same thing."""
    clips = {report.design: report.clips for report in reports}
    unknown = [name for name, found in clips.items() if found is None]
    if unknown:
        yield f"It is not recorded on which clips {', '.join(unknown)} was measured: `codesign run` it again."
    known = {name: found for name, found in clips.items() if found is not None}
    if len({found.digest for found in known.values()}) > 1:
        each = (
            f"{name}: {found.count} x {found.frames} frames of {_shape(found.shape)}" for name, found in known.items()
        )
        yield f"The designs did not see the same clips ({'; '.join(each)})."
    targets = {report.design: {item.build.target for item in report.boards} for report in reports}
    for target in sorted(set().union(*targets.values())):
        without = [name for name, found in targets.items() if target not in found]
        if without:
            yield f"Not built for {target}: {', '.join(without)}."
    if not any(targets.values()):
        yield "None is built for a board: `codesign build build/DESIGN --target NAME`."
    yield from _tools(reports)
    if any(report.energy for report in reports):
        yield "Energy is an estimate from operation counts, not a measurement."


def _tools(reports: Sequence[Report]) -> Iterator[str]:
    """Name the tools of the builds that have different versions, or aim at different clocks."""
    builds = [item.build for report in reports for item in report.boards]
    for tool in sorted({name for build in builds for name in build.tools}):
        versions = sorted({build.tools[tool] for build in builds if tool in build.tools})
        if len(versions) > 1:
            yield f"Built with different versions of {tool}: {', '.join(versions)}."
    for target in sorted({build.target for build in builds}):
        clocks = sorted({build.clock_mhz for build in builds if build.target == target and build.clock_mhz is not None})
        if len(clocks) > 1:
            yield f"Built for different clocks on {target}: {', '.join(f'{clock:g}' for clock in clocks)} MHz."


def _target(target: str, built: Sequence[Pair | None]) -> Group:
    """Return the rows of one target: the skipping builds, and what they cost and bring of the dense ones."""
    both = [pair or Pair(target=target) for pair in built]
    rows = [(item.name, *(item.text(pair.skipping) for pair in both)) for item in FIGURES]
    rows += [
        (f"{item.name}, skipping / dense", *(item.over(pair.skipping, pair.dense) for pair in both))
        for item in (LUT, PER_LUT)
    ]
    return Group(title=target, rows=known(rows))


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _energy(report: Report) -> str:
    found = report.energy
    return (
        DASH
        if found is None
        else f"{count(found.skipping.total)} ({quotient(found.skipping.total, found.dense.total)})"
    )


def _compared(report: Report) -> str:
    return count(report.agreement.mismatches.total() if report.agreement.values else None)


NETWORK: dict[str, tuple[Figure, ...]] = {
    "network": (
        ("accuracy", lambda report: percent(report.accuracy.delta)),
        ("MACs per frame", lambda report: count(sum(layer.macs_per_frame for layer in report.layers) or None)),
        ("MACs skipped", lambda report: percent(operation_sparsity(report))),
        ("mismatches", _compared),
    ),
    "cycles per frame": (
        ("mean", lambda report: count(report.throughput.cycles_per_frame.mean)),
        ("95th percentile", lambda report: count(report.throughput.cycles_per_frame.p95)),
        ("most", lambda report: count(report.throughput.cycles_per_frame.max)),
        ("dense", lambda report: count(report.throughput.dense_cycles_per_frame)),
        ("speed-up over dense", lambda report: times(report.throughput.speedup)),
        ("energy, nJ, estimate (of dense)", _energy),
    ),
}
