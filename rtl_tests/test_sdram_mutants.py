# SPDX-License-Identifier: Apache-2.0
"""The bench of the SDRAM controller is proved on mutants: each builds, and the bench must fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mutants import Mutant
from sdram_mutants import SDRAM_MUTANTS
from test_sdram import SOURCES, run, run_fifo


@pytest.mark.heavy
@pytest.mark.parametrize("mutant", SDRAM_MUTANTS, ids=lambda mutant: f"{mutant.leaf}-{mutant.name}")
def test_the_bench_finds(mutant: Mutant, tmp_path: Path) -> None:
    sources = [tmp_path / source.name for source in SOURCES]
    for source, copy in zip(SOURCES, sources, strict=True):
        text = source.read_text(encoding="utf-8")
        copy.write_text(text.replace(mutant.old, mutant.new) if source.stem == f"sdram_{mutant.leaf}" else text)
    simulate = run_fifo if mutant.leaf == "fifo" else run
    with pytest.raises(pytest.fail.Exception) as failure:
        simulate(mutant.case, sources, tmp_path, build_args=["-Wno-fatal"])
    assert not re.match(r"(verilator|make) failed with exit status", str(failure.value)), "the mutant does not build"


def test_every_fault_is_where_the_table_says() -> None:
    for mutant in SDRAM_MUTANTS:
        text = next(source for source in SOURCES if source.stem == f"sdram_{mutant.leaf}").read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, f"{mutant.leaf}: {mutant.old!r} occurs {text.count(mutant.old)} times"
    assert {f"sdram_{mutant.leaf}" for mutant in SDRAM_MUTANTS} == {source.stem for source in SOURCES}
