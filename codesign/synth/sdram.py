# SPDX-License-Identifier: Apache-2.0
"""The SDRAM of a board: the sites of its pins, its clock, and the latency and the phase that the clock asks for."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.errors import ConfigError
from codesign.names import check_word
from codesign.records import check, limited

SINGLE = ("clk", "cke", "csn", "rasn", "casn", "wen")
BUSES = {"ba": 2, "a": 13, "dqm": 2, "d": 16}
"""Pins of a chip that `codesign.rtl.host.sdram` knows: 4 banks, 8192 rows and 512 columns of 16 bits."""
FASTEST_MHZ = {2: 100.0, 3: 133.0}
"""Fastest clock of each CAS latency."""
_ACCESS_NS = {2: 6.0, 3: 5.4}
_HOLD_NS = 2.5
_WAY_NS = (3.0, 8.0)
"""Of the clock to the chip and its data back, with the delay of the input pads: an estimate, see docs/sdram.md."""
_CHIP_HOLD_NS = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdram:
    """An SDR SDRAM of 32 MB with 16 data pins, alone at pins of the FPGA.

    standard: IO standard of all of them. drive_ma: strength of the outputs. mhz: fastest clock of its own, of which the
    PLL makes what goes with the core's; None: the core's clock is its clock. The others are sites as the tool names
    them, of ``ba``, ``a``, ``dqm`` and ``d`` from bit 0 on.
    """

    standard: str
    clk: str
    cke: str
    csn: str
    rasn: str
    casn: str
    wen: str
    ba: tuple[str, ...]
    a: tuple[str, ...]
    dqm: tuple[str, ...]
    d: tuple[str, ...]
    drive_ma: int = limited(4, at_least=4, at_most=16)
    mhz: float | None = limited(None, at_least=1.0)

    def __post_init__(self) -> None:
        check(self, "sdram")
        for name, width in BUSES.items():
            sites = getattr(self, name)
            if len(sites) != width:
                raise ConfigError(
                    "not the pins of such an SDRAM",
                    where=f"sdram.{name}",
                    expected=f"{width} sites: 4 banks, 8192 rows, 16 data pins",
                    received=f"{len(sites)}",
                )
        if self.mhz is not None:
            chip_phase(self.mhz, where="sdram.mhz")
        check_word(self.standard, where="sdram.standard")
        for port, site in self.sites().items():
            check_word(site, where=port.replace("_", ".", 1))

    def sites(self) -> dict[str, str]:
        """Return the site of each port: ``sdram_clk``, ``sdram_a[0]`` and so on, as `sdram_pads_ecp5` calls them."""
        single = {f"sdram_{name}": getattr(self, name) for name in SINGLE}
        buses = {f"sdram_{name}[{bit}]": site for name in BUSES for bit, site in enumerate(getattr(self, name))}
        return single | buses


def cas_latency(clock_mhz: float, *, where: str = "--clock") -> int:
    """Return the CAS latency to build `sdram_controller` with.

    Raises:
        ConfigError: the chip is not as fast.
    """
    found = next((latency for latency, fastest in FASTEST_MHZ.items() if clock_mhz <= fastest), None)
    if found is None:
        raise ConfigError(
            "the SDRAM is slower than this clock",
            where=where,
            expected=f"up to {max(FASTEST_MHZ.values()):g} MHz",
            received=f"{clock_mhz:g} MHz",
        )
    return found


def chip_phase(clock_mhz: float, *, where: str = "--clock") -> float:
    """Return by how much of a period the chip's clock should rise after the controller's.

    It leaves what is read the same margin on both sides (see docs/sdram.md), and commands 2.5 ns after the chip's edge.
    0.5 is the clock inverted, as `sdram_pads_ecp5` does by itself; the rest is the phase of its ``chip_clk_i``.

    Raises:
        ConfigError: no phase suits all parts at this clock.
    """
    latency, period = cas_latency(clock_mhz, where=where), 1000 / clock_mhz
    earliest = _WAY_NS[1] + _ACCESS_NS[latency]
    margin = (period + _HOLD_NS + _WAY_NS[0] - earliest) / 2
    if margin < 0:
        shortest = earliest - _HOLD_NS - _WAY_NS[0]
        raise ConfigError(
            "what an SDRAM sends at this clock cannot be taken safely",
            where=where,
            expected=f"a period of {shortest:.3g} ns or more",
            received=f"{clock_mhz:g} MHz",
            fix=f"take {int(1000 / shortest)} MHz or less",
        )
    return min(1 - (_HOLD_NS + _WAY_NS[0] - margin) / period, 1 - _CHIP_HOLD_NS / period)
