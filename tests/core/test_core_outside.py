# SPDX-License-Identifier: Apache-2.0
"""Golden model == core with hardly anything inside: sums, codes and weights in an external memory that answers when it
likes, and caches of a few words and lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest
from core.test_core_rtl import agree, graph_of
from random_graphs import random_walk
from rtl_cases import KINDS

from codesign.core import CoreConfig, compile_graph, image_of
from codesign.core.work import most_cycles
from codesign.errors import ConversionError, SimulationError
from codesign.graph.golden import Golden
from codesign.sim.core import CoreSimulator
from codesign.sim.memory import DDR, SDRAM, MemoryTiming

pytestmark = pytest.mark.timeout(600)

CONFIGS = {
    "32 bits": CoreConfig(
        lanes=8,
        quantisers=4,
        sum_words=8,
        code_rows=2,
        weight_lines=2,
        memory_bits=32,
        memory_kib=256,
        cached_words=4,
        cached_lines=4,
    ),
    "128 bits": CoreConfig(
        lanes=8,
        quantisers=2,
        sum_words=16,
        code_rows=5,
        weight_lines=9,
        memory_bits=128,
        memory_kib=1024,
        cached_words=16,
        cached_lines=8,
    ),
}
TIMINGS = {
    "DDR": DDR,
    "SDRAM": SDRAM,
    "at once": MemoryTiming(open_cycles=0, closed_cycles=0),
    "stalls": MemoryTiming(open_cycles=3, closed_cycles=20, row_bytes=256, stall_probability=0.5, seed=5),
    "rare": MemoryTiming(open_cycles=1, closed_cycles=90, stall_probability=0.95, seed=6),
}

GRAPH = graph_of("convolutions", 0)


def seeds_of(kind: str, config: CoreConfig) -> Iterator[int]:
    """Yield the seeds of networks whose biases fit inside."""
    for seed in count():
        try:
            compile_graph(graph_of(kind, seed), config)
        except ConversionError:
            continue
        yield seed


def check(cache: Path, config: str, timing: str, seeds: int, frames: int) -> None:
    """Compare some networks of each kind, loaded into one core one after the other, with stalls, resets and streams."""
    values = 0
    with CoreSimulator(GRAPH, cache, config=CONFIGS[config], memory=TIMINGS[timing]) as core:
        for kind in KINDS:
            for seed in islice(seeds_of(kind, CONFIGS[config]), seeds):
                values += agree(core, graph_of(kind, seed), seed, frames)
    assert values >= 40 * seeds * len(KINDS)


def test_core_equals_golden(rtl_cache: Path) -> None:
    check(rtl_cache, "32 bits", "stalls", seeds=2, frames=2)


@pytest.mark.heavy
@pytest.mark.parametrize("timing", TIMINGS)
@pytest.mark.parametrize("config", CONFIGS)
def test_many_networks_and_memories(rtl_cache: Path, config: str, timing: str) -> None:
    check(rtl_cache, config, timing, seeds=20, frames=6)


def test_hardly_anything_is_inside(rtl_cache: Path) -> None:
    """Every step of a frame reads sums, codes and weights from outside and writes there; an unchanged frame less."""
    config = CONFIGS["32 bits"]
    needs = compile_graph(GRAPH, config).program.needs()
    assert all(needs[depth] > 3 * getattr(config, depth) for depth in ("sum_words", "code_rows", "weight_lines"))
    walk = random_walk(np.random.default_rng(1), GRAPH, 3, 0.3)
    with CoreSimulator(GRAPH, rtl_cache, config=config) as core:
        run = core.run(np.concatenate([walk, walk[-1:]]))
    np.testing.assert_array_equal(run.outputs[:3], Golden(GRAPH).run(walk).outputs)
    assert run.memory is not None
    assert run.cycles.max() < most_cycles(core.compiled)
    assert run.memory.read_bytes[:3].min() > 1000
    assert run.memory.written_bytes[:3].min() > 200
    assert run.memory.read_bytes[3] < run.memory.read_bytes[2] / 2
    assert run.memory.written_bytes[3] < 200


def test_a_reset_in_the_middle_of_a_frame_forgets_everything(rtl_cache: Path) -> None:
    """Records that are on their way are lost; what they were for is not needed any more."""
    rng = np.random.default_rng(2)
    walk = random_walk(rng, GRAPH, 6, 0.4)
    with CoreSimulator(GRAPH, rtl_cache, config=CONFIGS["32 bits"], memory=TIMINGS["stalls"]) as core:
        beats = core.program.beats
        for count in range(1, beats + 1, max(3, beats // 4)):
            core.run(walk[:2])
            data = rng.integers(-100, 100, (count, core.config.quantisers))
            core.run_beats(data, np.zeros(count, bool), np.zeros(count, bool))
            core.reset(hard=True)
            np.testing.assert_array_equal(core.run(walk[2:4]).outputs, Golden(GRAPH).run(walk[2:4]).outputs)


def test_a_memory_that_does_not_answer_is_refused(rtl_cache: Path) -> None:
    silent = MemoryTiming(open_cycles=100_000, closed_cycles=100_000)
    with pytest.raises(SimulationError, match="the external memory does not answer"):
        CoreSimulator(GRAPH, rtl_cache, config=CONFIGS["32 bits"], memory=silent)


@pytest.mark.parametrize(
    "failing",
    [MemoryTiming(open_cycles=100_000, closed_cycles=100_000), MemoryTiming(error_probability=0.05, seed=7)],
    ids=["silent", "errors"],
)
def test_a_memory_that_fails_within_a_frame_leaves_no_network(rtl_cache: Path, failing: MemoryTiming) -> None:
    """Nothing hangs and no packet comes; what is loaded after it is right."""
    walk = random_walk(np.random.default_rng(4), GRAPH, 4, 0.4)
    with CoreSimulator(GRAPH, rtl_cache, config=CONFIGS["32 bits"]) as core:
        for _ in range(3):
            core.run(walk[:2])
            core.answer_as(failing)
            with pytest.raises(SimulationError, match="lost its network: the external memory does not answer"):
                core.run(walk[2:])
            assert not core.loaded
            with pytest.raises(SimulationError, match="the external memory does not answer"):
                core.load(GRAPH)
            core.answer_as(DDR)
            core.load(GRAPH)
            np.testing.assert_array_equal(core.run(walk).outputs, Golden(GRAPH).run(walk).outputs)


def test_a_broken_load_leaves_no_network(rtl_cache: Path) -> None:
    """Also one that fails among the lines that lie outside; what is loaded after it is right."""
    image = image_of(compile_graph(GRAPH, CONFIGS["32 bits"]).program)
    walk = random_walk(np.random.default_rng(3), GRAPH, 3, 0.4)
    with CoreSimulator(GRAPH, rtl_cache, config=CONFIGS["32 bits"], memory=TIMINGS["stalls"]) as core:
        for end in (len(image) // 2, len(image) - 40, len(image) - 1):
            core.run(walk)
            for wrong in (image[:end], np.concatenate([image[:end], image[end:] ^ np.uint32(1 << 9)])):
                with pytest.raises(SimulationError, match="refuses the image"):
                    core.load_image(wrong)
                assert not core.loaded
            core.load(GRAPH)
            np.testing.assert_array_equal(core.run(walk).outputs, Golden(GRAPH).run(walk).outputs)
