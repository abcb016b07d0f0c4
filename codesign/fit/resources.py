# SPDX-License-Identifier: Apache-2.0
"""The resource model: look-up tables, flip-flops, multipliers and block RAMs of a design before any synthesis.

Multipliers and block RAMs follow from parameters by Yosys' own rules. Look-up tables and flip-flops are sums over the
terms of each leaf (`codesign.fit.leaves`) with the coefficients of ``resource_model.json``, which `make resource-model`
finds from networks that were synthesised. They are those of an ECP5 as Yosys maps it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from codesign.fit.leaves import terms
from codesign.fit.memories import block_rams
from codesign.fit.multiplications import multipliers
from codesign.graph.ir import Graph
from codesign.rtl.netlist import Instance
from codesign.rtl.top import leaves_of, shared_leaves_of
from codesign.synth.layers import REGISTERS
from codesign.synth.record import LayerArea
from codesign.synth.resources import ECP5_BLOCK_RAM_BITS

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
        about: what the model was calibrated on, and its errors on other networks, as JSON.
    """

    lut: Coefficients
    ff: Coefficients
    about: Mapping[str, Any] = field(default_factory=dict)

    def cells(self, instances: Iterable[Instance]) -> Cells:
        """Return what leaves take together."""
        return sum((self._leaf(instance) for instance in instances), Cells())

    def _leaf(self, instance: Instance) -> Cells:
        found = terms(instance)
        lut, ff = (
            sum(value * of.get(instance.leaf, {}).get(name, 0.0) for name, value in found.items())
            for of in (self.lut, self.ff)
        )
        return Cells(lut=lut, ff=ff, dsp=multipliers(instance), block_rams=block_rams(instance))

    def nodes(self, graph: Graph) -> dict[str, Cells]:
        """Return what each node of a network takes; what serves all of them under ``registers``."""
        found = {node.name: Cells() for node in graph.nodes} | {REGISTERS: Cells()}
        for node in graph.nodes[1:]:
            found[node.name] += self.cells(leaves_of(graph, node.name))
        for instance in shared_leaves_of(graph):
            found[instance.node or REGISTERS] += self.cells((instance,))
        return found


@cache
def resource_model() -> ResourceModel:
    """Return the model that ships with the package."""
    data = json.loads(MODEL.read_text(encoding="utf-8"))
    return ResourceModel(
        lut=data["lut"], ff=data["ff"], about={k: v for k, v in data.items() if k not in ("lut", "ff")}
    )
