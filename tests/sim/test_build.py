# SPDX-License-Identifier: Apache-2.0
"""The build cache: used again, never half-written, mended when damaged; and the errors of a failed build."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import files, identity, spec

from codesign import tools
from codesign.errors import SimulationError, ToolNotFoundError
from codesign.sim import build as build_module
from codesign.sim.build import LIBRARY, build

GRAPH = identity()
Compile = Callable[[Path, list[str], Path], None]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replace the compiler by one that only leaves a file; return where it ran."""
    calls: list[Path] = []

    def fake(work: Path, _flags: list[str], _log: Path) -> None:
        calls.append(work)
        (work / LIBRARY).write_bytes(b"library")

    monkeypatch.setattr(build_module, "_compile", fake)
    return calls


def test_the_same_sources_are_built_once(compiled: list[Path], tmp_path: Path) -> None:
    first = build(files(GRAPH), spec(GRAPH), tmp_path)
    assert build(files(GRAPH), spec(GRAPH), tmp_path) == first
    assert len(compiled) == 1
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
    assert first.name.startswith("loopback_top_")


def test_every_source_and_flag_counts(compiled: list[Path], tmp_path: Path) -> None:
    changed = files(GRAPH) | {"loopback.mem": "01\n"}
    folders = {
        build(files(GRAPH), spec(GRAPH), tmp_path),
        build(files(GRAPH), spec(GRAPH), tmp_path, skip=False),
        build(changed, spec(GRAPH), tmp_path),
        build(files(GRAPH), spec(identity(size=21)), tmp_path),
    }
    assert len(folders) == len(compiled) == 4


@pytest.mark.parametrize("name", ["loopback.mem", LIBRARY])
def test_a_damaged_build_is_made_again(compiled: list[Path], tmp_path: Path, name: str) -> None:
    folder = build(files(GRAPH), spec(GRAPH), tmp_path)
    (folder / name).unlink()
    if name != LIBRARY:
        (folder / name).write_text("ff\n")
    assert build(files(GRAPH), spec(GRAPH), tmp_path) == folder
    assert len(compiled) == 2
    assert (folder / "loopback.mem").read_text() == "00\n"
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_an_interrupted_build_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(_work: Path, _flags: list[str], _log: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build_module, "_compile", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(files(GRAPH), spec(GRAPH), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_builds_at_once_keep_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def slow(work: Path, _flags: list[str], log: Path) -> None:
        (work / LIBRARY).write_bytes(b"library")
        shutil.copytree(work, log.with_suffix(""))  # another process finishes first

    monkeypatch.setattr(build_module, "_compile", slow)
    folder = build(files(GRAPH), spec(GRAPH), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_broken_sources_show_the_end_of_the_log(tmp_path: Path) -> None:
    broken = files(GRAPH) | {"loopback_top.sv": "module loopback_top; nonsense endmodule\n"}
    with pytest.raises(SimulationError, match=r"(?s)verilator failed.*syntax error.*nonsense"):
        build(broken, spec(GRAPH), tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".log"]


def test_a_lint_warning_is_an_error(tmp_path: Path) -> None:
    source = files(GRAPH)["loopback_top.sv"].replace("logic valid_q,", "logic stale, valid_q,")
    with pytest.raises(SimulationError, match=r"UNUSEDSIGNAL.*stale"):
        build(files(GRAPH) | {"loopback_top.sv": source}, spec(GRAPH), tmp_path)


@pytest.mark.parametrize("missing", ["g++", "make", "perl", "verilator"])
def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str) -> None:
    env = tools.environment()
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in {"g++", "make", "perl", "verilator", "sh"} - {missing}:
        (folder / program).symlink_to(str(shutil.which(program, path=env["PATH"])))
    monkeypatch.setattr(tools, "environment", lambda: env | {"PATH": str(folder)})
    build_module._versions.cache_clear()
    with pytest.raises(ToolNotFoundError, match=rf"{missing.replace('+', '.')} was not found.*install"):
        build(files(GRAPH), spec(GRAPH), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
