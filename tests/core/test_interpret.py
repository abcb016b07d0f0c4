# SPDX-License-Identifier: Apache-2.0
"""Programs of random graphs compute what the golden model computes, on cores of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from core.core_cases import CONFIGS, ROOMY, OnCore
from core.reshaped import random_reshaped_graph
from core.tiny_networks import TINY
from random_branches import BLOCKS, random_branching_graph
from random_graphs import (
    extreme_frames,
    random_conv_graph,
    random_graph,
    random_spread_graph,
    random_thresholds,
    random_walk,
    threshold_walk,
)

from codesign.core import CoreConfig, Interpreter, compile_graph, image_of, pack_input, unpack_output
from codesign.core.program import EVENTS
from codesign.errors import FrameError
from codesign.graph import Delta, Graph
from codesign.graph.golden import Golden

KINDS: dict[str, Callable[[np.random.Generator], Graph]] = {
    "dense": random_graph,
    "convolutions": random_conv_graph,
    "branches": random_branching_graph,
    "spread": random_spread_graph,
    "reshaped": random_reshaped_graph,
}


def long_stream(on: OnCore, rng: np.random.Generator, frames: int) -> int:
    """Compare a stream in parts, of which some change all and some nothing, and a new one; return how many values."""
    compared = on.check(random_walk(rng, on.graph, 1, 1.0))
    compared += on.check(random_walk(rng, on.graph, frames, float(rng.choice([0.02, 0.2, 1.0]))))
    on.reset()
    compared += on.check(extreme_frames(on.graph))
    return compared + on.check(threshold_walk(rng, on.graph, frames))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.lanes}x{config.quantisers}")
def test_every_value_of_random_networks(kind: str, config: CoreConfig) -> None:
    compared = 0
    for seed in range(5):
        rng = np.random.default_rng([seed, config.lanes])
        compared += long_stream(OnCore(KINDS[kind](rng), config), rng, 20)
    print(f"{compared} values")
    assert compared > 1500


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block(block: str) -> None:
    rng = np.random.default_rng(7)
    for config in ROOMY:
        graph = random_branching_graph(rng, blocks=(block, block))
        assert long_stream(OnCore(graph, config), rng, 20) > 100


def test_a_million_values() -> None:
    compared, seed = 0, 0
    while compared < 1_000_000:
        rng = np.random.default_rng([seed, 99])
        graph = random_branching_graph(rng, size=16) if seed % 2 else random_conv_graph(rng, size=20)
        compared += long_stream(OnCore(graph, ROOMY[seed // 2 % 2]), rng, 50)
        seed += 1
    print(f"{compared} values of {seed} networks")


@pytest.mark.parametrize("seed", range(6))
def test_thresholds_that_are_set_later(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_conv_graph(rng, hold=1.0)
    graph = graph.with_thresholds(
        {name: value for name, value in random_thresholds(rng, graph).items() if value < 1 << 20}
    )
    assert long_stream(OnCore(graph, ROOMY[0]), rng, 30) > 10


def test_a_stream_in_parts_is_the_stream() -> None:
    rng = np.random.default_rng(3)
    graph = random_branching_graph(rng, blocks=("residual", "max"))
    frames, compiled = random_walk(rng, graph, 30, 0.1), compile_graph(graph)
    whole = Interpreter(compiled.program).run(pack_input(compiled, frames))
    core = Interpreter(compiled.program)
    parts = [core.run(pack_input(compiled, part)) for part in (frames[:1], frames[1:7], frames[7:7], frames[7:])]
    assert np.array_equal(whole.packets, np.concatenate([part.packets for part in parts]))
    for name in ("visited", "tokens", "events", "placed", "hits", "marked", "operations", "swept"):
        joined = np.concatenate([getattr(part.counts, name) for part in parts])
        assert np.array_equal(getattr(whole.counts, name), joined), name


def test_lanes_of_the_last_beat_may_hold_anything() -> None:
    compared = 0
    for seed in range(40):
        rng = np.random.default_rng([seed, 5])
        graph = random_reshaped_graph(rng)
        if graph.source.size % 8 == 0 or graph.output.name == graph.nodes[1].name:
            continue
        frames, compiled = random_walk(rng, graph, 10, 0.3), compile_graph(graph, ROOMY[0])
        beats = pack_input(compiled, frames)
        beats.reshape(10, -1)[:, graph.source.size :] = rng.integers(-(1 << 15), 1 << 15, (10, -graph.source.size % 8))
        made = unpack_output(compiled, Interpreter(compiled.program).run(beats).packets)
        assert np.array_equal(made, Golden(graph).run(frames).outputs), seed
        compared += made.size
    assert compared > 3000


def test_what_does_not_change_is_not_looked_at() -> None:
    rng = np.random.default_rng(4)
    graph = random_branching_graph(rng, blocks=("residual", "concat"))
    frame = random_walk(rng, graph, 1, 1.0)
    on = OnCore(graph, CONFIGS[0])
    _, run, _ = on.run(np.concatenate([frame] * 3))
    counts = run.counts
    assert counts.swept.tolist() == [counts.swept[0], 0, 0]
    assert counts.swept[0] > 0
    assert not counts.operations[1:].any()
    assert not counts.tokens[1:].any()
    assert (
        counts.visited[1:].tolist()
        == [[on.compiled.program.beats, *[0] * (len(graph.deltas) - 1), counts.visited[0, -1]]] * 2
    )


@pytest.mark.parametrize("kind", KINDS)
def test_without_skipping_everything_is_an_event(kind: str) -> None:
    for seed in range(3):
        rng = np.random.default_rng([seed, 11])
        graph = KINDS[kind](rng)
        compiled = compile_graph(graph, ROOMY[0])
        frames = random_walk(rng, graph, 6, 0.1)
        dense = Interpreter(compiled.program, skip=False).run(pack_input(compiled, frames))
        assert np.array_equal(unpack_output(compiled, dense.packets), Golden(graph).run(frames).outputs)
        assert (dense.counts.operations == dense.counts.operations[0]).all()
        for at, (name, step) in enumerate(zip(compiled.steps, compiled.program.steps, strict=True)):
            if at and step.packet == EVENTS:
                assert dense.counts.events[0, at] == compiled.layouts[name].size


def test_nodes_that_lead_nowhere_are_left_out() -> None:
    rng = np.random.default_rng(5)
    graph = random_branching_graph(rng, blocks=("residual",))
    output = graph.output
    dead = replace(graph.deltas[0], name="dead", input=graph.deltas[1].input, shape=graph.deltas[1].shape, channels=1)
    dead = replace(dead, in_fmt=graph.deltas[1].in_fmt, step_log2=(0,))
    assert isinstance(dead, Delta)
    wider = replace(graph, nodes=(*graph.nodes[:-1], dead, output))
    assert np.array_equal(image_of(compile_graph(wider).program), image_of(compile_graph(graph).program))


def test_sums_wrap_around() -> None:
    rng = np.random.default_rng(8)
    graph = random_graph(rng, layers=1, end="dense")
    frames, compiled = random_walk(rng, graph, 10, 0.5), compile_graph(graph)
    top = (1 << 31) - 1
    made = []
    for bias in (0, top):
        program = replace(compiled.program, sums=np.full_like(compiled.program.sums, bias))
        made.append(unpack_output(compiled, Interpreter(program).run(pack_input(compiled, frames)).packets))
    assert (made[0] > 0).any()
    assert np.array_equal(made[1], (made[0] + top + top + 1) % (1 << 32) - top - 1)


def test_lanes_that_are_not_valid_are_never_sent() -> None:
    rng = np.random.default_rng(9)
    graph = random_conv_graph(rng, layers=1, dense=False)
    frames, compiled = random_walk(rng, graph, 10, 0.5), compile_graph(graph)
    program = compiled.program
    step = program.steps[0]
    params = program.params.copy()
    params[step.param_base : step.param_base + step.groups, 3] = 0
    core = Interpreter(replace(program, params=params))
    before = Interpreter(program)
    events = [each.run(pack_input(compiled, frames)).counts.events[:, 0].sum() for each in (before, core)]
    rows = slice(step.code_base, step.code_base + step.words)
    assert before.codes[rows, 3].any()
    assert not core.codes[rows, 3].any()
    assert events[1] < events[0]


def test_other_beats_are_refused() -> None:
    compiled = compile_graph(random_graph(np.random.default_rng(0)))
    core = Interpreter(compiled.program)
    with pytest.raises(FrameError, match=r"wrong beats\. Expected: \[T, \d+, 8\]"):
        core.run(np.zeros((1, compiled.program.beats + 1, 8), np.int64))


@pytest.mark.parametrize(("name", "compared"), [("vww", 259_462), ("resnet8", 117_854), ("kws", 72_590), ("ad", 3_592)])
def test_networks_of_real_shapes(name: str, compared: int) -> None:
    tiny = TINY[name](frames=3, hold=1.0)
    on = OnCore(tiny.graph, replace(CoreConfig(), code_rows=1 << 16, weight_lines=1 << 14))
    assert on.check(tiny.frames) == compared
