# SPDX-License-Identifier: Apache-2.0
"""The cycle model of the core against simulation: within 5 % of the mean per frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from core.test_core_rtl import CONFIG, graph_of
from core.tiny_networks import keyword_spotting
from random_graphs import random_walk
from rtl_cases import KINDS
from small_design import small_graph

from codesign.core import compile_graph, pack_input
from codesign.core.cycles import RECORD, core_cycles, step_cycles
from codesign.core.interpret import Interpreter, Work
from codesign.fixed import IntArray
from codesign.graph import Graph
from codesign.sim.core import CoreSimulator

pytestmark = pytest.mark.timeout(600)
CLOSE = 0.05


@pytest.fixture(scope="module")
def core(rtl_cache: Path) -> Iterator[CoreSimulator]:
    with CoreSimulator(graph_of("dense", 0), rtl_cache, config=CONFIG) as simulator:
        yield simulator


def error(core: CoreSimulator, graph: Graph, frames: IntArray) -> float:
    """Return the relative error of the model's mean, the first frame left out."""
    core.load(graph)
    measured = core.run(frames).cycles[1:].mean()
    return float(core_cycles(core.compiled, frames).frames[1:].mean() / measured - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_random_networks(core: CoreSimulator, kind: str) -> None:
    for seed in range(20, 26):
        graph = graph_of(kind, seed)
        frames = random_walk(np.random.default_rng(seed), graph, 12, 0.1 + 0.15 * (seed % 4))
        assert abs(error(core, graph, frames)) < CLOSE, (kind, seed)


def test_steps_of_a_frame(core: CoreSimulator) -> None:
    graph = graph_of("convolutions", 30)
    frames = random_walk(np.random.default_rng(1), graph, 8, 0.3)
    core.load(graph)
    run, model = core.run(frames), core_cycles(core.compiled, frames)
    measured = np.stack(list(run.steps.values()), axis=1)
    assert model.steps.shape == measured.shape
    assert np.abs(model.steps.sum(axis=0) / measured.sum(axis=0) - 1).max() < 2 * CLOSE


@pytest.mark.heavy
def test_a_network_of_depthwise_layers(core: CoreSimulator) -> None:
    for density in (0.02, 0.2):
        net = keyword_spotting(frames=4, density=density)
        assert abs(error(core, net.graph, net.frames)) < CLOSE


def test_nothing_changes() -> None:
    compiled = compile_graph(small_graph())
    frames = np.tile(np.arange(8) % 16, (3, 1))
    model = core_cycles(compiled, frames)
    sends = [step.packet == 0 and not step.source for step in compiled.program.steps]
    assert set(model.steps[2, sends].tolist()) == {RECORD}
    assert model.frames[1] == model.frames[2] < model.frames[0]


def test_operations_on_one_word_wait_or_share() -> None:
    compiled = compile_graph(small_graph())
    step = compiled.program.steps[1]
    orders = ([1, 2, 3, 4, 5, 6], [1, 2, 1, 2, 1, 2], [1] * 6)
    apart, alternating, same = (step_cycles(step, work_on(sums)) for sums in orders)
    assert same == apart  # a shared read: no wait
    assert alternating == apart + 4  # two waits of two cycles


def work_on(sums: list[int]) -> Work:
    """Work of one word whose operations touch these sums."""
    none = np.zeros(1, np.int64)
    each = np.zeros(len(sums), np.int64)
    return Work(
        begun=True,
        words=none,
        sent=none,
        placed=none + 1,
        token=each,
        sums=np.array(sums),
        operations=each + 1,
        lines=each,
    )


def test_work_is_what_is_counted() -> None:
    graph = graph_of("branches", 3)
    frames = random_walk(np.random.default_rng(5), graph, 5, 0.4)
    compiled = compile_graph(graph, CONFIG)
    found: dict[tuple[int, int], Work] = {}
    counts = core_cycles(compiled, frames).counts
    Interpreter(compiled.program).run(pack_input(compiled, frames), lambda t, n, work: found.update({(t, n): work}))
    for (frame, number), work in found.items():
        step = compiled.program.steps[number]
        readers = slice(step.reader_base, step.reader_base + step.readers)
        assert len(work.words) == counts.visited[frame, number]
        assert len(work.sent) == counts.tokens[frame, number]
        for each, total in ((work.placed, counts.placed), (work.operations, counts.operations)):
            assert each.sum() == total[frame, readers].sum()
        assert len(work.sums) == counts.marked[frame, readers].sum()
