# SPDX-License-Identifier: Apache-2.0
"""An SDR SDRAM as a memory on AXI4: the controller ``sdram_controller``, its pads for an ECP5, and ``sdram_crossing``,
which lets its master have another clock.

`delta_fifo` of `codesign.rtl.leaves` comes before them. The cells of the device in ``ecp5_cells.sv`` are declarations:
Yosys has its own, a simulation needs models.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SDRAM_MODULES = ("requests", "commands", "controller", "fifo", "crossing", "pads_ecp5")
"""Every module, each after what it instantiates."""
CELLS = "ecp5_cells.sv"
"""Declares the cells of an ECP5 that the pads are made of."""


def sdram_files() -> dict[str, str]:
    """Return file name -> text of all modules and the cells' declarations, in compile order, without `delta_fifo`."""
    names = (CELLS, *(f"sdram_{module}.sv" for module in SDRAM_MODULES))
    return {name: (FOLDER / name).read_text(encoding="utf-8") for name in names}
