# SPDX-License-Identifier: Apache-2.0
"""The scripts for Vivado, run in a Tcl interpreter by a Vivado that pretends (fake_vivado.py)."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_graphs import random_graph

from codesign.errors import ConfigError, SynthesisError, ToolNotFoundError
from codesign.rtl.project import emit
from codesign.synth.vendor.pynq import overlay
from codesign.synth.vendor.vivado import Part, Project, Streams, build, dma_bytes, out_of_context, zynq
from codesign.tools import run

ZYNQ = Part(target="pynq-z2", part="xc7z020clg400-1", processor="zynq", board_files="tul.com.tw:pynq-z2:part0:1.0")
ZYNQMP = Part(target="zcu104", part="xczu7ev-ffvc1156-2-e", processor="zynqmp")


def core() -> dict[str, str]:
    """An RTL project with memories."""
    return emit(random_graph(np.random.default_rng(3), layers=1, end="dense"))


def module(**changes: Any) -> Project:
    return out_of_context(core(), "t_top", **{"part": ZYNQ, "clock_mhz": 125.0, **changes})


def system(**changes: Any) -> Project:
    options = {"streams": Streams(in_bytes=3, out_bytes=4), "address_bits": 12, "part": ZYNQ, "clock_mhz": 100.0}
    return zynq({"t_soc.sv": "module t_soc; endmodule\n", "t.mem": "0\n"}, "t_soc", **{**options, **changes})


def calls(folder: Path, name: str) -> list[list[str]]:
    """What the script called ``name`` with."""
    return [words for command, *words in json.loads((folder / "calls.json").read_text()) if command == name]


@pytest.mark.usefixtures("vivado")
def test_out_of_context(tmp_path: Path) -> None:
    found = build(module(), tmp_path)
    assert (found.synthesised.kind, found.synthesised.fmax_mhz, found.synthesised.lut) == ("synth", None, 1000)
    assert (found.routed.kind, found.routed.target, found.routed.tool_version) == ("route", "pynq-z2", "2024.2")
    assert found.routed.fmax_mhz == pytest.approx(1000 / 10.5)
    assert (found.timing.met, found.timing.failing, found.bitstream) == (False, 12, None)
    assert found.instances[1].path == ("net_top", "i_conv1_conv")
    assert calls(tmp_path, "synth_design") == [["-top", "t_top", "-part", ZYNQ.part, "-mode", "out_of_context"]]
    (sources,) = calls(tmp_path, "read_verilog")
    assert sources[1].split() == (tmp_path / "filelist.f").read_text().split()
    (memories,) = calls(tmp_path, "read_mem")
    assert sorted(memories[0].split()) == sorted(path.name for path in tmp_path.glob("*.mem"))
    assert (tmp_path / "clock.xdc").read_text() == "create_clock -name clk -period 8.0 [get_ports clk_i]\n"


@pytest.mark.usefixtures("vivado")
def test_out_of_context_dense(tmp_path: Path) -> None:
    build(module(skip=False), tmp_path)
    assert calls(tmp_path, "synth_design")[0][-2:] == ["-generic", "Skip=1'b0"]


@pytest.mark.usefixtures("vivado")
@pytest.mark.parametrize("part", [ZYNQ, ZYNQMP], ids=lambda part: part.processor)
def test_system(part: Part, tmp_path: Path) -> None:
    found = build(system(part=part), tmp_path)
    assert found.bitstream == tmp_path / "design.bit"
    assert found.bitstream.read_text() == "bits"
    assert (tmp_path / "design.hwh").is_file()
    assert found.routed.lut == 1000
    dma = next(words for words in calls(tmp_path, "set_property") if "c_m_axis_mm2s_tdata_width" in words[1])
    settings = dict(zip(dma[1].split()[::2], dma[1].split()[1::2], strict=True))
    assert settings["CONFIG.c_m_axis_mm2s_tdata_width"] == settings["CONFIG.c_s_axis_s2mm_tdata_width"] == "32"
    assert settings["CONFIG.c_m_axi_mm2s_data_width"] == "32"
    clock = {"zynq": "PCW_FPGA0_PERIPHERAL_FREQMHZ 100", "zynqmp": "PL0_REF_CTRL__FREQMHZ 100"}[part.processor]
    assert any(clock in words[1] for words in calls(tmp_path, "set_property"))


@pytest.mark.usefixtures("vivado")
@pytest.mark.parametrize("part", [ZYNQ, ZYNQMP], ids=lambda part: part.processor)
@pytest.mark.parametrize(
    "more", [{}, {"loads": True}, {"loads": True, "memory_bits": 64}], ids=["design", "core", "memory"]
)
def test_every_port_of_the_block_design_is_connected_once(part: Part, more: dict[str, Any], tmp_path: Path) -> None:
    build(system(part=part, **more), tmp_path)
    cells = json.loads((tmp_path / "pins.json").read_text())
    ends = Counter(end for words in calls(tmp_path, "connect_bd_intf_net") for end in words)
    ports = {f"{cell}/{port}" for cell, pins in cells.items() for port in pins["bus"]}
    assert set(ends.values()) == {1}
    assert ports == set(ends)
    wires = calls(tmp_path, "connect_bd_net")
    loads = Counter(load for _, load in wires)
    pins = {f"{cell}/{pin}" for cell, pins in cells.items() for pin in pins["wire"]}
    assert set(loads.values()) == {1}
    assert pins == set(loads) | {driver for driver, _ in wires}
    clocks = [driver for driver, load in wires if "clk" in load.lower()]
    assert len(set(clocks)) == 1  # one clock domain
    assert ("images" in cells, "core_bus" in cells) == (bool(more), "memory_bits" in more)


@pytest.mark.usefixtures("vivado")
def test_board_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(system(), tmp_path / "without")
    assert (
        "board files of 'tul.com.tw:pynq-z2:part0:1.0' are not installed"
        in (tmp_path / "without" / "vivado.log").read_text()
    )
    assert calls(tmp_path / "without", "apply_bd_automation")[0][3].endswith("apply_board_preset 0")
    monkeypatch.setenv("FAKE_BOARDS", ZYNQ.board_files)
    build(system(), tmp_path / "with")
    assert ["board_part", ZYNQ.board_files, ""] in calls(tmp_path / "with", "set_property")
    assert calls(tmp_path / "with", "apply_bd_automation")[0][3].endswith("apply_board_preset 1")


@pytest.mark.usefixtures("vivado")
@pytest.mark.parametrize("run", ["synth_1", "impl_1"])
def test_a_run_that_stops_is_an_error(run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_STOPS", run)
    with pytest.raises(SynthesisError, match=rf"(?s)exit status 1.*{run} stopped: place_design ERROR.*runme\.log"):
        build(system(), tmp_path)
    assert not (tmp_path / "design.bit").exists()


@pytest.mark.usefixtures("vivado")
def test_a_wrong_module_is_found_by_vivado(tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match=r"(?s)exit status 1.*module 'other' not found"):
        build(out_of_context(core(), "other", part=ZYNQ, clock_mhz=100.0), tmp_path)


@pytest.mark.usefixtures("vivado")
def test_reports_of_an_older_run_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(system(), tmp_path)
    with monkeypatch.context() as changed:
        changed.setattr("codesign.synth.vendor.vivado.run", lambda *_, **__: "")
        with pytest.raises(SynthesisError, match=r"Vivado wrote no synth_utilisation\.rpt.*vivado\.log"):
            build(system(), tmp_path)


@pytest.mark.usefixtures("vivado")
def test_a_design_as_an_overlay(tmp_path: Path) -> None:
    graph = random_graph(np.random.default_rng(5), lanes=3, end="dense", hold=1.0)
    build(overlay(graph, part=ZYNQ, clock_mhz=50.0, skip=False), tmp_path)
    assert {"design.bit", "design.hwh", "design.json", "delta_board.py"} <= {path.name for path in tmp_path.iterdir()}
    wrapper = (tmp_path / "t_soc_axi.v").read_text()
    assert ".Skip(1'b0)" in wrapper
    assert ".ClockHz(50000000)" in wrapper
    assert ["-type", "module", "-reference", "t_soc_axi", "core"] in calls(tmp_path, "create_bd_cell")


@pytest.mark.parametrize(("seed", "lanes"), [(5, 3), (5, 4), (1001, 1)])
def test_the_wrapper_fits_the_design(seed: int, lanes: int, tmp_path: Path) -> None:
    graph = random_graph(np.random.default_rng(seed), lanes=lanes, end="dense")
    project = overlay(graph, part=ZYNQ, clock_mhz=100.0)
    for name, text in project.files.items():
        (tmp_path / name).write_text(text)
    sources = [*project.files["filelist.f"].split(), "t_soc_axi.v"]
    argv = ["verilator", "--lint-only", "-Wall", "-Wno-UNUSEDSIGNAL", "--top-module", "t_soc_axi", *sources]
    run(argv, tmp_path, tmp_path / "lint.log", 60, error=SynthesisError)


@pytest.mark.usefixtures("without_vendor_tools")
def test_without_vivado_the_project_is_written(tmp_path: Path) -> None:
    with pytest.raises(ToolNotFoundError, match=r"vivado was not found.*settings64") as error:
        build(module(), tmp_path)
    assert error.value.program == "vivado"
    assert {"settings.tcl", "out_of_context.tcl", "t_top.sv"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(("beat", "width"), [(1, 1), (2, 2), (3, 4), (4, 4), (17, 32), (128, 128)])
def test_streams_are_as_wide_as_a_dma(beat: int, width: int) -> None:
    assert dma_bytes(beat) == width


def test_a_beat_that_no_dma_carries() -> None:
    with pytest.raises(ConfigError, match=r"at most 128 bytes.*129 bytes.*fewer codes"):
        system(streams=Streams(in_bytes=129, out_bytes=1))


def test_a_board_without_a_processor() -> None:
    with pytest.raises(ConfigError, match=r"arty: this board has no processor"):
        system(part=Part(target="arty", part="xc7a35ticsg324-1L"))
