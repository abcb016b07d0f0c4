# SPDX-License-Identifier: Apache-2.0
"""The hand-written modules between a delta core and its host, ``core_<module>.sv``, and their top ``delta_core_uart``.

They use modules of `codesign.rtl.host`. Only the registers and the top know the package of a core.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CORE_HOST_MODULES = ("inbox", "outbox", "link", "registers")
"""Every module, each after what it instantiates."""
UART_TOP = "delta_core_uart"
"""The core with a serial port."""


def core_host_files() -> dict[str, str]:
    """Return file name -> text of all modules and the top, in compile order."""
    names = (*(f"core_{module}" for module in CORE_HOST_MODULES), UART_TOP)
    return {f"{name}.sv": (FOLDER / f"{name}.sv").read_text(encoding="utf-8") for name in names}
