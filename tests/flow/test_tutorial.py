# SPDX-License-Identifier: Apache-2.0
"""The tutorial's commands do what it says, on the small videos that it makes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_docs import tutorial_commands, tutorial_design

ROOT = Path(__file__).parents[2]


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_every_command_of_the_tutorial(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(tutorial_design(), encoding="utf-8")
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    for program, *words in tutorial_commands():
        argv = [sys.executable, *(words if program == "python" else ["-m", "codesign.cli", *words])]
        done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (argv, done.stdout, done.stderr)
    report = json.loads((tmp_path / "build/own/6_report/report.json").read_text())
    mismatches = report["agreement"]["mismatches"]
    assert {pair: count for pair, count in mismatches.items() if count != 0} in ({}, {"golden_hls": None})
    figures = re.search(r"(\d+) cycles per frame, (\d+) with skipping off", done.stdout)
    assert figures is not None
    assert int(figures[1]) < int(figures[2])
    assert done.stdout.count(": 0 of ") == 3
