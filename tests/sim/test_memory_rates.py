# SPDX-License-Identifier: Apache-2.0
"""The fast model of a memory takes the cycles that were measured with the SDRAM controller and a chip."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from codesign.paths import PACKAGE
from codesign.sim.memory import SDRAM, Timing

DOCUMENT = (PACKAGE.parent / "docs" / "sdram.md").read_text(encoding="utf-8")
KINDS = {"reads": 0, "writes": 1, "reads and writes": 2}


def measured() -> list[tuple[int, int, int, float]]:
    """Return beats, kind, whether places ascend, and cycles per access, row by row of docs/sdram.md."""
    rows = re.findall(r"^\| ([a-z ,]+) \| (\d+) \| ([\d.]+) \| \d+ % \|$", DOCUMENT, re.MULTILINE)
    found = []
    for name, beats, cycles in rows:
        kind = next((kind for kind in reversed(KINDS) if name.startswith(kind)), "reads")
        found.append((int(beats), KINDS[kind], int("ascending" in name), float(cycles)))
    return found


@pytest.mark.heavy
def test_an_sdram(tmp_path: Path) -> None:
    program = tmp_path / "rates"
    source = Path(__file__).with_name("memory_rates.cpp")
    options = ["-O1", "-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{PACKAGE / 'sim'}"]
    subprocess.run(["g++", *options, str(source), "-o", str(program)], check=True, timeout=120)
    record = Timing.of(SDRAM)
    arguments = [str(getattr(record, name)) for name, *_ in Timing._fields_]
    rows = measured()
    assert len(rows) >= 10
    asked = "".join(f"{beats} {kind} {ascending}\n" for beats, kind, ascending, _ in rows)
    result = subprocess.run([program, *arguments], input=asked, capture_output=True, text=True, check=True, timeout=120)
    for row, cycles in zip(rows, result.stdout.splitlines(), strict=True):
        assert float(cycles) == pytest.approx(row[3], rel=0.03), f"{row}: {cycles}"
