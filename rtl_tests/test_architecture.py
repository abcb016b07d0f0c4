# SPDX-License-Identifier: Apache-2.0
"""The tables of ``docs/architecture.md``: token formats, and one event that really travels so."""

from __future__ import annotations

from pathlib import Path

import pytest
from runner import simulate
from worked_event import PAGE, example, tables

from codesign.report.document import fill
from codesign.rtl import emit, top_spec


def test_page_is_current(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    fill(page, tables())
    assert page.read_text() == PAGE.read_text(), "python rtl_tests/worked_event.py"


@pytest.mark.heavy
def test_the_event_is_that_of_the_rtl(tmp_path: Path) -> None:
    graph = example()
    files = emit(graph)
    simulate(top_spec(graph).module, files["filelist.f"].split(), {}, "bench_worked_event", tmp_path, files)
