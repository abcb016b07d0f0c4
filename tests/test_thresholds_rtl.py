# SPDX-License-Identifier: Apache-2.0
"""Hold thresholds set at run time: golden model == RTL, also where they change between frames of a stream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import random_conv_graph, random_graph, random_thresholds, random_walk
from rtl_cases import ALL_CASES

from codesign.errors import ConversionError, SimulationError
from codesign.golden import Golden
from codesign.graph import Graph
from codesign.sim import RtlSimulator, Stalls

pytestmark = pytest.mark.timeout(600)


def agree(graph: Graph, cache: Path, *, parts: int, frames: int, skip: bool = True) -> None:
    """Run parts of one stream, each with other thresholds and stalls, and compare every output."""
    rng, holds = np.random.default_rng(parts), set()
    first = random_thresholds(rng, graph)
    sent = dict.fromkeys(first, 0)
    with RtlSimulator(graph, cache, skip=skip, thresholds=first) as simulator:
        golden = Golden(graph.with_thresholds(first))
        for part in range(parts):
            source, sink = (float(p) for p in rng.choice([0.0, 0.1, 0.4, 0.8], 2))
            stalls = Stalls(seed=part, source_probability=source, sink_probability=sink)
            walk = random_walk(rng, graph, frames, float(rng.choice([0.1, 0.5, 1.0])))
            run, trace = simulator.run(walk, stalls=stalls), golden.run(walk)
            np.testing.assert_array_equal(run.outputs, trace.outputs, err_msg=f"{golden.graph.deltas}")
            for name in sent:
                sent[name] += int((trace.deltas[name] != 0).sum())
            holds.add(tuple(node.hold for node in golden.graph.deltas))
            thresholds = random_thresholds(rng, graph)
            for name, threshold in thresholds.items():
                simulator.set_threshold(name, threshold)
            golden.graph = graph.with_thresholds(thresholds)
            if part % 7 == 6:
                simulator.reset(hard=part % 2 == 0)
                golden.reset()
    print("events", sent)
    assert first
    assert len(holds) > 3
    assert all(sent.values())


@pytest.mark.parametrize("name", ["hold", "conv, dense end", "residual, pooled"])
def test_thresholds_change_between_frames(rtl_cache: Path, name: str) -> None:
    case = ALL_CASES[name]
    agree(case.graph(), rtl_cache, parts=40, frames=12, skip=case.skip)


@pytest.mark.heavy
@pytest.mark.parametrize("make", [random_graph, random_conv_graph, random_branching_graph])
@pytest.mark.parametrize("seed", range(2000, 2012))
def test_thresholds_of_many_networks(rtl_cache: Path, make: Callable[..., Graph], seed: int) -> None:
    graph = make(np.random.default_rng(seed), hold=float(1 + seed % 3) / 2)
    agree(graph, rtl_cache, parts=60, frames=40, skip=seed % 4 != 0)


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
