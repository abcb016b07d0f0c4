# SPDX-License-Identifier: Apache-2.0
"""The SDRAM controller's RTL: style, parameters that are refused, and that Verilator and Yosys accept it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from model_names import exists, models

from codesign.errors import CodesignError
from codesign.rtl.host.sdram import CELLS, FOLDER, SDRAM_MODULES, sdram_files
from codesign.rtl.leaves import leaf_files
from codesign.tools import run

MODULES = [FOLDER / f"sdram_{module}.sv" for module in SDRAM_MODULES]
HEADER = ("Function", "Latency", "Throughput", "Timing", "Reset", "Model")
ASSERTED = {"requests": 4, "controller": 2}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_style(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    assert lines[0] == "// SPDX-License-Identifier: Apache-2.0"
    found = [match[1] for line in lines if (match := re.match(r"// (\w+):\s+\S", line)) and match[1] in HEADER]
    assert found == list(HEADER)
    assert max(map(len, lines)) <= 120
    assert len(lines) <= 320
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [path.stem]
    assert text.count("assert property") == ASSERTED.get(path.stem.removeprefix("sdram_"), 0)
    assert [name for name in models(text) if not exists(name)] == []


def test_every_module_is_in_the_table() -> None:
    assert sorted([*MODULES, FOLDER / CELLS]) == sorted(FOLDER.glob("*.sv"))


def write(folder: Path) -> list[str]:
    """Write every source into a folder; return their names in compile order."""
    files = leaf_files("fifo") | sdram_files()
    for name, text in files.items():
        (folder / name).write_text(text)
    return list(files)


@pytest.mark.parametrize(
    "parameters",
    [
        {"CasLatency": 1},
        {"CasLatency": 4},
        {"ClockMhz": 101},
        {"ClockMhz": 134, "CasLatency": 3},
        {"WrNs": 21},
        {"RasNs": 61},
        {"RcNs": 101},
        {"RrdNs": 21},
        {"StartNs": 0},
        {"RefreshNs": 300},
    ],
    ids=str,
)
def test_bad_parameters_fail_elaboration(parameters: dict[str, int], tmp_path: Path) -> None:
    log = tmp_path / "lint.log"
    options = [f"-G{name}={value}" for name, value in parameters.items()]
    argv = ["verilator", "--lint-only", *options, "-Wno-lint", "-Wno-style", str(FOLDER / "sdram_commands.sv")]
    with pytest.raises(CodesignError):
        run(argv, tmp_path, log, 60)
    assert "sdram_commands: " in log.read_text(), "the message names the module"


@pytest.mark.parametrize(("mhz", "latency"), [(25, 2), (80, 2), (100, 2), (100, 3), (133, 3)])
def test_verilator_has_nothing_to_say(mhz: int, latency: int, tmp_path: Path) -> None:
    sources = [name for name in write(tmp_path) if name != CELLS and "pads" not in name]
    options = [f"-GClockMhz={mhz}", f"-GCasLatency={latency}"]
    argv = ["verilator", "--lint-only", "-Wall", "--assert", *options, *sources, "--top", "sdram_controller"]
    run(argv, tmp_path, tmp_path / "lint.log", 60)
