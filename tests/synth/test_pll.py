# SPDX-License-Identifier: Apache-2.0
"""PLL dividers: inside the limits, and those that the devices' own calculators find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codesign.errors import ConfigError, SynthesisError
from codesign.synth.pll import BESIDE, TOLERANCE, Limits, find_pll, find_two
from codesign.synth.toolchains.registry import TOOLCHAINS
from codesign.tools import run

LIMITS: dict[str, Limits] = {name: toolchain.limits for name, toolchain in TOOLCHAINS.items()}


@pytest.mark.parametrize(("name", "input_mhz"), [("ecp5", 25.0), ("gowin", 27.0), ("ice40", 12.0), ("ecp5", 100.0)])
@pytest.mark.parametrize("output_mhz", [17.0, 33.3, 50.0, 66.6, 99.0, 100.0, 123.4, 200.0])
def test_a_setting_keeps_the_limits(name: str, input_mhz: float, output_mhz: float) -> None:
    limits: Limits = LIMITS[name]
    pll = find_pll(limits, input_mhz, output_mhz)
    assert pll.detector_mhz == input_mhz / pll.reference
    assert limits.detector_mhz[0] <= pll.detector_mhz <= limits.detector_mhz[1]
    assert limits.vco_mhz[0] <= pll.vco_mhz <= limits.vco_mhz[1]
    assert pll.vco_mhz == pytest.approx(pll.output_mhz * pll.divider)
    made = pll.detector_mhz * pll.feedback / (pll.divider if limits.tap == "vco" else 1)
    assert pll.output_mhz == pytest.approx(made)
    assert abs(made - output_mhz) <= TOLERANCE * output_mhz
    assert pll.reference in limits.references
    assert pll.feedback in limits.feedbacks
    assert pll.divider in limits.dividers


@pytest.mark.parametrize(
    ("name", "input_mhz", "output_mhz", "dividers"),
    [
        ("ice40", 12.0, 16.5, (1, 88, 64)),  # icepll
        ("ice40", 12.0, 24.0, (1, 64, 32)),
        ("ice40", 12.0, 60.0, (1, 80, 16)),
        ("gowin", 27.0, 40.0, (2, 3, 16)),  # gowin_pll
        ("gowin", 27.0, 54.0, (1, 2, 16)),
        ("gowin", 27.0, 100.0, (7, 26, 8)),
        ("ecp5", 25.0, 100.0, (1, 4, 6)),  # ecppll
    ],
)
def test_the_calculators_of_the_tools_agree(
    name: str, input_mhz: float, output_mhz: float, dividers: tuple[int, int, int]
) -> None:
    pll = find_pll(LIMITS[name], input_mhz, output_mhz)
    assert (pll.reference, pll.feedback, pll.divider) == dividers


def test_ecppll_finds_the_same(tmp_path: Path) -> None:
    argv = ["yowasp-ecppll", "-i", "25", "-o", "90", "-f", "pll.v"]
    run(argv, tmp_path, tmp_path / "log", 120.0, error=SynthesisError)
    pll = find_pll(LIMITS["ecp5"], 25.0, 90.0)
    text = (tmp_path / "pll.v").read_text()
    found = {key: int(value) for key, value in re.findall(r"\.(CLK(?:I|FB|OP)_DIV)\((\d+)\)", text)}
    assert found == {"CLKI_DIV": pll.reference, "CLKFB_DIV": pll.feedback, "CLKOP_DIV": pll.divider}


@pytest.mark.parametrize(("output_mhz", "fix"), [(2.0, "take 3.125, the nearest"), (500.0, "oscillator.s own clock")])
def test_a_clock_out_of_reach(output_mhz: float, fix: str) -> None:
    with pytest.raises(ConfigError, match=rf"PLL cannot make this clock.*3.125 to 400 MHz.*{output_mhz:g} MHz.*{fix}"):
        find_pll(LIMITS["ecp5"], 25.0, output_mhz)


@pytest.mark.parametrize(
    ("output_mhz", "second_mhz", "made"),
    [(75.0, 120.0, 120.0), (60.0, 120.0, 120.0), (80.0, 100.0, 100.0), (25.0, 125.0, 125.0), (70.0, 120.0, 700 / 6)],
)
def test_two_clocks_of_a_pll(output_mhz: float, second_mhz: float, made: float) -> None:
    limits = LIMITS["ecp5"]
    pll = find_two(limits, 25.0, output_mhz, second_mhz, where="here")
    assert pll.output_mhz == find_pll(limits, 25.0, output_mhz).output_mhz == output_mhz
    assert pll.second_mhz == pytest.approx(made)
    assert limits.vco_mhz[0] <= pll.vco_mhz <= limits.vco_mhz[1]
    assert pll.vco_mhz == pytest.approx(output_mhz * pll.divider) == pytest.approx(made * (pll.second or 0))


def test_a_second_clock_out_of_reach() -> None:
    """The first one is never given up for the second."""
    limits = LIMITS["ecp5"]
    for core_mhz in range(53, 102):
        pll = find_two(limits, 25.0, core_mhz, 120.0, where="here")
        assert pll.output_mhz == pytest.approx(find_pll(limits, 25.0, core_mhz).output_mhz)
        assert BESIDE * 120 <= (pll.second_mhz or 0.0) <= 120
    with pytest.raises(ConfigError, match=r"here: the PLL cannot make this clock beside.*with 110 MHz.*take 110, the"):
        find_two(limits, 25.0, 110.0, 125.0, where="here")
    with pytest.raises(ConfigError, match=r"here: the PLL.*Received: 2 MHz. Next step: take another --clock"):
        find_two(limits, 25.0, 75.0, 2.0, where="here")


def test_the_nearest_clock_is_named() -> None:
    coarse = Limits(
        tap="output",
        detector_mhz=(10.0, 100.0),
        vco_mhz=(100.0, 1000.0),
        output_mhz=(10.0, 500.0),
        references=range(1, 3),
        feedbacks=range(1, 9),
        dividers=(2, 4, 8),
    )
    with pytest.raises(ConfigError, match=r"take 72, the nearest"):
        find_pll(coarse, 24.0, 77.0)
