# SPDX-License-Identifier: Apache-2.0
"""The hand-written modules between a delta core and its host, ``core_<module>.sv``, and the tops that they are in.

They use modules of `codesign.rtl.host`. Only the registers and the tops know the package of a core.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CORE_HOST_MODULES = ("inbox", "outbox", "link", "registers", "region")
"""Every module, each after what it instantiates."""
UART_TOP = "delta_core_uart"
"""The core with a serial port."""
SOC_TOP = "delta_core_soc"
"""The core in a system on chip."""
_PARTS = {UART_TOP: ("inbox", "outbox", "link", "registers"), SOC_TOP: ("registers", "region")}


def core_host_files(top: str) -> dict[str, str]:
    """Return file name -> text of ``top`` and the modules that it has, in compile order."""
    names = (*(f"core_{module}" for module in _PARTS[top]), top)
    return {f"{name}.sv": (FOLDER / f"{name}.sv").read_text(encoding="utf-8") for name in names}
