# SPDX-License-Identifier: Apache-2.0
"""The HLS compilers that the project can use, and which of them is here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from codesign import tools
from codesign.errors import ConfigError, SynthesisError, ToolNotFoundError
from codesign.hls import bambu, vitis
from codesign.hls.core import Core, Ports, Source
from codesign.hls.memory import check_memory
from codesign.suggest import did_you_mean

TIMEOUT_S = 3600.0
CLOCK_MHZ = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """An HLS compiler.

    Attributes:
        name: what ``--hls-tool`` calls it, and `codesign.tools.TOOLS`.
        title: its name for people.
        programs: programs of it, the first that is on PATH is used.
        most_bits: of a token that it takes; None: any.
        compile: function of source, folder, clock in MHz and seconds, to the files of the core; raises SynthesisError.
    """

    name: Ports
    title: str
    programs: tuple[str, ...]
    most_bits: int | None
    compile: Callable[[Source, Path, float, float], dict[str, str]]

    @property
    def here(self) -> bool:
        """Whether it is on PATH."""
        path = tools.environment()["PATH"]
        return any(shutil.which(program, path=path) for program in self.programs)

    @property
    def tool(self) -> tools.Tool:
        """What `codesign doctor` knows of it."""
        return next(tool for tool in tools.TOOLS if tool.name == self.name)

    def missing(self) -> ToolNotFoundError:
        """Return the error that it is not."""
        return ToolNotFoundError(self.programs[0], how=self.tool.how)


COMPILERS = (
    Compiler(name="vitis", title="Vitis HLS", programs=vitis.PROGRAMS, most_bits=None, compile=vitis.compile_core),
    Compiler(
        name="bambu", title="PandA-Bambu", programs=("bambu",), most_bits=bambu.MOST_BITS, compile=bambu.compile_core
    ),
)
"""Every compiler; where several are on PATH, the first."""


def find(name: str | None = None) -> Compiler:
    """Return the compiler called ``name``, None: the first that is on PATH.

    Raises:
        ConfigError: there is none of that name.
        ToolNotFoundError: it is not on PATH, or none is.
    """
    names = [compiler.name for compiler in COMPILERS]
    if name is not None and name not in names:
        raise ConfigError(
            "unknown HLS compiler",
            expected=f"one of {', '.join(names)}",
            received=repr(name),
            fix=did_you_mean(str(name), names) or "leave it out for the one on PATH",
        )
    wanted = [compiler for compiler in COMPILERS if name in (None, compiler.name)]
    here = next((compiler for compiler in wanted if compiler.here), None)
    if here is not None:
        return here
    if name is not None:
        raise wanted[0].missing()
    ways = "; ".join(f"{compiler.title}: {compiler.missing().how}" for compiler in COMPILERS)
    raise ToolNotFoundError("an HLS compiler", how=ways, briefly="no HLS compiler on PATH")


def compile_source(
    source: Source,
    folder: Path,
    *,
    compiler: Compiler,
    clock_mhz: float = CLOCK_MHZ,
    timeout_s: float = TIMEOUT_S,
) -> Core:
    """Compile a network in ``folder``, which is made and has the compiler's log and files in it afterwards.

    Raises:
        SynthesisError: no device has the memory that the core needs; the compiler is of a version that was not tried,
            failed, took too long, or left no core: ends with the last lines of its log.
    """
    check_memory(source.graph)
    version = _version(compiler)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in source.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    files = compiler.compile(source, folder, clock_mhz, timeout_s)
    if not any(re.search(rf"^\s*module\s+{source.top}\b", text, re.MULTILINE) for text in files.values()):
        raise SynthesisError(
            f"{compiler.title} left no core",
            where=str(folder),
            expected=f"Verilog with a module {source.top}",
            received=", ".join(sorted(files)) or "no file",
            fix=f"read the logs in {folder}",
        )
    return Core(compiler=f"{compiler.title} {version}", ports=compiler.name, files=files)


def _version(compiler: Compiler) -> str:
    """Return the version of a compiler.

    Raises:
        SynthesisError: it prints none, or another one than was tried.
    """
    tool = compiler.tool
    status = tools.check(tool)
    if not status.ok or status.version is None:
        raise SynthesisError(
            f"this {compiler.title} cannot be used",
            where=compiler.programs[0],
            expected="a version that was tried: " + ".".join(map(str, tool.at_least)) if tool.at_least else "a version",
            received=status.problem or status.version,
            fix=tool.how,
        )
    return status.version
