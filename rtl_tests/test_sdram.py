# SPDX-License-Identifier: Apache-2.0
"""The bench of the SDRAM controller, its style, and that tools take it."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_sdram import CASES, CORE_MHZ
from bench_sdram_fifo import CASES as FIFO_CASES
from core_bench import package
from runner import HERE, simulate

from codesign.rtl import core, leaves
from codesign.rtl.host.sdram import FOLDER, SDRAM_MODULES

SOURCES = [FOLDER / f"sdram_{module}.sv" for module in SDRAM_MODULES]
LIGHT = ("bursts/pauses=0", "bursts/pauses=3", "a_write_is_seen", "reset", "resets_in_a_row", "latency", "efficiency")
"""Tests of the bench in the default run."""
AROUND = [leaves.FOLDER / "delta_fifo.sv", HERE / "sdram_cells.sv"]


def run(name: str, sources: list[Path], build_dir: Path, rounds: int = 1, **options: object) -> None:
    """Build case ``name`` and run its bench."""
    simulate(
        "sdram_top",
        [*AROUND, *sources, HERE / "sdram_chip.sv", HERE / "sdram_top.sv"],
        CASES[name].parameters,
        "bench_sdram",
        build_dir,
        env={"BENCH_CASE": name, "BENCH_ROUNDS": str(rounds), "COCOTB_MAX_FAILURES": "1"},
        **options,  # type: ignore[arg-type]
    )


def run_fifo(name: str, sources: list[Path], build_dir: Path, **options: object) -> None:
    """Build case ``name`` of the FIFO between two clocks and run its bench."""
    parameters = FIFO_CASES[name].parameters
    env = {"BENCH_CASE": name, "COCOTB_MAX_FAILURES": "1"}
    source = [path for path in sources if path.stem == "sdram_fifo"]
    simulate("sdram_fifo", source, parameters, "bench_sdram_fifo", build_dir, env=env, **options)  # type: ignore[arg-type]


def test_bench(tmp_path: Path) -> None:
    run("100 MHz", SOURCES, tmp_path, testcase=LIGHT)


@pytest.mark.parametrize("name", FIFO_CASES)
def test_from_clock_to_clock(name: str, tmp_path: Path) -> None:
    run_fifo(name, SOURCES, tmp_path)


def test_bench_at_two_clocks(tmp_path: Path) -> None:
    run("80 and 120 MHz", SOURCES, tmp_path, testcase=LIGHT)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["100 MHz", *CORE_MHZ])
def test_a_core_asks(name: str, tmp_path: Path) -> None:
    """The other side of the port, as the core has it."""
    inside = [core.FOLDER / f"core_{module}.sv" for module in ("types", "burst", "memory")]
    sources = [*SOURCES, HERE / "sdram_chip.sv", HERE / "sdram_top.sv", HERE / "core_sdram_top.sv"]
    simulate(
        "core_sdram_top",
        ["core_pkg.sv", *AROUND, *inside, *sources],
        CASES[name].parameters,
        "bench_core_sdram",
        tmp_path,
        {"core_pkg.sv": package("sdram")},
        env={"BENCH_CASE": name, "CORE_CONFIG": "sdram"},
        build_args=["-Wno-PINCONNECTEMPTY"],
    )


@pytest.mark.heavy
@pytest.mark.parametrize("name", CASES)
def test_bench_for_long(name: str, tmp_path: Path) -> None:
    run(name, SOURCES, tmp_path, rounds=8)
