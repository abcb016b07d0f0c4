# SPDX-License-Identifier: Apache-2.0
"""Hold thresholds set at run time: golden model == RTL, stream by stream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import random_conv_graph, random_graph, random_thresholds, random_walk
from rtl_cases import ALL_CASES

from codesign.errors import ConversionError, SimulationError
from codesign.graph import Graph
from codesign.graph.golden import Golden
from codesign.sim import RtlSimulator, Stalls

pytestmark = pytest.mark.timeout(600)


def agree(graph: Graph, cache: Path, *, streams: int, frames: int, skip: bool = True) -> None:
    """Run streams with other thresholds and stalls each and compare every output."""
    rng = np.random.default_rng(streams)
    thresholds = random_thresholds(rng, graph)
    sent, seen = dict.fromkeys(thresholds, 0), set()
    with RtlSimulator(graph, cache, skip=skip, thresholds=thresholds) as simulator:
        golden = Golden(graph.with_thresholds(thresholds))
        for stream in range(streams):
            source, sink = (float(p) for p in rng.choice([0.0, 0.1, 0.4, 0.8], 2))
            stalls = Stalls(seed=stream, source_probability=source, sink_probability=sink)
            walk = random_walk(rng, graph, frames, float(rng.choice([0.1, 0.5, 1.0])))
            run, trace = simulator.run(walk, stalls=stalls), golden.run(walk)
            np.testing.assert_array_equal(run.outputs, trace.outputs, err_msg=f"{thresholds}")
            for name in sent:
                sent[name] += int((trace.deltas[name] != 0).sum())
            seen.add(tuple(thresholds.values()))
            before, thresholds = thresholds, random_thresholds(rng, graph)
            for name, threshold in thresholds.items():
                simulator.set_threshold(name, threshold)
            if thresholds != before:
                golden = Golden(graph.with_thresholds(thresholds))
    print("events", sent)
    assert sent
    assert all(sent.values())
    assert len(seen) > 3


def lively(make: Callable[..., Graph], rng: np.random.Generator, hold: float) -> Graph:
    """Return the first network in which every layer sends something while nothing is held."""
    while True:
        graph = make(rng, hold=hold)
        free = graph.with_thresholds({node.name: 0 for node in graph.deltas if node.hold is not None})
        trace = Golden(free).run(random_walk(rng, graph, 40, 0.5))
        if all(trace.deltas[node.name].any() for node in graph.deltas):
            return graph


@pytest.mark.parametrize("name", ["hold", "conv, dense end", pytest.param("residual, pooled", marks=pytest.mark.heavy)])
def test_every_stream_has_its_thresholds(rtl_cache: Path, name: str) -> None:
    case = ALL_CASES[name]
    agree(case.graph(), rtl_cache, streams=40, frames=12, skip=case.skip)


@pytest.mark.heavy
@pytest.mark.parametrize("make", [random_graph, random_conv_graph, random_branching_graph])
@pytest.mark.parametrize("seed", range(2000, 2012))
def test_thresholds_of_many_networks(rtl_cache: Path, make: Callable[..., Graph], seed: int) -> None:
    graph = lively(make, np.random.default_rng(seed), hold=float(1 + seed % 3) / 2)
    agree(graph, rtl_cache, streams=60, frames=40, skip=seed % 4 != 0)


def test_wrong_thresholds_are_refused_and_change_nothing(rtl_cache: Path) -> None:
    graph = ALL_CASES["hold"].graph()
    walk = random_walk(np.random.default_rng(1), graph, 30, 0.5)
    with pytest.raises(ConversionError, match="one of"):
        RtlSimulator(graph, rtl_cache, thresholds={"fc0": 3})
    with RtlSimulator(graph, rtl_cache) as simulator:
        for layer, threshold in (("none", 1), ("d0", -1), ("d0", 1 << graph.deltas[0].threshold_bits)):
            with pytest.raises(ConversionError, match=f"{layer}"):
                simulator.set_threshold(layer, threshold)
        np.testing.assert_array_equal(simulator.run(walk).outputs, Golden(graph).run(walk).outputs)


def test_thresholds_survive_a_failed_run(rtl_cache: Path) -> None:
    """A hard reset after a failure powers the model up again."""
    graph = ALL_CASES["hold"].graph()
    walk = random_walk(np.random.default_rng(2), graph, 30, 0.5)
    largest = (1 << graph.deltas[0].threshold_bits) - 1
    expected = Golden(graph.with_thresholds({"d0": largest})).run(walk).outputs
    assert (expected != Golden(graph).run(walk).outputs).any()
    with RtlSimulator(graph, rtl_cache) as simulator:
        simulator.set_threshold("d0", largest)
        with pytest.raises(SimulationError, match="too many cycles"):
            simulator.run(walk, max_cycles=10)
        simulator.reset(hard=True)
        np.testing.assert_array_equal(simulator.run(walk).outputs, expected)


def test_only_another_threshold_starts_a_new_stream(rtl_cache: Path) -> None:
    graph = ALL_CASES["hold"].graph()
    walk = random_walk(np.random.default_rng(3), graph, 30, 0.3)
    golden = Golden(graph)
    with RtlSimulator(graph, rtl_cache) as simulator:
        for part in np.array_split(walk, 3):
            simulator.set_threshold("d1", graph.deltas[1].threshold())
            np.testing.assert_array_equal(simulator.run(part).outputs, golden.run(part).outputs)
        simulator.set_threshold("d1", 0)
        expected = Golden(graph.with_thresholds({"d1": 0})).run(walk).outputs
        np.testing.assert_array_equal(simulator.run(walk).outputs, expected)
