# SPDX-License-Identifier: Apache-2.0
"""Fixtures for every test; its place also puts ``tests/`` on the path, for `random_graphs`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
_PRETEND = """import sys  # a vendor's tool that pretends, in Python's Tcl interpreter: Debian's python3-tk
sys.path.insert(0, '{tests}')
import {module}
sys.exit({module}.main(sys.argv[1:]))
"""


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the key for seals out of the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def rtl_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which a test session keeps its RTL builds: the same design is built once."""
    return tmp_path_factory.mktemp("rtl_cache")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let an interrupt reach this process and its children: shells ignore it for jobs in their background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Return a function that puts a Python program on PATH: ``program(name, source)``."""
    folder = tmp_path / "bin"

    def install(name: str, source: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
        (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return install


@pytest.fixture
def vivado(program: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the Vivado of fake_vivado.py on PATH."""
    monkeypatch.setenv("FAKE_REPORTS", str(TESTS / "synth" / "vendor" / "reports"))
    program("vivado", _PRETEND.format(tests=TESTS, module="fake_vivado"))


@pytest.fixture
def vitis(program: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the Vitis HLS of fake_vitis.py on PATH, as ``vitis-run``."""
    monkeypatch.setenv("FAKE_REPORTS", str(TESTS / "synth" / "vendor" / "reports"))
    program("vitis-run", _PRETEND.format(tests=TESTS, module="fake_vitis"))


@pytest.fixture
def without_vendor_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed here: PATH has no Vivado and no Vitis."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
