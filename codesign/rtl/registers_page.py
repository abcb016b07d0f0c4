# SPDX-License-Identifier: Apache-2.0
"""``python -m codesign.rtl.registers_page > docs/registers.md``: the registers of a board, for people.

Made from the same SystemRDL description as the RTL, of an example design with two engines and one hold.
"""

from __future__ import annotations

from codesign.rtl.registers import RegisterMap, compiled, description, register_map
from codesign.rtl.spec import Hold, TopSpec

EXAMPLE = TopSpec(
    module="example_top",
    in_lanes=4,
    in_lane_bits=8,
    in_width=8,
    beats=256,
    out_lanes=1,
    out_lane_bits=16,
    out_words=10,
    engines=("first_delta", "conv", "dense"),
    holds=(Hold(name="first_delta", width=12, default=3), Hold(name="conv_delta", width=16, default=0)),
)
_HEAD = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made by: python -m codesign.rtl.registers_page > docs/registers.md -->
# Registers of a board

Every `<name>_soc` (and `<name>_uart`, which holds one) has these 32-bit registers on AXI4-Lite. One SystemRDL
description, `<name>_registers.rdl`, is made from the design's graph; the SystemVerilog
(PeakRDL-regblock), `registers.json` beside it, `codesign.rtl.soc.register_map` and this page are read from it.
Here: an example with the engines `first_delta`, `conv` and `dense` and two layers with a hold. Every other design
has the same registers up to 0x02C and counters up to 0x408, then those of its engines, and its holds from 0x800 on.
Addresses between read 0 and ignore what is written. Writing the counters does nothing.

| address | name | access | bits | meaning |
|---|---|---|---|---|
"""
_TAIL = """
## Counters
They run from the core's reset on and wrap at 2^32: take differences. A read shows them two cycles late.

## Thresholds
A written threshold comes into force with the next frame that begins; that frame waits until every older one has left
the core, once after each change. So no frame sees two thresholds.
"""


def page(registers: RegisterMap) -> str:
    """Return the text of ``docs/registers.md``."""
    lines = [
        f"| 0x{register.address:03X} | `{register.name}` | {register.access} | {register.bits} |"
        f" {register.description.replace('``', '`')} |\n"
        for register in registers.registers.values()
    ]
    return _HEAD + "".join(lines) + _TAIL


def example() -> RegisterMap:
    """Return the registers of the example design."""
    return register_map(compiled(description(EXAMPLE, "example", 0)), "example", 0)


if __name__ == "__main__":
    print(page(example()), end="")
