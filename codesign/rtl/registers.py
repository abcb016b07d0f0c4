# SPDX-License-Identifier: Apache-2.0
"""The registers of a board's top: one SystemRDL description, and the RTL, the map for Python and the page made of it.

The description is text made from a graph (`description`); everything else is read from the compiled description, so
that an address or the meaning of a bit is written down once. The RTL is PeakRDL-regblock's.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from peakrdl_regblock import RegblockExporter
from peakrdl_regblock.cpuif.axi4lite import AXI4Lite_Cpuif_flattened
from peakrdl_regblock.identifier_filter import kw_filter
from peakrdl_regblock.udps import ALL_UDPS
from systemrdl import RDLCompiler
from systemrdl.node import RegNode, RootNode

from codesign.errors import ConversionError
from codesign.rtl.spec import TopSpec
from codesign.rtl.template import render

ADDRESS_BITS = 12
MAGIC, VERSION = 0x44454C54, 2


MOST_ENGINES, MOST_HOLDS = 62, 512
RESERVED = "_reserved"
"""Name of the word that ends a region of addresses; the map omits it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One 32-bit register.

    Attributes:
        name: path in the map, such as ``control`` or ``counters.conv1.events``.
        address: address of its first byte.
        access: "r", "w" or "rw".
        bits: how many are in use, from bit 0 on.
        reset: value after power-up; None where the hardware decides.
        description: what it means, its bits included.
    """

    name: str
    address: int
    access: str
    bits: int
    reset: int | None
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """Every register of a design by name, in the order of addresses."""

    design: str
    design_id: int
    registers: Mapping[str, Register]

    def __getitem__(self, name: str) -> Register:
        return self.registers[name]

    def to_json(self) -> str:
        """Return the text of ``registers.json``."""
        registers = {
            name: {key: value for key, value in asdict(register).items() if key != "name"}
            for name, register in self.registers.items()
        }
        content = {"design": self.design, "design_id": self.design_id, "registers": registers}
        return json.dumps(content, indent=2) + "\n"


def description(spec: TopSpec, design: str, design_id: int) -> str:
    """Return the SystemRDL of the registers around the top of ``spec``.

    Raises:
        ConversionError: more engines or holds than the map can hold.
    """
    for kind, names, most in (("engines", spec.engines, MOST_ENGINES), ("holds", spec.holds, MOST_HOLDS)):
        if len(names) > most:
            raise ConversionError(
                f"too many {kind} for the registers", where=design, expected=f"at most {most}", received=len(names)
            )
    return render(
        "registers.rdl",
        design=design,
        magic=MAGIC,
        version=VERSION,
        design_id=design_id,
        spec=spec,
        reserved=RESERVED,
    )


def compiled(text: str) -> RootNode:
    """Compile a SystemRDL description."""
    compiler = RDLCompiler()
    for definition in ALL_UDPS:
        compiler.register_udp(definition)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "registers.rdl"
        path.write_text(text, encoding="utf-8")
        compiler.compile_file(str(path))
        return compiler.elaborate()


def register_map(root: RootNode, design: str, design_id: int) -> RegisterMap:
    """Return the registers of a compiled description; omit the reserved end-of-region word from the map."""
    top = root.top
    registers = {}
    for node in top.descendants(unroll=True):
        if isinstance(node, RegNode) and node.inst_name != RESERVED:
            name = node.get_path().removeprefix(f"{top.get_path()}.")
            registers[name] = _register(node, name)
    return RegisterMap(design=design, design_id=design_id, registers=registers)


def _register(node: RegNode, name: str) -> Register:
    fields = list(node.fields())
    resets = [field.get_property("reset") for field in fields]
    known = [reset << field.low for reset, field in zip(resets, fields, strict=True) if isinstance(reset, int)]
    access = ("r" if node.has_sw_readable else "") + ("w" if node.has_sw_writable else "")
    named = [(field, field.get_property("desc")) for field in fields]
    bits = [f"Bit {field.low} ``{field.inst_name}``: {text}" for field, text in named if text]
    return Register(
        name=name,
        address=node.absolute_address,
        access=access,
        bits=max(field.high for field in fields) + 1,
        reset=sum(known) if len(known) == len(fields) else None,
        description=" ".join(" ".join([node.get_property("desc") or "", *bits]).split()),
    )


def regblock(root: RootNode, address_bits: int = ADDRESS_BITS) -> dict[str, str]:
    """Return the RTL of a compiled description, path -> text: a package and a module with an AXI4-Lite port.

    PeakRDL-regblock writes unpacked structures, which Yosys' own reader does not know: here they are packed, which
    changes nothing else, as all their members are single values. Verilator's warnings about generated code are off.
    """
    with tempfile.TemporaryDirectory() as folder:
        RegblockExporter().export(
            root,
            folder,
            cpuif_cls=AXI4Lite_Cpuif_flattened,
            default_reset_activelow=True,
            address_width=address_bits,
            retime_read_response=True,  # a register after the multiplexer of what is read
        )
        paths = sorted(Path(folder).glob("*.sv"), key=lambda path: not path.stem.endswith("_pkg"))
        return {path.name: _readable(path.read_text(encoding="utf-8")) for path in paths}


def _readable(text: str) -> str:
    text = text.replace("struct {", "struct packed {").rstrip()
    off, on = ("".join(f"// verilator lint_{state} {name}\n" for name in _WARNINGS) for state in ("off", "on"))
    return f"// SPDX-License-Identifier: Apache-2.0\n{off}{text}\n{on}"


_WARNINGS = ("MULTIDRIVEN", "UNSIGNED", "UNUSEDPARAM", "UNUSEDSIGNAL")
"""Verilator's warnings about the generated text: a structure in several blocks, comparing with 0, what nobody needs."""


def hold_member(name: str) -> str:
    """Return what the threshold of layer ``name`` is called in the structure of the register module's outputs."""
    return f"hold.{kw_filter(name)}.value.value"
