# SPDX-License-Identifier: Apache-2.0
"""What is called a bound of the cycles is never beaten; what can be beaten is never called one."""

from __future__ import annotations

import re

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import random_conv_graph, random_graph, random_walk
from report.synthetic import synthetic_detail, synthetic_report

from codesign.graph.golden import Golden
from codesign.graph.ir import Graph
from codesign.graph.sparsity import LayerActivity, activity, ideal_cycles, least_cycles
from codesign.report.assemble import make_detail
from codesign.report.figures import estimated, throughput_figures
from codesign.report.html import render
from codesign.verify.golden_run import run_golden
from codesign.verify.hardware import RtlFigures


def pipeline(graph: Graph, layers: tuple[LayerActivity, ...]) -> int:
    """Return the cycles of a machine that loses none: queues without end, and no way from one engine to the next.

    An engine is done with a frame when it has walked its events and has its last one, from an engine that is done.
    """
    last = int(layers[0].events.size)
    done = {graph.nodes[1].name: graph.source.beats * np.arange(1, last + 1)}
    for node, layer in zip(graph.engines, layers, strict=True):
        arrived = np.max([done[name if name in done else graph[name].inputs[0]] for name in node.inputs], axis=0)
        now, times = 0, []
        for work, late in zip(layer.ideal_cycles, arrived, strict=True):
            now = max(now + int(work), int(late))
            times.append(now)
        done[node.name] = np.array(times)
    return max(int(times[-1]) for times in done.values())


@pytest.mark.parametrize("seed", range(12))
def test_no_machine_beats_the_bound_of_a_run_of_frames(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = (random_graph, random_conv_graph, random_branching_graph)[seed % 3](rng)
    for density in (0.05, 0.5):
        layers = activity(graph, Golden(graph).run(random_walk(rng, graph, 12, density)))
        bound = least_cycles(graph, layers)
        assert bound <= pipeline(graph, layers)
        assert bound <= ideal_cycles(graph, layers).sum()
        works = [int(layer.ideal_cycles.sum()) for layer in layers]
        assert bound in (*works, 11 * graph.source.beats)  # tight: one of its units has no cycle to spare


def two_layers() -> tuple[Graph, np.ndarray]:
    """Return a network and a clip whose frames are expensive in turns: now in the first layer, now in the second."""
    rng = np.random.default_rng(0)
    for seed in range(100):
        graph = random_graph(np.random.default_rng(seed), layers=2, size=30, lanes=8, hold=None)
        clip = random_walk(rng, graph, 40, 0.1)
        layers = activity(graph, Golden(graph).run(clip))
        if pipeline(graph, layers) < ideal_cycles(graph, layers).sum():
            return graph, clip
    raise AssertionError("no such network")


def test_frame_by_frame_the_ideal_is_beaten_and_the_bound_is_not() -> None:
    graph, clip = two_layers()
    golden = run_golden(graph, clip[None])
    spent = np.diff(np.linspace(0, pipeline(graph, golden.layers), 40).astype(np.int64))
    busy = {node.name: np.ones((1, 40), np.int64) for node in (graph.nodes[1], *graph.engines)}
    rtl = RtlFigures(
        cycles=np.concatenate([[99], spent])[None],
        latency=np.ones((1, 40), np.int64),
        busy=busy,
        events=busy,
        dense_cycles=np.array([99]),
    )
    speed = throughput_figures(graph, golden, rtl, None, estimated(golden, graph))
    assert speed.skip_efficiency is not None
    assert speed.skip_efficiency > 1
    assert speed.bound_efficiency is not None
    assert 0 < speed.bound_efficiency <= 1
    assert speed.bound_cycles_per_frame == golden.least.sum() / 39
    assert make_detail(graph, clip[None], rtl, stills=0, clip="").bound == golden.least[0]


def test_the_bound_adds_up_over_clips() -> None:
    rng = np.random.default_rng(3)
    graph = random_graph(rng, layers=2)
    clips = np.stack([random_walk(rng, graph, 9, density) for density in (0.1, 0.9)])
    golden = run_golden(graph, clips)
    each = [least_cycles(graph, activity(graph, Golden(graph).run(clip))) for clip in clips]
    assert golden.least.tolist() == each


def test_the_page_calls_only_a_bound_a_bound() -> None:
    page = re.sub(r"\s+", " ", render(synthetic_report(), synthetic_detail()))
    assert "no cycle lost" not in page
    assert ">ideal<" not in page
    assert "busiest layer" in page
    assert "at least 262 per frame, 288 measured" in page
    assert "so can exceed 100 %" in page
    assert "That is no bound for a single frame" in page
