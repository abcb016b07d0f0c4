# SPDX-License-Identifier: Apache-2.0
"""The builds of a design for boards, with what they mean together with the measured cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from codesign.paths import BuildFolder
from codesign.report.percentiles import Percentiles
from codesign.synth.record import BITS_A_BYTE, BUILD, Area, BoardBuild, read_build


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Frames per second at the routed clock: for the mean, the 95th percentile and the most cycles of a frame."""

    mean: float | None = None
    p95: float | None = None
    worst: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Used over available cells, 0 to 1; above 1 it does not fit."""

    lut: float | None = None
    ff: float | None = None
    dsp: float | None = None
    bram_bits: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltBoard:
    """A build, and its figures on the clips of the report.

    Attributes:
        build: as `codesign build` wrote it.
        share: share of the device that it uses.
        frames_per_second: routed clock / cycles per frame; of the core, whatever brings the frames.
        frames_per_second_per_lut: rate at the mean cycles over LUTs.
        frames_per_second_over_serial: most that a host sees: a frame and its result travel and are computed one after
            the other, at the mean cycles and the clock of the build; None for a board without a serial port on pins.
    """

    build: BoardBuild
    share: Share = field(default_factory=Share)
    frames_per_second: Rate = field(default_factory=Rate)
    frames_per_second_per_lut: float | None = None
    frames_per_second_over_serial: float | None = None

    @property
    def routed(self) -> bool:
        """Whether its clock is known."""
        return self.build.kind == "route"

    @property
    def fault(self) -> str | None:
        """Return in a few words why a routed build is not good; None if it is, or is not routed."""
        if not self.routed or (self.build.met is not False and self.build.problem is None):
            return None
        clock = "its clock" if self.build.clock_mhz is None else f"its clock of {self.build.clock_mhz:,.1f} MHz"
        return f"misses {clock}" if self.build.met is False else "has a problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What was built for one target: skipping, dense, or both."""

    target: str
    skipping: BuiltBoard | None = None
    dense: BuiltBoard | None = None


def read_builds(folder: Path) -> tuple[BoardBuild, ...]:
    """Return the builds under ``build/<design>``, by target, skipping before dense.

    Raises:
        ConfigError: a ``build.json`` cannot be read.
    """
    found = [read_build(path) for path in (folder / BuildFolder.BOARDS).glob(f"*/{BUILD}")]
    return tuple(sorted(found, key=lambda item: (item.target, not item.skip)))


def split(builds: Sequence[BoardBuild], design_id: str) -> tuple[tuple[BoardBuild, ...], tuple[BoardBuild, ...]]:
    """Return the builds of this design, and those of an earlier state of it."""
    same = tuple(item for item in builds if item.design_id == design_id)
    return same, tuple(item for item in builds if item.design_id != design_id)


def board(build: BoardBuild, cycles: Percentiles) -> BuiltBoard:
    """Return a build with what follows from it.

    Args:
        build: build, skipping or dense.
        cycles: cycles per frame of the same kind of engine.
    """
    rate = Rate(
        mean=_rate(build.fmax_mhz, cycles.mean),
        p95=_rate(build.fmax_mhz, cycles.p95),
        worst=_rate(build.fmax_mhz, cycles.max),
    )
    return BuiltBoard(
        build=build,
        share=share(build.used, build.available),
        frames_per_second=rate,
        frames_per_second_per_lut=ratio(rate.mean, build.used.lut),
        frames_per_second_over_serial=_over_serial(build, cycles.mean),
    )


def share(used: Area, available: Area) -> Share:
    """Return used cells over capacity."""
    return Share(
        lut=ratio(used.lut, available.lut),
        ff=ratio(used.ff, available.ff),
        dsp=ratio(used.dsp, available.dsp),
        bram_bits=ratio(used.bram_bits, available.bram_bits),
    )


def pairs(boards: Sequence[BuiltBoard]) -> tuple[Pair, ...]:
    """Return skipping beside dense, in the order of the targets."""
    kinds = {(item.build.target, item.build.skip): item for item in boards}
    targets = dict.fromkeys(item.build.target for item in boards)
    return tuple(
        Pair(target=target, skipping=kinds.get((target, True)), dense=kinds.get((target, False))) for target in targets
    )


def headline(boards: Sequence[BuiltBoard]) -> Pair | None:
    """Return the target that a summary names, None if skipping was routed for none.

    One whose skipping build is good comes before one that misses its clock; then one with dense routed, too, and good;
    of equal ones the first.
    """

    def rank(pair: Pair) -> tuple[bool, bool, bool]:
        skipping, dense = pair.skipping, pair.dense
        rated = dense is not None and dense.frames_per_second.mean is not None
        return skipping is None or skipping.fault is not None, not rated, dense is not None and dense.fault is not None

    routed = [pair for pair in pairs(boards) if pair.skipping and pair.skipping.frames_per_second.mean is not None]
    return min(routed, key=rank, default=None)


def ratio(value: float | None, by: float | None) -> float | None:
    """Return a quotient; unknown if either number is, or nothing is divided by."""
    return None if value is None or not by else value / by


def _rate(clock_mhz: float | None, cycles: float | None) -> float | None:
    return None if clock_mhz is None or not cycles else clock_mhz * 1e6 / cycles


def _over_serial(build: BoardBuild, cycles: float | None) -> float | None:
    clocks = [clock for clock in (build.clock_mhz, build.fmax_mhz) if clock is not None]
    if not build.baud or build.frame_bytes is None or build.result_bytes is None or not clocks or cycles is None:
        return None
    line_s = BITS_A_BYTE * (build.frame_bytes + build.result_bytes) / build.baud
    return 1 / (line_s + cycles / (min(clocks) * 1e6))
