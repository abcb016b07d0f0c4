# SPDX-License-Identifier: Apache-2.0
"""Layers whose accumulators only an addition reads are computed in its sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from core.core_cases import OnCore
from core.test_program import U4, conv, delta
from random_graphs import random_walk

from codesign.core import CoreConfig, compile_graph
from codesign.fixed import Fixed
from codesign.graph import Axis, Delta, Engine, Graph, Join, Source
from codesign.graph.ir import Node

CONFIG = CoreConfig(lanes=8, quantisers=4)


def all_of(engine: Engine, name: str) -> Delta:
    """An activation that sends the sums of an engine as they are."""
    return delta(name, engine.name, engine.shape, engine.fmt, engine.fmt)


def shortcut(outputs: int, *, deep: bool = False, strides: int = 1, layers: int = 1) -> Graph:
    """An addition of codes and of the accumulators of a layer, or of two layers."""
    shape = (6, 5, outputs if deep else 3)
    first = delta("d", "in", shape)
    engines, reads, nodes = [], [], list[Node]([Source(name="in", shape=shape, fmt=U4), first])
    for number in range(2):
        made = conv(first, outputs, deep=deep, kernel=3 if number else 1)
        y, x = (Axis.same(size, axis.kernel, strides) for size, axis in zip(shape, (made.y, made.x), strict=False))
        made = replace(made, name=f"c{number}", y=y, x=x)
        code = Fixed(width=4, frac=made.fmt.frac - 4, signed=True)
        whole = number < layers
        read = all_of(made, f"r{number}") if whole else delta(f"r{number}", made.name, made.shape, made.fmt, code)
        engines.append(made)
        reads.append(read)
        nodes += [made, read]
    height, width, channels = engines[0].shape
    join = Join(
        name="sum",
        inputs=("r0", "r1"),
        kind="add",
        channels=(channels,) * 2,
        shifts=(0, 3),
        fmt=Fixed(width=24, frac=engines[0].fmt.frac, signed=True),
        y=Axis(size=height),
        x=Axis(size=width),
    )
    last = delta("last", "sum", join.shape, join.fmt, Fixed(width=6, frac=join.fmt.frac - 3, signed=True))
    return Graph(name="t", nodes=(*nodes, join, last, replace(conv(last, 5), name="end")))


def test_an_end_that_changes_nothing_is_none() -> None:
    """A reshape at the end of a network is an activation that sends every bit: its sums are sent instead."""
    graph = shortcut(6)
    end = graph.output
    assert isinstance(end, Engine)
    flat = replace(graph, nodes=(*graph.nodes, replace(all_of(end, "flat"), shape=(end.size,))))
    compiled = compile_graph(flat, CONFIG)
    assert compiled.shape == (end.size,)
    assert compiled.steps == compile_graph(graph, CONFIG).steps
    check(flat)
    coarse = replace(all_of(end, "coarse"), fmt=Fixed(width=6, frac=end.fmt.frac - 2, signed=True), lo=-32, hi=31)
    rounded = replace(graph, nodes=(*graph.nodes, coarse))
    assert len(compile_graph(rounded, CONFIG).steps) == len(compiled.steps) + 1
    check(rounded)


def check(graph: Graph) -> None:
    on, rng = OnCore(graph, CONFIG), np.random.default_rng(4)
    for frames, density in ((1, 1.0), (8, 0.2), (4, 1.0)):
        on.check(random_walk(rng, graph, frames, density))


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("outputs", [5, 8, 19])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("deep", [False, True])
def test_layers_that_an_addition_computes(outputs: int, strides: int, layers: int, deep: bool) -> None:
    graph = shortcut(outputs, strides=strides, layers=layers, deep=deep)
    expected = {1: ("c1", "sum", "end"), 2: ("sum", "end")}[layers]
    assert compile_graph(graph, CONFIG).engines == expected
    check(graph)


def with_node(graph: Graph, name: str, **changes: object) -> Graph:
    nodes = tuple(replace(node, **changes) if node.name == name else node for node in graph.nodes)  # type: ignore[arg-type]
    return replace(graph, nodes=nodes)


def test_layers_that_it_does_not() -> None:
    """Whatever an activation changes, and a layer that something else reads, too."""
    graph = shortcut(5)
    read = graph["r0"]
    assert isinstance(read, Delta)
    others = [
        with_node(graph, "r0", hold=1.0),
        with_node(graph, "r0", activation="relu", lo=0),
        with_node(graph, "r0", hi=read.hi // 64),
        with_node(graph, "r0", step_log2=(1,)),
        replace(
            graph, nodes=(*graph.nodes[:-3], with_node(graph, "sum", inputs=("r0", "r0"))["sum"], *graph.nodes[-2:])
        ),
    ]
    for other in others:
        assert "c0" in compile_graph(other, CONFIG).engines
        check(other)
