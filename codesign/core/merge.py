# SPDX-License-Identifier: Apache-2.0
"""Linear layers that end in an addition: their products go into its sums, and their own sums need not exist.

Where a shortcut adds the accumulators of a layer as they are, an activation between the two sends every bit, and few
elements stay the same. A core adds what several activations change to one word of sums, so the layer becomes a way in
which its input reaches the addition. Exact: ``(W r + b) * 2**shift`` is ``(W * 2**shift) r + b * 2**shift``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from codesign.graph.engines import Conv, Dense, Engine, Join, Linear
from codesign.graph.ir import Delta, Graph, Source

Through: TypeAlias = Mapping[tuple[str, int], Linear]
"""The layer through which an input of an addition comes, by the addition's name and the number of the input."""


def merged(graph: Graph) -> tuple[Graph, Through]:
    """Return the graph without layers that only an addition reads, and those layers.

    In the graph the addition reads what the layer read; what `codesign.core.plan.way` returns knows their shapes.
    """
    through: dict[tuple[str, int], Linear] = {}
    for delta in graph.deltas:
        layer, readers = graph[delta.input], graph.readers(delta.name)
        if not isinstance(layer, Dense | Conv) or graph.readers(layer.name) != (delta.name,) or len(readers) != 1:
            continue
        join = graph[readers[0]]
        if _sends_all(delta, layer) and isinstance(join, Join) and join.kind == "add":
            at = join.inputs.index(delta.name)
            through[join.name, at] = layer
            inputs = tuple(layer.input if name == delta.name else name for name in join.inputs)
            graph = _without(graph, {delta.name, layer.name}, replace(join, inputs=inputs))
    return graph, through


def trimmed(graph: Graph) -> Graph:
    """Return the graph without an activation at its end that sends the sums of an engine as they are: they are sent."""
    last = graph.output
    if not isinstance(last, Delta) or len(graph.deltas) == 1:
        return graph
    engine = graph[last.input]
    if isinstance(engine, Source | Delta) or len(graph.readers(engine.name)) != 1 or not _sends_all(last, engine):
        return graph
    return replace(graph, nodes=graph.nodes[:-1])


def _sends_all(delta: Delta, layer: Engine) -> bool:
    """Return whether an activation sends the sums of a layer as they are."""
    same = delta.activation == "identity" and delta.hold is None and not any(delta.step_log2)
    whole = delta.fmt.frac == delta.in_fmt.frac and delta.lo <= layer.fmt.lo and layer.fmt.hi <= delta.hi
    return same and whole


def _without(graph: Graph, names: set[str], changed: Join) -> Graph:
    nodes = tuple(changed if node.name == changed.name else node for node in graph.nodes if node.name not in names)
    return replace(graph, nodes=nodes)
