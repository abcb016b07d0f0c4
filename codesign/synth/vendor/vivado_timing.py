# SPDX-License-Identifier: Apache-2.0
"""Vivado's figures of the clock: ``report_timing_summary``, as a text file. Format: AMD UG906."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codesign.synth.vendor.vivado_text import read_text, unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowestPath:
    """The slowest path of a timing report: the one with the least setup slack.

    source, destination: pins. requirement_ns: time between the two clock edges. delay_ns: of the data path.
    hops: a line for each cell and net on the way: time since the clock edge and of this hop [ns], what, and where.
    """

    source: str
    destination: str
    slack_ns: float
    requirement_ns: float
    delay_ns: float
    levels: int
    hops: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A timing summary. A figure that Vivado gave as NA, because nothing is constrained, is None.

    wns_ns, tns_ns: worst and total setup slack (negative: missed); whs_ns, ths_ns: hold.
    failing, endpoints: where paths end, of setup; hold_failing: the same of hold.
    critical: None if there is no setup path.
    """

    wns_ns: float | None
    tns_ns: float | None
    failing: int | None
    endpoints: int | None
    whs_ns: float | None
    ths_ns: float | None
    hold_failing: int | None
    critical: SlowestPath | None

    @property
    def met(self) -> bool | None:
        """Whether no setup and no hold path fails; None if nothing was constrained."""
        if self.failing is None or self.hold_failing is None:
            return None
        return self.failing == 0 and self.hold_failing == 0

    @property
    def fmax_mhz(self) -> float | None:
        """Highest clock at which the slowest path would still be in time."""
        if self.critical is None:
            return None
        return 1000 / (self.critical.requirement_ns - self.critical.slack_ns)


def read_timing(report: Path) -> Timing:
    """Return the figures of a ``report_timing_summary`` and its slowest setup path.

    Raises: SynthesisError if the file is missing, has no summary, or breaks off before its paths.
    """
    text = read_text(report)
    summary = re.search(r"^\| Design Timing Summary$.*?^ +WNS\(ns\)[^\n]*\n[ -]+\n([^\n]+)\n", text, re.M | re.S)
    if summary is None:
        raise unreadable(report, "a section 'Design Timing Summary'", "none")
    values = summary[1].split()
    if len(values) < 8:
        raise unreadable(report, "at least 8 figures in 'Design Timing Summary'", summary[1])
    number = [_number(item, summary[1], report) for item in values[:8]]
    if "| Timing Details" not in text:
        raise unreadable(report, "a section 'Timing Details'", "the report breaks off")
    return Timing(
        wns_ns=number[0],
        tns_ns=number[1],
        failing=_count(number[2]),
        endpoints=_count(number[3]),
        whs_ns=number[4],
        ths_ns=number[5],
        hold_failing=_count(number[6]),
        critical=_slowest(text, report, paths=bool(number[3])),
    )


_PATH = re.compile(r"^Slack(?: \(\w+\))? : +(?P<slack>-?[\d.]+)ns +\(required time - arrival time\)\n", re.MULTILINE)
_FIELDS = {
    "source": r"^  Source: +(\S+)",
    "destination": r"^  Destination: +(\S+)",
    "requirement_ns": r"^  Requirement: +(-?[\d.]+)ns",
    "delay_ns": r"^  Data Path Delay: +(-?[\d.]+)ns",
    "levels": r"^  Logic Levels: +(\d+)",
}
_HOP = re.compile(r"^(?P<what>.*?)\s+(?P<step>-?\d+\.\d+)\s+(?P<time>-?\d+\.\d+)\s+(?:[rf]\s+)?(?P<where>\S+)$")
_RULE = re.compile(r"^  -{20,}.*$", re.MULTILINE)


def _slowest(text: str, report: Path, *, paths: bool) -> SlowestPath | None:
    """Return the path with the least slack. Hold paths are marked (arrival time - required time)."""
    starts = list(_PATH.finditer(text))
    if not starts:
        if paths:
            raise unreadable(report, "the slowest path", "the report breaks off")
        return None
    worst = min(starts, key=lambda start: float(start["slack"]))
    after = text.find("\nSlack", worst.end())
    block = text[worst.end() : after if after >= 0 else len(text)]
    fields = {name: re.search(pattern, block, re.MULTILINE) for name, pattern in _FIELDS.items()}
    for name, found in fields.items():
        if found is None:
            raise unreadable(report, f"the {name.partition('_')[0]} of the slowest path", "the report breaks off")
    value = {name: found[1] for name, found in fields.items() if found is not None}
    return SlowestPath(
        source=value["source"],
        destination=value["destination"],
        slack_ns=float(worst["slack"]),
        requirement_ns=float(value["requirement_ns"]),
        delay_ns=float(value["delay_ns"]),
        levels=int(value["levels"]),
        hops=tuple(_hops(block)),
    )


def _hops(block: str) -> Iterator[str]:
    """Return the cells and nets between the second and the third rule: from the launching register to the end."""
    parts = _RULE.split(block)
    if len(parts) < 4:
        return
    above = ""
    for line in parts[2].splitlines():
        found = _HOP.match(line)
        if found:
            what = " ".join((found["what"].strip() or above).split())
            yield f"{float(found['time']):7.3f} {float(found['step']):6.3f}  {what}  {found['where']}"
        above = line.strip()


def _number(cell: str, line: str, report: Path) -> float | None:
    """Return a figure of the summary; NA and inf, where nothing is constrained, are unknown."""
    if cell in ("NA", "inf"):
        return None
    try:
        return float(cell)
    except ValueError as failure:
        raise unreadable(report, "a number", f"{cell!r} in {line.strip()}") from failure


def _count(number: float | None) -> int | None:
    return None if number is None else int(number)
