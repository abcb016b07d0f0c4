# SPDX-License-Identifier: Apache-2.0
"""Fixtures for every test; its place also puts ``tests/`` on the path, for `random_graphs`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


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
