# SPDX-License-Identifier: Apache-2.0
"""Frames in planes: nothing differs, and lines of weights come once in a frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from core.core_cases import OnCore
from core.test_core_rtl import agree
from core.tiny_networks import Growing
from random_graphs import random_walk

from codesign.core import Compiled, CoreConfig, compile_graph, pack_input
from codesign.core.interpret import Interpreter, Work
from codesign.core.outside import LineSlots
from codesign.core.planes import in_planes
from codesign.core.plan import plan_of
from codesign.fixed import IntArray
from codesign.graph import Graph
from codesign.graph.golden import send
from codesign.sim.core import CoreSimulator
from codesign.sim.memory import SDRAM, MemoryTiming

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
STALLS = MemoryTiming(open_cycles=3, closed_cycles=20, row_bytes=256, stall_probability=0.3, seed=5)


def separable(seed: int = 0, hold: float | None = None) -> Graph:
    """Depthwise convolutions between pointwise and 3 x 3 ones."""
    net = Growing((6, 5, 3), 3, 0.3, hold, seed)
    net.conv(32)
    net.conv(0)
    net.conv(40, (1, 1))
    net.conv(0, stride=2)
    net.conv(24)
    net.mean()
    net.dense(5)
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


def in_one(graph: Graph, config: CoreConfig) -> Compiled:
    """The program without planes: a core that keeps every line."""
    return replace(compile_graph(graph, replace(config, cached_lines=4096)))


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


@pytest.mark.parametrize("kind", GRAPHS)
def test_every_value(kind: str) -> None:
    for seed in range(3):
        for graph in (GRAPHS[kind](seed), varied(GRAPHS[kind](seed))):
            on = OnCore(graph, CONFIG)
            assert planes(on.compiled)
            for _ in range(2):
                on.check(random_walk(np.random.default_rng(seed), graph, 5, 0.2))
                on.reset()


@pytest.mark.timeout(600)
def test_every_value_of_rtl(rtl_cache: Path) -> None:
    """On one core, with stalls, resets, and an SDRAM."""
    graphs = {name: varied(make(4)) for name, make in GRAPHS.items()}
    with CoreSimulator(graphs["separable"], rtl_cache, config=CONFIG, memory=STALLS) as core:
        for number, graph in enumerate(graphs.values()):
            core.load(graph)
            assert planes(core.compiled)
            assert agree(core, graph, number, frames=2) >= 40
