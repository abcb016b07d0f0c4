# SPDX-License-Identifier: Apache-2.0
"""``delta_core_uart``: a core with a serial port, for a host that loads networks. Text, nothing is written."""

from __future__ import annotations

from codesign.core.config import CoreConfig
from codesign.core.files import core_files
from codesign.rtl.host import host_files
from codesign.rtl.host.core import UART_TOP, core_host_files
from codesign.rtl.project import filelist

__all__ = ["UART_TOP", "core_uart_files"]

_SERIAL = ("uart_rx", "uart_tx", "crc32", "hdlc_rx", "hdlc_tx")


def core_uart_files(config: CoreConfig) -> dict[str, str]:
    """Return the RTL project whose top is ``delta_core_uart``: path -> text, with ``filelist.f``. It has no network."""
    files = core_files(config) | host_files(*_SERIAL) | core_host_files(UART_TOP)
    return files | {"filelist.f": filelist(files)}
