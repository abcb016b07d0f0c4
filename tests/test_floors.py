# SPDX-License-Identifier: Apache-2.0
"""The floor plan: what a room of the package may import. No import runs upwards, and none in a circle."""

from __future__ import annotations

from functools import cache
from graphlib import TopologicalSorter

import pytest

from codesign.paths import PACKAGE
from codesign.sources import imported_modules

GROUND = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem not in ("__init__", "cli", "moved"))
FLOORS: tuple[tuple[str, ...], ...] = (
    tuple(GROUND),
    ("executor", "graph"),
    ("keras_model",),
    ("layers", "data"),
    ("calibration",),
    ("training",),
    ("rtl",),
    ("core",),
    ("sim",),
    ("synth",),
    ("hls",),
    ("hls4ml_plugin",),
    ("verify",),
    ("report",),
    ("fit",),
    ("flow",),
    ("host", "study"),
    ("search",),
    ("commands",),
    ("cli",),
)
"""From the ground up: a room imports from itself and from lower floors; rooms of one floor do not know each other."""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


@cache
def edges() -> dict[str, list[str]]:
    """Return every module of the package, and the modules that it imports."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name not in ("", "moved"):
            found[name] = sorted(set(imported_modules(path)) - {name})
    return found


def room(module: str) -> str:
    return module.partition(".")[0]


def test_every_room_has_a_floor() -> None:
    assert {room(module) for module in edges()} == set(FLOOR)


@pytest.mark.parametrize("at", sorted(FLOOR))
def test_no_import_runs_upwards(at: str) -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in edges().items()
        if room(module) == at
        for other in others
        if room(other) != at and not (FLOOR[room(other)] < FLOOR[at] or FLOOR[room(other)] == FLOOR[at] == 0)
    ]
    assert not wrong


def test_no_imports_in_a_circle() -> None:
    TopologicalSorter(edges()).prepare()
