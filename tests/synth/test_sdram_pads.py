# SPDX-License-Identifier: Apache-2.0
"""The SDRAM controller on a ULX3S: flip-flops in the pads, its clock is met, and the chip's has its phase."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from codesign.errors import ConfigError, SynthesisError
from codesign.rtl.host.sdram import sdram_files
from codesign.rtl.leaves import leaf_files
from codesign.synth.board_top import board_top_module, board_top_text
from codesign.synth.core_build import PLL, black_box
from codesign.synth.nextpnr import REPORT, ROUTED, read_clocks, read_report, route
from codesign.synth.pll import find_pll, find_two
from codesign.synth.sdram import cas_latency, chip_phase
from codesign.synth.target import load_target
from codesign.synth.toolchains.ecp5 import ROUTER, TOOLCHAIN, shifted_pll, two_clocks
from codesign.synth.toolchains.toolchain import CONSTRAINTS, SDRAM_CLOCK, ports, sdram_ports
from codesign.synth.yosys import NETLIST, synthesise
from codesign.tools import run

PROBE = Path(__file__).parent / "small" / "sdram_probe.sv"


@pytest.mark.heavy
def test_flip_flops_are_in_the_pads(tmp_path: Path) -> None:
    board = load_target("ulx3s-85f")
    mhz = board.clock.core_mhz
    clock = shifted_pll(find_pll(TOOLCHAIN.limits, 25.0, mhz), chip_phase(mhz) - 0.5)
    probe = PROBE.read_text().replace("  // The PLL comes here.\n", clock)
    files = leaf_files("fifo") | sdram_files() | {PLL: black_box(clock), PROBE.name: probe}
    mapped = synthesise(files, PROBE.stem, target="ecp5", folder=tmp_path, slang=True)
    assert mapped.lut is not None
    assert mapped.lut < 800
    serial = {port: pin for port, pin in ports(board).items() if port in ("clk_pad", "rx_pad", "tx_pad")}
    (tmp_path / f"{CONSTRAINTS}.lpf").write_text(TOOLCHAIN.constraints(board, serial | sdram_ports(board)))
    inputs = [NETLIST, f"{CONSTRAINTS}.lpf"]
    route(ROUTER, TOOLCHAIN.route(board), tmp_path, inputs=inputs, clock_mhz=board.clock.core_mhz, seeds=[1])
    fmax = read_report(tmp_path / REPORT, tool_version=None).fmax_mhz
    assert fmax is not None
    assert fmax > board.clock.core_mhz
    modules = json.loads((tmp_path / ROUTED).read_text())["modules"].values()
    cells = max((module["cells"] for module in modules), key=len)
    pads = [cell["parameters"] for cell in cells.values() if cell["type"] == "IOLOGIC"]
    kinds = ("FF.INREGMODE", "OUTREG.OUTREGMODE", "TSREG.OUTREGMODE")
    found = Counter(kind for pad in pads for kind in kinds if pad.get(kind) == "FF")
    assert found == {"FF.INREGMODE": 16, "OUTREG.OUTREGMODE": 36, "TSREG.OUTREGMODE": 16}
    assert [pad["MODE"] for pad in pads].count("IDDRX1_ODDRX1") == 1, "the clock"
    assert len(pads) == 37


@pytest.mark.heavy
def test_both_clocks_are_timed(tmp_path: Path) -> None:
    """Reports have both clocks by the names of their nets; each is met."""
    board = load_target("ulx3s-85f")
    module = board_top_module("probe", board)
    top = board_top_text("probe", board, TOOLCHAIN, core_mhz=75.0, baud=1_000_000, memory="sdram", sdram_mhz=120.0)
    cell = {PLL: black_box(two_clocks(find_two(TOOLCHAIN.limits, 25.0, 75.0, 120.0, where=""), 0))}
    stub = {"probe_uart.sv": PROBE.with_name("probe_uart.sv").read_text()}
    files = leaf_files("fifo") | sdram_files() | cell | stub | {f"{module}.sv": top}
    synthesise(files, module, target="ecp5", folder=tmp_path, slang=True)
    (tmp_path / f"{CONSTRAINTS}.lpf").write_text(TOOLCHAIN.constraints(board, ports(board) | sdram_ports(board)))
    inputs, others = [NETLIST, f"{CONSTRAINTS}.lpf"], {SDRAM_CLOCK: 120.0}
    route(ROUTER, TOOLCHAIN.route(board), tmp_path, inputs=inputs, clock_mhz=75.0, others=others, seeds=[1])
    clocks = read_clocks(tmp_path / REPORT)
    assert clocks.keys() == {"clk", SDRAM_CLOCK}
    assert clocks["clk"] > 75
    assert clocks[SDRAM_CLOCK] > 120
    constraints = sorted(clock["constraint"] for clock in json.loads((tmp_path / REPORT).read_text())["fmax"].values())
    assert constraints == [pytest.approx(75.0, abs=0.1), pytest.approx(120.0, abs=0.1)]


@pytest.mark.parametrize(
    ("clock_mhz", "latency", "phase"), [(120, 3, 0.37), (25, 2, 0.94), (50, 2, 0.87), (80, 2, 0.72), (100, 2, 0.53)]
)
def test_the_phase_of_the_chip(clock_mhz: float, latency: int, phase: float) -> None:
    assert cas_latency(clock_mhz) == latency
    assert chip_phase(clock_mhz) == pytest.approx(phase, abs=0.01)


def test_a_clock_that_is_too_fast() -> None:
    assert cas_latency(120) == 3
    with pytest.raises(
        ConfigError, match=r"--clock: what an SDRAM sends.*a period of 7.9 ns or more.*Received: 133 MHz"
    ):
        chip_phase(133)
    with pytest.raises(ConfigError, match=r"--clock: the SDRAM is slower.*up to 133 MHz.*Received: 134 MHz"):
        chip_phase(134)
    with pytest.raises(ConfigError, match=r"sdram.mhz: what an SDRAM sends.*Next step: take 126 MHz or less"):
        chip_phase(127, where="sdram.mhz")
    chip_phase(126)


def test_a_shifted_clock() -> None:
    """80 MHz has a VCO of 7 or 8 periods: a phase of 0.21 is rounded to an eighth of one."""
    pll = find_pll(TOOLCHAIN.limits, 25.0, 80.0)
    text = shifted_pll(pll, 0.21)
    found = {key: int(value) for key, value in re.findall(r"\.CLK(O\w+)\((\d+)\)", text)}
    steps = 8 * (found["OS_CPHASE"] - found["OP_CPHASE"]) + found["OS_FPHASE"]
    assert found["OS_DIV"] == found["OP_DIV"] == pll.divider
    assert steps == round(0.21 * pll.divider * 8)
    assert set(TOOLCHAIN.pll(pll).splitlines()) < set(text.splitlines())
    assert "output wire CLKOS" in black_box(text)


def test_ecppll_makes_the_same_two_clocks(tmp_path: Path) -> None:
    argv = ["yowasp-ecppll", "-i", "25", "-o", "75", "--clkout1", "120", "--phase1", "315", "--clkout2", "120"]
    run([*argv, "-f", "pll.v"], tmp_path, tmp_path / "log", 120.0, error=SynthesisError)
    theirs = (tmp_path / "pll.v").read_text()
    ours = two_clocks(find_two(TOOLCHAIN.limits, 25.0, 75.0, 120.0, where=""), 315 / 360)
    kinds = r"\.(CLK(?:I|FB|O[PS]2?)_(?:DIV|ENABLE))\((\S+?)\)"
    made = dict(re.findall(kinds, ours))
    assert made.items() <= dict(re.findall(kinds, theirs)).items()
    assert len(made) == 8
    eighths = [
        8 * int(found["CLKOS_CPHASE"]) + int(found["CLKOS_FPHASE"]) - 8 * int(found["CLKOS2_CPHASE"])
        for text in (ours, theirs)
        for found in [dict(re.findall(r"\.(CLKOS2?_[CF]PHASE)\((\d+)\)", text))]
    ]
    assert eighths == [round(315 / 360 * 5 * 8)] * 2
    assert "output wire CLKOS2" in black_box(ours)


def test_ecppll_shifts_it_the_same(tmp_path: Path) -> None:
    argv = ["yowasp-ecppll", "-i", "25", "-o", "100", "--clkout1", "100", "--phase1", "75", "-f", "pll.v"]
    run(argv, tmp_path, tmp_path / "log", 120.0, error=SynthesisError)
    theirs = (tmp_path / "pll.v").read_text()
    ours = shifted_pll(find_pll(TOOLCHAIN.limits, 25.0, 100.0), 75 / 360)
    kinds = r"\.(CLKO[PS]_(?:DIV|CPHASE|FPHASE|ENABLE))\((\S+?)\)"
    made = dict(re.findall(kinds, ours))
    assert made.items() <= dict(re.findall(kinds, theirs)).items()
    assert len(made) == 7
