# SPDX-License-Identifier: Apache-2.0
"""What the arithmetic and the memory accesses of a frame would cost: an estimate, from counts times published energies.

Counts are exact (events, multiply-accumulates and reached words of the golden trace); the energies of one operation are
those of M. Horowitz, *Computing's energy problem (and what we can do about it)*, ISSCC 2014, pp. 10-14, figure 1.1.9:
integer arithmetic and cache accesses in a 45 nm process at 0.9 V.

Included, skipping and dense alike: multiplications and additions of every multiply-accumulate, the weight it reads, the
read and the write of its accumulator, and the read of each accumulator that is sent on. Skipping pays besides for
comparing and keeping references: each candidate's is read and compared, each changed one written. Dense is charged as
an engine that keeps none and multiplies codes, which are a bit narrower than differences.

Not included: clock tree, control, queues, routing between cells, input and output, and what a device draws at rest. So
neither sum is the consumption of an FPGA, whose logic takes about 14 times the dynamic power of the same circuit in
an ASIC (I. Kuon, J. Rose, *Measuring the gap between FPGAs and ASICs*, IEEE TCAD 26 (2), 2007); their ratio shows what
skipping saves in the work that both have to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codesign.graph.channels import stored_bits
from codesign.graph.ir import Delta, Engine, Graph
from codesign.graph.sparsity import LayerActivity

SOURCE = "operations counted on these clips, times the energies of M. Horowitz, ISSCC 2014, figure 1.1.9 (45 nm, 0.9 V)"
PICOJOULES: dict[str, float] = {
    "add_8_bit": 0.03,
    "add_32_bit": 0.1,
    "multiply_8_bit": 0.2,
    "multiply_32_bit": 3.1,
    "read_64_bit_of_8_kbyte": 10.0,
}
"""The published energies; everything below is derived from them."""
MEMORY_BIT_PJ = PICOJOULES["read_64_bit_of_8_kbyte"] / 64
"""A bit read or written: that of an 8 kbyte cache, the smallest published; a block RAM of an FPGA has 2 kbyte."""


def add_pj(bits: int) -> float:
    """Return the energy of an addition: the straight line through the two published widths."""
    slope = (PICOJOULES["add_32_bit"] - PICOJOULES["add_8_bit"]) / (32 - 8)
    return PICOJOULES["add_8_bit"] + slope * (bits - 8)


def multiply_pj(bits: int, other: int) -> float:
    """Return the energy of a multiplication: in proportion to the product of the widths, as the published ones are."""
    return PICOJOULES["multiply_8_bit"] * bits * other / 64


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyUse:
    """Nanojoules of a mean frame.

    Attributes:
        multiply: multiplications.
        add: additions and comparisons.
        weights: weight reads.
        state: accumulators read and written.
        references: what was last sent, read, and written where it changed.
        total: the sum.
    """

    multiply: float
    add: float
    weights: float
    state: float
    references: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """The estimate, skipping and dense.

    Attributes:
        source: origin of the method, in words.
        picojoules: the published energies it rests on.
        skipping: energy of this design.
        dense: energy of the same layers computing every frame in full.
        ratio: dense over skipping.
    """

    source: str
    picojoules: dict[str, float]
    skipping: EnergyUse
    dense: EnergyUse
    ratio: float


@dataclass(slots=True, kw_only=True)
class _Sum:
    """Picojoules of a frame so far."""

    multiply: float = 0.0
    add: float = 0.0
    weights: float = 0.0
    state: float = 0.0
    references: float = 0.0

    def operations(self, count: float, stored: tuple[int, int], operand_bits: int | None) -> None:
        """Add ``count`` operations that change an accumulator; with weights and an operand they multiply first.

        ``stored``: bits of a weight and of an accumulator.
        """
        weight_bits, sum_bits = stored
        if weight_bits and operand_bits is not None:
            self.multiply += count * multiply_pj(weight_bits, operand_bits)
            self.weights += count * weight_bits * MEMORY_BIT_PJ
        self.add += count * add_pj(sum_bits)
        self.state += count * 2 * sum_bits * MEMORY_BIT_PJ

    def sent(self, values: float, stored: tuple[int, int]) -> None:
        """Add the read of ``values`` complete accumulators."""
        self.state += values * stored[1] * MEMORY_BIT_PJ

    def compared(self, elements: float, changed: float, delta: Delta) -> None:
        """Add ``elements`` of ``delta`` compared with their references, of which ``changed`` are replaced."""
        self.add += elements * add_pj(delta.in_fmt.width)
        self.references += (elements + changed) * delta.fmt.width * MEMORY_BIT_PJ

    def nanojoules(self) -> EnergyUse:
        """Return the sum."""
        parts = {name: getattr(self, name) / 1e3 for name in self.__dataclass_fields__}
        return EnergyUse(**parts, total=sum(parts.values()))


def energy(graph: Graph, layers: Sequence[LayerActivity]) -> Energy:
    """Estimate the energy of a mean frame.

    Args:
        graph: the network.
        layers: activity of every engine on the measured clips, in the order of ``graph.engines``.
    """
    seen = {layer.name: layer for layer in layers}
    skipping, dense = _Sum(), _Sum()
    for node in graph.engines:
        delta = graph[node.inputs[0]]
        width, narrow = (delta.delta_bits, delta.fmt.width) if isinstance(delta, Delta) else (None, None)
        stored = stored_bits(graph, node)
        skipping.operations(_operations(node, seen[node.name]), stored, width)
        skipping.sent(float(seen[node.name].words.mean()) * node.pe, stored)
        dense.operations(node.macs or _dense_lanes(node), stored, narrow)
        dense.sent(node.size, stored)
    reached = {node.name: float(seen[node.name].words.mean()) * node.pe for node in graph.engines}
    for delta in graph.deltas:
        looked = min(delta.size, reached.get(delta.input, delta.size))
        skipping.compared(looked, _changed(graph, delta, looked, seen), delta)
    quick, full = skipping.nanojoules(), dense.nanojoules()
    return Energy(source=SOURCE, picojoules=PICOJOULES, skipping=quick, dense=full, ratio=full.total / quick.total)


def _operations(node: Engine, seen: LayerActivity) -> float:
    """Return the operations of a mean frame; an engine that does not multiply has one per lane of each reached word."""
    return float(seen.active_macs.mean() if node.macs else seen.ideal_cycles.mean() * node.pe)


def _dense_lanes(node: Engine) -> float:
    return float(sum(node.reach(at).sum() for at in range(len(node.inputs))) * node.pe)


def _changed(graph: Graph, delta: Delta, looked: float, seen: dict[str, LayerActivity]) -> float:
    """Return how many elements of ``delta`` change in a mean frame, of ``looked`` that were compared.

    Its first reader's events give it; without a reader (the design's output) all that were compared count.
    """
    readers = graph.readers(delta.name)
    if not readers:
        return looked
    first = seen[readers[0]]
    return float(first.events.mean()) * delta.size / first.elements
