# SPDX-License-Identifier: Apache-2.0
"""The SDRAM controller on a ULX3S: its flip-flops are in the pads, and it meets the clock."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from codesign.rtl.host.sdram import sdram_files
from codesign.rtl.leaves import leaf_files
from codesign.synth.nextpnr import REPORT, ROUTED, read_report, route
from codesign.synth.target import load_target
from codesign.synth.toolchains.ecp5 import ROUTER, TOOLCHAIN
from codesign.synth.toolchains.toolchain import CONSTRAINTS, ports, sdram_ports
from codesign.synth.yosys import NETLIST, synthesise

PROBE = Path(__file__).parent / "small" / "sdram_probe.sv"


@pytest.mark.heavy
def test_flip_flops_are_in_the_pads(tmp_path: Path) -> None:
    board = load_target("ulx3s-85f")
    files = leaf_files("fifo") | sdram_files() | {PROBE.name: PROBE.read_text()}
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
