# SPDX-License-Identifier: Apache-2.0
"""The board top, outermost module of a board: pins, PLL and reset around the serial top. Text, nothing is written."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Literal

from codesign.rtl.template import render
from codesign.synth.sdram import cas_latency, chip_phase
from codesign.synth.target import Target
from codesign.synth.toolchains.ecp5 import shifted_pll, two_clocks
from codesign.synth.toolchains.toolchain import Toolchain, clock_of

Memory = Literal["absent", "sdram"] | None
_READ = ("araddr", "arlen", "arsize", "arburst", "arvalid", "arready", "rdata", "rresp", "rlast", "rvalid", "rready")
_WRITE = ("awaddr", "awlen", "awsize", "awburst", "awvalid", "awready", "wdata", "wstrb", "wlast", "wvalid", "wready")
AXI4 = (*_READ, *_WRITE, "bresp", "bvalid", "bready")
"""Signals of the AXI4 master of a core, without ``m_axi_``."""
_INPUTS = {"arready", "rdata", "rresp", "rlast", "rvalid", "awready", "wready", "bresp", "bvalid"}
_CONSTANT = {"arsize", "arburst", "awsize", "awburst", "wstrb", "rresp", "bresp"}
"""Those that a controller has not: always the same."""
_WIDTHS = {"araddr": 32, "awaddr": 32, "arlen": 8, "awlen": 8, "rdata": 32, "wdata": 32}
RESET_BITS = 10
"""Bits of the counter that holds the reset after power-up, after the button, and until the PLL has locked."""


def board_top_module(design: str, board: Target) -> str:
    """Return the name of the outermost module."""
    return f"{design}_{board.name.replace('-', '_')}"


def board_top_text(
    design: str,
    board: Target,
    toolchain: Toolchain,
    *,
    core_mhz: float,
    baud: int,
    skip: bool = True,
    memory: Memory = None,
    sdram_mhz: float | None = None,
) -> str:
    """Return the SystemVerilog of the outermost module, around ``<design>_uart``.

    The design's clock is what the PLL really makes, so the serial port keeps its rate, ``baud``. ``memory``: what its
    AXI4 master sees: nothing, or the board's SDRAM; None: it has no such port. ``sdram_mhz``: fastest clock of an SDRAM
    that has one of its own; None: the design's.

    Raises:
        ConfigError: the PLL cannot make ``core_mhz``, or not with the SDRAM's, or the SDRAM is not as fast.
    """
    pll = clock_of(board, toolchain.limits, core_mhz, sdram_mhz)
    made = core_mhz if pll is None else pll.output_mhz
    second = None if pll is None else pll.second_mhz
    of_sdram = made if second is None else second
    clock = "  assign clk = clk_pad;\n  assign locked = 1'b1;" if pll is None else toolchain.pll(pll).rstrip("\n")
    if memory == "sdram" and pll is not None:
        several = shifted_pll if second is None else two_clocks
        clock = several(pll, (chip_phase(of_sdram) - 0.5) % 1).rstrip("\n")
    leds = board.leds[:8]
    return render(
        "board_top.sv",
        folder=Path(__file__).parent,
        board=board,
        module=board_top_module(design, board),
        design=design,
        clock=clock,
        pressed="1'b0" if board.button is None else ("!" if board.button.inverted else "") + "button_pad",
        reset_bits=RESET_BITS,
        skip=int(skip),
        memory=memory,
        controller=[name for name in AXI4 if name not in _CONSTANT],
        inputs=[name for name in AXI4 if name in _INPUTS],
        widths=_WIDTHS,
        shifted=pll is not None,
        crossing=second is not None,
        mhz=ceil(round(of_sdram, 6)),
        latency=cas_latency(of_sdram) if memory == "sdram" else None,
        hertz=round(made * 1e6),
        baud=baud,
        leds=leds,
        inverted="".join(str(int(led.inverted)) for led in reversed(leds)),
    )
