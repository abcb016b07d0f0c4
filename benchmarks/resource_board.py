# SPDX-License-Identifier: Apache-2.0
"""What stands around a design on a board, as Yosys maps it: registers, serial link, and the board's top."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.resource_samples import Leaf
from codesign.fit.resources import around
from codesign.fixed import Fixed
from codesign.graph.ir import Delta, Dense, Graph, Source
from codesign.outputs import write_text
from codesign.records import build, plain
from codesign.rtl.netlist import Instance
from codesign.rtl.top import shared_leaves_of
from codesign.synth.layers import LINK, PADS, REGISTERS, Owners, layers_of, read_json
from codesign.synth.order import Order
from codesign.synth.record import LayerArea
from codesign.synth.target import load_target
from codesign.synth.yosys import NETLIST, synthesise

BOARD, CLOCK_MHZ = "ulx3s-85f", 100.0


def surrounded(lanes: int, hold: float | None) -> Graph:
    """Return a small network of two dense layers with so many codes in a beat of its input."""
    draw = np.random.default_rng(5)
    code, value, wide = (
        Fixed(width=bits, frac=0, signed=signed) for bits, signed in ((4, False), (3, True), (12, True))
    )
    nodes: list[Source | Delta | Dense] = [Source(name="frame", shape=(8,), fmt=code, lanes=lanes)]
    for number, outputs in enumerate((4, 2)):
        before = nodes[-1]
        delta = Delta(
            name=f"d{number}",
            input=before.name,
            shape=before.shape,
            in_fmt=before.fmt,
            fmt=code,
            activation="relu",
            lo=0,
            hi=15,
            hold=None if number else hold,
        )
        weight = draw.integers(-4, 4, (delta.size, outputs))
        dense = Dense(
            name=f"fc{number}", input=delta.name, weight=weight, bias=weight[0], weight_fmt=value, fmt=wide, pe=2
        )
        nodes += [delta, dense]
    return Graph(name="small", nodes=tuple(nodes))


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
