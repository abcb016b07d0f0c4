# SPDX-License-Identifier: Apache-2.0
"""One cocotb bench a module between a core and its host."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from core_bench import package
from runner import simulate

from codesign.rtl import host, leaves
from codesign.rtl.host.core import CORE_HOST_MODULES, FOLDER, SOC_TOP, UART_TOP

BENCHES = {module: importlib.import_module(f"bench_core_{module}").CASES for module in CORE_HOST_MODULES}
SOURCES = [FOLDER / f"core_{module}.sv" for module in CORE_HOST_MODULES]
BELOW = [
    *(leaves.FOLDER / f"delta_{leaf}.sv" for leaf in ("state", "fifo")),
    *(host.FOLDER / f"board_{module}.sv" for module in ("crc32", "hdlc_rx", "hdlc_tx")),
]
LIGHT = {
    ("inbox", "4 codes"),
    ("outbox", "2 lanes"),
    ("registers", "8 lanes"),
    ("region", "a channel"),
}
"""Cases in the default run."""


def run(module: str, name: str, sources: list[Path], build_dir: Path, **options: object) -> None:
    """Build case ``name`` of ``module`` and run its bench."""
    case = BENCHES[module][name]
    simulate(
        f"core_{module}",
        ["core_pkg.sv", *BELOW, *sources],
        case.parameters,
        f"bench_core_{module}",
        build_dir,
        {"core_pkg.sv": package()},
        env={"BENCH_CASE": name},
        **options,  # type: ignore[arg-type]
    )


def cases() -> list[object]:
    """Return every case of every module."""
    return [
        pytest.param(module, name, marks=() if (module, name) in LIGHT else pytest.mark.heavy)
        for module, made in BENCHES.items()
        for name in made
    ]


@pytest.mark.parametrize(("module", "name"), cases())
def test_module(module: str, name: str, tmp_path: Path) -> None:
    run(module, name, SOURCES, tmp_path)


def test_every_module_has_a_bench() -> None:
    tops = [FOLDER / f"{top}.sv" for top in (UART_TOP, SOC_TOP)]
    assert sorted([*SOURCES, *tops]) == sorted(FOLDER.glob("*.sv"))
