# SPDX-License-Identifier: Apache-2.0
"""The tool chains by name."""

from __future__ import annotations

from collections.abc import Mapping

from codesign.synth.target import ChainName
from codesign.synth.toolchains import ecp5, gowin, ice40
from codesign.synth.toolchains.toolchain import Chain

CHAINS: Mapping[ChainName, Chain] = {
    "ecp5": ecp5.CHAIN,
    "gowin": gowin.CHAIN,
    "ice40": ice40.CHAIN,
}
"""Those that make a bitstream here; for other boards Yosys counts the cells."""
