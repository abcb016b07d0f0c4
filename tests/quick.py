# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin for `make check`: ``--quick`` runs what needs no TensorFlow, compiler, simulator or synthesis.

Files are listed, not guessed: a list can be read, and what is in it is watched. A listed place that is not there is an
error, and so is a run without tests. A test that imports TensorFlow or starts a tool fails in this mode: either it gets
the mark ``tools``, or its file leaves the list.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
QUICK = (
    "tests/core/test_image.py",
    "tests/core/test_listing.py",
    "tests/core/test_program.py",
    "tests/core/test_records.py",
    "tests/core/test_refusals.py",
    "tests/data",
    "tests/flow/test_again.py",
    "tests/flow/test_flow_config.py",
    "tests/flow/test_measure.py",
    "tests/flow/test_validate.py",
    "tests/graph",
    "tests/host/test_camera.py",
    "tests/host/test_link.py",
    "tests/report",
    "tests/study/test_study_config.py",
    "tests/study/test_study_results.py",
    "tests/synth/test_layers.py",
    "tests/synth/test_multipliers.py",
    "tests/synth/test_pll.py",
    "tests/synth/test_reports.py",
    "tests/synth/vendor/test_vendor_reports.py",
    "tests/test_fixed.py",
    "tests/test_docs.py",
    "tests/test_floors.py",
    "tests/test_health.py",
    "tests/test_names.py",
    "tests/test_next_steps.py",
    "tests/test_outputs.py",
    "tests/test_provenance.py",
    "tests/test_quick.py",
    "tests/test_stored.py",
    "tests/test_suggest.py",
    "tests/verify",
)
"""Files, and folders with all below them; relative to the repository."""
SLOW_IMPORTS = {"tensorflow", "keras", "qkeras", "hls4ml", "cocotb"}
PROGRAMS = ("python", "git", "uname")
"""What a quick test may start."""
TOOL_FIXTURES = {"rtl_cache", "vivado", "vitis", "bambu"}
_INSTEAD = "mark it `tools`, or take its file from the list in tests/quick.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--quick``."""
    parser.addoption("--quick", action="store_true", help="only what needs neither TensorFlow nor a tool")


def pytest_configure(config: pytest.Config) -> None:
    """Check the list, and watch what is imported and started."""
    if config.option.quick:
        gone = [entry for entry in QUICK if not tests_in(ROOT / entry)]
        if gone:
            raise pytest.UsageError(f"tests/quick.py lists places without tests: {', '.join(gone)}")
        sys.addaudithook(watch)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that are not listed, before they are imported."""
    if not config.option.quick or collection_path.suffix != ".py":
        return None
    return True if listed(collection_path) is None else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that are marked, or whose fixtures build something."""
    if not config.option.quick:
        return
    kept = [item for item in items if _is_quick(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _is_quick(item)])
    items[:] = kept


def tests_in(place: Path) -> list[Path]:
    """Return the test files at a place."""
    return [place] if place.is_file() else sorted(place.rglob("test_*.py"))


def _is_quick(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return not fixtures & TOOL_FIXTURES and not any(item.get_closest_marker(name) for name in ("heavy", "tools"))


def listed(path: Path) -> str | None:
    """Return the entry of `QUICK` that ``path`` belongs to."""
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
    return next((entry for entry in QUICK if name == entry or name.startswith(f"{entry}/")), None)


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse an import or a program that a quick test must not need; an audit hook."""
    if event == "import" and arguments[0] in SLOW_IMPORTS:
        raise RuntimeError(f"a quick test imports {arguments[0]}; {_INSTEAD}")
    if event == "subprocess.Popen" and not os.path.basename(os.fspath(arguments[0])).startswith(PROGRAMS):  # noqa: PTH119
        raise RuntimeError(f"a quick test starts {arguments[0]}; {_INSTEAD}")
