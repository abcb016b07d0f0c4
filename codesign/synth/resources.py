# SPDX-License-Identifier: Apache-2.0
"""The figures of a synthesised or routed design, and how the cells of a netlist are counted into them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from codesign.errors import SynthesisError

Kind = Literal["estimate", "synth", "route"]
ULTRA_WORDS, ULTRA_WIDTH = 4096, 72
ULTRA_BITS = ULTRA_WORDS * ULTRA_WIDTH
"""An UltraRAM (AMD UG573): 4096 words of 72 bits, whatever is in them; it starts as zeros, so no ROM can be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMemory:
    """Memory of a device: bits of block RAM, and UltraRAMs, of `ULTRA_BITS` each."""

    block_bits: int
    ultra_rams: int = 0

    @property
    def bits(self) -> int:
        """Bits of both."""
        return self.block_bits + self.ultra_rams * ULTRA_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """One line of ``resources`` in report.json. A figure that is not known is None, never 0.

    kind: "synth" counts the mapped netlist, "route" the device cells in use after place and route.
    lut: look-up tables, carry chains and distributed RAM included (LUT4 on Lattice and Gowin, LUT6 on Xilinx).
    ff: flip-flops. dsp: multiplier blocks (MULT18X18D, SB_MAC16, DSP48E1); on Gowin multipliers of 9 x 9 bits.
    bram_bits: used block RAMs times their size, so it shows what the device has to have, not what is stored.
    fmax_mhz: highest clock of register-to-register paths; only a routed design has one.
    """

    target: str
    tool: str
    tool_version: str | None
    kind: Kind
    lut: int | None
    ff: int | None
    dsp: int | None
    bram_bits: int | None
    fmax_mhz: float | None

    def to_json(self) -> dict[str, str | int | float | None]:
        """Return the record as it stands in report.json."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one cell occupies."""

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram_bits: int = 0


ECP5_BLOCK_RAM_BITS = 18 * 1024  # parity bits included
XC7_BLOCK_RAM_BITS = 36 * 1024
GW2A_BLOCK_RAM_BITS = 18 * 1024
ICE40_BLOCK_RAM_BITS = 4 * 1024

# Cell types, as a pattern of the whole name, and what one occupies. The first match counts; Cost() is a cell that
# comes with a look-up table or with the clock network.
ECP5: dict[str, Cost] = {
    r"LUT4": Cost(lut=1),
    r"CCU2C": Cost(lut=2),  # two bits of a carry chain: the two LUTs of a slice
    r"TRELLIS_DPR16X4": Cost(lut=6),  # 16 x 4 distributed RAM: four LUTs hold it, two feed its write port
    r"TRELLIS_FF": Cost(ff=1),
    r"MULT(9X9|18X18)D": Cost(dsp=1),
    r"(DP|PDPW)16KD": Cost(bram_bits=ECP5_BLOCK_RAM_BITS),
    r"PFUMX|L6MUX21|EHXPLLL|\$scopeinfo": Cost(),
    r"TRELLIS_IO|ODDRX1F|DELAYG": Cost(),  # of pads
}
GW2A: dict[str, Cost] = {
    r"LUT[1-4]|ALU": Cost(lut=1),  # an ALU is a bit of a carry chain, in place of a LUT
    r"RAM16SDP4": Cost(lut=4),
    r"DFF\w*": Cost(ff=1),
    r"MULT9X9": Cost(dsp=1),
    r"MULT18X18": Cost(dsp=2),
    r"MULT36X36": Cost(dsp=8),
    r"(SP|SDPB?|DPB?)(X9B?)?|pROM(X9)?": Cost(bram_bits=GW2A_BLOCK_RAM_BITS),
    r"MUX2_LUT[5-8]|[IO]BUF|VCC|GND|GSR|rPLL|\$scopeinfo": Cost(),
}
ICE40: dict[str, Cost] = {
    r"SB_LUT4": Cost(lut=1),
    r"SB_DFF\w*": Cost(ff=1),
    r"SB_MAC16": Cost(dsp=1),
    r"SB_RAM40_4K": Cost(bram_bits=ICE40_BLOCK_RAM_BITS),
    r"SB_CARRY|SB_PLL40_PAD|\$scopeinfo": Cost(),  # a carry bit comes with the LUT of its logic cell
}
XC7: dict[str, Cost] = {
    r"LUT[1-6]|INV": Cost(lut=1),  # no sharing of a LUT6 by two small ones is assumed
    r"SRL16E|SRLC32E|SRLC16E|RAM(32|64)X1S(_1)?": Cost(lut=1),
    r"RAM128X1S(_1)?|RAM(32|64)X1D(_1)?": Cost(lut=2),
    r"RAM(32|64)M|RAM256X1S|RAM128X1D": Cost(lut=4),
    r"FD[RSCP]E(_1)?|LD[CP]E": Cost(ff=1),
    r"DSP48E1": Cost(dsp=1),
    r"RAMB18E1": Cost(bram_bits=XC7_BLOCK_RAM_BITS // 2),
    r"RAMB36E1": Cost(bram_bits=XC7_BLOCK_RAM_BITS),
    r"CARRY4|MUXF[78]|BUFG|IBUF|OBUF|VCC|GND|\$scopeinfo": Cost(),
}
XCUP_ULTRA_RAM_BITS = 288 * 1024
XCUP: dict[str, Cost] = {
    r"URAM288(_BASE)?": Cost(bram_bits=XCUP_ULTRA_RAM_BITS),
    r"DSP48E2": Cost(dsp=1),
    r"RAMB18E2": Cost(bram_bits=XC7_BLOCK_RAM_BITS // 2),
    r"RAMB36E2": Cost(bram_bits=XC7_BLOCK_RAM_BITS),
    r"RAM(32M16|64M8|256X1D|512X1S)": Cost(lut=8),  # the eight LUTs of a slice
    r"CARRY8|MUXF9": Cost(),
    **XC7,
}
TARGETS: dict[str, dict[str, Cost]] = {
    "ecp5": ECP5,
    "xc7": XC7,
    "xcup": XCUP,
    "gw2a": GW2A,
    "ice40": ICE40,
}


def count(cells: Mapping[str, int], target: str) -> Cost:
    """Add up the cells ``{type: number}`` of a flat netlist for ``target``.

    Raises: SynthesisError for a cell type that the table above does not know, such as one that was never mapped.
    """
    return total((cost_of(name, target), number) for name, number in cells.items())


def total(costs: Iterable[tuple[Cost, int]]) -> Cost:
    """Add up costs, each as many times as given."""
    lut = ff = dsp = bram_bits = 0
    for cost, number in costs:
        lut += number * cost.lut
        ff += number * cost.ff
        dsp += number * cost.dsp
        bram_bits += number * cost.bram_bits
    return Cost(lut=lut, ff=ff, dsp=dsp, bram_bits=bram_bits)


def cost_of(name: str, target: str) -> Cost:
    """Return what a mapped cell occupies.

    Raises: SynthesisError for a cell type that the tables above do not know.
    """
    for pattern, cost in TARGETS[target].items():
        if re.fullmatch(pattern, name):
            return cost
    raise SynthesisError(
        f"the netlist for {target} has cells of type {name}, which are not in the table of costs",
        fix="add it to codesign/synth/resources.py if the device has it; if not, this RTL cannot be mapped",
    )
