# SPDX-License-Identifier: Apache-2.0
"""What Vivado reported: ``report_utilization -hierarchical`` and ``report_timing_summary``, as text files.

Formats: AMD UG906, *Design Analysis and Closure Techniques*. Columns are found by their names, because a family without
UltraRAM has no such column and the multiplier blocks are called differently over the years.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from codesign.errors import SynthesisError
from codesign.synth.resources import XC7_BLOCK_RAM_BITS, Kind, Resources

TOOL = "vivado"
URAM_BITS = 288 * 1024
_VERSION = re.compile(r"^\| Tool Version\s*: Vivado v\.(\S+)", re.MULTILINE)
_FIX = "read the log beside it: Vivado did not finish, or this version writes another format"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One line of the hierarchical utilisation: an instance with everything inside it.

    path: names of the instances from the top down, the top first. module: what it is an instance of.
    lut: logic, distributed RAM and shift registers. bram_bits: block RAMs and UltraRAMs times their size.
    """

    path: tuple[str, ...]
    module: str
    lut: int
    ff: int
    dsp: int
    bram_bits: int


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


def read_utilisation(report: Path) -> tuple[Instance, ...]:
    """Return the instances of a ``report_utilization -hierarchical`` in its order, the top first.

    Lines of what an instance has outside its children, ``(name)``, are left out.
    Raises: SynthesisError if the file is missing, has no such table, or the table breaks off.
    """
    lines = iter(_text(report).splitlines())
    header = next((cells for cells in map(_cells, lines) if cells[:2] == ["Instance", "Module"]), None)
    if header is None:
        raise _unreadable(report, "a table 'Utilization by Hierarchy'", "none")
    column = {name: index for index, name in enumerate(header)}
    dsp = next((name for name in header if name.startswith("DSP")), "DSP Blocks")
    missing = [name for name in ("Total LUTs", "FFs", "RAMB36", "RAMB18", dsp) if name not in column]
    if missing:
        raise _unreadable(report, f"a column {missing[0]!r}", ", ".join(header))
    found: list[Instance] = []
    path: list[str] = []
    for line in _rows(lines, report):
        cells = _cells(line)
        if len(cells) != len(header):
            raise _unreadable(report, f"{len(header)} columns", line)
        depth = (len(line) - len(line[1:].lstrip()) - 2) // 2
        path[depth:] = [cells[0]]
        if cells[0].startswith("("):
            continue

        def value(name: str, cells: list[str] = cells, line: str = line) -> int:
            return _whole(cells[column[name]], line, report)

        ultra = value("URAM") if "URAM" in column else 0  # a family without the column has none
        bits = value("RAMB36") * XC7_BLOCK_RAM_BITS + value("RAMB18") * XC7_BLOCK_RAM_BITS // 2 + ultra * URAM_BITS
        found.append(
            Instance(
                path=tuple(path),
                module=cells[1],
                lut=value("Total LUTs"),
                ff=value("FFs"),
                dsp=value(dsp),
                bram_bits=bits,
            )
        )
    if not found:
        raise _unreadable(report, "at least the top", "an empty table")
    return tuple(found)


def by_layer(instances: Iterable[Instance], layer_of: Callable[[str], str | None]) -> dict[str, Instance]:
    """Add up the instances of each layer; what belongs to none is left out.

    layer_of: instance name -> layer, or None. An instance inside one that has a layer is part of that.
    Returns: layer -> sums, in the report's order; path is that of the first instance.
    """
    found: dict[str, Instance] = {}
    inside: tuple[str, ...] = ()
    for item in instances:
        if inside and item.path[: len(inside)] == inside:
            continue
        layer = layer_of(item.path[-1])
        if layer is None:
            continue
        inside = item.path
        before = found.get(layer)
        found[layer] = item if before is None else _sum(before, item)
    return found


def _sum(first: Instance, second: Instance) -> Instance:
    return Instance(
        path=first.path,
        module=first.module,
        lut=first.lut + second.lut,
        ff=first.ff + second.ff,
        dsp=first.dsp + second.dsp,
        bram_bits=first.bram_bits + second.bram_bits,
    )


def layer_of(instance: str, layers: Iterable[str]) -> str | None:
    """Return the layer that an instance of a generated top belongs to, None if it is nobody's.

    ``i_conv1_conv``, ``i_conv1__0_locate`` and ``i_conv1_word_fork`` belong to ``conv1``, unless there is a layer
    ``conv1_word``.
    """
    name = instance.removeprefix("i_")
    return max((layer for layer in layers if name.startswith(f"{layer}_")), key=len, default=None)


def read_timing(report: Path) -> Timing:
    """Return the figures of a ``report_timing_summary`` and its slowest setup path.

    Raises: SynthesisError if the file is missing, has no summary, or breaks off before its paths.
    """
    text = _text(report)
    summary = re.search(r"^\| Design Timing Summary$.*?^ +WNS\(ns\)[^\n]*\n[ -]+\n([^\n]+)\n", text, re.M | re.S)
    if summary is None:
        raise _unreadable(report, "a section 'Design Timing Summary'", "none")
    values = summary[1].split()
    if len(values) < 8:
        raise _unreadable(report, "at least 8 figures in 'Design Timing Summary'", summary[1])
    number = [_number(item, summary[1], report) for item in values[:8]]
    if "| Timing Details" not in text:
        raise _unreadable(report, "a section 'Timing Details'", "the report breaks off")
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


def read_version(report: Path) -> str | None:
    """Return the version of the Vivado that wrote ``report``, None if its head does not say."""
    found = _VERSION.search(_text(report))
    return found[1] if found else None


def resources(utilisation: Path, timing: Path | None, *, target: str, kind: Kind) -> Resources:
    """Return the record of the whole design, from its two reports; Fmax is None without ``timing``."""
    top = read_utilisation(utilisation)[0]
    return Resources(
        target=target,
        tool=TOOL,
        tool_version=read_version(utilisation),
        kind=kind,
        lut=top.lut,
        ff=top.ff,
        dsp=top.dsp,
        bram_bits=top.bram_bits,
        fmax_mhz=read_timing(timing).fmax_mhz if timing is not None else None,
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
            raise _unreadable(report, "the slowest path", "the report breaks off")
        return None
    worst = min(starts, key=lambda start: float(start["slack"]))
    after = text.find("\nSlack", worst.end())
    block = text[worst.end() : after if after >= 0 else len(text)]
    fields = {name: re.search(pattern, block, re.MULTILINE) for name, pattern in _FIELDS.items()}
    for name, found in fields.items():
        if found is None:
            raise _unreadable(report, f"the {name.partition('_')[0]} of the slowest path", "the report breaks off")
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


def _text(report: Path) -> str:
    try:
        return report.read_text(encoding="utf-8", errors="replace")
    except OSError as failure:
        raise _unreadable(report, "a report", repr(failure)) from failure


def _rows(lines: Iterator[str], report: Path) -> Iterator[str]:
    """Return the lines between the rule below the header and the one that ends the table."""
    next(lines, "")
    for line in lines:
        if line.startswith("+"):
            return
        yield line
    raise _unreadable(report, "the end of the table", "the report breaks off")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _whole(cell: str, line: str, report: Path) -> int:
    """Return the count in a cell, which may have a share behind it: ``37(0.07%)``."""
    found = re.fullmatch(r"(\d+)(\(.*\))?", cell)
    if found is None:
        raise _unreadable(report, "a count", f"{cell!r} in {line.strip()}")
    return int(found[1])


def _number(cell: str, line: str, report: Path) -> float | None:
    """Return a figure of the summary; NA and inf, where nothing is constrained, are unknown."""
    if cell in ("NA", "inf"):
        return None
    try:
        return float(cell)
    except ValueError as failure:
        raise _unreadable(report, "a number", f"{cell!r} in {line.strip()}") from failure


def _count(number: float | None) -> int | None:
    return None if number is None else int(number)


def _unreadable(report: Path, expected: str, received: str) -> SynthesisError:
    return SynthesisError(
        "Vivado reported no figures", where=str(report), expected=expected, received=received, fix=_FIX
    )
