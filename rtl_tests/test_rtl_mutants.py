# SPDX-License-Identifier: Apache-2.0
"""The benches are proved on mutants: each builds, and its bench must fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conv_mutants import CONV_MUTANTS
from mutants import MUTANTS, Mutant
from test_modules import BENCHES, SOURCES, run

ALL_MUTANTS = [*MUTANTS, *CONV_MUTANTS]
FIRST = {mutant.leaf: mutant for mutant in reversed(ALL_MUTANTS) if mutant.leaf in ("fifo", "dense", "join", "emit")}
"""One mutant of some leaves in the default run: the first in the table."""


def parameters() -> list[object]:
    """Return all mutants; all but those of `FIRST` are heavy."""
    return [
        pytest.param(
            mutant,
            id=f"{mutant.leaf}-{mutant.name}",
            marks=() if mutant is FIRST.get(mutant.leaf) else pytest.mark.heavy,
        )
        for mutant in ALL_MUTANTS
    ]


def faulty_sources(mutant: Mutant, folder: Path) -> list[Path]:
    """Copy the leaves to ``folder``, one of them with its fault."""
    copies = [folder / source.name for source in SOURCES]
    for source, copy in zip(SOURCES, copies, strict=True):
        text = source.read_text(encoding="utf-8")
        if source.stem == f"delta_{mutant.leaf}":
            text = text.replace(mutant.old, mutant.new)
        copy.write_text(text, encoding="utf-8")
    return copies


@pytest.mark.parametrize("mutant", parameters())
def test_the_bench_finds(mutant: Mutant, tmp_path: Path) -> None:
    sources = faulty_sources(mutant, tmp_path)
    # Verilator's warnings must not do the bench's work, nor a build that fails.
    with pytest.raises(pytest.fail.Exception) as failure:
        run(mutant.leaf, mutant.case, sources, tmp_path, build_args=["-Wno-fatal"])
    assert not re.match(r"(verilator|make) failed with exit status", str(failure.value)), "the mutant does not build"


def test_every_fault_is_where_the_table_says() -> None:
    for mutant in ALL_MUTANTS:
        text = next(source for source in SOURCES if source.stem == f"delta_{mutant.leaf}").read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, f"{mutant.leaf}: {mutant.old!r} occurs {text.count(mutant.old)} times"
        assert mutant.case in BENCHES[mutant.leaf]
    assert {mutant.leaf for mutant in ALL_MUTANTS} == set(BENCHES)
