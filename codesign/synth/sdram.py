# SPDX-License-Identifier: Apache-2.0
"""The SDRAM of a board: the sites of its pins."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.errors import ConfigError
from codesign.names import check_word
from codesign.records import check, limited

SINGLE = ("clk", "cke", "csn", "rasn", "casn", "wen")
BUSES = {"ba": 2, "a": 13, "dqm": 2, "d": 16}
"""Pins of a chip that `codesign.rtl.host.sdram` knows: 4 banks, 8192 rows and 512 columns of 16 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdram:
    """An SDR SDRAM of 32 MB with 16 data pins, alone at pins of the FPGA.

    standard: IO standard of all of them. drive_ma: strength of the outputs. The others are sites as the tool names
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
        check_word(self.standard, where="sdram.standard")
        for port, site in self.sites().items():
            check_word(site, where=port.replace("_", ".", 1))

    def sites(self) -> dict[str, str]:
        """Return the site of each port: ``sdram_clk``, ``sdram_a[0]`` and so on, as `sdram_pads_ecp5` calls them."""
        single = {f"sdram_{name}": getattr(self, name) for name in SINGLE}
        buses = {f"sdram_{name}[{bit}]": site for name in BUSES for bit, site in enumerate(getattr(self, name))}
        return single | buses
