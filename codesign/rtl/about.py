# SPDX-License-Identifier: Apache-2.0
"""A network in a few words, for the comments of its generated top: one line for each node, and one for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from codesign.graph.ir import Conv, Delta, Dense, Graph, Join, Node, Pool, Source, Upsample


def pipeline(graph: Graph) -> str:
    """Return the way from the input to the output: ``a -> b -> c``; a branch begins with what it reads."""
    ways, way = [], [graph.source.name]
    for node in graph.nodes[1:]:
        if node.inputs != (way[-1],):
            ways.append(way)
            way = [" + ".join(node.inputs)]
        way.append(node.name)
    return "; ".join(" -> ".join(way) for way in [*ways, way])


def about(node: Node) -> str:
    """Return what a node does: ``conv1: 16x16x1 -> 8x8x8, 3x3 stride 2, 8 multipliers``."""
    return f"{node.name}: {_about(node)}"


def _about(node: Node) -> str:
    if isinstance(node, Source):
        return f"{_by(node.shape)} codes of {node.fmt.width} bits, {node.lanes} in a beat"
    if isinstance(node, Delta):
        hold = "" if node.hold is None else f", hold {node.hold:g}"
        return f"changes of {_by(node.shape)} codes of {node.fmt.width} bits{hold}"
    if isinstance(node, Dense):
        return f"{node.n_in} -> {node.n_out}, {_multipliers(node.pe)}"
    if isinstance(node, Join):
        return f"{'sum of' if node.kind == 'add' else 'channels of'} {', '.join(node.inputs)} -> {_by(node.shape)}"
    sizes = f"{_by((node.y.size, node.x.size, node.channels_in()))} -> {_by(node.shape)}"
    if isinstance(node, Upsample):
        return f"{sizes}, each code {_by((node.y.factor, node.x.factor))} times"
    window = f"{_by((node.y.kernel, node.x.kernel))}{_stride(node)}"
    if isinstance(node, Conv):
        depthwise = "depthwise " if node.depthwise else ""
        return f"{sizes}, {depthwise}{window}, {_multipliers(node.pe * node.unroll[0] * node.unroll[1])}"
    return f"{sizes}, {'maximum' if node.kind == 'max' else 'sum'} of {window}"


def _stride(node: Conv | Pool) -> str:
    strides = (node.y.stride, node.x.stride)
    if node.y.outputs == 1 or len(set(strides)) == 1:
        return f" stride {node.x.stride}" if node.x.stride > 1 else ""
    return f" stride {_by(strides)}"


def _multipliers(count: int) -> str:
    return f"{count} multiplier{'' if count == 1 else 's'}"


def _by(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))
