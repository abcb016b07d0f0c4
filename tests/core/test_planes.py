# SPDX-License-Identifier: Apache-2.0
"""Frames in planes: nothing differs, and lines of weights come once in a frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from core.core_cases import OnCore
from core.test_core_rtl import STALLS, check_run
from core.tiny_networks import Growing
from random_graphs import random_walk

from codesign.core import Compiled, CoreConfig, compile_graph, pack_input
from codesign.core.cycles import core_cycles
from codesign.core.interpret import Interpreter, Work
from codesign.core.listing import listing
from codesign.core.outside import LineSlots
from codesign.graph import Graph
from codesign.graph.golden import Golden, send
from codesign.sim.core import CoreSimulator
from codesign.sim.memory import MemoryTiming

CONFIG = CoreConfig(
    lanes=8,
    quantisers=4,
    sum_words=32,
    code_rows=16,
    weight_lines=16,
    memory_bits=32,
    memory_kib=256,
    cached_words=256,
    cached_lines=64,
)
LATE = MemoryTiming(open_cycles=3, closed_cycles=20, row_bytes=256)


def separable(seed: int = 0, hold: float | None = None, outputs: int = 5) -> Graph:
    """Depthwise convolutions between pointwise and 3 x 3 ones."""
    net = Growing((6, 5, 3), 3, 0.3, hold, seed)
    net.conv(32)
    net.conv(0)
    net.conv(40, (1, 1))
    net.conv(0, stride=2)
    net.conv(24)
    net.mean()
    net.dense(outputs)
    return net.alive(f"separable{seed}").graph


def branched(seed: int = 0, hold: float | None = None) -> Graph:
    """A depthwise convolution that a pointwise one, a depthwise one and an addition read."""
    net = Growing((5, 7, 2), 3, 0.3, hold, seed)
    net.conv(32)
    first = net.conv(0)
    left = net.conv(32, (1, 1), read=first)
    second = net.conv(0, read=first)
    right = net.conv(32, (1, 1), read=second)
    net.join(net.join(left, right), net.join(first, second))
    net.dense(5)
    return net.alive(f"branched{seed}").graph


def joined(seed: int = 0) -> Graph:
    """An addition with two activations, which a pointwise convolution and a 3 x 3 one read."""
    net = Growing((5, 6, 2), 3, 0.3, None, seed)
    first = net.conv(24, relu=False)
    exact = net.join(first, net.conv(24, (1, 1), read=first, relu=False))
    rounded = replace(exact, name="rounded", step_log2=(2,))
    net.nodes.append(rounded)
    net.values["rounded"] = send(rounded, net.values[exact.input], np.zeros(exact.size, np.int64))
    net.join(net.conv(40, (1, 1), read=exact), net.conv(40, read=rounded))
    net.dense(4)
    return net.alive(f"joined{seed}").graph


def planes(compiled: Compiled) -> dict[str, int]:
    return {name: layout.planes for name, layout in compiled.layouts.items() if layout.planes > 1}


def first(seed: int = 0, hold: float | None = None) -> Graph:
    """A depthwise convolution of the input, whose codes lie in words of another shape."""
    net = Growing((5, 7, 8), 3, 0.3, hold, seed)
    net.conv(0)
    net.conv(24)
    net.dense(4)
    return net.alive(f"first{seed}").graph


GRAPHS = {"separable": separable, "branched": branched, "joined": joined}


def varied(graph: Graph) -> Graph:
    """A step of its own for each channel of each activation but the first."""
    rng = np.random.default_rng(7)
    nodes = [
        replace(node, channels=node.shape[-1], step_log2=tuple(rng.integers(0, 3, node.shape[-1]).tolist()))
        if node in graph.deltas[1:]
        else node
        for node in graph.nodes
    ]
    return replace(graph, nodes=tuple(nodes))


def test_planes_of_what_reads_the_input() -> None:
    config = replace(CONFIG, lanes=4, cached_lines=16)
    for seed in range(3):
        on = OnCore(first(seed), config)
        assert planes(on.compiled) == {"conv2": 2, "conv2_sent": 2}
        on.check(random_walk(np.random.default_rng(seed), on.graph, 5, 0.2))


@pytest.mark.parametrize("kind", GRAPHS)
def test_every_value(kind: str) -> None:
    for seed in range(3):
        for graph in (GRAPHS[kind](seed), varied(GRAPHS[kind](seed))):
            on = OnCore(graph, CONFIG)
            assert planes(on.compiled)
            for _ in range(2):
                on.check(random_walk(np.random.default_rng(seed), graph, 5, 0.2))
                on.reset()


def test_every_value_of_rtl(rtl_cache: Path) -> None:
    """On one core, with stalls, resets, unchanged frames and a late memory; cycles and bytes are the model's."""
    with CoreSimulator(separable(), rtl_cache, config=CONFIG, memory=LATE) as core:
        for number, make in enumerate(GRAPHS.values()):
            graph = varied(make(4))
            core.load(graph)
            assert planes(core.compiled)
            rng = np.random.default_rng([number, 5])
            walk = np.repeat(random_walk(rng, graph, 3, 0.3), 2, axis=0)
            check_run(graph, core.run(walk[:4], stalls=STALLS[1]), Golden(graph).run(walk[:4]))
            core.reset(hard=True)
            run = core.run(walk)
            check_run(graph, run, Golden(graph).run(walk))
            model = core_cycles(core.compiled, walk, memory=LATE)
            assert model.frames[1:].mean() == pytest.approx(run.cycles[1:].mean(), rel=0.03)
            assert run.memory is not None
            assert model.bytes is not None
            assert model.bytes[1:].sum() == pytest.approx(run.memory.bytes[1:].sum(), rel=0.01)


def lines_read(graph: Graph, config: CoreConfig) -> tuple[int, int]:
    """Lines of weights that frames use, and that come from outside for them, where nothing stays for the next frame."""
    compiled = compile_graph(graph, config)
    slots, used, missing = {0: LineSlots(config)}, dict[int, set[int]](), 0

    def observe(frame: int, _: int, work: Work) -> None:
        nonlocal missing
        outside = work.lines[work.lines >= config.weight_lines]
        used.setdefault(frame, set()).update(outside.tolist())
        missing += int(slots.setdefault(frame, LineSlots(config)).missing(work.lines).sum())

    frames = random_walk(np.random.default_rng(3), graph, 4, 0.3)
    Interpreter(compiled.program).run(pack_input(compiled, frames), observe)
    return sum(map(len, used.values())), missing


@pytest.mark.parametrize(("kind", "kept"), [("separable", 256), ("joined", 512)])
def test_lines_come_once_in_a_frame(kind: str, kept: int) -> None:
    graph, config = GRAPHS[kind](), replace(CONFIG, cached_lines=kept)
    readers = compile_graph(graph, replace(CONFIG, cached_lines=4096)).program.needs()["walks"]
    used, missing = lines_read(graph, config)
    assert missing == used > 1000
    used, missing = lines_read(graph, replace(config, walks=readers))
    assert missing > 2 * used


def test_no_planes_where_they_do_not_pay_or_fit() -> None:
    graph = separable()
    assert planes(compile_graph(graph, CONFIG)) == {"conv4": 4, "conv4_sent": 4, "conv8": 5, "conv8_sent": 5}
    assert not planes(compile_graph(graph, replace(CONFIG, cached_lines=2048)))
    assert not planes(compile_graph(graph, replace(CONFIG, weight_lines=4096)))
    assert not planes(compile_graph(graph, CoreConfig(lanes=8, quantisers=4)))
    assert "conv4" not in planes(compile_graph(graph, replace(CONFIG, cached_words=4)))  # sums would come four times
    needs = compile_graph(graph, CONFIG).program.needs()
    assert planes(compile_graph(graph, replace(CONFIG, walks=needs["walks"] - 1))) == {"conv8": 5, "conv8_sent": 5}
    assert not planes(compile_graph(graph, replace(CONFIG, table_rows=60)))
    wide, config = separable(outputs=320), replace(CONFIG, sum_words=128)
    assert planes(compile_graph(wide, replace(config, memory_kib=128)))
    assert not planes(compile_graph(wide, replace(config, memory_kib=64)))  # what is between planes would be too much


def test_a_plane_has_a_line() -> None:
    compiled = compile_graph(separable(), CONFIG)
    text = listing(compiled)
    assert all(f"\nconv4_sent[{plane}] " in text for plane in range(4))
    assert "1 x 8 x 4" in text
