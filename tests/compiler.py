# SPDX-License-Identifier: Apache-2.0
"""The compiler of the tests: the one on PATH, except that what every build has in common is compiled once a session.

``compiler.py NAME ARGS`` runs the program NAME of `REAL`. Three kinds of common work are kept in `STORE`, which all
processes of a test session share:

* objects of Verilator's and VPI's own library, which do not depend on the design;
* the object of a design whose C++ was compiled before, file for file the same, wherever it lies;
* the headers that every build of a kind begins with, precompiled; and csim is compiled with -O0: it runs for moments.

What is compiled is the same text with the same options otherwise, and only headers are precompiled that every file of
its kind includes at its top, so that one that our own sources forgot to include is still noticed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

REAL, STORE = "CODESIGN_TESTS_COMPILERS", "CODESIGN_TESTS_OBJECTS"
"""Variables of the environment: the PATH that the real compilers are found on; the folder."""
NAMES = ("c++", "g++")
LIBRARY = ("verilated.cpp", "verilated_vpi.cpp", "verilated_threads.cpp")
DESIGN = "Vtop__ALL.cpp"
"""Includes everything that Verilator made of a design, from the same folder."""
_VERILATED, _ON_VERILATED = ("verilated.h",), (DESIGN, "harness.cpp", "uart.cpp", "verilator.cpp")
_CSIM = ("ap_fixed.h", "ap_int.h", "hls_stream.h")


def install(folder: Path) -> str:
    """Put the compilers of the tests into ``folder``; return the PATH that finds them first."""
    os.environ[REAL], os.environ[STORE] = os.environ["PATH"], str(folder)
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name in NAMES:
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{__file__}" {name} "$@"\n')
        (programs / name).chmod(0o755)
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def command(name: str, arguments: list[str]) -> list[str] | None:
    """Return what to run, with the real compiler; None if the object is there now."""
    real = shutil.which(name, path=os.environ[REAL])
    if real is None:
        raise SystemExit(f"{name}: not found")
    sources = [word for word in arguments if word.endswith(".cpp")]
    if "-c" not in arguments or len(sources) != 1:
        return [real, *arguments]
    source = Path(sources[0])
    if source.name in LIBRARY:
        _kept_object([real], arguments, _key([real, *_options(arguments), sources[0]]))
        return None
    if source.name in _ON_VERILATED:
        words = [real, *_precompiled(real, _options(arguments), _VERILATED)]
        if source.name == DESIGN and "-o" in arguments:
            _kept_object(words, arguments, _key([real, *_options(arguments), _text(source.parent)]))
            return None
        return [*words, *arguments]
    if "-Ifirmware/ap_types/" in arguments:
        arguments = ["-O0" if word in ("-O1", "-O3") else word for word in arguments]
        return [real, *_precompiled(real, _options(arguments), _CSIM), *arguments]
    return [real, *arguments]


def _options(arguments: list[str]) -> list[str]:
    """Return the options that common headers and objects depend on, not those of one design; only folders in order."""
    folders = [word for word in arguments if word.startswith("-I")]
    return sorted(word for word in arguments if word.startswith(("-O", "-f", "-std", "-DV"))) + folders


def _precompiled(real: str, options: list[str], headers: tuple[str, ...]) -> list[str]:
    """Return the options that include ``headers``, compiled with ``options``."""
    header = Path(os.environ[STORE]) / _key([real, *options, *headers]) / "common.h"
    with _once(header.parent):
        if not header.exists():
            here = [f"-I{Path(word[2:]).resolve()}" if word.startswith("-I") else word for word in options]
            part = header.with_name("part.h")
            part.write_text("".join(f"#include <{name}>\n" for name in headers))
            words = [real, *here, "-x", "c++-header", str(part), "-o", f"{header}.gch"]
            if os.spawnv(os.P_WAIT, real, words) != 0:
                raise SystemExit(f"{header}.gch: not compiled")
            part.rename(header)
    return ["-include", str(header)]


def _text(folder: Path) -> str:
    """Return the hash of what Verilator made of a design."""
    made = hashlib.sha256()
    for path in sorted(folder.glob("Vtop*")):
        if path.suffix in (".h", ".cpp"):
            made.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return made.hexdigest()


def _kept_object(program: list[str], arguments: list[str], key: str) -> None:
    """Copy an object that is compiled once: with ``program`` and ``arguments``, where ``key`` was not seen before."""
    at = arguments.index("-o") + 1
    kept = Path(os.environ[STORE]) / key / "object.o"
    with _once(kept.parent):
        if not kept.exists():
            part = kept.with_name("part.o")
            words = [*program, *arguments[:at], str(part), *arguments[at + 1 :]]
            if os.spawnv(os.P_WAIT, program[0], words) != 0:
                raise SystemExit(f"{kept}: not compiled")
            part.rename(kept)
    shutil.copyfile(kept, arguments[at])


@contextlib.contextmanager
def _once(folder: Path) -> Iterator[None]:
    """Make a folder and let one process at a time work in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _key(words: list[str]) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


if __name__ == "__main__":
    found = command(sys.argv[1], sys.argv[2:])
    if found is not None:
        os.execv(found[0], found)
