# SPDX-License-Identifier: Apache-2.0
"""A network of two convolutions and a dense layer, small enough to look at every hardware that it can have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from codesign.fit import Measured
from codesign.fixed import Fixed, IntArray
from codesign.graph import Axis, Conv, Delta, Dense, Graph, Source, accumulator_format
from codesign.graph.golden import Golden
from codesign.graph.ir import Engine, Node
from codesign.graph.sparsity import activity

CODE = Fixed(width=4, frac=4, signed=False)
FRAMES = 48
P = (1, 2, 4, 8, 16)


def two_convolutions(*, pe: int = 1, lanes: int = 4, size: int = 12) -> Graph:
    """Return convolutions of 4 and 6 channels, 3 x 3, the first with stride 2, and 5 outputs."""
    draw = np.random.default_rng(3)
    nodes: list[Source | Delta | Conv | Dense] = [
        Source(name="in", shape=(size, size, 1), fmt=CODE, lanes=lanes),
    ]
    for name, channels, stride in (("conv1", 4, 2), ("conv2", 6, 1)):
        delta = _delta(nodes[-1])
        weight, fmt = draw.integers(-8, 8, (3, 3, delta.shape[2], channels)), Fixed(width=4, frac=3, signed=True)
        y, x = (Axis.same(extent, 3, stride) for extent in delta.shape[:2])
        bias: IntArray = np.zeros(channels, np.int64)
        sums = accumulator_format(name, weight, bias, weight_fmt=fmt, delta=delta)
        conv = Conv(
            name=name, input=delta.name, weight=weight, bias=bias, weight_fmt=fmt, fmt=sums, y=y, x=x, pe=pe
        )  # fmt: skip
        nodes += [delta, conv]
    delta = _delta(nodes[-1])
    weight, bias, fmt = (
        draw.integers(-8, 8, (delta.size, 5)),
        np.zeros(5, np.int64),
        Fixed(width=4, frac=3, signed=True),
    )
    sums = accumulator_format("fc1", weight, bias, weight_fmt=fmt, delta=delta)
    fc = Dense(name="fc1", input=delta.name, weight=weight, bias=bias, weight_fmt=fmt, fmt=sums, pe=1)
    return Graph(name="two", nodes=(*nodes, delta, fc))


def _delta(before: Source | Delta | Conv | Dense) -> Delta:
    shift = 0 if isinstance(before, Source) else 3
    code = replace(CODE, frac=before.fmt.frac - shift)
    return Delta(
        name=f"d_{before.name}", input=before.name, shape=before.shape, in_fmt=before.fmt, fmt=code,
        activation="relu", lo=0, hi=15,
    )  # fmt: skip


def moving(graph: Graph, frames: int = FRAMES) -> IntArray:
    """Return frames ``[T, *shape]`` with a square that moves over a still ground."""
    draw = np.random.default_rng(5)
    height, width, _ = graph.source.shape
    made = np.repeat(draw.integers(0, 8, (1, height, width, 1)), frames, axis=0)
    for t in range(frames):
        row, column = (t // 2) % (height - 3), (t // 3) % (width - 3)
        made[t, row : row + 3, column : column + 3] = 15
    return made


def measured(graph: Graph) -> Measured:
    """Return what the moving square does in a network as it is."""
    return Measured.of(activity(graph, Golden(graph).run(moving(graph))))


def every_hardware(graph: Graph, unrolls: tuple[tuple[int, int], ...]) -> Iterator[Graph]:
    """Yield a network with every PE, and some unrolls and P."""

    def made(node: Engine) -> list[Engine]:
        outputs = node.shape[-1]
        pes = [pe for pe in range(1, outputs + 1) if outputs % pe == 0]
        if isinstance(node, Dense):
            return [replace(node, pe=pe) for pe in pes]
        return [replace(node, pe=pe, unroll=unroll) for pe in pes for unroll in unrolls if _reaches(node, unroll)]

    for lanes in P:
        for engines in product(*map(made, graph.engines)):
            nodes: dict[str, Node] = {node.name: node for node in engines}
            nodes[graph.source.name] = replace(graph.source, lanes=lanes)
            yield replace(graph, nodes=tuple(nodes.get(node.name, node) for node in graph.nodes))


def _reaches(node: Engine, unroll: tuple[int, int]) -> bool:
    assert not isinstance(node, Dense)
    return all(n <= axis.counts().max() for n, axis in zip(unroll, (node.y, node.x), strict=True))
