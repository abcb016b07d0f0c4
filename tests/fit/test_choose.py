# SPDX-License-Identifier: Apache-2.0
"""The choice of `codesign.fit`: against every hardware there is, on frames as they are counted at that hardware."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from fit_cases import every_hardware, measured, two_convolutions

from codesign.errors import ConfigError, FrameError
from codesign.fit import Fit, Measured, fit
from codesign.fit.resources import Cells, resource_model
from codesign.graph import Graph
from codesign.graph.cycles import estimate
from codesign.synth.target import Target, load_target

UNROLLS = ((1, 1), (1, 2), (2, 2), (3, 3))
CLOCK_MHZ = 1.0


@cache
def target() -> Target:
    return load_target("ulx3s-85f")


def smaller(**capacity: int) -> Target:
    """Return the board with less on it."""
    return replace(target(), capacity=replace(target().capacity, **capacity))


@cache
def found(frames_per_second: float | None, minimise: str = "lut") -> Fit:
    graph = two_convolutions()
    return fit(
        graph,
        measured(graph),
        target(),
        frames_per_second=frames_per_second,
        clock_mhz=CLOCK_MHZ,
        minimise=minimise,  # type: ignore[arg-type]
    )


def lut(graph: Graph) -> float:
    return sum(resource_model().nodes(graph).values(), Cells()).lut


def p95(graph: Graph) -> float:
    """Return the cycles at the 95th percentile, of events counted at the hardware that the network has."""
    counted = measured(graph)
    return float(np.quantile(estimate(graph, counted.events, counted.reached).cycles, 0.95))


@pytest.mark.parametrize("frames_per_second", [1500.0, 3000.0])
def test_the_choice_is_within_a_tenth_of_the_best_of_all(frames_per_second: float) -> None:
    goal = CLOCK_MHZ * 1e6 / frames_per_second
    made = found(frames_per_second)
    assert made.fits
    assert p95(made.graph) <= goal * 1.05, "the hardware is as fast as it was said to be"
    every = sorted(every_hardware(two_convolutions(), UNROLLS), key=lut)
    assert len(every) > 1000
    best = next(graph for graph in every if p95(graph) <= goal)
    assert lut(made.graph) <= 1.1 * lut(best)
    assert lut(made.graph) < 0.8 * lut(every[-1]), "there is something to choose"


def test_a_higher_rate_takes_more() -> None:
    slow, fast = found(500.0), found(3000.0)
    assert slow.fits
    assert fast.fits
    assert (slow.resources.lut or 0) < (fast.resources.lut or 0)
    assert slow.cycles.p95 > fast.cycles.p95


def test_the_layers_add_up_to_the_whole() -> None:
    made = found(3000.0)
    for kind in ("lut", "ff", "dsp", "bram_bits"):
        total = sum(getattr(layer, kind) for layer in made.layers)
        assert getattr(made.resources, kind) == pytest.approx(total, abs=len(made.layers))


def test_multipliers_are_saved_where_they_are_asked_for() -> None:
    by_lut, by_dsp = found(3000.0), found(3000.0, "dsp")
    assert by_dsp.fits
    assert (by_dsp.resources.dsp or 0) <= (by_lut.resources.dsp or 0)


def test_a_rate_that_cannot_be_says_what_is_in_the_way() -> None:
    made = found(50_000.0)
    assert not made.fits
    assert made.frames_per_second < 50_000
    (reason,) = made.in_the_way
    assert "50,000 were asked for" in reason
    assert "cycles a frame" in reason


def test_a_small_board_says_by_how_much_it_is_too_small() -> None:
    graph = two_convolutions()
    made = fit(graph, measured(graph), smaller(lut=1000), clock_mhz=CLOCK_MHZ)
    assert not made.fits
    (reason,) = [line for line in made.in_the_way if "look-up tables" in line]
    assert made.resources.lut is not None
    assert f"{made.resources.lut - 800:,} too few" in reason


def test_the_fastest_that_fits_fills_the_board_and_no_more() -> None:
    graph = two_convolutions()
    free = fit(graph, measured(graph), target(), clock_mhz=CLOCK_MHZ)
    assert free.resources.lut is not None
    tight = fit(graph, measured(graph), smaller(lut=int(0.9 * free.resources.lut)), clock_mhz=CLOCK_MHZ)
    assert free.fits
    assert tight.fits
    assert tight.resources.lut is not None
    assert tight.usable.lut is not None
    assert 0.8 * tight.usable.lut < tight.resources.lut <= tight.usable.lut < free.resources.lut
    assert tight.frames_per_second < free.frames_per_second


def test_the_board_names_its_clock() -> None:
    graph = two_convolutions()
    made = fit(graph, measured(graph), target(), frames_per_second=1000.0)
    assert made.clock_mhz == target().clock.core_mhz
    assert "core_mhz of ulx3s-85f" in made.clock_origin


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf"), 2e9])
def test_no_such_rate(rate: float) -> None:
    graph = two_convolutions()
    with pytest.raises(ConfigError, match="no such rate"):
        fit(graph, measured(graph), target(), frames_per_second=rate)


def test_frames_of_another_network() -> None:
    graph = two_convolutions()
    counted = measured(graph)
    other = Measured(events={name: values for name, values in counted.events.items() if name != "fc1"})
    with pytest.raises(FrameError, match="none for fc1"):
        fit(graph, other, target())


def test_events_alone_are_enough() -> None:
    graph = two_convolutions()
    made = fit(graph, Measured(events=measured(graph).events), target(), frames_per_second=1500.0, clock_mhz=1.0)
    assert made.fits


def test_a_board_with_few_multipliers_gets_a_choice_with_few() -> None:
    graph = two_convolutions()
    free = found(3000.0)
    assert free.resources.dsp is not None
    least = found(3000.0, "dsp").resources.dsp
    assert least is not None
    made = fit(graph, measured(graph), smaller(dsp=least), frames_per_second=3000.0, clock_mhz=CLOCK_MHZ)
    assert made.fits
    assert made.resources.dsp is not None
    assert made.resources.dsp <= least <= free.resources.dsp
