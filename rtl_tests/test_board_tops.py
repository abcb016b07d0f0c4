# SPDX-License-Identifier: Apache-2.0
"""The tops of a board under cocotb: from the serial line, or the bus of a processor, to the golden model."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_core_soc import CLOCK_HZ
from core_bench import CONFIGS
from rtl_cases import ALL_CASES
from runner import simulate

from codesign.core.soc import SOC_TOP, core_soc_files
from codesign.rtl.uart import emit_uart
from codesign.synth.vendor.pynq_core import core_overlay
from codesign.synth.vendor.vivado import Part

CLOCKS = {"25 MHz, 3 Mbaud": (25_000_000, 3_000_000), "8 cycles a bit": (8_000_000, 1_000_000)}


HEAVY = pytest.mark.heavy
SHORT = ("damage", "reset_within_a_frame")
"""cocotb tests in the default run; the others take most of the time."""
CORE = "few slots"
"""Of `core_bench.CONFIGS`: a core with a memory outside."""


@pytest.mark.parametrize(
    ("name", "clock", "tests"),
    [
        ("hold", "8 cycles a bit", SHORT),
        pytest.param("hold", "25 MHz, 3 Mbaud", None, marks=pytest.mark.heavy),
    ],
)
def test_uart(name: str, clock: str, tests: tuple[str, ...] | None, tmp_path: Path) -> None:
    graph = ALL_CASES[name].graph()
    files = emit_uart(graph)
    clock_hz, baud = CLOCKS[clock]
    simulate(
        f"{graph.name}_uart",
        files["filelist.f"].split(),
        {"ClockHz": clock_hz, "Baud": baud},
        "bench_board_uart",
        tmp_path,
        files,
        testcase=tests,
        env={"BENCH_CASE": name, "BENCH_CLOCK_HZ": str(clock_hz), "BENCH_BAUD": str(baud)},
    )


# Networks through it are those of the next test, whose wrapper holds it.
@pytest.mark.parametrize("tests", [("itself", "nothing_is_taken_within_a_reset"), pytest.param(None, marks=HEAVY)])
def test_core_soc(tests: tuple[str, ...] | None, tmp_path: Path) -> None:
    files = core_soc_files(CONFIGS[CORE])
    simulate(
        SOC_TOP,
        files["filelist.f"].split(),
        {"ClockHz": CLOCK_HZ},
        "bench_core_soc",
        tmp_path,
        files,
        testcase=tests,
        env={"CORE_CONFIG": CORE},
    )


@pytest.mark.parametrize(
    "tests", [("networks/stalls=1", "a_damaged_image"), pytest.param(None, marks=pytest.mark.heavy)]
)
def test_the_driver_of_a_core(tests: tuple[str, ...] | None, tmp_path: Path) -> None:
    part = Part(target="pynq-z2", part="xc7z020clg400-1", processor="zynq")
    files = core_overlay(CONFIGS[CORE], part=part, clock_mhz=CLOCK_HZ / 1e6).files
    wrapper = f"{SOC_TOP}_axi"
    simulate(
        wrapper,
        [*files["filelist.f"].split(), f"{wrapper}.v"],
        {},
        "bench_core_pynq",
        tmp_path,
        files,
        testcase=tests,
        env={"CORE_CONFIG": CORE},
    )
