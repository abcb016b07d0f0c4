# SPDX-License-Identifier: Apache-2.0
"""The emitted top of small random networks under cocotb."""

from __future__ import annotations

from pathlib import Path

import pytest
from rtl_cases import ALL_CASES
from runner import simulate

from codesign.rtl import emit, top_spec


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in ("hold", "skip off") else pytest.mark.heavy) for name in ALL_CASES],
)
def test_top(name: str, tmp_path: Path) -> None:
    case = ALL_CASES[name]
    graph = case.graph()
    files = emit(graph)
    simulate(
        top_spec(graph).module,
        files["filelist.f"].split(),
        {},
        "bench_top",
        tmp_path,
        files,
        env={"BENCH_CASE": name},
    )
