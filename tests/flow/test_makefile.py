# SPDX-License-Identifier: Apache-2.0
"""What the Makefile calls is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from codesign.cli import parser
from codesign.flow.config import load
from codesign.flow.steps import STAGES
from codesign.paths import BuildFolder
from codesign.synth.target import target_names

ROOT = Path(__file__).parents[2]


def commands(*arguments: str) -> list[list[str]]:
    """Return the words of each ``codesign`` command that make would run."""
    argv = ["make", "--dry-run", "--no-print-directory", *arguments]
    said = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout.replace(
        "\\\n", ""
    )
    return [line.split()[1:] for line in said.splitlines() if re.match(r"\S*/codesign ", line)]


@pytest.mark.parametrize(("arguments", "clock"), [((), None), (("CLOCK=75",), 75.0)])
def test_bitstream(arguments: tuple[str, ...], clock: float | None) -> None:
    run, build = (parser().parse_args(words) for words in commands("bitstream", *arguments))
    assert run.last == BuildFolder.GRAPH in [stage.name for stage in STAGES]
    assert build.folder == run.build_dir / load(ROOT / run.design).design.name
    assert (build.target in target_names(), build.clock, build.dense) == (True, clock, False)


def test_every_command_of_the_makefile_can_be_read() -> None:
    for target in ("demo", "bitstream", "experiments"):
        assert [parser().parse_args(words) for words in commands(target)]
    for data in ("ucf101", "surveillance"):
        (words,) = commands(f"experiments-{data}", "MODEL=m.h5", "CLIPS=videos")
        read = parser().parse_args(words)
        assert (read.clips, read.json) == (Path('"videos"'), Path(f"docs/experiments_{data}.json"))
