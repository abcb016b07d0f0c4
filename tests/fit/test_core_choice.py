# SPDX-License-Identifier: Apache-2.0
"""Pipeline or core: which one is chosen, and what a core is said to take."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from fit_cases import measured, moving, two_convolutions

from codesign.core import compile_graph
from codesign.core.cycles import core_cycles
from codesign.fit import Fit, fit
from codesign.fit.core import better, on_core
from codesign.fit.words import lines
from codesign.synth.core_memory import memory_timing
from codesign.synth.target import load_target


@cache
def core(frames_per_second: float | None = None) -> Fit:
    graph = two_convolutions()
    made = on_core(
        graph,
        moving(graph, 12),
        load_target("ulx3s-85f"),
        frames_per_second=frames_per_second,
        clock_mhz=None,
        minimise="lut",
    )
    assert made is not None
    return made


def pipeline(frames_per_second: float | None = None) -> Fit:
    graph = two_convolutions()
    return fit(graph, measured(graph), load_target("ulx3s-85f"), frames_per_second=frames_per_second)


def test_a_core_has_the_cycles_of_its_model() -> None:
    graph, board = two_convolutions(), load_target("ulx3s-85f")
    assert board.core is not None
    counted = core_cycles(
        compile_graph(graph, board.core), moving(graph, 12), memory=memory_timing(board, board.clock.of_delta_core)
    ).frames[1:]
    assert core().cycles.mean == pytest.approx(float(counted.mean()))
    assert core().cycles.p95 == pytest.approx(float(np.quantile(counted, 0.95)))
    assert (core().architecture, core().fits) == ("core", True)
    assert core().resources == load_target("ulx3s-85f").core_area()


def test_a_core_that_is_too_slow_says_so() -> None:
    made = core(1e6)
    assert not made.fits
    assert "1,000,000 were asked for" in made.in_the_way[0]


def test_a_board_without_a_core_has_none() -> None:
    graph = two_convolutions()
    asked = {"frames_per_second": None, "clock_mhz": None}
    assert on_core(graph, moving(graph, 12), load_target("icebreaker"), minimise="lut", **asked) is None


def test_the_cheaper_one_at_a_rate_and_the_faster_one_else() -> None:
    slow, fast = pipeline(1000.0), pipeline()
    assert better(slow, core(1000.0)) is slow, "a pipeline of a small network has fewer cells than a core"
    assert better(fast, core()) is fast
    large = replace(slow, resources=replace(slow.resources, lut=60_000))
    assert better(large, core(1000.0)) is core(1000.0)


def test_the_one_that_fits() -> None:
    none = replace(pipeline(), in_the_way=("too few look-up tables",))
    made = better(none, core())
    assert (made.architecture, made.no_pipeline) == ("core", ("too few look-up tables",))
    assert "no pipeline: too few look-up tables" in list(lines(made))
    assert better(none, core(1e6)) is none
    assert better(none, None) is none


def test_the_cells_are_those_of_the_core_that_the_board_has() -> None:
    board = load_target("ulx3s-85f")
    assert board.core is not None
    assert board.core_area() is not None, "a core that changed has to be built, and its cells counted, again"
    changed = replace(board, core=replace(board.core, sum_words=4096))
    assert changed.core_area() is None
    wider = replace(board.core, lanes=16, sum_words=1024, cached_words=1024, weight_lines=1536, cached_lines=512)
    assert replace(board, core=wider).core_area() is None, "of as many bits"
    assert replace(board, built_core=None).core_area() is None
    graph = two_convolutions()
    asked = {"frames_per_second": None, "clock_mhz": None}
    assert on_core(graph, moving(graph, 12), changed, minimise="lut", **asked) is None
    assert core().clock_mhz == board.clock.delta_core_mhz
