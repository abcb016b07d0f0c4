# SPDX-License-Identifier: Apache-2.0
"""Fixtures for every test; its place also puts ``tests/`` on the path, for `random_graphs`."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def rtl_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which a test session keeps its RTL builds: the same design is built once."""
    return tmp_path_factory.mktemp("rtl_cache")
