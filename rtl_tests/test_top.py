# SPDX-License-Identifier: Apache-2.0
"""The emitted top of small random networks under cocotb."""

from __future__ import annotations

from pathlib import Path

import pytest
from rtl_cases import CASES
from runner import simulate

from codesign.rtl import emit, top_spec


@pytest.mark.parametrize(
    "name", ["hold", "skip off", *(pytest.param(name, marks=pytest.mark.heavy) for name in ("one word", "wide"))]
)
def test_top(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    graph = case.graph()
    files = emit(graph)
    simulate(
        top_spec(graph).module,
        files["filelist.f"].split(),
        {"Skip": f"1'b{int(case.skip)}"},
        "bench_top",
        tmp_path,
        files,
        env={"BENCH_CASE": name},
    )
