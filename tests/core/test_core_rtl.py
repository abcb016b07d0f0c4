# SPDX-License-Identifier: Apache-2.0
"""Golden model == core, every output of every frame, on one build for all networks: random networks, random walks,
stalls, resets, malformed frames, loads that fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from core.test_program import chain
from random_graphs import (
    extreme_frames,
    random_walk,
    threshold_walk,
)
from rtl_cases import KINDS, Beats, core_events

from codesign.core import CoreConfig, compile_graph, image_of, unpack_output
from codesign.errors import SimulationError
from codesign.graph import Conv, Delta, Graph, Source
from codesign.graph.golden import Golden, Trace
from codesign.graph.ir import Node
from codesign.sim import Stalls
from codesign.sim.core import CoreRun, CoreSimulator

pytestmark = pytest.mark.timeout(600)

CONFIG = CoreConfig(lanes=8, quantisers=4)
STALLS = (
    None,
    Stalls(seed=1, source_probability=0.4, sink_probability=0.4),
    Stalls(seed=2, source_probability=0.05, sink_probability=0.9),
    Stalls(seed=3, source_probability=0.9, sink_probability=0.0),
)


def graph_of(kind: str, seed: int) -> Graph:
    return KINDS[kind](np.random.default_rng(seed))


@pytest.fixture(scope="module")
def core(rtl_cache: Path) -> Iterator[CoreSimulator]:
    """The core with some network; each test loads its own."""
    with CoreSimulator(graph_of("dense", 0), rtl_cache, config=CONFIG) as simulator:
        yield simulator


def check_run(graph: Graph, run: CoreRun, trace: Trace, *, skip: bool = True) -> int:
    """Compare outputs and event counts; return how many values were compared."""
    np.testing.assert_array_equal(run.outputs, trace.outputs)
    for engine, expected in core_events(graph, trace, lanes=CONFIG.quantisers, skip=skip).items():
        np.testing.assert_array_equal(run.engines[engine].events, expected, err_msg=f"events of {engine}")
    return run.outputs.size


def agree(core: CoreSimulator, graph: Graph, seed: int, frames: int) -> int:
    """Compare walks of several densities, with stalls and resets; return how many values were compared."""
    rng, values = np.random.default_rng(seed), 0
    walk = np.concatenate(
        [
            *(random_walk(rng, graph, frames, density) for density in (0.03, 0.3, 1.0)),
            extreme_frames(graph),
            threshold_walk(rng, graph, frames),
            np.repeat(random_walk(rng, graph, 3, 0.5), 2, axis=0),  # unchanged frames
        ]
    )
    core.load(graph)
    for stalls in STALLS:
        golden = Golden(graph)
        for part in np.array_split(walk, 3):
            values += check_run(graph, core.run(part, stalls=stalls), golden.run(part))
        core.reset(hard=stalls is None)
    return values


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", KINDS)
def test_core_equals_golden(core: CoreSimulator, kind: str, seed: int) -> None:
    assert agree(core, graph_of(kind, seed), seed, frames=6) >= 40


def with_a_coarse_channel(graph: Graph, hold: float | None) -> Graph:
    """A channel whose weights are so large that a core's sums are too short for it on the lattice of the others."""
    rng, engine, after = np.random.default_rng(5), graph["after_d"], graph["d0"]
    assert isinstance(engine, Conv)
    assert isinstance(after, Delta)
    weight = 2 * rng.integers(-5, 5, engine.weight.shape) + 1
    weight[..., 5] = np.array([30001, -29999, 12345]) << 16
    fmt = replace(engine.fmt, width=40)
    changed: dict[str, Node] = {
        "after_d": replace(engine, weight=weight, fmt=fmt),
        "d0": replace(after, in_fmt=fmt, hold=hold),
    }
    return replace(graph, nodes=tuple(changed.get(node.name, node) for node in graph.nodes))


@pytest.mark.parametrize("hold", [None, 1.5])
def test_sums_that_a_core_clips(core: CoreSimulator, hold: float | None) -> None:
    graph = with_a_coarse_channel(chain((6, 6, 3), 8, "conv"), hold)
    engine = graph["after_d"]
    assert isinstance(engine, Conv)
    sums = random_walk(np.random.default_rng(0), graph, 6, 1.0) @ engine.weight[0, 0] + engine.bias
    assert sums.max() > 1 << 31
    assert sums.min() < -(1 << 31)
    assert agree(core, graph, 0, frames=6) >= 40


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(100, 200))
@pytest.mark.parametrize("kind", KINDS)
def test_many_networks_on_one_core(core: CoreSimulator, kind: str, seed: int) -> None:
    agree(core, graph_of(kind, seed), seed, frames=60)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "config",
    [
        CoreConfig(),
        CoreConfig(lanes=4, quantisers=2),
        CoreConfig(lanes=8, quantisers=8),
        CoreConfig(lanes=16, quantisers=2),
    ],
    ids=lambda config: f"{config.lanes}x{config.quantisers}",
)
def test_cores_of_other_sizes(rtl_cache: Path, config: CoreConfig) -> None:
    with CoreSimulator(graph_of("dense", 0), rtl_cache, config=config) as core:
        for kind in KINDS:
            for seed in range(10):
                agree(core, graph_of(kind, seed), seed, frames=12)


@pytest.mark.parametrize("kind", KINDS)
def test_dense_baseline(rtl_cache: Path, kind: str) -> None:
    """With skipping off every element is an event, and the numbers are the same. Skipping costs at most 5 per cent."""
    graph, rng = graph_of(kind, 3), np.random.default_rng(3)
    walk, restless = random_walk(rng, graph, 5, 0.2), random_walk(rng, graph, 5, 1.0)
    with CoreSimulator(graph, rtl_cache, config=CONFIG, skip=False) as core:
        dense = core.run(walk)
        check_run(graph, dense, Golden(graph).run(walk), skip=False)
    with CoreSimulator(graph, rtl_cache, config=CONFIG) as core:
        assert core.run(walk).cycles[1:].sum() < dense.cycles[1:].sum()
        assert core.run(restless).cycles[1:].sum() <= 1.05 * dense.cycles[1:].sum()


def beats_of(graph: Graph) -> Beats:
    """Return an empty list of beats of the core's width."""
    assert isinstance(graph.source, Source)
    nodes = (replace(graph.source, lanes=CONFIG.quantisers), *graph.nodes[1:])
    return Beats(replace(graph, nodes=nodes))


def check_beats(beats: Beats, core: CoreSimulator, stalls: Stalls | None, *, errors: int) -> None:
    """Push raw beats; every packet must be right and have its TLAST in place."""
    run = core.run_beats(np.stack(beats.beats), np.array(beats.last), np.array(beats.user), stalls=stalls)
    size, packets = core.program.output_beats, len(beats.packets)
    assert run.accepted == len(beats.beats)
    assert run.last.tolist() == ([False] * (size - 1) + [True]) * packets
    received = unpack_output(core.compiled, run.outputs.reshape(packets, size, CONFIG.quantisers))
    np.testing.assert_array_equal(received.reshape(packets, -1), np.stack(beats.packets).reshape(packets, -1))
    assert run.errors == core.errors == errors


@pytest.mark.parametrize("stalls", STALLS[:2], ids=["full rate", "stalls"])
@pytest.mark.parametrize(("kind", "seed"), [("dense", 5), ("convolutions", 2), ("branches", 1)])
def test_malformed_frames(core: CoreSimulator, kind: str, seed: int, stalls: Stalls | None) -> None:
    """Early TLAST: the rest of the frame is unchanged. Late TLAST: the extra beats are dropped. Both: a sticky bit."""
    graph = graph_of(kind, seed)
    core.load(graph)
    core.reset(hard=True)
    walk, full = iter(random_walk(np.random.default_rng(5), graph, 100, 0.5)), core.program.beats
    assert full > 2

    def check(errors: int, *lengths: int) -> None:
        beats = beats_of(graph)
        beats.add(next(walk), new=True)
        for length in (*lengths, full, full):
            beats.add(next(walk), beats=length)
        check_beats(beats, core, stalls, errors=errors)

    check(0)
    check(1, 1, full - 1, full)
    check(1)
    check(3, full + 1, 3 * full + 2)
    core.reset(hard=True)
    beats = beats_of(graph)
    beats.add(next(walk), beats=1)  # a short frame that starts the stream: the rest is code 0
    beats.add(next(walk))
    check_beats(beats, core, stalls, errors=1)
    core.reset(hard=True)


def test_a_reset_in_the_middle_of_a_frame_forgets_everything(core: CoreSimulator) -> None:
    graph = graph_of("convolutions", 4)
    core.load(graph)
    walk = random_walk(np.random.default_rng(6), graph, 20, 0.4)
    for count in range(1, core.program.beats + 1):
        core.run(walk)
        beats = beats_of(graph)
        beats.add(walk[0], beats=count, last=False)
        core.run_beats(np.stack(beats.beats), np.array(beats.last), np.array(beats.user))
        core.reset(hard=True)
        check_run(graph, core.run(walk[:5]), Golden(graph).run(walk[:5]))


def test_a_broken_load_leaves_no_network(core: CoreSimulator) -> None:
    graph = graph_of("dense", 1)
    image = image_of(compile_graph(graph, CONFIG).program)
    walk = random_walk(np.random.default_rng(7), graph, 4, 0.5)
    core.load(graph)
    wrong = {"damaged": image.copy(), "truncated": image[:-3], "longer": np.append(image, image[-1])}
    wrong["damaged"][len(image) // 2] ^= 1 << 7
    for words in wrong.values():
        core.load_image(image)
        with pytest.raises(SimulationError, match="refuses the image"):
            core.load_image(words)
        raw = core.run_beats(np.zeros((3, CONFIG.quantisers), np.int64), np.zeros(3, bool), np.zeros(3, bool))
        assert (raw.accepted, len(raw.outputs), core.loaded) == (0, 0, False)
    core.load_image(image)
    check_run(graph, core.run(walk), Golden(graph).run(walk))


def test_the_image_of_another_core_is_refused(core: CoreSimulator) -> None:
    other = compile_graph(graph_of("dense", 1), replace(CONFIG, lanes=16)).program
    with pytest.raises(SimulationError, match="other lanes or widths"):
        core.load_image(image_of(other))
    core.load(graph_of("dense", 0))
