# SPDX-License-Identifier: Apache-2.0
"""What is reported of a design that does not fit, or is too slow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from small_design import small_graph

from codesign.synth.advice import capacity_problem, clock_problem
from codesign.synth.order import Order, slower_clock
from codesign.synth.record import Area, BoardBuild, CriticalPath, LayerArea
from codesign.synth.target import load_target

RECORD = BoardBuild(
    design="small",
    design_id=None,
    target="ulx3s-85f",
    top="uart",
    skip=True,
    clock_mhz=100.0,
    used=Area(lut=80, ff=50, dsp=4, bram_bits=0),
    available=Area(lut=100, ff=100, dsp=4, bram_bits=18432),
    layers=(LayerArea(name="fc0", lut=50, ff=20, dsp=4, bram_bits=0), LayerArea(name="link", lut=30, ff=30)),
)


def test_what_fits_is_no_problem() -> None:
    assert capacity_problem(RECORD) is None


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (Area(lut=120, ff=50, dsp=4, bram_bits=0), "120 look-up tables of 100 (120 % of them). Most are in fc0 (50)"),
        (Area(lut=80, ff=101, dsp=4, bram_bits=0), "101 flip-flops of 100 (101 % of them). Most are in link (30)"),
        (Area(lut=80, ff=50, dsp=5, bram_bits=0), "5 multipliers of 4 (125 % of them). Most are in fc0 (4)"),
    ],
)
def test_what_does_not_fit_is_named(used: Area, words: str) -> None:
    said = capacity_problem(replace(RECORD, used=used)) or ""
    assert words in said
    assert "does not fit ulx3s-85f" in said
    assert "Next step:" in said


def test_a_device_without_multipliers() -> None:
    none = replace(RECORD, available=replace(RECORD.available, dsp=0))
    assert "4 multipliers of 0 (it has none)" in (capacity_problem(none) or "")


def test_a_missed_clock_says_by_how_much_where_and_what_to_do() -> None:
    path = CriticalPath(from_layer="d0", to_layer="fc0", delay_ns=12.5)
    slow = replace(RECORD, fmax_mhz=80.9, met=False, critical_path=path)
    said = clock_problem(slow, small_graph(), slower_mhz=80) or ""
    for part in (
        "misses its clock on ulx3s-85f",
        "100 MHz asked for, 80.9 MHz routed, 2.36 ns too slow",
        "goes from d0 to fc0",
        "--clock 80",
        "another --seed",
        "[hardware.layer.fc0] pe",
    ):
        assert part in said
    outside = replace(slow, critical_path=replace(path, to_layer="link"))
    assert "processing elements" not in (clock_problem(outside, small_graph(), slower_mhz=80) or "")
    assert clock_problem(replace(slow, fmax_mhz=100.1, met=True), small_graph(), slower_mhz=None) is None
    assert "no clock to time" in (clock_problem(replace(slow, fmax_mhz=None), small_graph(), slower_mhz=None) or "")
    none = clock_problem(slow, small_graph(), slower_mhz=None) or ""
    assert "ulx3s-85f can make no clock that is slow enough. Next step: another --seed" in none
    assert "--clock" not in none


def test_the_clock_of_an_sdram_that_is_missed() -> None:
    slow = replace(RECORD, fmax_mhz=101.0, sdram_mhz=120.0, sdram_fmax_mhz=113.7, met=False)
    said = clock_problem(slow, None, slower_mhz=None) or ""
    assert "misses the SDRAM's clock on ulx3s-85f: 120 MHz asked for, 113.7 MHz routed." in said
    assert "less mhz in its [sdram]" in said
    assert "100 MHz asked for, 99.0" in (clock_problem(replace(slow, fmax_mhz=99.0), None, slower_mhz=None) or "")
    assert clock_problem(replace(slow, sdram_fmax_mhz=121.0, met=True), None, slower_mhz=None) is None


def order(board: str, **options: Any) -> Order:
    found = load_target(board)
    return Order(graph=small_graph(), board=found, clock_mhz=found.clock.core_mhz, **options)


@pytest.mark.parametrize("board", ["ulx3s-85f", "tangnano20k"])
def test_the_clock_to_ask_for_is_one_that_is_met(board: str) -> None:
    asked = order(board)
    for fmax_mhz in (60 + step / 10 for step in range(400)):
        slower = slower_clock(asked, fmax_mhz)
        assert slower is not None
        assert fmax_mhz - 4 < replace(asked, clock_mhz=slower).core_mhz <= fmax_mhz


@pytest.mark.parametrize(
    ("board", "fmax_mhz", "slower_mhz"),
    [
        ("icebreaker", 11.9, None),  # neither the oscillator, 12 MHz, nor the PLL, from 16 MHz on
        ("icebreaker", 12.0, 12.0),
        ("icebreaker", 15.9, 12.0),
        ("ulx3s-85f", 3.1, None),
        ("tangnano20k", 27.5, 27.0),
        ("pynq-z2", 88.8, 88.0),
    ],
)
def test_the_clock_to_ask_for_is_one_that_the_board_makes(
    board: str, fmax_mhz: float, slower_mhz: float | None
) -> None:
    assert slower_clock(order(board), fmax_mhz) == slower_mhz


def test_the_clock_to_ask_for_is_fast_enough_for_the_serial_port() -> None:
    asked = order("ulx3s-85f", baud=3_000_000)
    assert slower_clock(asked, 25.0) == 25.0
    assert slower_clock(asked, 23.9) is None  # 8 cycles per bit from 24 MHz on
