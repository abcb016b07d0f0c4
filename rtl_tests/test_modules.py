# SPDX-License-Identifier: Apache-2.0
"""One cocotb bench a leaf module, each on a few parameter sets."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from runner import simulate

from codesign.rtl.leaves import FOLDER, LEAVES
from codesign.rtl.verilog import literal

BENCHES = {leaf: importlib.import_module(f"bench_{leaf}").CASES for leaf in LEAVES}
SOURCES = [FOLDER / f"delta_{leaf}.sv" for leaf in LEAVES]


def run(leaf: str, name: str, sources: list[Path], build_dir: Path, **options: object) -> None:
    """Build case ``name`` of ``leaf`` and run its bench."""
    case = BENCHES[leaf][name]
    simulate(
        f"delta_{leaf}",
        sources,
        {key: literal(value) for key, value in case.parameters.items()},
        f"bench_{leaf}",
        build_dir,
        case.files,
        env={"BENCH_CASE": name},
        **options,  # type: ignore[arg-type]
    )


PROVED = (
    *("fork", "state", "accumulate", "encode", "quantise", "serialize", "join", "decode", "admit"),
    *("product", "maximum", "align", "stats", "spot"),
)
"""Leaves that the default run proves (test_proofs.py): their benches are heavy."""
LIGHT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(PROVED, ()),
    "fifo": ("depth 5",),
    "emit": ("padded, steps, hold",),
    "dense": ("5 words",),
    "locate": ("same 3x3, 2 groups",),
    "walk": ("taps 2x1, 2 groups",),
    "banks": ("4 banks, 2 slots, 3 groups",),
    "lists": ("4 x 2 banks, 6 slots",),
    "rows": ("4 x 2 banks, 4 slots",),
    "conv": ("taps 3x3", "concat"),
}
"""Cases in the default run, the most telling ones of each leaf; of the leaves that are not listed all. The others are
heavy."""


def cases() -> list[object]:
    """Return every case of every leaf."""
    return [
        pytest.param(leaf, name, marks=() if name in LIGHT.get(leaf, made) else pytest.mark.heavy)
        for leaf, made in BENCHES.items()
        for name in made
    ]


@pytest.mark.parametrize(("leaf", "name"), cases())
def test_module(leaf: str, name: str, tmp_path: Path) -> None:
    run(leaf, name, SOURCES, tmp_path)


def test_every_module_has_a_bench() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.sv")) == sorted(f"delta_{leaf}" for leaf in BENCHES)
