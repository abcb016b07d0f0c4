# SPDX-License-Identifier: Apache-2.0
"""The SystemVerilog leaves keep to the project's style, and refuse bad parameters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from model_names import exists, models

from codesign.errors import CodesignError
from codesign.rtl import core
from codesign.rtl.leaves import FOLDER
from codesign.tools import run

LEAVES = sorted(FOLDER.glob("*.sv"))
CORE = [path for path in sorted(core.FOLDER.glob("core_*.sv")) if path.stem not in ("core_types",)]
HEADER = ("Function", "Latency", "Throughput", "Timing", "Reset", "Model")
STREAMS = {"fifo", "encode", "emit", "serialize", "dense", "locate", "join", "conv", "align", "decode"}
ASSERTED = {**dict.fromkeys(STREAMS, 2), "conv": 3, "fork": 1}
"""Valid and payload stay while stalled; conv counts credits; a fork has no payload of its own."""


@pytest.mark.parametrize("path", [*LEAVES, *CORE], ids=lambda path: path.stem)
def test_header(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0] == "// SPDX-License-Identifier: Apache-2.0"
    header = [line for line in lines if line.startswith("// ")]
    found = [match[1] for line in header if (match := re.match(r"// (\w+):\s+\S", line)) and match[1] in HEADER]
    assert found == list(HEADER)
    assert max(map(len, lines)) <= 120
    assert len(lines) <= 300


@pytest.mark.parametrize("path", [*LEAVES, *CORE], ids=lambda path: path.stem)
def test_the_model_exists(path: Path) -> None:
    names = models(path.read_text())
    assert names
    assert [name for name in names if not exists(name)] == []


@pytest.mark.parametrize(
    "name",
    ["codesign.graph.golden.Golden._delta", "rtl_tests.models.Layout.spot", "rtl_tests.bench_none.Model", "nowhere"],
)
def test_a_model_that_is_gone_is_found(name: str) -> None:
    assert not exists(name)


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_one_module_a_file(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [path.stem]
    asserted = text.count("assert property")
    assert asserted == ASSERTED.get(path.stem.removeprefix("delta_"), 0)
    assert ("`ifndef SYNTHESIS" in text) == (asserted > 0)


@pytest.mark.parametrize(
    "path", [path for path in CORE if path.stem not in core.CORE_WIRING], ids=lambda path: path.stem
)
def test_a_module_of_the_core_keeps_what_it_offers(path: Path) -> None:
    """Valid stays, and so does what it offers, until it is taken: at least two assertions where a stream leaves."""
    text = path.read_text()
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [path.stem]
    streams = re.findall(r"output logic +(?:\[.*\] +)?(\w+_)?t?valid(?:_o)?\b", text)
    assert text.count("|=>") >= (2 if streams else 0)
    assert ("`ifndef SYNTHESIS" in text) == bool(streams)


@pytest.mark.parametrize(
    ("leaf", "parameters"),
    [
        ("fifo", {"Depth": 0}),
        ("state", {"Words": 0}),
        ("accumulate", {"Words": 0}),
        ("encode", {"LaneWidth": 8, "CodeWidth": 9}),
        ("quantise", {"Lo": 1}),
        ("emit", {"Size": 0}),
        ("emit", {"Size": 8, "StepLines": 3}),
        ("serialize", {"Size": 0}),
        ("dense", {"AccWidth": 1}),
        ("product", {"Lanes": 0}),
        ("product", {"AccWidth": 0}),
        ("locate", {"Height": 0}),
        ("spot", {"BankRows": 3}),
        ("spot", {"BankColumns": 3}),
        ("spot", {"BankRows": 1}),
        ("walk", {"Stride": 1}),
        ("walk", {"Rows": 8}),
        ("walk", {"Stride": 9}),
        ("walk", {"TapRows": 2}),
        ("walk", {"TapColumns": 2}),
        ("banks", {"Words": 0}),
        ("banks", {"Slots": 3}),
        ("lists", {"Lists": 3}),
        ("lists", {"Lists": 2}),
        ("rows", {"Stride": 4}),
        ("rows", {"Rows": 8}),
        ("rows", {"Lists": 16}),
        ("maximum", {"Window": 0}),
        ("conv", {"Lists": 3}),
        ("conv", {"TapRows": 2}),
        ("conv", {"TapColumns": 2}),
        ("align", {"OutWidth": 1}),
        ("align", {"Words": 8, "Lines": 3}),
        ("fork", {"Outputs": 1}),
        ("join", {"Inputs": 1}),
        ("decode", {"LaneWidth": 8, "ValueWidth": 9}),
        ("stats", {"Engines": 64}),
    ],
)
def test_bad_parameters_fail_elaboration(leaf: str, parameters: dict[str, int], tmp_path: Path) -> None:
    log = tmp_path / "lint.log"
    options = [f"-G{name}={value}" for name, value in parameters.items()]
    argv = [
        "verilator",
        "--lint-only",
        *options,
        "-Wno-lint",
        "-Wno-style",
        *map(str, LEAVES),
        "--top",
        f"delta_{leaf}",
    ]
    with pytest.raises(CodesignError):
        run(argv, tmp_path, log, 60)
    assert f"delta_{leaf}: " in log.read_text(), "the message names the module"
