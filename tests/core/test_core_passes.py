# SPDX-License-Identifier: Apache-2.0
"""The cycle model of the core with an external memory, beside simulation: cycles within 5 % of the mean per frame,
bytes exact but where a read of sums and an addition want one slot in a cycle that the model does not know exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from core.test_core_outside import CONFIGS, GRAPH, seeds_of
from core.test_core_rtl import graph_of
from random_graphs import random_walk
from rtl_cases import KINDS

from codesign.core import CoreConfig, compile_graph
from codesign.core.cycles import CoreCycles, core_cycles
from codesign.core.outside import LineSlots
from codesign.core.port import Port
from codesign.core.timing import DDR, SDRAM, MemoryTiming
from codesign.graph import Graph
from codesign.sim.core import CoreRun, CoreSimulator

pytestmark = pytest.mark.timeout(600)
CLOSE, CLOSE_BYTES = 0.05, 0.01
MEMORIES = {
    "DDR, 32 bits": (CONFIGS["32 bits"], DDR),
    "DDR, 64 bits": (
        CoreConfig(
            lanes=8,
            quantisers=4,
            sum_words=8,
            code_rows=8,
            weight_lines=4,
            memory_bits=64,
            memory_kib=512,
            cached_words=16,
            cached_lines=16,
        ),
        DDR,
    ),
    "DDR, 128 bits": (CONFIGS["128 bits"], DDR),
    "SDRAM": (CONFIGS["32 bits"], SDRAM),
}


def both(core: CoreSimulator, graph: Graph, seed: int, memory: MemoryTiming) -> tuple[CoreRun, CoreCycles]:
    """Return what simulation and model say of frames of a random walk."""
    frames = random_walk(np.random.default_rng(seed), graph, 8, 0.05 + 0.15 * (seed % 4))
    core.load(graph)
    return core.run(frames), core_cycles(core.compiled, frames, memory=memory)


def differences(cache: Path, name: str, first: int, seeds: int) -> Iterator[tuple[str, float, float, bool]]:
    """Yield what network it is, the error of cycles and of bytes, and whether the bytes of every frame are exact."""
    config, memory = MEMORIES[name]
    with CoreSimulator(GRAPH, cache, config=config, memory=memory) as core:
        for kind in KINDS:
            for seed in [seed for _, seed in zip(range(first + seeds), seeds_of(kind, config), strict=False)][first:]:
                run, model = both(core, graph_of(kind, seed), seed, memory)
                assert run.memory is not None
                assert model.read_bytes is not None
                assert model.written_bytes is not None
                read, written = model.read_bytes.sum(axis=1)[1:], model.written_bytes.sum(axis=1)[1:]
                moved = (read + written).sum() - run.memory.bytes[1:].sum()
                exact = np.array_equal(read, run.memory.read_bytes[1:])
                exact &= np.array_equal(written, run.memory.written_bytes[1:])
                cycles = float(model.frames[1:].mean() / run.cycles[1:].mean() - 1)
                yield f"{kind} {seed}", cycles, moved / max(1, run.memory.bytes[1:].sum()), exact


def check(cache: Path, name: str, first: int, seeds: int) -> None:
    """Compare random networks of each kind."""
    found = list(differences(cache, name, first, seeds))
    assert len(found) == seeds * len(KINDS)
    for what, cycles, moved, _ in found:
        assert abs(cycles) < CLOSE, what
        assert abs(moved) < CLOSE_BYTES, what
    assert sum(exact for *_, exact in found) >= 0.8 * len(found)


def test_random_networks(rtl_cache: Path) -> None:
    check(rtl_cache, "SDRAM", 0, 4)


@pytest.mark.heavy
@pytest.mark.parametrize("name", MEMORIES)
def test_many_random_networks(rtl_cache: Path, name: str) -> None:
    check(rtl_cache, name, 4, 16)


def test_an_unchanged_frame_moves_what_it_visits() -> None:
    """Rows of the input outside are read, and the packet's words; nothing is written."""
    config, _ = MEMORIES["SDRAM"]
    compiled = compile_graph(GRAPH, config)
    frame = random_walk(np.random.default_rng(1), GRAPH, 1, 0.3)
    model = core_cycles(compiled, np.repeat(frame, 4, axis=0), memory=SDRAM)
    assert model.read_bytes is not None
    assert model.written_bytes is not None
    assert model.written_bytes[2:].sum() == 0
    source, row = compiled.program.steps[0], config.record_beats["code_rows"] * config.memory_bits // 8
    assert model.read_bytes[2, 0] == model.read_bytes[3, 0] == (source.words * source.parts - config.code_rows) * row
    assert model.read_bytes[2, 1:-1].sum() == 0


def test_lines_that_share_a_slot() -> None:
    config = MEMORIES["DDR, 32 bits"][0]  # two lines inside, four slots
    slots = LineSlots(config)
    lines = np.array([0, 1, 4, 8, 4, 5, 5, 9])
    assert slots.missing(lines).tolist() == [False, False, True, True, True, True, False, True]
    assert slots.missing(np.array([4, 9, 5])).tolist() == [False, False, True]


def played(port: Port) -> None:
    while port.when() < 1 << 60:
        port.act(port.when())


def test_a_read_waits_for_the_write_of_its_record() -> None:
    port = Port(DDR, 32)
    write, read, other = port.write(0, 8, 4), port.read(5, 0, 8, 4), port.read(6, 1, 64, 2)
    played(port)
    assert write.stored > write.taken > 4
    assert other.taken < read.taken
    assert read.taken > write.stored
    assert read.last - read.first == 3
    assert read.first - read.taken >= DDR.open_cycles


def test_beats_of_a_slow_memory_and_of_two_bursts() -> None:
    slow, fast = Port(SDRAM, 32), Port(DDR, 32)
    one, across = slow.read(0, 0, 0, 8), fast.read(0, 0, 1020, 8)
    played(slow)
    played(fast)
    assert one.last - one.first == 14  # two cycles a beat
    assert across.last - across.first == 7  # the second burst is prepared while the first one is served
    assert slow.moved_until(one.last - 1) == (0, 0)
    assert slow.moved_until(one.last) == (32, 0)
    assert slow.moved_until(10**6) == (0, 0)
