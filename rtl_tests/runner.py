# SPDX-License-Identifier: Apache-2.0
"""Run a cocotb bench from pytest: a failed build, a failed cocotb test or no test at all fails the pytest test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from codesign.errors import CodesignError
from codesign.sim.cocotb_runner import run_cocotb

HERE = Path(__file__).resolve().parent


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
    """Build ``top`` under ``build_dir`` and run ``test_module`` on it; arguments as of `run_cocotb`.

    ``rtl_tests/`` and ``tests/`` are importable in the bench. Seeds and the last log lines are printed.
    """
    problem = ""
    try:
        run_cocotb(
            top,
            sources,
            parameters,
            test_module,
            build_dir,
            files,
            testcase=testcase,
            env=env,
            build_args=build_args,
            python_path=(HERE, HERE.parent / "tests"),
            seed=seed,
            timeout_s=timeout_s,
        )
    except CodesignError as error:
        problem = str(error)
    if problem:
        pytest.fail(problem, pytrace=False)
