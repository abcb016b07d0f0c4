# SPDX-License-Identifier: Apache-2.0
"""The board top, outermost module of a board: pins, PLL and reset around the serial top. Text, nothing is written."""

from __future__ import annotations

from pathlib import Path

from codesign.rtl.template import render
from codesign.synth.target import Target
from codesign.synth.toolchains.toolchain import Toolchain, clock_of

RESET_BITS = 10
"""Bits of the counter that holds the reset after power-up, after the button, and until the PLL has locked."""


def board_top_module(design: str, board: Target) -> str:
    """Return the name of the outermost module."""
    return f"{design}_{board.name.replace('-', '_')}"


def board_top_text(
    design: str, board: Target, toolchain: Toolchain, *, core_mhz: float, baud: int, skip: bool = True
) -> str:
    """Return the SystemVerilog of the outermost module, around ``<design>_uart``.

    The design's clock is what the PLL really makes, so the serial port keeps its rate, ``baud``.

    Raises:
        ConfigError: the PLL cannot make ``core_mhz``.
    """
    pll = clock_of(board, toolchain.limits, core_mhz)
    clock = "  assign clk = clk_pad;\n  assign locked = 1'b1;" if pll is None else toolchain.pll(pll).rstrip("\n")
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
        hertz=round((core_mhz if pll is None else pll.output_mhz) * 1e6),
        baud=baud,
        leds=leds,
        inverted="".join(str(int(led.inverted)) for led in reversed(leds)),
    )
