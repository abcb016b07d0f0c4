# SPDX-License-Identifier: Apache-2.0
"""The network as the report has it: one record for each node of the graph, without its weights."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.graph.channels import stored_bits
from codesign.graph.ir import Conv, Delta, Graph, Join, Linear, Node, Pool, Repeat, Source, Spatial


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One node of the network, in topological order; what a kind does not have is None.

    Attributes:
        name: name of the layer.
        kind: ``source``, ``delta``, ``dense``, ``conv``, ``depthwise``, ``max``, ``sum``, ``upsample``, ``add`` or
            ``concat``.
        inputs: names of the nodes it reads.
        shape: shape of its output frame.
        bits: bits of an output code, or of an engine's accumulators.
        lanes: codes in an input beat (source).
        pe: output channels computed in one cycle (engines).
        unroll: output rows and columns that an event reaches in one cycle (engines on frames).
        kernel: rows and columns of the window (convolutions and pools).
        stride: rows and columns from one window to the next (the same).
        weights: number of weights, biases left out (layers that multiply).
        weight_bits: bits of one weight.
        hold: threshold in steps (delta); None: memoryless.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    bits: int
    lanes: int | None = None
    pe: int | None = None
    unroll: tuple[int, ...] | None = None
    kernel: tuple[int, ...] | None = None
    stride: tuple[int, ...] | None = None
    weights: int | None = None
    weight_bits: int | None = None
    hold: float | None = None


def units(graph: Graph) -> tuple[Unit, ...]:
    """Return a record for each node of ``graph``."""
    return tuple(_unit(graph, node) for node in graph.nodes)


def kind(node: Node) -> str:
    """Return what the report calls a node: ``dense``, ``conv``, ``depthwise``, ``max``, ``sum``, ``add`` ..."""
    if isinstance(node, Pool | Join):
        return node.kind
    return "depthwise" if isinstance(node, Conv) and node.depthwise else type(node).__name__.lower()


def _unit(graph: Graph, node: Node) -> Unit:
    axes = (node.y, node.x) if isinstance(node, Spatial) else ()
    slides = axes and not isinstance(node, Join) and not any(isinstance(axis, Repeat) for axis in axes)
    return Unit(
        name=node.name,
        kind=kind(node),
        inputs=node.inputs,
        shape=tuple(node.shape),
        bits=node.fmt.width,
        lanes=node.lanes if isinstance(node, Source) else None,
        pe=None if isinstance(node, Source | Delta) else node.pe,
        unroll=tuple(node.unroll) if isinstance(node, Spatial) else None,
        kernel=tuple(axis.kernel for axis in axes) if slides else None,
        stride=tuple(axis.stride for axis in axes) if slides else None,
        weights=int(node.weight.size) if isinstance(node, Linear) else None,
        weight_bits=stored_bits(graph, node)[0] if isinstance(node, Linear) else None,
        hold=node.hold if isinstance(node, Delta) else None,
    )


def of_today(data: object) -> object:
    """Return what a JSON file holds with the keys of a `Unit` that version 0.1 wrote under their names of today."""
    found = data.get("network") if isinstance(data, dict) else None
    for unit in found if isinstance(found, list) else ():
        if isinstance(unit, dict) and "taps" in unit:
            unit["unroll"] = unit.pop("taps")
    return data
