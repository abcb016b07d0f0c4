# SPDX-License-Identifier: Apache-2.0
"""Registers after multipliers become those that an ECP5's multipliers have themselves.

Yosys maps ``a * b`` to a `MULT18X18D` without its registers, so a product has to reach flip-flops somewhere else within
the cycle that multiplied it. A multiplier's output register is the same register, nearer (Lattice FPGA-TN-02205): it
takes the clock and the enable of the flip-flops that it replaces.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from codesign.synth.layers import top_module

MULTIPLIER, FLIP_FLOP, OUTPUTS = "MULT18X18D", "TRELLIS_FF", 36


@dataclass(frozen=True, slots=True)
class _Clocking:
    """What flip-flops must share to become one register: nets of clock and enable."""

    clock: Any
    enable: Any


def pack_products(netlist: dict[str, Any]) -> int:
    """Move every product's flip-flops into its multiplier, in place, and return how many flip-flops are gone.

    netlist: what Yosys' write_json wrote after synth_ecp5. A multiplier is changed only if each output that is read is
    read by one flip-flop alone, and all of these have one clock, one enable and no reset.
    Raises: SynthesisError if there is no top.
    """
    top: Any = top_module(netlist)
    cells = top["cells"]
    readers = _readers(top)
    gone = 0
    for cell in list(cells.values()):
        if cell["type"] == MULTIPLIER:
            gone += _pack(cell, cells, readers)
    return gone


def _readers(top: dict[str, Any]) -> dict[Any, list[tuple[str, str]]]:
    """Return the readers of each net bit: (cell, pin), or ("", port) of the module."""
    found: dict[Any, list[tuple[str, str]]] = defaultdict(list)
    for name, cell in top["cells"].items():
        directions = cell["port_directions"]
        for pin, bits in cell["connections"].items():
            if directions.get(pin) != "output":
                for bit in bits:
                    found[bit].append((name, pin))
    for name, port in top["ports"].items():
        for bit in port["bits"]:
            found[bit].append(("", name))
    return found


def _pack(multiplier: dict[str, Any], cells: dict[str, Any], readers: dict[Any, list[tuple[str, str]]]) -> int:
    outputs = {}  # pin -> its flip-flop
    for pin in (f"P{i}" for i in range(OUTPUTS)):
        for bit in multiplier["connections"].get(pin, []):
            read = readers.get(bit, [])
            if len(read) > 1 or (read and (read[0][1] != "DI" or cells[read[0][0]]["type"] != FLIP_FLOP)):
                return 0
            if read:
                outputs[pin] = read[0][0]
    clockings = {_clocking(cells[name]) for name in outputs.values()}
    if len(clockings) != 1 or None in clockings:
        return 0
    clocking = clockings.pop()
    assert clocking is not None
    multiplier["parameters"] |= {
        "REG_OUTPUT_CLK": "CLK0",
        "REG_OUTPUT_CE": "CE0",
        "REG_OUTPUT_RST": "RST0",
        "RESETMODE": "SYNC",
        "GSR": "DISABLED",
    }
    for pin, net in (("CLK0", clocking.clock), ("CE0", clocking.enable), ("RST0", "0")):
        multiplier["connections"][pin] = [net]
        multiplier["port_directions"][pin] = "input"
    for pin, name in outputs.items():
        multiplier["connections"][pin] = cells.pop(name)["connections"]["Q"]
    return len(outputs)


def _clocking(cell: dict[str, Any]) -> _Clocking | None:
    """Return clock and enable of a flip-flop, None if it has a reset or an inverted pin."""
    parameters, pins = cell["parameters"], cell["connections"]
    enabled = parameters.get("CEMUX", "CE").strip()
    if pins.get("LSR", ["0"]) != ["0"] or parameters.get("CLKMUX", "CLK") != "CLK" or enabled not in ("1", "CE"):
        return None
    return _Clocking(clock=pins["CLK"][0], enable="1" if enabled == "1" else pins["CE"][0])
