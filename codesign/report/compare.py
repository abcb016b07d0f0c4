# SPDX-License-Identifier: Apache-2.0
"""Several designs side by side, one column per design, and what makes them hard to compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from codesign.report.board_figures import FIGURES, LUT, PER_LUT
from codesign.report.boards import Pair, pairs
from codesign.report.model import Report, operation_sparsity
from codesign.report.sheet import Group, Sheet, known
from codesign.report.words import DASH, count, energy_unit, how_to_rate, joules, percent, quotient, times

Figure = tuple[str, Callable[[Report], str]]


def sheet(reports: Sequence[Report]) -> Sheet:
    """Return the designs, one column each, in their order."""
    built = [{pair.target: pair for pair in pairs(report.boards)} for report in reports]
    targets = dict.fromkeys(target for found in built for target in found)
    groups = [Group(title="", rows=_architectures(reports))] if any(report.core for report in reports) else []
    groups += [
        Group(title=title, rows=known((name, *map(get, reports)) for name, get in figures))
        for title, figures in NETWORK.items()
    ]
    if any(report.energy for report in reports):
        groups.append(Group(title="energy", rows=(_energy(reports),)))
    groups += [_target(target, [found.get(target) for found in built]) for target in targets]
    return Sheet(
        title=f"Designs side by side: {', '.join(names(reports))}.",
        head=("", *names(reports)),
        groups=tuple(groups),
        notes=tuple(differences(reports)),
    )


def names(reports: Sequence[Report]) -> tuple[str, ...]:
    """Return a name for each column: the design's, numbered by column where several have the same."""
    designs = [report.design for report in reports]
    return tuple(
        f"{name} ({place})" if designs.count(name) > 1 else name for place, name in enumerate(designs, start=1)
    )


def differences(reports: Sequence[Report]) -> Iterator[str]:
    """Yield where the columns do not show the same thing."""
    clips = {name: report.clips for name, report in zip(names(reports), reports, strict=True)}
    unknown = [name for name, found in clips.items() if found is None]
    if unknown:
        yield f"It is not recorded on which clips {', '.join(unknown)} was measured: `codesign run` it again."
    known = {name: found for name, found in clips.items() if found is not None}
    if len({found.digest for found in known.values()}) > 1:
        each = (
            f"{name}: {found.count} x {found.frames} frames of {_shape(found.shape)}" for name, found in known.items()
        )
        yield f"The designs did not see the same clips ({'; '.join(each)})."
    yield from _missing(reports)
    if not any(report.boards or report.core for report in reports):
        yield "None is built for a board: `codesign build build/DESIGN --target NAME`."
    for name, report in zip(names(reports), reports, strict=True):
        if not report.boards and report.throughput.frames_per_second is None:
            yield f"{name} has no clock; {how_to_rate(report)}."
    yield from _tools(reports)
    if any(report.energy for report in reports):
        yield "Energy is an estimate from operation counts, not a measurement."


def _missing(reports: Sequence[Report]) -> Iterator[str]:
    """Name the designs without a build that another one has; a design for a core has none of its own."""
    built = {
        name: {(item.build.target, item.build.skip) for item in report.boards}
        for name, report in zip(names(reports), reports, strict=True)
        if report.core is None
    }
    for target, skip in sorted(set().union(*built.values()), key=lambda kind: (kind[0], not kind[1])):
        without = [name for name, found in built.items() if (target, skip) not in found]
        if without:
            dense = "" if skip else " as the dense baseline (`codesign build` with `--dense`)"
            yield f"Not built for {target}{dense}: {', '.join(without)}."


def _tools(reports: Sequence[Report]) -> Iterator[str]:
    """Name the tools of the builds that have different versions, or aim at different clocks or baud rates."""
    builds = [item.build for report in reports for item in report.boards]
    for tool in sorted({name for build in builds for name in build.tools}):
        versions = sorted({build.tools[tool] for build in builds if tool in build.tools})
        if len(versions) > 1:
            yield f"Built with different versions of {tool}: {', '.join(versions)}."
    for target in sorted({build.target for build in builds}):
        clocks = sorted({build.clock_mhz for build in builds if build.target == target and build.clock_mhz is not None})
        if len(clocks) > 1:
            yield f"Built for different clocks on {target}: {', '.join(f'{clock:g}' for clock in clocks)} MHz."
        rates = sorted({build.baud for build in builds if build.target == target and build.baud is not None})
        if len(rates) > 1:
            yield f"Built for different rates of the serial port on {target}: {', '.join(map(count, rates))} baud."


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


def _energy(reports: Sequence[Report]) -> tuple[str, ...]:
    """Return the row of the energies, all in one unit."""
    of = energy_unit(reports)
    cells = (
        f"{joules(found.skipping.total, of)} ({quotient(found.skipping.total, found.dense.total)})" if found else DASH
        for found in (report.energy for report in reports)
    )
    return f"energy per frame, {of[0]}, estimate (of dense)", *cells


def _architectures(reports: Sequence[Report]) -> tuple[tuple[str, ...], ...]:
    """Return the rows that tell cores from pipelines."""
    cores = [report.core for report in reports]
    return (
        ("architecture", *(report.architecture or DASH for report in reports)),
        ("boards whose memory it fits", *(_fits(report) for report in reports)),
        ("bytes per frame, external memory", *(count(core.bytes_per_frame if core else None) for core in cores)),
        ("lanes of the core", *(count(core.lanes if core else None) for core in cores)),
        ("share of the cycles in which it adds", *(percent(core.busy if core else None) for core in cores)),
    )


def _fits(report: Report) -> str:
    return DASH if report.fits is None else ", ".join(report.fits) or "none"


def _compared(report: Report) -> str:
    return count(report.agreement.mismatches.total() if report.agreement.values else None)


NETWORK: dict[str, tuple[Figure, ...]] = {
    "network": (
        ("accuracy", lambda report: percent(report.accuracy.delta)),
        ("test clips", lambda report: count(report.accuracy.clips)),
        ("accuracy of one constant answer", lambda report: percent(report.accuracy.majority)),
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
        ("share that the busiest unit needs", lambda report: percent(report.throughput.bound_efficiency)),
        ("HLS C++, mean", lambda report: count(report.hls.cycles_per_frame.mean if report.hls else None)),
        ("frames/s of the core alone", lambda report: count(report.throughput.frames_per_second)),
    ),
}
