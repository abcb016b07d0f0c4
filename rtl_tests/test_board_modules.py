# SPDX-License-Identifier: Apache-2.0
"""One cocotb bench a module of the board, each on a few parameter sets."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from runner import simulate

from codesign.rtl.host import FOLDER, HOST_MODULES

BENCHES = {leaf: importlib.import_module(f"bench_board_{leaf}").CASES for leaf in HOST_MODULES}
SOURCES = [FOLDER / f"board_{leaf}.sv" for leaf in HOST_MODULES]
LIGHT = {("uart_rx", "25 MHz, 3 Mbaud"), ("control", "9 bits"), ("link", "3 beats of 2 bytes")}
"""Cases in the default run; the link's holds all modules but the serial lines."""


def run(leaf: str, name: str, sources: list[Path], build_dir: Path, **options: object) -> None:
    """Build case ``name`` of ``leaf`` and run its bench."""
    case = BENCHES[leaf][name]
    simulate(
        f"board_{leaf}",
        sources,
        case.parameters,
        f"bench_board_{leaf}",
        build_dir,
        env={"BENCH_CASE": name},
        **options,  # type: ignore[arg-type]
    )


def cases() -> list[object]:
    """Return every case of every module."""
    return [
        pytest.param(leaf, name, marks=() if (leaf, name) in LIGHT else pytest.mark.heavy)
        for leaf, made in BENCHES.items()
        for name in made
    ]


@pytest.mark.parametrize(("leaf", "name"), cases())
def test_module(leaf: str, name: str, tmp_path: Path) -> None:
    run(leaf, name, SOURCES, tmp_path)


def test_every_module_has_a_bench() -> None:
    assert sorted(SOURCES) == sorted(FOLDER.glob("*.sv"))
