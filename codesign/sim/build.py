# SPDX-License-Identifier: Apache-2.0
"""From the text of an RTL project to a shared library: Verilator, then g++. Cached by content, atomic, sealed.

Everything is compiled in a private folder, so neither what lies in the cache nor the letters of its path matter to
make, and only a library with this user's seal is used again (`codesign.trust`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from codesign import tools, trust
from codesign.errors import SimulationError, ToolNotFoundError, TrustWarning
from codesign.rtl import TopSpec

HARNESS = Path(__file__).with_name("harness.cpp")
HEADERS = tuple(Path(__file__).with_name(name) for name in ("guard.h", "memory.h"))
LIBRARY = "harness.so"
BUILD_TIMEOUT_S = 900.0

# Verilator calls these; without this check their absence would be an obscure line in a log.
_SYSTEM_TOOLS = ("g++", "make", "perl")
# One C++ file for a small design: the precompiled headers of split output cost more than they save.
ONE_FILE = ("--output-split", "0")
# Files of this many operations, and functions of a tenth of them, for a large one: the compiler's time grows faster
# than a file, and files are compiled side by side (docs/decisions.md).
SEVERAL_FILES = ("--output-split", "30000", "--output-split-cfuncs", "3000")
LARGE_TOP_BYTES = 60_000
"""Size of the top's text from which a design is large: about 2,500 for each layer."""
RIGHT_SHIFTS = ("-fno-dfg-peephole-replace-shiftl-shiftl", "-fno-dfg-peephole-replace-shiftr-shiftr")
"""Without these, 5.048 to 5.050 make one shift of two whose sum is cut to the bits of an amount: ``>> 1'b1 >> 1'b1``
shifts by 0 (Verilator's issue 7955)."""
# `unique` makes state that the design forgot to initialise random instead of 0.
VERILATOR_FLAGS = (
    "-O3",
    "-Wall",
    "--assert",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
    "--no-timing",
    *RIGHT_SHIFTS,
)
# Several libraries live in one process: export the harness' C functions only, and share nothing else.
CXX_FLAGS = "-fPIC -fno-gnu-unique -DVL_USER_STOP -DVL_USER_FINISH -DVL_USER_FATAL"
_EXPORTS = "{{ global: {}*; local: *; }};\n"
# A third faster to build than with -O2, and no slower to simulate than the machine's noise.
# The wheel's makefile leaves out how a precompiled header is included.
MAKE_FLAGS = ("OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1", "CFG_CXXFLAGS_PCH_I=-include")
# Verilator's own library: most of the time of a small build, and the same for every design.
_RUNTIME = ("verilated.o", "verilated_threads.o")


def copy_objects(names: Sequence[str], source: Path, target: Path) -> None:
    """Copy the objects that ``source`` has and ``target`` does not have."""
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


def _flags(spec: TopSpec) -> list[str]:
    constants = {
        "IN_BYTES": spec.in_bytes,
        "OUT_BYTES": spec.out_bytes,
        "BEATS": spec.beats,
        "WORDS": spec.out_words,
        "ENGINES": len(spec.engines),
        "THRESHOLD_BYTES": -(-spec.threshold_bits // 8),
    }
    defines = " ".join(f"-D{name}={value}" for name, value in constants.items())
    return [
        *VERILATOR_FLAGS,
        "--top-module",
        spec.module,
        "-CFLAGS",
        f"{CXX_FLAGS} {defines}",
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How sources become a library.

    Attributes:
        module: top module; names the build's folder.
        flags: flags of Verilator, with the constants that the harness needs.
        harness: C++ file that drives the top.
        prefix: prefix of the C functions that the library exports.
    """

    module: str
    flags: tuple[str, ...]
    harness: Path
    prefix: str

    def added(self) -> dict[str, str]:
        """Return the files that go beside the sources."""
        texts = {"harness.cpp": self.harness.read_text(), **{path.name: path.read_text() for path in HEADERS}}
        return texts | {"exports.map": _EXPORTS.format(self.prefix)}


def build(files: dict[str, str], spec: TopSpec, folder: Path) -> Path:
    """Compile an RTL project with the harness of its AXI4-Stream ports; see `compile_library`.

    Args:
        files: path -> text, as `codesign.rtl.project` returns them, with ``filelist.f``.
        spec: ports and widths of the top module.
        folder: cache; made if missing.
    """
    recipe = Recipe(module=spec.module, flags=tuple(_flags(spec)), harness=HARNESS, prefix="sim_")
    return compile_library(files, recipe, folder)


def compile_library(files: dict[str, str], recipe: Recipe, folder: Path) -> Path:
    """Compile an RTL project and return the folder that holds its files and `LIBRARY`.

    The folder is ``folder/<hash>``, where the hash covers every source, flag and tool version; it appears only when it
    is complete, and is used again as long as every file in it is still what was written and the library has the seal of
    this user; it may be moved. Where no key can be kept for seals, it is a folder of this process.

    Args:
        files: path -> text, with ``filelist.f``.
        recipe: top module, flags and harness.
        folder: cache; made if missing.

    Raises:
        ToolNotFoundError: Verilator, g++, make or perl is missing.
        SimulationError: Verilator or g++ failed; the message ends with the last lines of the log. Or the cache cannot
            be written.

    Warns:
        TrustWarning: a library without the seal was there, and is compiled anew.
    """
    _check_tools()
    files = {**files, **recipe.added()}
    target = (folder if trust.kept() else trust.private("libraries")).resolve() / _name(files, recipe)
    if _complete(target, files):
        return target
    _tell_unsealed(target)
    work = Path(tempfile.mkdtemp(prefix="build_", dir=trust.private("builds")))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        log = target.with_suffix(".log")
        log.unlink(missing_ok=True)  # whatever it is: a link would lead elsewhere
        _compile(work, recipe.flags, log)
        trust.seal(work / LIBRARY, target.name)
        _publish(work, target, files)
    except OSError as error:
        raise SimulationError(
            f"the build cache cannot be written ({error.strerror or error})",
            where=str(target.parent),
            fix="choose a folder that you can write to",
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _tell_unsealed(target: Path) -> None:
    """Warn of a library that this user has not compiled."""
    library = target / LIBRARY
    if (library.exists() or library.is_symlink()) and trust.sealed(library, target.name) is None:
        warnings.warn(
            f"{library} is damaged or was compiled by somebody else: it is compiled anew", TrustWarning, stacklevel=4
        )


def _compile(work: Path, flags: Sequence[str], log: Path) -> None:
    large = max(path.stat().st_size for path in work.glob("*.sv")) > LARGE_TOP_BYTES
    command = ["verilator", "--cc", "--exe", "--prefix", "Vtop", "-Mdir", "obj", *flags]
    command += SEVERAL_FILES if large else ONE_FILE
    command += ["-LDFLAGS", "-shared -Wl,--version-script=../exports.map", "-o", f"../{LIBRARY}"]
    command += ["-f", "filelist.f", "harness.cpp"]
    tools.run(command, work, log, BUILD_TIMEOUT_S, error=SimulationError)
    copy_objects(_RUNTIME, trust.private("harness"), work / "obj")
    make = ["make", "-C", "obj", "-f", "Vtop.mk", "-j", "2", *MAKE_FLAGS]
    tools.run(make, work, log, BUILD_TIMEOUT_S, error=SimulationError)
    if not (work / LIBRARY).is_file():
        raise SimulationError("Verilator made no library", where=str(log), expected=LIBRARY)
    copy_objects(_RUNTIME, work / "obj", trust.private("harness"))
    shutil.rmtree(work / "obj")


def _name(files: dict[str, str], recipe: Recipe) -> str:
    """Return the name of a build's folder: everything that decides about its content, hashed."""
    parts = [_versions(), recipe.flags, ONE_FILE, SEVERAL_FILES, MAKE_FLAGS, sorted(files.items())]
    return f"{recipe.module}_{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]}"


def _complete(target: Path, files: dict[str, str]) -> bool:
    """Return whether ``target`` holds exactly the text that is asked for, and the library that this user made of it."""
    if any(trust.read_regular(target / name) != text.encode() for name, text in files.items()):
        return False
    return trust.sealed(target / LIBRARY, target.name) is not None


def _publish(work: Path, target: Path, files: dict[str, str]) -> None:
    """Copy ``work`` to ``target``, which appears in one step; keep a complete one that another process made meanwhile.

    Raises:
        OSError: it cannot be written.
    """
    for _ in range(3):
        if _complete(target, files):
            return
        aside = Path(tempfile.mkdtemp(prefix=".build_", dir=target.parent))
        try:
            shutil.copytree(work, aside / "new")
            if target.exists() or target.is_symlink():
                target.rename(aside / "old")  # damaged: put it aside first, so that nothing ever sees a mixture
            (aside / "new").rename(target)
            return
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.ENOENT):
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    raise SimulationError("could not move the finished build into place", where=str(target))
