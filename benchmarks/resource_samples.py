# SPDX-License-Identifier: Apache-2.0
"""What Yosys makes of a network, leaf by leaf: the samples that the resource model is calibrated on."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codesign.graph.ir import Graph
from codesign.outputs import write_text
from codesign.records import build, plain
from codesign.rtl.netlist import Instance
from codesign.rtl.top import top_of
from codesign.synth.layers import layers_of, read_json
from codesign.synth.record import LayerArea
from codesign.synth.yosys import NETLIST, synthesise_graph

REST = "rest"
"""What has the name of no leaf: wires of the top, mostly what chooses a counter to read."""
DISTRIBUTED = "TRELLIS_DPR16X4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A leaf of a network, and its cells.

    Attributes:
        leaf: its module, without ``delta_``.
        name: its instance.
        node: the node that it works for; "" for what serves the whole.
        parameters: its parameters.
        lut: look-up tables, distributed RAM among them.
        distributed: cells of distributed RAM.
        ff: flip-flops. dsp: multipliers. block_rams: block RAMs.
    """

    leaf: str
    name: str
    node: str
    parameters: dict[str, Any]
    lut: int
    distributed: int
    ff: int
    dsp: int
    block_rams: int

    def instance(self) -> Instance:
        """Return it as it stands in a top."""
        return Instance(leaf=self.leaf, name=self.name, node=self.node, parameters=self.parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A network as Yosys mapped it.

    Attributes:
        seed: what drew it, see `benchmarks.resource_networks`.
        tool_version: of Yosys.
        leaves: its leaves, and what belongs to none (`REST`).
    """

    seed: int
    tool_version: str
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaves:
    """Owns cells by leaf, see `codesign.synth.layers.Owning`."""

    names: tuple[str, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        return (*self.names, REST)

    def of(self, cell: str) -> str:
        """Return the leaf of a cell: that of its instance, or the one whose stream its name begins with."""
        first, _, inside = cell.partition(".")
        name = first.removeprefix("i_")
        if inside and first != name and name in self.names:
            return name
        return max((each for each in self.names if f"{name}_".startswith(f"{each}_")), key=len, default=REST)


def sampled(graph: Graph, seed: int, folder: Path) -> Sample:
    """Synthesise a network for an ECP5 in a folder, and return its leaves; what is there already is read.

    Raises:
        ToolNotFoundError: Yosys is missing.
        SynthesisError: it failed.
    """
    path = folder / "sample.json"
    if path.is_file():
        return build(Sample, json.loads(path.read_text(encoding="utf-8")), where="", folder=folder)
    made = synthesise_graph(graph, target="ecp5", folder=folder)
    netlist = read_json(folder / NETLIST, "synthesise again")
    top = top_of(graph)
    names = tuple(instance.name for instance in top.instances)
    areas = {area.name: area for area in layers_of(netlist, _Leaves(names=names), "ecp5")}
    distributed = _count(netlist, names)
    leaves = [_leaf(instance, areas[instance.name], distributed) for instance in top.instances]
    leaves.append(_leaf(Instance(leaf=REST, name=REST, node="", parameters={}), areas[REST], distributed))
    found = Sample(seed=seed, tool_version=str(made.tool_version), leaves=tuple(leaves))
    write_text(path, json.dumps(plain(found)) + "\n")
    return found


def _count(netlist: Mapping[str, Any], names: tuple[str, ...]) -> Counter[str]:
    """Return the cells of distributed RAM of each leaf."""
    found: Counter[str] = Counter()
    owners = _Leaves(names=names)
    for module in netlist["modules"].values():
        if int(module["attributes"].get("top", "0"), 2):
            found.update(owners.of(name) for name, cell in module["cells"].items() if cell["type"] == DISTRIBUTED)
    return found


def _leaf(instance: Instance, area: LayerArea, distributed: Mapping[str, int]) -> Leaf:
    from codesign.synth.resources import ECP5_BLOCK_RAM_BITS

    return Leaf(
        leaf=instance.leaf,
        name=instance.name,
        node=instance.node,
        parameters=dict(instance.parameters),
        lut=area.lut or 0,
        distributed=distributed.get(instance.name, 0),
        ff=area.ff or 0,
        dsp=area.dsp or 0,
        block_rams=(area.bram_bits or 0) // ECP5_BLOCK_RAM_BITS,
    )


def by_layer(sample: Sample, graph: Graph) -> dict[str, list[Leaf]]:
    """Return the leaves of each layer: those of an engine with the activations behind it; the input's are the first."""
    owner = {graph.source.name: graph.source.name, graph.nodes[1].name: graph.source.name, "": REST}
    for node in graph.engines:
        owner[node.name] = node.name
    for delta in graph.deltas[1:]:
        owner[delta.name] = delta.input
    found: dict[str, list[Leaf]] = defaultdict(list)
    for leaf in sample.leaves:
        found[owner[leaf.node]].append(leaf)
    return found
