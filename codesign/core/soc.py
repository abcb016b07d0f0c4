# SPDX-License-Identifier: Apache-2.0
"""``delta_core_soc``: a core in a system on chip, which loads networks through a stream. Text, nothing is written.

Its registers are those of `codesign.core.registers`, and `STREAMS`, `MEMORY`, `STREAM`.
"""

from __future__ import annotations

from codesign.core.config import CoreConfig
from codesign.core.files import core_files
from codesign.errors import ConfigError
from codesign.rtl.host.core import SOC_TOP, core_host_files
from codesign.rtl.project import filelist
from codesign.rtl.registers import compiled, regblock

__all__ = ["ADDRESS_BITS", "SOC_TOP", "check_streams", "core_soc_files"]

ADDRESS_BITS = 14
CODE_BYTES, SUM_BYTES = 2, 4
"""Of a code and a sum in the streams, whatever the core's own widths are."""
STREAMS, STREAMS_VERSION = 0x2000, 2
"""Address of the version of the streams and registers around the core, and that version."""
MEMORY = 0x2004
"""Where the core's memory lies in the processor's: bits 31..12 of its address. A write forgets the network."""
GIVEN, BUSY = 1 << 0, 1 << 1
"""Bits of `MEMORY`: there is a region, without which nothing is read or written; and what was begun is under way."""
STREAM = 0x2008
"""Bit 0, which clears itself: the next frame starts a stream."""
_REGISTERS = f"""\
addrmap delta_core_registers {{
  name = "The registers of a core: codesign.core.registers";
  external mem {{ mementries = {STREAMS // 4}; memwidth = 32; }} map @ 0x0;
  reg {{ field {{ sw = r; hw = na; }} value[31:0] = {STREAMS_VERSION}; }} streams @ {STREAMS:#x};
  reg {{
    field {{ sw = rw; hw = r; swmod; }} base[31:12] = 0;
    field {{ sw = r; hw = w; }} busy[1:1];
    field {{ sw = rw; hw = r; }} given[0:0] = 0;
  }} memory @ {MEMORY:#x};
  reg {{ field {{ sw = w; hw = r; singlepulse; }} first[0:0] = 0; }} stream @ {STREAM:#x};
}};
"""
"""Those of the map are in ``core_registers``; what is made of this is the AXI4-Lite port, and the others."""


def core_soc_files(config: CoreConfig) -> dict[str, str]:
    """Return the RTL project whose top is ``delta_core_soc``: path -> text, with ``filelist.f``. It has no network.

    Raises:
        ConfigError: see `check_streams`.
    """
    check_streams(config)
    files = core_files(config) | regblock(compiled(_REGISTERS), ADDRESS_BITS) | core_host_files(SOC_TOP)
    return files | {"filelist.f": filelist(files)}


def check_streams(config: CoreConfig) -> None:
    """Check that a core can have the streams of `core_soc_files`.

    Raises:
        ConfigError: its codes or sums are wider than theirs.
    """
    for name, most in (("code_bits", 8 * CODE_BYTES), ("sum_bits", 8 * SUM_BYTES)):
        if getattr(config, name) > most:
            raise ConfigError(
                "too wide for the streams of a core in a system on chip",
                where=f"core.{name}",
                expected=f"at most {most}",
                received=getattr(config, name),
            )
