# SPDX-License-Identifier: Apache-2.0
"""``delta_core_soc``: a core in a system on chip, which loads networks through a stream. Text, nothing is written."""

from __future__ import annotations

from codesign.core.config import CoreConfig
from codesign.core.files import core_files
from codesign.rtl.host.core import SOC_TOP, core_host_files
from codesign.rtl.project import filelist
from codesign.rtl.registers import compiled, regblock

__all__ = ["ADDRESS_BITS", "SOC_TOP", "core_soc_files"]

ADDRESS_BITS = 14
STREAMS, STREAMS_VERSION = 0x2000, 1
"""Address of the version of the streams around the core, and that version."""
_REGISTERS = f"""\
addrmap delta_core_registers {{
  name = "The registers of a core: codesign.core.registers";
  external mem {{ mementries = {STREAMS // 4}; memwidth = 32; }} map @ 0x0;
  reg {{ field {{ sw = r; hw = na; }} value[31:0] = {STREAMS_VERSION}; }} streams @ {STREAMS:#x};
}};
"""
"""But for the last, they are in ``core_registers``: what is made of this is the AXI4-Lite port."""


def core_soc_files(config: CoreConfig) -> dict[str, str]:
    """Return the RTL project whose top is ``delta_core_soc``: path -> text, with ``filelist.f``. It has no network."""
    files = core_files(config) | regblock(compiled(_REGISTERS), ADDRESS_BITS) | core_host_files(SOC_TOP)
    return files | {"filelist.f": filelist(files)}
