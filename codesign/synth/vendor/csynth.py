# SPDX-License-Identifier: Apache-2.0
"""What Vitis HLS estimated: ``csynth.xml``, the report of the whole design (AMD UG1399, *Vitis HLS User Guide*)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from codesign.errors import SynthesisError
from codesign.synth.resources import Resources

TOOL = "vitis_hls"
BLOCK_RAM_BITS = 18 * 1024
URAM_BITS = 288 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsModule:
    """A module of the schedule, with everything inside it. What Vitis HLS cannot know, a loop without a bound, is None.

    latency: least and most cycles from start to end. interval: least and most cycles between two starts.
    clock_ns: estimated period.
    """

    name: str
    latency: tuple[int | None, int | None]
    interval: tuple[int | None, int | None]
    clock_ns: float | None
    lut: int | None
    ff: int | None
    dsp: int | None
    bram_bits: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsReport:
    """A whole design. top: its figures; children: the modules that the top instantiates itself, each once."""

    version: str | None
    part: str
    target_clock_ns: float
    top: HlsModule
    children: tuple[HlsModule, ...]

    def resources(self, target: str) -> Resources:
        """Return the record of the whole design; its Fmax is that of the estimated period."""
        return Resources(
            target=target,
            tool=TOOL,
            tool_version=self.version,
            kind="estimate",
            lut=self.top.lut,
            ff=self.top.ff,
            dsp=self.top.dsp,
            bram_bits=self.top.bram_bits,
            fmax_mhz=1000 / self.top.clock_ns if self.top.clock_ns else None,
        )


def read_csynth(report: Path) -> HlsReport:
    """Return the figures of ``<solution>/syn/report/csynth.xml``.

    Raises: SynthesisError if the file is missing, no XML (it breaks off), or has no figures.
    """
    try:
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError) as failure:
        raise _unreadable(report, "an XML file", repr(failure)) from failure
    modules = {item.findtext("Name", ""): item for item in root.iterfind("ModuleInformation/Module")}
    instances = root.iterfind("RTLDesignHierarchy/TopModule/InstancesList/Instance/ModuleName")
    try:
        names = dict.fromkeys(str(item.text) for item in instances)
        return HlsReport(
            version=root.findtext("ReportVersion/Version"),
            part=_required(root, "UserAssignments/Part"),
            target_clock_ns=float(_required(root, "UserAssignments/TargetClockPeriod")),
            top=_module(_required(root, "UserAssignments/TopModelName"), root),
            children=tuple(_module(name, modules[name]) for name in names),
        )
    except (LookupError, ValueError) as failure:
        raise _unreadable(report, "the figures of the top and of its modules", repr(failure)) from failure


def _module(name: str, item: ElementTree.Element) -> HlsModule:
    latency = "PerformanceEstimates/SummaryOfOverallLatency"
    area = item.find("AreaEstimates/Resources")
    if area is None or item.find(latency) is None:
        raise LookupError(f"{name} has no estimates")
    blocks, ultra = _count(area, "BRAM_18K"), _count(area, "URAM")
    clock = item.findtext("PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod")
    return HlsModule(
        name=name,
        latency=(_count(item, f"{latency}/Best-caseLatency"), _count(item, f"{latency}/Worst-caseLatency")),
        interval=_interval(item.find(latency)),
        clock_ns=float(clock) if clock else None,
        lut=_count(area, "LUT"),
        ff=_count(area, "FF"),
        dsp=_count(area, "DSP"),
        bram_bits=None if blocks is None or ultra is None else blocks * BLOCK_RAM_BITS + ultra * URAM_BITS,
    )


def _interval(summary: ElementTree.Element | None) -> tuple[int | None, int | None]:
    """Return the bounds: the top has one element for each, a module one text, ``393`` or ``948 ~ 4728``."""
    if summary is None or summary.find("Interval-min") is not None:
        return (None, None) if summary is None else (_count(summary, "Interval-min"), _count(summary, "Interval-max"))
    text = summary.findtext("PipelineInitiationInterval", "")
    bounds = [_whole(part) for part in text.split("~")]
    return bounds[0], bounds[-1]


def _count(item: ElementTree.Element, path: str) -> int | None:
    return _whole(item.findtext(path, ""))


def _whole(text: str) -> int | None:
    """Return a count; ``undef``, ``?`` and a missing element are unknown."""
    return int(text) if re.fullmatch(r"\s*\d+\s*", text) else None


def _required(item: ElementTree.Element, path: str) -> str:
    text = item.findtext(path)
    if not text:
        raise LookupError(path)
    return text


def _unreadable(report: Path, expected: str, received: str) -> SynthesisError:
    return SynthesisError(
        "Vitis HLS reported no figures",
        where=str(report),
        expected=expected,
        received=received,
        fix="read the log beside it: Vitis HLS did not finish, or this version writes another format",
    )
