# SPDX-License-Identifier: Apache-2.0
"""What does not fit a core is refused before anything is made of it, with the layer and what to change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from core.test_program import U4, chain, conv, delta
from core.tiny_networks import Growing

from codesign.core import CoreConfig, compile_graph
from codesign.core.config import DEPTHS
from codesign.errors import AccumulatorRangeError, ConversionError, UnsupportedLayerError
from codesign.fixed import Fixed
from codesign.graph import Axis, Graph, Pool, Repeat, Source, Upsample
from codesign.graph.ir import Node

GRAPH = chain((4, 4, 3), 8, "max", "add", "conv")


def with_nodes(graph: Graph, **changes: dict[str, object]) -> Graph:
    """The graph with fields of some nodes changed."""
    nodes = tuple(replace(node, **changes.get(node.name, {})) for node in graph.nodes)  # type: ignore[arg-type]
    return replace(graph, nodes=nodes)


def refused(graph: Graph, message: str, config: CoreConfig | None = None) -> ConversionError:
    """The error, which names a next step unless the graph itself is wrong."""
    with pytest.raises(ConversionError, match=message) as caught:
        compile_graph(graph, config)
    assert "Received: " in str(caught.value)
    return caught.value


def test_codes_of_the_input() -> None:
    wide = Fixed(width=16, frac=4, signed=False)
    graph = Graph(name="t", nodes=(Source(name="in", shape=(4,), fmt=wide), delta("d", "in", (4,), wide)))
    message = (
        r"^in: the codes do not fit the core\. Expected: 16 bits, signed: -32768 to 32767\. Received: 0 to 65535\."
    )
    refused(graph, message + r" Next step: .* code_bits = 17")
    assert compile_graph(graph, CoreConfig(code_bits=17)).program.beats == 1


def test_codes_of_an_activation() -> None:
    fmt = Fixed(width=18, frac=7, signed=True)
    graph = with_nodes(GRAPH, d0={"fmt": fmt, "lo": -40000, "hi": 32767})
    refused(graph, r"^d0: the codes do not fit the core.*Received: -40000 to 32767.*code_bits = 17")
    assert compile_graph(with_nodes(GRAPH, d0={"fmt": fmt, "lo": -32768, "hi": 32767}))


def test_weights() -> None:
    weight = np.full((1, 1, 3, 8), 1 << 17)
    assert compile_graph(with_nodes(GRAPH, after_d={"weight": weight}))  # on a lattice of its own
    weight[0, 0, 1] = -1  # which keeps it on the common one
    message = r"^after_d: the weights do not fit the core.*Expected: 16 bits.*Received: -1 to 131072.*weight_bits = 19"
    refused(with_nodes(GRAPH, after_d={"weight": weight}), message)
    weight[0, 0, 0] = 4 * 32767  # in four parts
    assert compile_graph(with_nodes(GRAPH, after_d={"weight": np.minimum(weight, 4 * 32767)}))


def test_sums_that_only_a_finer_lattice_makes_too_wide() -> None:
    engine = GRAPH["after_d"].fmt
    for widen, hold, fits in ((32, 2.0**31, True), (33, 2.0**30, True), (33, 2.0**31, False)):
        fmt = Fixed(width=15, frac=engine.frac + widen - engine.width, signed=True)
        graph = with_nodes(GRAPH, d0={"fmt": fmt, "hold": hold})
        if fits:  # where it is wider than a sum, all of it that d0 tells apart is not
            assert compile_graph(graph)
        else:
            refused(graph, r"^after_d: the sums do not fit")


def test_shifts_of_an_addition() -> None:
    assert compile_graph(with_nodes(GRAPH, n1={"shifts": (0, 16)}))
    refused(with_nodes(GRAPH, n1={"shifts": (0, 17)}), r"^n1: the weights do not fit.*Received: 131072 to 131072")
    refused(with_nodes(GRAPH, n1={"shifts": (0, 99)}), r"^n1: the sums do not fit")


def test_sums() -> None:
    bias = np.full(8, (1 << 31) - 1 - 15 * 24)
    weight = np.full((1, 1, 3, 8), 8)
    weight[0, 0, 0], weight[0, 0, 1] = 7, 9  # odd: on the common lattice
    assert compile_graph(with_nodes(GRAPH, after_d={"weight": weight, "bias": bias}))
    graph = with_nodes(GRAPH, after_d={"weight": weight, "bias": bias + 1})
    with pytest.raises(
        AccumulatorRangeError, match=r"^after_d: the sums.*32 bits.*33 bits .*= 2147483648.*sum_bits = 33"
    ):
        compile_graph(graph)
    assert compile_graph(graph, CoreConfig(sum_bits=33))


def test_a_step_that_a_sum_cannot_hold() -> None:
    graph = with_nodes(GRAPH, d0={"fmt": Fixed(width=5, frac=-20, signed=True), "step_log2": (8,)})
    refused(
        graph,
        r"^d0: a step is coarser than a sum has bits.*Expected: at most 31 bits.*shift of 27 and a step of 2\*\*8",
    )
    assert compile_graph(with_nodes(GRAPH, d0={"fmt": Fixed(width=5, frac=-20, signed=True), "step_log2": (4,)}))


def test_a_threshold_that_a_sum_cannot_hold() -> None:
    assert compile_graph(with_nodes(GRAPH, d0={"hold": 2.0**28}))
    refused(with_nodes(GRAPH, d0={"hold": 2.0**29}), r"^d0: param\.threshold .* does not fit the core")
    refused(with_nodes(GRAPH, d0={"hold": 2.0**80}), r"^d0: param\.threshold .* does not fit the core")


def spatial(*engines: Node, shape: tuple[int, int, int] = (20, 20, 1)) -> Graph:
    return Graph(name="t", nodes=(Source(name="in", shape=shape, fmt=U4), delta("d", "in", shape), *engines))


def test_a_maximum_over_too_many() -> None:
    y, x = Axis(size=20, kernel=16, stride=4), Axis(size=20, kernel=16, stride=4)
    engine = Pool(name="n", input="d", kind="max", channels=1, fmt=U4, y=y, x=x)
    refused(spatial(engine), r"walk\.taps .* does not fit the core\. Expected: 0 to 255\. Received: 256")
    assert compile_graph(spatial(replace(engine, x=replace(x, kernel=15))))


def test_sums_of_a_window() -> None:
    fmt = Fixed(width=12, frac=4, signed=False)
    source, first = Source(name="in", shape=(20, 20, 1), fmt=fmt), delta("d", "in", (20, 20, 1), fmt, fmt)
    y, x = Axis(size=20, kernel=4, stride=4), Axis(size=20, kernel=4, stride=4)
    engine = Pool(name="n", input="d", kind="sum", channels=1, fmt=fmt, y=y, x=x)
    config = CoreConfig(sum_bits=17)
    assert compile_graph(Graph(name="t", nodes=(source, first, engine)), config)
    wider = replace(engine, x=Axis(size=20, kernel=5, stride=4))
    message = r"^n: the sums do not fit the core.*17 bits.*= 81900\).*sum_bits = 18"
    refused(Graph(name="t", nodes=(source, first, wider)), message, config)


def test_an_event_that_reaches_too_many() -> None:
    y, x = Repeat(size=20, factor=1), Repeat(size=20, factor=256)
    engine = Upsample(name="n", input="d", channels=1, fmt=U4, y=y, x=x)
    refused(spatial(engine), r"^n \(input d\): table\.count .* does not fit the core.*Received: 256")
    assert compile_graph(
        spatial(replace(engine, x=Repeat(size=20, factor=255))), CoreConfig(sum_words=1 << 17, chunks=4096)
    )


def test_memories() -> None:
    small = CoreConfig(sum_words=16, code_rows=16, weight_lines=8)
    error = refused(GRAPH, r"^t: the network does not fit the memories of the core", small)
    assert "at most 16 words of sums, at most 16 rows of codes, at most 8 lines of weights" in str(error)
    needs = compile_graph(GRAPH).program.needs()
    assert f"build the core with sum_words = {needs['sum_words']}, code_rows = {needs['code_rows']}" in str(error)
    exact = needs
    assert compile_graph(GRAPH, CoreConfig(**exact))
    for depth in (depth for depth in DEPTHS if needs[depth] > 1):
        refused(
            GRAPH,
            rf"build the core with {depth} = {needs[depth]}$|\.$",
            CoreConfig(**{**exact, depth: needs[depth] - 1}),
        )


def test_indices() -> None:
    config = CoreConfig(index_bits=6, **dict.fromkeys(DEPTHS, 64))
    refused(chain((8, 8, 1), 8), r"^output: step\.words \(words of a frame\) does not fit.*index_bits", config)
    message = r"^after_d \(input d\): more elements than a core has indices for. Expected: at most 64. Received: 72."
    refused(chain((8, 3, 3), 8), message + ".*index_bits = 7", config)


def test_graphs_that_are_wrong() -> None:
    first = delta("d", "in", (4, 4, 3))
    source = Source(name="in", shape=(4, 4, 3), fmt=U4)
    engine = conv(first, 2)
    with pytest.raises(
        UnsupportedLayerError, match=r"^n: activations and engines have to alternate.*input after_d, Conv"
    ):
        compile_graph(Graph(name="t", nodes=(source, first, engine, replace(engine, name="n", input="after_d"))))
    with pytest.raises(UnsupportedLayerError, match=r"^e: activations and engines have to alternate.*input d, Delta"):
        compile_graph(Graph(name="t", nodes=(source, first, delta("e", "d", (4, 4, 3)))))
    wrong = Graph(name="t", nodes=(source, first, replace(engine, y=Axis.same(5, 3, 1))))
    refused(wrong, r"^after_d: a node reads a frame of another size\. Expected: 60 elements\. Received: 48 of d")


def test_more_steps_than_their_number_can_say() -> None:
    net = Growing((2,), 2, 0.5, None)
    for _ in range(254):
        net.dense(2)
    config = CoreConfig(lanes=2, quantisers=2)
    assert len(compile_graph(net.alive("deep").graph, config).steps) == 255
    net.dense(2)
    message = r"more activations than a core has steps\. Expected: at most 254, .* Received: 256 steps"
    refused(net.alive("deeper").graph, message, config)
