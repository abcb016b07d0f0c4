# SPDX-License-Identifier: Apache-2.0
"""What stands around a design on a board, as Yosys maps it: registers, serial link, and the board's top."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from benchmarks.resource_networks import network
from benchmarks.resource_samples import Leaf
from codesign.fit.resources import around
from codesign.graph.ir import Delta, Graph, Node
from codesign.outputs import write_text
from codesign.records import build, plain
from codesign.rtl.netlist import Instance
from codesign.rtl.top import shared_leaves_of
from codesign.synth.layers import LINK, PADS, REGISTERS, Owners, layers_of, read_json
from codesign.synth.order import Order
from codesign.synth.record import LayerArea
from codesign.synth.target import load_target
from codesign.synth.yosys import NETLIST, synthesise

BOARD, CLOCK_MHZ, SEED = "ulx3s-85f", 100.0, 8


def surrounded(lanes: int, hold: float | None, pe: int) -> Graph:
    """Return a small network of two dense layers with so many codes in a beat of its input, and of its output."""
    graph = network(SEED, "dense", "dense")
    first, last = graph.nodes[1], graph.engines[-1]
    assert isinstance(first, Delta)
    changed: dict[str, Node] = {
        graph.source.name: replace(graph.source, lanes=lanes),
        first.name: replace(first, hold=hold),
        last.name: replace(last, pe=pe),
    }
    return replace(graph, nodes=tuple(changed.get(node.name, node) for node in graph.nodes))


def board_sample(graph: Graph, folder: Path) -> list[list[Leaf]]:
    """Build a design for the board as far as Yosys; return the leaves of registers, link and pads, each with its cells.

    The first leaf of each has all of them.
    """
    path = folder / "around.json"
    if not path.is_file():
        order = Order(graph=graph, board=load_target(BOARD), clock_mhz=CLOCK_MHZ)
        synthesise(order.files(), order.module, target="ecp5", folder=folder)
        netlist = read_json(folder / NETLIST, "synthesise again")
        areas = layers_of(netlist, Owners(nodes=tuple(node.name for node in graph.nodes)), "ecp5")
        write_text(path, json.dumps([plain(area) for area in areas if area.name in (REGISTERS, LINK, PADS)]) + "\n")
    found = json.loads(path.read_text(encoding="utf-8"))
    areas = tuple(build(LayerArea, each, where="", folder=folder) for each in found)
    return [_leaves(graph, area) for area in areas]


def _leaves(graph: Graph, area: LayerArea) -> list[Leaf]:
    instances = [each for each in around(graph, "uart") if each.node == area.name]
    if area.name == REGISTERS:
        instances += [each for each in shared_leaves_of(graph) if not each.node]
    first, *others = instances
    return [_leaf(first, area), *(_leaf(each, LayerArea(name="")) for each in others)]


def _leaf(instance: Instance, area: LayerArea) -> Leaf:
    return Leaf(
        leaf=instance.leaf,
        name=instance.name,
        node=instance.node,
        parameters=dict(instance.parameters),
        lut=area.lut or 0,
        distributed=0,
        ff=area.ff or 0,
        dsp=area.dsp or 0,
        block_rams=0,
    )
