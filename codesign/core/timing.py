# SPDX-License-Identifier: Apache-2.0
"""When and how the external memory of a core answers: what a simulation and a model of cycles assume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codesign.records import check, limited

UNIT = 16
"""Beats are counted in sixteenths of a cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTiming:
    """An AXI4 memory in cycles of the core. Its content does not depend on it: a slow memory costs time, never bits.

    Attributes:
        open_cycles: from a request to its first beat, of a row that is open; from 65,536 on a core counts it as silent.
        closed_cycles: the same of a row that has to be opened first.
        row_bytes: bytes of a row.
        banks: rows that may be open, each in a bank of its own: row number modulo banks.
        beat_cycles: cycles of a beat.
        turn_cycles: between a read and the write after it.
        conflict_cycles: before an access to another row of the bank that was accessed last.
        least_cycles: from the first beat of an access to that of the next one, if that has to open its row.
        refresh_every: cycles between two refreshes, which close all rows; 0: none.
        refresh_cycles: of a refresh.
        overlap: whether an access is prepared while the one before it is served.
        duplex: whether reads and writes are served side by side, as the channels of AXI4 carry them, and not in turns.
        stall_probability: that a channel waits for a cycle, for nothing.
        error_probability: that a response is SLVERR, in each cycle in which it is offered.
        seed: of stalls and errors.
    """

    open_cycles: int = limited(30, at_least=0, at_most=1_000_000)
    closed_cycles: int = limited(30, at_least=0, at_most=1_000_000)
    row_bytes: int = limited(2048, at_least=1)
    banks: int = limited(8, at_least=1, at_most=1024)
    beat_cycles: float = limited(1.0, at_least=1 / UNIT, at_most=1000)
    turn_cycles: int = limited(0, at_least=0, at_most=10_000)
    conflict_cycles: int = limited(0, at_least=0, at_most=10_000)
    least_cycles: int = limited(0, at_least=0, at_most=10_000)
    refresh_every: int = limited(0, at_least=0)
    refresh_cycles: int = limited(0, at_least=0, at_most=10_000)
    overlap: bool = True
    duplex: bool = False
    stall_probability: float = limited(0.0, at_least=0, at_most=0.99)
    error_probability: float = limited(0.0, at_least=0, at_most=0.99)
    seed: int = limited(1, at_least=0)

    def __post_init__(self) -> None:
        check(self, "memory")


DDR = MemoryTiming(duplex=True)
"""An SoC's memory through its interconnect, which is several times faster than a port of it: 30 cycles to the first
beat, then one in each, either way.
"""
SDRAM = MemoryTiming(
    open_cycles=13,
    closed_cycles=16,
    row_bytes=1024,
    banks=4,
    beat_cycles=2.0,
    turn_cycles=4,
    conflict_cycles=8,
    least_cycles=8,
    refresh_every=770,
    refresh_cycles=22,
)
"""A 16-bit SDRAM at the core's clock, behind `codesign.rtl.host.sdram` at 100 MHz: docs/sdram.md has the figures."""
_LATENCY_2_MHZ = 100.0
"""Fastest clock of CAS latency 2; above it there is a cycle more to the first beat."""
_CROSSING = 3.5
"""Cycles of each clock that `sdram_crossing` adds both ways together: one where it leaves, 2 to 3 where it arrives."""
_REFRESH_US = 7.7
_FIRST_BEAT = 13.5
"""Cycles to the first beat if its row is open: 13 or 14."""


def sdram_timing(core_mhz: float, sdram_mhz: float | None = None) -> MemoryTiming:
    """Return the timing of the same SDRAM at a clock of its own, in cycles of the core; None: at the core's.

    docs/sdram.md has what was measured: cycles per access are within 3 %.
    """
    if sdram_mhz is None:
        return SDRAM
    ratio = core_mhz / sdram_mhz

    def scaled(cycles: float) -> int:
        return round(cycles * ratio)

    def first(cycles: float) -> int:
        return round((cycles + (sdram_mhz > _LATENCY_2_MHZ) + _CROSSING) * ratio + _CROSSING)

    return replace(
        SDRAM,
        open_cycles=first(_FIRST_BEAT),
        closed_cycles=first(SDRAM.closed_cycles),
        beat_cycles=SDRAM.beat_cycles * ratio,
        turn_cycles=scaled(SDRAM.turn_cycles),
        conflict_cycles=scaled(SDRAM.conflict_cycles),
        least_cycles=scaled(SDRAM.least_cycles),
        refresh_every=round(_REFRESH_US * core_mhz),
        refresh_cycles=scaled(SDRAM.refresh_cycles),
    )


TIMINGS = {"ddr": DDR, "sdram": SDRAM}
"""By the names that a design has for them."""


def timing_of(memory: str, clocks_mhz: Sequence[float] = ()) -> MemoryTiming:
    """Return the timing of a memory by its name. clocks_mhz: of the core and of an SDRAM that has one of its own."""
    return sdram_timing(*clocks_mhz) if clocks_mhz else TIMINGS[memory]
