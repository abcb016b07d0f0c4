# SPDX-License-Identifier: Apache-2.0
"""The listing of a program says where everything is, and its numbers are those of the program."""

from __future__ import annotations

import re

import numpy as np
import pytest
from core.core_cases import CONFIGS
from core.reshaped import random_reshaped_graph
from random_branches import random_branching_graph
from random_graphs import random_walk

from codesign.core import Compiled, Interpreter, compile_graph, pack_input
from codesign.core.listing import listing, memory_bits


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    graph = random_branching_graph(np.random.default_rng(4), blocks=("concat", "max", "two readers"))
    return compile_graph(graph)


def row(text: str, start: str) -> str:
    """The only line that starts so."""
    (line,) = (line for line in text.splitlines() if re.match(start, line))
    return line


def test_every_node_and_reader_has_a_line(compiled: Compiled) -> None:
    text = listing(compiled)
    for node in compiled.graph.engines:
        assert type(node).__name__ in row(text, rf"{node.name} +[A-Z]")
    for name in compiled.steps:
        row(text, rf"{name} +(input|[a-z]+\d+) +\d+ ")
    for reader in compiled.readers:
        row(text, rf"{reader.delta} +{reader.engine} +(lane|element)")
    assert f"design {compiled.program.design:08x}, 32 lanes, 8 quantisers" in text
    assert all(len(line) <= 160 and line == line.rstrip() for line in text.splitlines())


def test_addresses_are_those_of_the_program(compiled: Compiled) -> None:
    text, program = listing(compiled), compiled.program
    for reader, place, walk in zip(compiled.readers, program.places, program.walks, strict=True):
        line = row(text, rf"{reader.delta} +{reader.engine} +(lane|element)")
        assert f" {walk.weight_base}+{reader.lines} " in line
        assert f" {place.row_table}, {place.column_table} " in line
    taken = [
        tuple(map(int, re.findall(r" (\d+)\+(\d+) ", row(text, rf"{name} +[A-Z]"))[0])) for name in compiled.engines
    ]
    taken.sort()
    assert [first for first, _ in taken[1:]] == [first + count for first, count in taken[:-1]]
    assert sum(taken[-1]) == program.needs()["sum_words"]


def test_bits_are_those_of_the_memories(compiled: Compiled) -> None:
    bits, needs = memory_bits(compiled), compiled.program.needs()
    assert bits["sum_words"] == needs["sum_words"] * 32 * 32
    assert bits["code_rows"] == needs["code_rows"] * 8 * 16
    assert bits["weight_lines"] == needs["weight_lines"] * 32 * 16
    assert bits["param_rows"] == needs["param_rows"] * 8 * (1 + 5 + 32 + 5 + 16)
    assert bits["chunks"] == needs["chunks"] * 32
    assert row(listing(compiled), "all ").split() == ["all", str(sum(bits.values()))]


def test_what_frames_touched(compiled: Compiled) -> None:
    rng = np.random.default_rng(5)
    run = Interpreter(compiled.program).run(pack_input(compiled, random_walk(rng, compiled.graph, 9, 0.1)))
    text = listing(compiled, run.counts)
    for at, reader in enumerate(compiled.readers):
        mean = run.counts.operations[1:, at].mean()
        assert row(text, rf"{reader.delta} +{reader.engine} ").endswith(f" {mean:.1f}")
    for at, name in enumerate(compiled.steps):
        assert row(text, rf"{name} +(input|[a-z]+\d+) +\d+ ").endswith(f" {run.counts.events[1:, at].mean():.1f}")


@pytest.mark.parametrize("seed", range(8))
def test_every_program_can_be_listed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    compiled = compile_graph(random_reshaped_graph(rng), CONFIGS[seed % len(CONFIGS)])
    core = Interpreter(compiled.program)
    for frames in (0, 1, 2):
        beats = pack_input(compiled, random_walk(rng, compiled.graph, frames, 0.1))
        assert len(listing(compiled, core.run(beats).counts).splitlines()) > 12
