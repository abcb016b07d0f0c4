# SPDX-License-Identifier: Apache-2.0
"""The benches of the delta core are proved on mutants: each builds, and its bench must fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from core_add_mutants import ADD_MUTANTS
from core_codes_mutants import CODES_MUTANTS
from core_memory_mutants import MEMORY_MUTANTS
from core_send_mutants import SEND_MUTANTS
from mutants import Mutant
from test_core_modules import BENCHES, INSIDE, SOURCES, run

MUTANTS = [*SEND_MUTANTS, *CODES_MUTANTS, *ADD_MUTANTS, *MEMORY_MUTANTS]


@pytest.mark.heavy
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.leaf}-{mutant.name}")
def test_the_bench_finds(mutant: Mutant, tmp_path: Path) -> None:
    sources = [tmp_path / source.name for source in SOURCES]
    for source, copy in zip(SOURCES, sources, strict=True):
        text = source.read_text(encoding="utf-8")
        copy.write_text(text.replace(mutant.old, mutant.new) if source.stem == f"core_{mutant.leaf}" else text)
    with pytest.raises(pytest.fail.Exception) as failure:
        run(INSIDE.get(mutant.leaf, mutant.leaf), mutant.case, sources, tmp_path, build_args=["-Wno-fatal"])
    assert not re.match(r"(verilator|make) failed with exit status", str(failure.value)), "the mutant does not build"


def test_every_fault_is_where_the_table_says() -> None:
    for mutant in MUTANTS:
        text = next(source for source in SOURCES if source.stem == f"core_{mutant.leaf}").read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, f"{mutant.leaf}: {mutant.old!r} occurs {text.count(mutant.old)} times"
        assert mutant.case in BENCHES[INSIDE.get(mutant.leaf, mutant.leaf)]
