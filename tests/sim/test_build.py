# SPDX-License-Identifier: Apache-2.0
"""The build cache: used again, never half-written, mended when damaged; and the errors of a failed build."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sim.loopback import files, identity, spec

from codesign import tools, trust
from codesign.errors import SimulationError, ToolNotFoundError, TrustWarning
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
        build(changed, spec(GRAPH), tmp_path),
        build(files(GRAPH), spec(identity(size=21)), tmp_path),
    }
    assert len(folders) == len(compiled) == 3


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


@pytest.mark.parametrize("planted", [b"somebody's library", b""])
def test_a_library_of_somebody_else_is_compiled_anew(compiled: list[Path], tmp_path: Path, planted: bytes) -> None:
    folder = build(files(GRAPH), spec(GRAPH), tmp_path)
    (folder / LIBRARY).write_bytes(planted)
    with pytest.warns(TrustWarning, match=r"compiled by somebody else: it is compiled anew"):
        assert build(files(GRAPH), spec(GRAPH), tmp_path) == folder
    assert (folder / LIBRARY).read_bytes() == b"library"
    assert build(files(GRAPH), spec(GRAPH), tmp_path) == folder
    assert len(compiled) == 2


def test_a_cache_that_was_moved_is_used(compiled: list[Path], tmp_path: Path) -> None:
    folder = build(files(GRAPH), spec(GRAPH), tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    assert build(files(GRAPH), spec(GRAPH), tmp_path / "there") == tmp_path / "there" / folder.name
    assert len(compiled) == 1


def test_without_a_key_the_cache_of_others_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, compiled: list[Path], tmp_path: Path
) -> None:
    monkeypatch.setattr(trust, "kept", lambda: False)
    folder = build(files(GRAPH), spec(GRAPH), tmp_path)
    assert build(files(GRAPH), spec(GRAPH), tmp_path) == folder
    assert len(compiled) == 1
    assert list(tmp_path.iterdir()) == []
    shutil.rmtree(folder)


def test_no_link_is_followed(compiled: list[Path], tmp_path: Path) -> None:
    """A received cache may have links in the places of a build and of its log."""
    folder = build(files(GRAPH), spec(GRAPH), tmp_path / "cache")
    shutil.rmtree(folder)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "text").write_text("precious")
    folder.symlink_to(mine)
    folder.with_suffix(".log").symlink_to(mine / "text")
    assert build(files(GRAPH), spec(GRAPH), tmp_path / "cache") == folder
    assert not folder.is_symlink()
    assert (mine / "text").read_text() == "precious"
    assert len(list(mine.iterdir())) == 1
    assert len(compiled) == 2


def test_a_cache_that_cannot_be_written_is_an_error(compiled: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulationError, match=r"build cache cannot be written.*choose a folder"):
        build(files(GRAPH), spec(GRAPH), tmp_path / "file" / "cache")
    assert compiled == []


def test_the_letters_of_the_path_do_not_matter(tmp_path: Path) -> None:
    """The real compiler, in a folder that make could not work in, then the library where it was asked for."""
    folder = build(files(GRAPH), spec(GRAPH), tmp_path / "my 'project'; $(x) \"y\" #1")
    assert (folder / LIBRARY).is_file()
    assert trust.load(folder / LIBRARY, folder.name).sim_job_bytes() > 0


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
