# SPDX-License-Identifier: Apache-2.0
"""Makes the helpers in tests/ importable, and one small finished build folder for the session."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import place


@pytest.fixture(scope="session")
def finished_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished design, a board build of it, a design, a study and a board file, and videos."""
    return place.make(tmp_path_factory.mktemp("robust"))


@pytest.fixture
def nothing_slow(monkeypatch: pytest.MonkeyPatch, finished_build: Path) -> None:
    """Put nothing in the place of every heavy stage and tool: what is read and checked before them is left."""
    place.replace_heavy(monkeypatch)
    monkeypatch.chdir(finished_build)  # files of names that are drawn go there


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small trained model."""
    from codesign.training import MODEL, BlockConfig, ModelConfig
    from codesign.training.network import build_network

    config = ModelConfig(blocks=(BlockConfig(kind="conv", filters=2, kernel=2),), hidden=())
    folder = tmp_path_factory.mktemp("trained")
    build_network(config, (4, 4, 1), 2, quantised=True, seed=1).save(folder / MODEL)
    return folder
