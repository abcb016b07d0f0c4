# SPDX-License-Identifier: Apache-2.0
"""What holds for a whole test session: all its processes share compiled headers and objects (`tests/compiler.py`)."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "tests"))

import compiler


def pytest_configure(config: pytest.Config) -> None:
    """Put the compilers of the tests on PATH, once a session."""
    if compiler.STORE not in os.environ:  # else a worker, which has them from its session
        config.stash[_MADE] = folder = Path(tempfile.mkdtemp(prefix="codesign_tests_"))
        config.stash[_PATH] = os.environ["PATH"]
        os.environ["PATH"] = compiler.install(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take them away again."""
    if _MADE in config.stash:
        shutil.rmtree(config.stash[_MADE], ignore_errors=True)
        os.environ["PATH"] = config.stash[_PATH]
        del os.environ[compiler.STORE], os.environ[compiler.REAL]


_MADE, _PATH = pytest.StashKey[Path](), pytest.StashKey[str]()
