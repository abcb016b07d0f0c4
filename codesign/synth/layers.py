# SPDX-License-Identifier: Apache-2.0
"""Which layer a cell belongs to: a cell of a flat netlist is assigned by its hierarchical name.

Yosys flattens a design under names such as ``i_uart.i_soc.i_core.i_conv1_conv.count_q``, names what it makes after the
signals beside it, and nextpnr keeps these names; so the hierarchy is known without being kept, and costs nothing. A
cell without a name of its own, such as the end of a carry chain, belongs to whom its neighbours belong.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from codesign.errors import SynthesisError
from codesign.synth.record import LayerArea
from codesign.synth.resources import Cost, cost_of, total

LINK, REGISTERS, PADS = "link", "registers", "pads"
TOP, SOC, UART = "i_core", "i_soc", "i_uart"
"""Instances: the streaming core in the bus top, that in the serial top, and the serial top in the board top."""
_CONSTANT = "$PACKER_"
"""Begins the names of nextpnr's cells that drive GND and VCC."""
_MANY = 16
"""A net with more pins than this is no evidence of neighbourhood."""


class Owning(Protocol):
    """Says which part of a design a cell belongs to."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Every name that can own cells, in order; the last one owns what has no neighbours."""

    def of(self, cell: str) -> str:
        """Return the owner of the cell of this hierarchical name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Finds the owner of a cell.

    nodes: nodes of the graph. top: outermost design module: "uart" (inside the board top), "soc" or "top" (the core).
    """

    nodes: tuple[str, ...]
    top: Literal["uart", "soc", "top"] = "uart"

    @property
    def rows(self) -> tuple[str, ...]:
        """Every name that can own cells, in order."""
        return (*self.nodes, REGISTERS, *((LINK, PADS) if self.top == "uart" else ()))

    def of(self, cell: str) -> str:
        """Return the owner of the cell of this hierarchical name."""
        scope = cell.split(".")
        if self.top == "top" or TOP in scope:
            inside = scope if self.top == "top" else scope[scope.index(TOP) + 1 :]
            return self._node("".join(inside[:1]).removeprefix("i_"))
        if SOC in scope or self.top == "soc":
            return REGISTERS
        return LINK if UART in scope else PADS

    def _node(self, name: str) -> str:
        """Return the node whose name begins ``name``, the longest of several; no node: the counters."""
        return max((node for node in self.nodes if f"{name}_".startswith(f"{node}_")), key=len, default=REGISTERS)


def layers_of(netlist: Mapping[str, Any], owners: Owning, cost: Mapping[str, Cost] | str) -> tuple[LayerArea, ...]:
    """Return what each part of a flat netlist occupies; the sums are those of the whole netlist.

    netlist: as Yosys and nextpnr write it. cost: a family of ``codesign.synth.resources``, for a mapped netlist, or the
    ``sites`` of a toolchain, for a routed one.
    """
    cells = top_module(netlist)["cells"]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, owner in _owners(cells, owners).items():
        counts[owner][_kind(cells[name])] += 1
    return tuple(
        _area(row, total((_cost(kind, cost), number) for kind, number in counts[row].items())) for row in owners.rows
    )


def area_of(layers: Iterable[LayerArea], name: str = "") -> LayerArea:
    """Add up layers."""
    each = tuple(layers)
    figures = {key: sum(getattr(layer, key) or 0 for layer in each) for key in ("lut", "ff", "dsp", "bram_bits")}
    return LayerArea(name=name, **figures)


def top_module(netlist: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the top module of a netlist.

    Raises: SynthesisError if there is none.
    """
    modules = netlist.get("modules", {}).values()
    top = next((module for module in modules if int(module["attributes"].get("top", "0"), 2)), None)
    if top is None:
        raise SynthesisError("the netlist has no top module", fix="synthesise the design again")
    found: Mapping[str, Any] = top
    return found


def read_json(path: Path, fix: str) -> dict[str, Any]:
    """Return what a tool wrote.

    Raises: SynthesisError if it cannot be read; ``fix`` is the next step.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as failure:
        raise SynthesisError(
            "cannot be read", where=str(path), expected="a JSON file", received=repr(failure), fix=fix
        ) from failure
    return data


def _owners(cells: Mapping[str, Any], owners: Owning) -> dict[str, str]:
    """Return the owner of every cell; one without neighbours that are known is the last owner's.

    Cells without a name vote in rounds, as many of nextpnr's touch others without a name only, such as the two halves
    of a carry chain's end. Nets that supply a constant reach every cell and are no evidence.
    """
    found = {name: owners.of(name) for name in cells if not name.startswith("$")}
    constant = {bit for name in cells if name.startswith(_CONSTANT) for bit in _bits(cells[name])}
    left = {name: _bits(cells[name]) - constant for name in cells if name.startswith("$")}
    wanted = set().union(*left.values())
    pins: Counter[object] = Counter()
    beside: dict[object, Counter[str]] = defaultdict(Counter)
    for name, cell in cells.items():
        for bit in wanted.intersection(_bits(cell)):
            pins[bit] += 1
            if name in found:
                beside[bit][found[name]] += 1
    while True:
        decided = {name: owner for name, bits in left.items() if (owner := _vote(bits, pins, beside)) is not None}
        if not decided:
            return found | dict.fromkeys(left, owners.rows[-1])
        for name, owner in decided.items():
            for bit in left.pop(name):
                beside[bit][owner] += 1
        found |= decided


def _vote(bits: set[object], pins: Counter[object], beside: Mapping[object, Counter[str]]) -> str | None:
    """Return the owner of most of the pins at these nets; None if no owner is known."""
    votes: Counter[str] = Counter()
    for bit in bits:
        if pins[bit] <= _MANY and bit in beside:
            votes += beside[bit]
    return max(sorted(votes), key=votes.__getitem__) if votes else None


def _bits(cell: Mapping[str, Any]) -> set[object]:
    """Return the nets at a cell's pins; constants are strings."""
    return {bit for bits in cell["connections"].values() for bit in bits if not isinstance(bit, str)}


def _kind(cell: Mapping[str, Any]) -> str:
    """Return the type of a cell, marked if it is a logic cell whose flip-flop is used."""
    used = str(cell.get("parameters", {}).get("DFF_ENABLE", "0"))
    return f"{cell['type']}/FF" if int(used, 2) else str(cell["type"])


def _cost(kind: str, cost: Mapping[str, Cost] | str) -> Cost:
    if isinstance(cost, str):
        return cost_of(kind, cost)
    return next((value for pattern, value in cost.items() if re.fullmatch(pattern, kind)), Cost())


def _area(name: str, cost: Cost) -> LayerArea:
    return LayerArea(name=name, lut=cost.lut, ff=cost.ff, dsp=cost.dsp, bram_bits=cost.bram_bits)
