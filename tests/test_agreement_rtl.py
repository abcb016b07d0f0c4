# SPDX-License-Identifier: Apache-2.0
"""Golden model == RTL, every output of every frame: random networks, random walks, stalls, resets, malformed frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import extreme_frames, random_conv_graph, random_walk, threshold_walk
from rtl_cases import ALL_CASES, BRANCH_CASES, CASES, CONV_CASES, SPREAD_CASES, Beats, Case, expected_events

from codesign.graph import Graph
from codesign.graph.golden import Golden, Trace
from codesign.rtl import parameters, top
from codesign.sim import RtlRun, RtlSimulator, Stalls

pytestmark = pytest.mark.timeout(600)

STALLS = (
    None,
    Stalls(seed=1, source_probability=0.4, sink_probability=0.4),
    Stalls(seed=2, source_probability=0.05, sink_probability=0.9),
    Stalls(seed=3, source_probability=0.9, sink_probability=0.0),
)


def check_run(graph: Graph, run: RtlRun, trace: Trace, *, skip: bool) -> int:
    """Compare outputs and event counts; return how many values were compared."""
    wrong = np.argwhere(run.outputs != trace.outputs)
    assert len(wrong) == 0, (
        f"{len(wrong)} of {run.outputs.size} differ; first at {wrong[0]}: expected {trace.outputs[tuple(wrong[0])]}, "
        f"received {run.outputs[tuple(wrong[0])]}"
    )
    for engine, expected in expected_events(graph, trace, skip=skip).items():
        np.testing.assert_array_equal(run.engines[engine].events, expected, err_msg=f"events of {engine}")
    return run.outputs.size


def agree(case: Case, cache: Path, frames: int) -> None:
    """Hold a network to the golden model over walks of several densities, with and without stalls and resets."""
    graph, rng = case.graph(), np.random.default_rng(case.seed)
    walk = np.concatenate(
        [
            *(random_walk(rng, graph, frames, density) for density in (0.03, 0.2, 1.0)),
            extreme_frames(graph),
            threshold_walk(rng, graph, frames // 2),
            np.repeat(random_walk(rng, graph, 4, 0.5), frames // 16 + 1, axis=0),  # mostly unchanged frames
        ]
    )
    values = 0
    with RtlSimulator(graph, cache, skip=case.skip) as simulator:
        golden = Golden(graph)
        for stalls in STALLS:
            for part in np.array_split(walk, 3):
                values += check_run(graph, simulator.run(part, stalls=stalls), golden.run(part), skip=case.skip)
            simulator.reset(hard=stalls is None)
            golden.reset()
    kinds = [(type(node).__name__, node.fmt.width) for node in graph.nodes]
    print(f"{values} values equal; nodes and bits {kinds}, PE {[node.pe for node in graph.engines]}")
    assert values >= 1000


@pytest.mark.parametrize("name", CASES)
def test_rtl_equals_golden(rtl_cache: Path, name: str) -> None:
    agree(CASES[name], rtl_cache, frames=600)


SLOW = ("residual, pooled", "shortcut, upsampled", "dense connections")
"""Branches that are simulated with the heavy tests; `test_branches_cannot_deadlock` runs a small one like the first."""
SMALL = "residual, pooled, small"
DEADLOCKS = ALL_CASES | {
    SMALL: Case(seed=28, kind={"blocks": ("residual", "max"), "size": 4}, make=random_branching_graph)
}


@pytest.mark.parametrize("name", CONV_CASES)
def test_convolutions_equal_golden(rtl_cache: Path, name: str) -> None:
    agree(CONV_CASES[name], rtl_cache, frames=160)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.heavy if name in SLOW else ()) for name in BRANCH_CASES],
)
def test_branches_equal_golden(rtl_cache: Path, name: str) -> None:
    agree(BRANCH_CASES[name], rtl_cache, frames=80)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.heavy if name != "spread" else ()) for name in SPREAD_CASES],
)
def test_channels_with_steps_of_their_own_equal_golden(rtl_cache: Path, name: str) -> None:
    case = SPREAD_CASES[name]
    assert any(instance.leaf == "align" for instance in top.top_of(case.graph()).instances)
    agree(case, rtl_cache, frames=80)


@pytest.mark.parametrize(
    ("name", "skip"),
    [
        (SMALL, True),
        pytest.param("residual, pooled", True, marks=pytest.mark.heavy),
        pytest.param("residual, pooled", False, marks=pytest.mark.heavy),
        pytest.param("dense connections", True, marks=pytest.mark.heavy),
        pytest.param("dense connections", False, marks=pytest.mark.heavy),
    ],
)
def test_branches_cannot_deadlock(rtl_cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, skip: bool) -> None:
    """A join takes a whole frame of one input without the others: FIFOs of one token are enough, at any density."""
    for module, fifo in ((top, "EVENT_QUEUE"), (top, "PLACE_QUEUE"), (parameters, "LAYER_WORDS")):
        monkeypatch.setattr(module, fifo, 1)
    monkeypatch.setattr(parameters, "input_words", lambda _: 1)
    graph, rng = DEADLOCKS[name].graph(), np.random.default_rng(8)
    assert {leaf.parameters["Depth"] for leaf in top.top_of(graph).instances if "Depth" in leaf.parameters} == {1}
    walk = np.concatenate([random_walk(rng, graph, 20, density) for density in (0.0, 0.1, 1.0)])
    with RtlSimulator(graph, rtl_cache, skip=skip) as simulator:
        golden = Golden(graph)
        for stalls in STALLS:
            check_run(graph, simulator.run(walk, stalls=stalls), golden.run(walk), skip=skip)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(60))
def test_many_random_branching_networks(rtl_cache: Path, seed: int) -> None:
    agree(Case(seed=seed, kind={}, skip=seed % 4 != 0, make=random_branching_graph), rtl_cache, frames=200)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(60))
def test_many_random_convolutions(rtl_cache: Path, seed: int) -> None:
    agree(
        Case(seed=seed, kind={"lists": seed % 7 == 0}, skip=seed % 4 != 0, make=random_conv_graph),
        rtl_cache,
        frames=300,
    )


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(1000, 1060))
def test_many_random_networks(rtl_cache: Path, seed: int) -> None:
    kind: dict[str, Any] = {"wide": seed % 5 == 0, "size": 24 if seed % 5 == 0 else 48}
    agree(Case(seed=seed, kind=kind, skip=seed % 3 != 0), rtl_cache, frames=2000)


def check_beats(beats: Beats, simulator: RtlSimulator, stalls: Stalls | None, *, errors: int) -> None:
    """Push raw beats; every packet must be right and have its TLAST in place."""
    run = simulator.run_beats(np.stack(beats.beats), np.array(beats.last), np.array(beats.user), stalls=stalls)
    words = simulator.spec.out_words
    assert run.accepted == len(beats.beats)
    assert run.last.tolist() == ([False] * (words - 1) + [True]) * len(beats.packets)
    received = run.outputs.reshape(len(beats.packets), words * simulator.spec.out_lanes)
    np.testing.assert_array_equal(received[:, : beats.graph.output.size], np.stack(beats.packets))
    assert run.errors == simulator.errors == errors


@pytest.mark.parametrize("stalls", STALLS[:2], ids=["full rate", "stalls"])
@pytest.mark.parametrize(
    "name", ["hold", "skip off", "conv, dense end", pytest.param("residual, pooled", marks=pytest.mark.heavy)]
)
def test_malformed_frames(rtl_cache: Path, name: str, stalls: Stalls | None) -> None:
    """Early TLAST: the rest of the frame is unchanged. Late TLAST: the extra beats are dropped. Both: a sticky bit."""
    case = ALL_CASES[name]
    graph, rng = case.graph(), np.random.default_rng(5)
    walk = iter(random_walk(rng, graph, 100, 0.5))
    full = graph.source.beats
    assert full > 2
    with RtlSimulator(graph, rtl_cache, skip=case.skip) as simulator:

        def check(errors: int, *lengths: int) -> None:
            beats = Beats(graph)
            beats.add(next(walk), new=True)
            for length in (*lengths, full, full):
                beats.add(next(walk), beats=length)
            check_beats(beats, simulator, stalls, errors=errors)

        check(0)
        check(1, 1, full - 1, full)
        check(1)
        check(3, full + 1, 3 * full + 2)
        simulator.reset(hard=True)
        check(0)
        beats = Beats(graph)
        beats.add(next(walk), new=True, last=False)
        beats.drop(next(walk))
        beats.add(next(walk))
        check_beats(beats, simulator, stalls, errors=2)
        check(3, 2, full + 2, 1)
        simulator.reset(hard=True)
        beats = Beats(graph)
        beats.add(next(walk), beats=1)  # a short frame that starts the stream: the rest is code 0
        beats.add(next(walk))
        check_beats(beats, simulator, stalls, errors=1)


def test_a_reset_in_the_middle_of_a_frame_forgets_everything(rtl_cache: Path) -> None:
    graph, rng = CASES["hold"].graph(), np.random.default_rng(6)
    walk = random_walk(rng, graph, 60, 0.4)
    with RtlSimulator(graph, rtl_cache) as simulator:
        for count in range(1, graph.source.beats + 1):
            simulator.run(walk)
            beats = Beats(graph)
            beats.add(walk[0], beats=count, last=False)
            simulator.run_beats(np.stack(beats.beats), np.array(beats.last), np.array(beats.user))
            simulator.reset(hard=True)
            check_run(graph, simulator.run(walk[:5]), Golden(graph).run(walk[:5]), skip=True)


def test_counters_agree_with_the_probes(rtl_cache: Path) -> None:
    graph, rng = CASES["hold"].graph(), np.random.default_rng(7)
    with RtlSimulator(graph, rtl_cache) as simulator:
        simulator.run(random_walk(rng, graph, 20, 0.4))
        simulator.reset(hard=True)
        runs = [simulator.run(random_walk(rng, graph, 50, 0.4), stalls=stalls) for stalls in STALLS]
        assert simulator.counter(0) == 200
        assert simulator.counter(2) == 0
        for e, name in enumerate(simulator.spec.engines):
            for k, what in enumerate(("events", "busy", "stalled")):
                total = sum(int(getattr(run.engines[name], what).sum()) for run in runs)
                assert simulator.counter(4 + 4 * e + k) == total, f"{what} of {name}"
            assert simulator.counter(4 + 4 * e + 3) == 200
        before = simulator.counter(1)
        simulator.run(random_walk(rng, graph, 5, 0.4))
        assert simulator.counter(1) > before
