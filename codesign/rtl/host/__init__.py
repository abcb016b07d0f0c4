# SPDX-License-Identifier: Apache-2.0
"""The hand-written modules between a network and its host, ``board_<module>.sv``: counters and the serial link."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
HOST_MODULES = ("control", "uart_rx", "uart_tx", "crc32", "hdlc_rx", "hdlc_tx", "inbox", "outbox", "link")
"""Every module, each after what it instantiates."""


def host_files(*modules: str) -> dict[str, str]:
    """Return file name -> text of ``modules``, or of all of them in compile order."""
    return {
        (name := f"board_{module}.sv"): (FOLDER / name).read_text(encoding="utf-8")
        for module in modules or HOST_MODULES
    }
