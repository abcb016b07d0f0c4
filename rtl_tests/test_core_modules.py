# SPDX-License-Identifier: Apache-2.0
"""One cocotb bench a module of the delta core, on small configurations."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from core_bench import package
from runner import simulate

from codesign.rtl import leaves
from codesign.rtl.core import CORE_MODULES, CORE_WIRING, FOLDER

INSIDE = dict.fromkeys(("record", "ahead", "back"), "codes")
"""Modules that the bench of another one tests."""
BENCHED = tuple(module for module in CORE_MODULES if module not in INSIDE)
BENCHES = {module: importlib.import_module(f"bench_core_{module}").CASES for module in BENCHED}
SOURCES = [FOLDER / f"core_{module}.sv" for module in ("types", *CORE_MODULES)]
LEAVES = [leaves.FOLDER / f"delta_{leaf}.sv" for leaf in ("fifo", "state", "fork")]
PROVED = (
    *("burst", "gather", "transmit", "tags", "order", "receive", "beats", "divide", "quantise"),
    *("lane", "words", "lanes", "send", "walk", "fetch", "place", "probe"),
)
"""Modules that the default run proves (test_proofs.py): their benches are heavy."""
LIGHT: dict[str, tuple[str, ...]] = {**dict.fromkeys(PROVED, ()), "cache": ("8 saves",)}
"""Cases in the default run; of the modules that are not listed all. The others are heavy."""
BUILT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(BENCHED, ("small", "narrow", "wide")),
    "codes": ("outside", "beats of 128", "small", "narrow", "wide"),
    **dict.fromkeys(("lane", "words", "lanes", "order"), ("small", "narrow", "wide", "few slots")),
    **dict.fromkeys(("cache", "receive", "transmit"), ("few slots", "narrow, few slots", "wide, few slots")),
    **dict.fromkeys(("probe", "burst", "memory"), ("outside", "beats of 128")),
    "load": ("outside", "beats of 128", "small", "narrow"),  # sums of more than 32 bits cannot be loaded
}
"""Configurations of ``core_bench.CONFIGS`` that each module is tested in; all but the first are heavy."""
OTHERS = [(module, config) for module in BENCHED for config in BUILT[module][1:]]


def run(
    module: str, name: str, sources: list[Path], build_dir: Path, *, config: str | None = None, **options: object
) -> None:
    """Build case ``name`` of ``module`` in a configuration, by default the first of `BUILT`, and run its bench."""
    case, config = BENCHES[module][name], config or BUILT[module][0]
    simulate(
        f"core_{module}",
        ["core_pkg.sv", *LEAVES, *sources],
        case.parameters,
        f"bench_core_{module}",
        build_dir,
        {"core_pkg.sv": package(config)},
        env={"BENCH_CASE": name, "CORE_CONFIG": config},
        **options,  # type: ignore[arg-type]
    )


def cases() -> list[object]:
    """Return every case of every module."""
    return [
        pytest.param(module, name, marks=() if name in LIGHT.get(module, made) else pytest.mark.heavy)
        for module, made in BENCHES.items()
        for name in made
    ]


@pytest.mark.parametrize(("module", "name"), cases())
def test_module(module: str, name: str, tmp_path: Path) -> None:
    run(module, name, SOURCES, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize(("module", "config"), OTHERS)
def test_other_configurations(module: str, config: str, tmp_path: Path) -> None:
    for name in BENCHES[module]:
        run(module, name, SOURCES, tmp_path, config=config)


def test_every_module_has_a_bench() -> None:
    wiring = {FOLDER / f"{name}.sv" for name in CORE_WIRING}
    assert sorted({*SOURCES} | wiring) == sorted(FOLDER.glob("*.sv"))
