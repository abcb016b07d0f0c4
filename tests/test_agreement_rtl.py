# SPDX-License-Identifier: Apache-2.0
"""Golden model == RTL, every output of every frame: random networks, random walks, stalls, resets, malformed frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from random_graphs import extreme_frames, random_graph, random_walk, threshold_walk

from codesign.golden import Golden, Trace
from codesign.graph import Graph
from codesign.sim import BeatRun, RtlRun, RtlSimulator, Stalls

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("rtl_agreement")]

STALLS = (
    None,
    Stalls(seed=1, source_probability=0.4, sink_probability=0.4),
    Stalls(seed=2, source_probability=0.05, sink_probability=0.9),
    Stalls(seed=3, source_probability=0.9, sink_probability=0.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A network to build: seed and kind of `random_graph`, skipping on or off."""

    seed: int
    kind: dict[str, object]
    skip: bool = True

    def graph(self) -> Graph:
        print(f"{self}")
        return random_graph(np.random.default_rng(self.seed), **self.kind)


CASES = {
    "hold": Case(seed=1833, kind={"layers": 2, "size": 24, "hold": 0.75, "end": "delta"}),
    "one word": Case(seed=194, kind={"layers": 3, "size": 16, "hold": None, "lanes": 16, "words": 1, "end": "dense"}),
    "wide": Case(seed=1001, kind={"layers": 1, "size": 20, "wide": True, "end": "dense"}),
    "skip off": Case(seed=387, kind={"layers": 2, "size": 20, "end": "dense"}, skip=False),
}


def check_run(graph: Graph, run: RtlRun, trace: Trace, *, skip: bool) -> int:
    """Compare outputs and event counts; return how many values were compared."""
    wrong = np.argwhere(run.outputs != trace.outputs)
    assert len(wrong) == 0, (
        f"{len(wrong)} of {run.outputs.size} differ; first at {wrong[0]}: expected {trace.outputs[tuple(wrong[0])]}, "
        f"received {run.outputs[tuple(wrong[0])]}"
    )
    feeds = {graph.deltas[0].name: graph.deltas[0].name} | {node.name: node.input for node in graph.linears}
    for engine, delta in feeds.items():
        changed = (trace.deltas[delta] != 0).sum(axis=1)
        expected = changed if skip else np.full_like(changed, trace.deltas[delta].shape[1])
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
    print(f"{values} values equal; nodes and bits {kinds}, PE {[node.pe for node in graph.linears]}")
    assert values >= 1000


@pytest.mark.parametrize("name", CASES)
def test_rtl_equals_golden(rtl_cache: Path, name: str) -> None:
    agree(CASES[name], rtl_cache, frames=600)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(1000, 1060))
def test_many_random_networks(rtl_cache: Path, seed: int) -> None:
    kind: dict[str, object] = {"wide": seed % 5 == 0, "size": 24 if seed % 5 == 0 else 48}
    agree(Case(seed=seed, kind=kind, skip=seed % 3 != 0), rtl_cache, frames=2000)


def packets(graph: Graph, run: BeatRun, simulator: RtlSimulator) -> np.ndarray:
    """Return raw output beats as frames ``[packets, size]``; every packet must have its TLAST in place."""
    words = simulator.spec.out_words
    assert run.last.tolist() == ([False] * (words - 1) + [True]) * (len(run.last) // words)
    return run.outputs.reshape(-1, words * simulator.spec.out_lanes)[:, : graph.output.size]


class Beats:
    """Raw input beats under construction, and the frames that they mean."""

    def __init__(self, simulator: RtlSimulator) -> None:
        self.source = simulator.graph.source
        self.beats: list[np.ndarray] = []
        self.last: list[bool] = []
        self.user: list[bool] = []
        self.frames: list[np.ndarray] = []

    def add(
        self,
        frame: np.ndarray,
        *,
        beats: int | None = None,
        last: bool = True,
        new: bool = False,
        dropped: bool = False,
    ) -> None:
        """Append the first ``beats`` beats of a frame; beats beyond its end repeat it."""
        lanes, count = self.source.lanes, beats if beats is not None else self.source.beats
        flat = np.resize(frame, max(count, self.source.beats) * lanes)
        self.beats += list(flat.reshape(-1, lanes)[:count])
        self.last += [False] * (count - 1) + [last]
        self.user += [new, *[True] * (count - 1)] if not dropped else [True] * count
        if not dropped:
            before = self.frames[-1] if self.frames and not new else np.zeros(self.source.size, np.int64)
            kept = np.arange(self.source.size) < count * lanes
            self.frames.append(np.where(kept, frame.reshape(-1), before))

    def run(self, simulator: RtlSimulator, stalls: Stalls | None) -> BeatRun:
        run = simulator.run_beats(np.stack(self.beats), np.array(self.last), np.array(self.user), stalls=stalls)
        assert run.accepted == len(self.beats)
        return run


@pytest.mark.parametrize("stalls", STALLS[:2], ids=["full rate", "stalls"])
@pytest.mark.parametrize("name", ["hold", "skip off"])
def test_malformed_frames(rtl_cache: Path, name: str, stalls: Stalls | None) -> None:
    """Early TLAST: the rest of the frame is unchanged. Late TLAST: the extra beats are dropped. Both: a sticky bit."""
    graph, rng = CASES[name].graph(), np.random.default_rng(5)
    walk = iter(random_walk(rng, graph, 100, 0.5))
    full = graph.source.beats
    assert full > 2
    with RtlSimulator(graph, rtl_cache, skip=CASES[name].skip) as simulator:

        def check(errors: int, *frames: dict[str, object]) -> None:
            beats, golden = Beats(simulator), Golden(graph)
            for keywords in ({"new": True}, *frames, {}, {}):
                beats.add(next(walk), **keywords)  # type: ignore[arg-type]
            run = beats.run(simulator, stalls)
            np.testing.assert_array_equal(
                packets(graph, run, simulator),
                golden.run(np.stack(beats.frames)).outputs.reshape(len(beats.frames), -1),
            )
            assert run.errors == simulator.errors == errors

        check(0)
        check(1, {"beats": 1}, {"beats": full - 1}, {})
        check(1)
        check(3, {"beats": full + 1}, {"beats": 3 * full + 2}, {})
        simulator.reset(hard=True)
        check(0)
        check(2, {"last": False}, {"dropped": True})  # no TLAST: the next frame is the rest of this one
        check(3, {"beats": 2}, {"beats": full + 2}, {"beats": 1})
        simulator.reset(hard=True)
        beats = Beats(simulator)
        beats.add(next(walk), beats=1)  # a short frame that starts the stream: the rest is code 0
        beats.add(next(walk))
        expected = Golden(graph).run(np.stack(beats.frames)).outputs.reshape(2, -1)
        np.testing.assert_array_equal(packets(graph, beats.run(simulator, stalls), simulator), expected)


def test_a_reset_in_the_middle_of_a_frame_forgets_everything(rtl_cache: Path) -> None:
    graph, rng = CASES["hold"].graph(), np.random.default_rng(6)
    walk = random_walk(rng, graph, 60, 0.4)
    with RtlSimulator(graph, rtl_cache) as simulator:
        for count in range(1, graph.source.beats + 1):
            simulator.run(walk)
            beats = Beats(simulator)
            beats.add(walk[0], beats=count, last=False)
            beats.run(simulator, None)
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
