# SPDX-License-Identifier: Apache-2.0
"""The fast model of a memory takes the cycles that were measured with the SDRAM controller and a chip."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from codesign.core.timing import MemoryTiming, sdram_timing
from codesign.paths import PACKAGE
from codesign.sim.memory import SDRAM, Timing

DOCUMENT = (PACKAGE.parent / "docs" / "sdram.md").read_text(encoding="utf-8")
KINDS = {"reads": 0, "writes": 1, "reads and writes": 2}
ONE = r"^\| ([a-z ,]+) \| (\d+) \| ([\d.]+) \| \d+ % \|$"
TWO = r"^\| ([a-z ,]+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$"
"""Rows of docs/sdram.md at one clock, and at two."""
CLOCKS = {(80.0, 120.0): 0.05, (75.0, 120.0): 0.03, (60.0, 120.0): 0.03, (80.0, 100.0): 0.05}
"""Columns of the second kind, MHz of core and SDRAM, and by how much the model may be off."""


def measured(row: str, column: int = 0) -> list[tuple[int, int, int, float]]:
    """Return beats, kind, whether places ascend, and cycles per access, row by row of docs/sdram.md."""
    found = []
    for name, beats, *cycles in re.findall(row, DOCUMENT, re.MULTILINE):
        kind = next((kind for kind in reversed(KINDS) if name.startswith(kind)), "reads")
        found.append((int(beats), KINDS[kind], int("ascending" in name), float(cycles[column])))
    return found


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rates") / "rates"
    source = Path(__file__).with_name("memory_rates.cpp")
    options = ["-O1", "-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{PACKAGE / 'sim'}"]
    subprocess.run(["g++", *options, str(source), "-o", str(made)], check=True, timeout=120)
    return made


def compare(program: Path, timing: MemoryTiming, rows: list[tuple[int, int, int, float]], within: float) -> None:
    """Compare the cycles per access of the model with those that were measured."""
    record = Timing.of(timing)
    arguments = [str(getattr(record, name)) for name, *_ in Timing._fields_]
    assert len(rows) >= 10
    asked = "".join(f"{beats} {kind} {ascending}\n" for beats, kind, ascending, _ in rows)
    result = subprocess.run([program, *arguments], input=asked, capture_output=True, text=True, check=True, timeout=120)
    for row, cycles in zip(rows, result.stdout.splitlines(), strict=True):
        assert float(cycles) == pytest.approx(row[3], rel=within), f"{row}: {cycles}"


def test_an_sdram(program: Path) -> None:
    compare(program, SDRAM, measured(ONE), 0.03)


@pytest.mark.parametrize("clocks", CLOCKS, ids=str)
def test_an_sdram_at_a_clock_of_its_own(clocks: tuple[float, float], program: Path) -> None:
    compare(program, sdram_timing(*clocks), measured(TWO, list(CLOCKS).index(clocks)), CLOCKS[clocks])


def test_at_one_clock_it_is_what_it_was() -> None:
    assert sdram_timing(75.0) is SDRAM


FIRST = r"^\| [a-z': ]*(%s) \| (\d+) to (\d+) \| (\d+) to (\d+) \| (\d+) to (\d+) \| (\d+) to (\d+) \|$"
"""Row of docs/sdram.md with the cycles to a first beat."""


@pytest.mark.parametrize("clocks", CLOCKS, ids=str)
def test_the_first_beat_comes_when_it_was_measured(clocks: tuple[float, float]) -> None:
    timing, column = sdram_timing(*clocks), 2 + 2 * list(CLOCKS).index(clocks)
    for kind, cycles in (("its row is open", timing.open_cycles), ("no row of its bank is open", timing.closed_cycles)):
        row = re.search(FIRST % kind, DOCUMENT, re.MULTILINE)
        assert row is not None
        assert int(row[column]) <= cycles <= int(row[column + 1])
