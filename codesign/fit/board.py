# SPDX-License-Identifier: Apache-2.0
"""What a board offers a design: its clock, and as much of its device as leaves a router room."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from codesign.errors import ConfigError
from codesign.fit.resources import Cells
from codesign.synth.record import Area
from codesign.synth.resources import ECP5_BLOCK_RAM_BITS
from codesign.synth.target import Target, check_clock

HEADROOM = 0.8
"""Share of the look-up tables and flip-flops that a design may use: the model is an estimate, and routers need room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board for a network.

    Attributes:
        target: the board.
        clock_mhz: clock of the design.
        clock_origin: where it is from.
    """

    target: Target
    clock_mhz: float
    clock_origin: str

    @classmethod
    def of(cls, target: Target, clock_mhz: float | None) -> Board:
        """Return a board at a clock; None: its own.

        Raises:
            ConfigError: no such clock.
        """
        if clock_mhz is not None:
            check_clock(clock_mhz)
            return cls(target=target, clock_mhz=clock_mhz, clock_origin="as asked for")
        return cls(
            target=target,
            clock_mhz=target.clock.core_mhz,
            clock_origin=f"core_mhz of {target.name}; codesign build says whether a design meets it",
        )

    def cycles_for(self, frames_per_second: float) -> float:
        """Return the cycles of a frame at a rate.

        Raises:
            ConfigError: no such rate.
        """
        most = self.clock_mhz * 1e6
        if not isfinite(frames_per_second) or not 0 < frames_per_second <= most:
            raise ConfigError(
                "no such rate",
                where="--fps",
                expected=f"frames per second, above 0 and at most {most:,.0f}, a cycle each at {self.clock_mhz:g} MHz",
                received=f"{frames_per_second:g}",
            )
        return most / frames_per_second

    @property
    def available(self) -> Area:
        """What the device has."""
        return self.target.capacity.area()

    @property
    def usable(self) -> Area:
        """What a design may use of it."""
        has = self.target.capacity
        return Area(
            lut=int(HEADROOM * has.lut),
            ff=int(HEADROOM * has.ff),
            dsp=has.dsp,
            bram_bits=has.memory.bits,
        )

    def shares(self, cells: Cells) -> dict[str, float]:
        """Return what cells take of what may be used, by kind; above 1 they do not fit."""
        usable = self.usable
        need = {"lut": cells.lut, "ff": cells.ff, "dsp": cells.dsp, "bram_bits": cells.block_rams * ECP5_BLOCK_RAM_BITS}
        return {kind: value / max(1, getattr(usable, kind)) if value else 0.0 for kind, value in need.items()}

    def share(self, cells: Cells) -> float:
        """Return the largest of `shares`."""
        return max(self.shares(cells).values())

    def holds(self, cells: Cells) -> bool:
        """Return whether cells fit."""
        return self.share(cells) <= 1.0
