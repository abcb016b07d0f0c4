# SPDX-License-Identifier: Apache-2.0
"""A little of what `make soak` does, and that it finds what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soak
from random_graphs import random_graph

from codesign.graph import Dense
from codesign.sim.core import CoreSimulator


def test_a_core(rtl_cache: Path) -> None:
    counts = list(soak.core(rtl_cache, 1500, seed=2))[-1]
    assert counts["frames"] >= 1500
    assert counts["malformed"] > 0
    assert counts["resets"] > 0
    assert counts["networks"] >= 1


def test_pipelines(rtl_cache: Path) -> None:
    counts = list(soak.pipelines(rtl_cache, 800, seed=3, networks=1))[-1]
    assert counts["frames"] >= 800


def test_it_finds_wrong_weights(rtl_cache: Path) -> None:
    graph = random_graph(np.random.default_rng(4), layers=2)
    last = graph.linears[-1]
    assert isinstance(last, Dense)
    wrong = replace(last, weight=last.weight[::-1].copy())
    nodes = tuple(wrong if node is last else node for node in graph.nodes)
    with CoreSimulator(graph, rtl_cache, config=soak.CONFIG) as simulator:
        simulator.load(replace(graph, nodes=nodes))
        simulator.graph = graph
        with pytest.raises(AssertionError, match="Arrays are not equal"):
            soak.Soak(simulator, np.random.default_rng(5)).stream(200)
