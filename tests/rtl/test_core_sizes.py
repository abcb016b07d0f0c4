# SPDX-License-Identifier: Apache-2.0
"""The delta core elaborates in every size that it is made for, and refuses the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.core import CoreConfig, core_package
from codesign.core.config import DEPTHS
from codesign.errors import CodesignError
from codesign.rtl import leaves
from codesign.rtl.core import core_module_files
from codesign.tools import run

LEAVES = [leaves.FOLDER / f"delta_{leaf}.sv" for leaf in ("fifo", "state", "fork")]
SMALL = {"lanes": 4, "quantisers": 2}
ODD = {"sum_words": 100, "code_rows": 11, "weight_lines": 9, "table_rows": 7, "param_rows": 5, "step_words": 33}


def lint(config: CoreConfig, folder: Path) -> str:
    """Lint the top of a core; return the log."""
    files = {"core_pkg.sv": core_package(config), **core_module_files()}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    argv = ["verilator", "--lint-only", "-Wall", "--assert", "core_pkg.sv", *map(str, LEAVES)]
    return run([*argv, *list(files)[1:], "--top", "delta_core"], folder, folder / "lint.log", 120)


@pytest.mark.parametrize(
    "fields",
    [
        SMALL | ODD | {"places": 3, "walks": 5, "chunks": 3},
        SMALL | dict.fromkeys(DEPTHS, 1),
        SMALL | {"index_bits": 10} | {depth: 1024 for depth in DEPTHS if depth not in ("places", "walks")},
        {"lanes": 1, "quantisers": 1, "index_bits": 31},
        {"lanes": 64, "quantisers": 64, "code_bits": 9},
    ],
    ids=["odd depths", "one of each", "as deep as addresses", "one lane", "all lanes at once"],
)
def test_sizes(fields: dict[str, int], tmp_path: Path) -> None:
    lint(CoreConfig(**fields), tmp_path)


@pytest.mark.parametrize(
    ("module", "fields"),
    [
        ("load", {"sum_bits": 33}),
        ("place", {"places": 257}),
        ("walk", {"walks": 257}),
    ],
)
def test_what_does_not_elaborate(module: str, fields: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(CodesignError):
        lint(CoreConfig(**SMALL, **fields), tmp_path)
    assert f"core_{module}: " in (tmp_path / "lint.log").read_text(), "the message names the module"
