# SPDX-License-Identifier: Apache-2.0
"""What each layer may have, what that takes, and what it makes of the measured frames.

What a layer's PE and unroll change stays within the layer and the activations behind it, so the cells of a design are
the sum of one choice for each layer and one for the input, and every choice is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from codesign.fit.measured import Measured, with_hardware
from codesign.fit.memories import widths_of
from codesign.fit.resources import Cells, ResourceModel
from codesign.graph.cycles import Reached
from codesign.graph.ir import Delta, Dense, Engine, Graph, Node
from codesign.report.energy import MEMORY_BIT_PJ, add_pj

MOST_P = 128
"""Codes of an input beat at most, unless the network has more already."""
TAIL = 0.95
_STAGE = re.compile(r"_stage\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice for a layer, or for the input.

    Attributes:
        nodes: the nodes that it replaces, with their new PE, unroll or P.
        cycles: cycles of a frame that it takes at least, at the 95th percentile.
        cells: what it takes, with the activations behind it.
        energy_pj: energy of a mean frame that depends on it.
        reached: what the events of its engines reach.
    """

    nodes: tuple[Node, ...]
    cycles: float
    cells: Cells
    energy_pj: float
    reached: Mapping[str, Reached]


def options(graph: Graph, measured: Measured, known: Mapping[str, Reached], model: ResourceModel) -> list[list[Option]]:
    """Return what the input and each layer may have, in order; of options that are no better than another one the
    other alone.
    """
    layers = [_layer(graph, group, measured, known, model) for group in layers_of(graph)]
    return [_best(found) for found in (_inputs(graph, model), *layers)]


def with_options(graph: Graph, chosen: Sequence[Option]) -> Graph:
    """Return the network with a choice for its input and each layer."""
    return with_nodes(graph, [node for option in chosen for node in option.nodes])


def fixed_cells(graph: Graph, model: ResourceModel) -> Cells:
    """Return what a design takes whatever is chosen: what admits and counts its frames."""
    return model.shared(graph, "")


def layers_of(graph: Graph) -> list[list[Engine]]:
    """Return the engines of each layer: a large maximum has become several, which have one PE."""
    found: dict[str, list[Engine]] = {}
    names = {node.name for node in graph.engines}
    for node in graph.engines:
        base = _STAGE.sub("", node.name)
        found.setdefault(base if base in names else node.name, []).append(node)
    return list(found.values())


def _inputs(graph: Graph, model: ResourceModel) -> list[Option]:
    """Return the options of P: of those with as many beats the fewest codes."""
    source, found = graph.source, {}
    for lanes in range(min(source.size, max(MOST_P, source.lanes)), 0, -1):
        found[-(-source.size // lanes)] = lanes
    made = []
    for beats, lanes in found.items():
        node = replace(source, lanes=lanes)
        changed = with_nodes(graph, (node,))
        cells = model.node(changed, graph.nodes[1].name) + model.shared(changed, source.name)
        made.append(Option(nodes=(node,), cycles=float(beats), cells=cells, energy_pj=0.0, reached={}))
    return made


def with_nodes(graph: Graph, nodes: Sequence[Node]) -> Graph:
    """Return a network with nodes in the place of those of their names."""
    made = {node.name: node for node in nodes}
    return replace(graph, nodes=tuple(made.get(node.name, node) for node in graph.nodes))


def _layer(
    graph: Graph, engines: list[Engine], measured: Measured, known: Mapping[str, Reached], model: ResourceModel
) -> list[Option]:
    """Return the options of a layer; what its PE alone decides is counted once for each PE."""
    made, pe, widths, behind = [], 0, {}, Cells()
    for nodes in _variants(engines):
        changed = with_nodes(graph, nodes)
        if nodes[0].pe != pe:
            pe = nodes[0].pe
            widths = {node.name: widths_of(changed, node.name) for node in nodes}
            behind = _behind(changed, engines, model)
        cells = sum((model.node(changed, node.name, widths[node.name]) for node in nodes), behind)
        made.append(_option(graph, engines, nodes, cells, measured, known))
    return made


def _behind(graph: Graph, engines: Sequence[Engine], model: ResourceModel) -> Cells:
    """Return what stands behind the engines of a layer: activations, and the output's packet."""
    names = {engine.name for engine in engines}
    activations = [node.name for node in graph.deltas if node.input in names]
    found = sum((model.node(graph, name) for name in activations), Cells())
    last = graph.output.name
    return found + model.shared(graph, last) if last in names or last in activations else found


def _variants(engines: list[Engine]) -> Iterator[tuple[Engine, ...]]:
    """Yield the engines of a layer with every PE and unroll that they may have."""
    outputs = engines[0].shape[-1]
    for pe in (pe for pe in range(1, outputs + 1) if outputs % pe == 0):
        made = [replace(node, pe=pe) for node in engines]
        if len(made) > 1 or isinstance(made[0], Dense):
            yield tuple(made)
            continue
        (node,) = made
        assert not isinstance(node, Dense)
        rows, columns = (int(axis.counts().max()) for axis in (node.y, node.x))
        for unroll in product(range(1, rows + 1), range(1, columns + 1)):
            yield (replace(node, unroll=unroll),)


def _option(
    graph: Graph,
    engines: Sequence[Engine],
    nodes: tuple[Engine, ...],
    cells: Cells,
    measured: Measured,
    known: Mapping[str, Reached],
) -> Option:
    reached = {
        node.name: with_hardware(before, node, known[node.name], measured.events[node.name])
        for before, node in zip(engines, nodes, strict=True)
    }
    return Option(
        nodes=nodes,
        cycles=max(_own(node, reached[node.name]) for node in nodes),
        cells=cells,
        energy_pj=sum(_energy(graph, node, reached[node.name]) for node in nodes),
        reached=reached,
    )


def _own(node: Engine, reached: Reached) -> float:
    """Return the cycles that an engine takes for a frame whatever stands around it, at the 95th percentile."""
    work = np.asarray(reached.cycles)
    if not isinstance(node, Dense):
        work = np.maximum(work, np.asarray(reached.words))
    return float(np.quantile(work, TAIL))


def _energy(graph: Graph, node: Engine, reached: Reached) -> float:
    """Return the energy [pJ] of the values that are read, compared, and, where nothing is multiplied, added."""
    values = float(np.asarray(reached.words).mean()) * node.pe
    reads = node.fmt.width * MEMORY_BIT_PJ
    behind = [graph[name] for name in graph.readers(node.name)]
    compared = sum(
        add_pj(delta.in_fmt.width) + delta.fmt.width * MEMORY_BIT_PJ for delta in behind if isinstance(delta, Delta)
    )
    added = 0.0
    if not node.macs:
        once = float(np.asarray(reached.cycles).mean()) * node.pe * int(np.prod(getattr(node, "unroll", (1, 1))))
        added = once * (add_pj(node.fmt.width) + 2 * reads)
    return values * (reads + compared) + added


def _best(found: Sequence[Option]) -> list[Option]:
    """Return the options that no other one beats in everything, the slowest first."""
    kept: list[Option] = []
    for option in sorted(found, key=lambda item: (item.cycles, item.cells.lut)):
        mine = _costs(option)
        if not any(all(a <= b for a, b in zip(_costs(other), mine, strict=True)) for other in kept):
            kept.append(option)
    return kept[::-1]


def _costs(option: Option) -> tuple[float, ...]:
    cells = option.cells
    return cells.lut, cells.ff, cells.dsp, cells.block_rams, option.energy_pj
