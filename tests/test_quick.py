# SPDX-License-Identifier: Apache-2.0
"""`make check` leaves nothing out in silence, and refuses what would make it slow."""

from __future__ import annotations

import sys

import pytest
import quick


@pytest.mark.parametrize("entry", quick.QUICK)
def test_every_place_of_the_list_has_tests(entry: str) -> None:
    found = quick.tests_in(quick.ROOT / entry)
    assert found
    assert all(quick.listed(path) == entry for path in found)


def test_other_files_are_not_collected() -> None:
    assert quick.listed(quick.ROOT / "tests" / "test_agreement.py") is None
    assert quick.listed(quick.ROOT / "tests" / "graph_of_something.py") is None


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("import", ("tensorflow", None)),
        ("import", ("hls4ml", None)),
        ("subprocess.Popen", ("/usr/bin/g++", ["g++"])),
        ("subprocess.Popen", ("verilator", ["verilator"])),
    ],
)
def test_what_is_slow_fails(event: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(RuntimeError, match="mark it `tools`, or take its file from the list"):
        quick.watch(event, arguments)


def test_python_itself_may_run() -> None:
    quick.watch("subprocess.Popen", (sys.executable, ["python"]))
    quick.watch("import", ("numpy", None))
