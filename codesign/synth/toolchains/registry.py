# SPDX-License-Identifier: Apache-2.0
"""The toolchains by name."""

from __future__ import annotations

from collections.abc import Mapping

from codesign.synth.target import ToolchainName
from codesign.synth.toolchains import ecp5, gowin, ice40
from codesign.synth.toolchains.toolchain import Toolchain

TOOLCHAINS: Mapping[ToolchainName, Toolchain] = {
    "ecp5": ecp5.TOOLCHAIN,
    "gowin": gowin.TOOLCHAIN,
    "ice40": ice40.TOOLCHAIN,
}
"""Those that make a bitstream here; for other boards Yosys counts the cells."""
