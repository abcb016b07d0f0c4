# SPDX-License-Identifier: Apache-2.0
"""The resource model: look-up tables, flip-flops, multipliers and block RAMs of a design before any synthesis.

Multipliers and block RAMs follow from parameters by Yosys' own rules. Look-up tables and flip-flops are sums over the
terms of each leaf (`codesign.fit.leaves`) with the coefficients of ``resource_model.json``, which `make resource-model`
finds from networks that were synthesised. They are those of an ECP5 as Yosys maps it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from codesign.fit.leaves import terms
from codesign.fit.memories import LUTS, memories_of, widths_of
from codesign.fit.multiplications import multipliers
from codesign.graph.ir import Graph
from codesign.rtl.netlist import Instance
from codesign.rtl.spec import top_spec
from codesign.rtl.top import leaves_of, shared_leaves_of
from codesign.synth.layers import LINK, PADS, REGISTERS
from codesign.synth.record import LayerArea
from codesign.synth.resources import ECP5_BLOCK_RAM_BITS

Top: TypeAlias = Literal["uart", "soc", "top"]
MODEL = Path(__file__).with_name("resource_model.json")
Coefficients = Mapping[str, Mapping[str, float]]
"""Of the terms of each leaf, by the leaf's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What a part of a design takes: whole block RAMs, and look-up tables and flip-flops as estimated."""

    lut: float = 0.0
    ff: float = 0.0
    dsp: int = 0
    block_rams: int = 0

    def __add__(self, other: Cells) -> Cells:
        return Cells(
            lut=self.lut + other.lut,
            ff=self.ff + other.ff,
            dsp=self.dsp + other.dsp,
            block_rams=self.block_rams + other.block_rams,
        )

    def area(self, name: str = "") -> LayerArea:
        """Return it as a build counts cells."""
        return LayerArea(
            name=name,
            lut=round(self.lut),
            ff=round(self.ff),
            dsp=self.dsp,
            bram_bits=self.block_rams * ECP5_BLOCK_RAM_BITS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceModel:
    """Coefficients, and what they are worth.

    Attributes:
        lut: of look-up tables.
        ff: of flip-flops.
        top: what is counted: a design alone (``top``), with its registers (``soc``), with a serial port (``uart``).
        about: what the model was calibrated on, and its errors on other networks, as JSON.
    """

    lut: Coefficients
    ff: Coefficients
    top: Top = "top"
    about: Mapping[str, Any] = field(default_factory=dict)

    def node(self, graph: Graph, name: str, widths: Mapping[str, int] | None = None) -> Cells:
        """Return what a node of a network takes, other than its source; ``widths``: as `widths_of` has them."""
        kept = widths_of(graph, name) if widths is None else widths
        return sum((self._leaf(instance, kept) for instance in leaves_of(graph, name)), Cells())

    def shared(self, graph: Graph, name: str) -> Cells:
        """Return what the input or the output takes beside its node, by the name of that; "": what serves the whole."""
        found = [item for item in shared_leaves_of(graph) if item.node == name]
        owners = {graph.source.name: "inbox", graph.output.name: "outbox", "": ""}
        found += [item for item in around(graph, self.top) if owners.get(name) == item.name]
        return sum((self._leaf(item, {}) for item in found), Cells())

    def _leaf(self, instance: Instance, widths: Mapping[str, int]) -> Cells:
        found, memories = terms(instance), tuple(memories_of(instance, widths))
        lut, ff = (
            sum(value * of.get(instance.leaf, {}).get(name, 0.0) for name, value in found.items())
            for of in (self.lut, self.ff)
        )
        return Cells(
            lut=lut + LUTS * sum(memory.distributed for memory in memories),
            ff=ff,
            dsp=multipliers(instance),
            block_rams=sum(memory.blocks for memory in memories),
        )

    def nodes(self, graph: Graph) -> dict[str, Cells]:
        """Return what each node of a network takes; what serves all of them as ``registers``, ``link`` and ``pads``."""
        found = {node.name: Cells() for node in graph.nodes} | {REGISTERS: Cells()}
        for node in graph.nodes[1:]:
            found[node.name] += self.node(graph, node.name)
        for item in shared_leaves_of(graph):
            found[item.node or REGISTERS] += self._leaf(item, {})
        for item in around(graph, self.top):
            found[item.node] = found.get(item.node, Cells()) + self._leaf(item, {})
        return found


def around(graph: Graph, top: Top) -> tuple[Instance, ...]:
    """Return what stands around a design on a board, as leaves; their names are those of whose it depends on."""
    if top == "top":
        return ()
    spec = top_spec(graph)
    registers = Instance(leaf="registers", name="", node=REGISTERS, parameters={"ThresholdBits": spec.threshold_bits})
    if top == "soc":
        return (registers,)
    boxes = (("inbox", spec.beats, spec.in_bytes), ("outbox", spec.out_words, spec.out_bytes))
    return (
        registers,
        *(
            Instance(leaf="box", name=name, node=LINK, parameters={"Beats": beats, "BeatBytes": size})
            for name, beats, size in boxes
        ),
        Instance(leaf="link", name="", node=LINK, parameters={}),
        Instance(leaf="pads", name="", node=PADS, parameters={}),
    )


@cache
def resource_model() -> ResourceModel:
    """Return the model that ships with the package."""
    data = json.loads(MODEL.read_text(encoding="utf-8"))
    return ResourceModel(
        lut=data["lut"], ff=data["ff"], about={k: v for k, v in data.items() if k not in ("lut", "ff")}
    )
