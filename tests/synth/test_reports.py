# SPDX-License-Identifier: Apache-2.0
"""Counting the cells of netlists and reading the tools' reports, on what the tools wrote for ``small``, cut down."""

import json
from pathlib import Path

import pytest

from codesign.errors import SynthesisError
from codesign.synth.layers import Owners
from codesign.synth.nextpnr import (
    critical_path,
    reached,
    read_clocks,
    read_fmax,
    read_path,
    read_report,
    register_ports,
)
from codesign.synth.resources import TARGETS, Resources, count
from codesign.synth.yosys import read_cells

REPORTS = Path(__file__).parent / "reports"
BLOCK = 18 * 1024


def test_ecp5_cells() -> None:
    cells = read_cells(REPORTS / "ecp5_stat.json")
    cost = count(cells, "ecp5")
    assert cells["TRELLIS_DPR16X4"] == 1  # the report has one of everything
    assert cost.lut == cells["LUT4"] + 2 * cells["CCU2C"] + 6 * cells["TRELLIS_DPR16X4"] == 50
    assert (cost.ff, cost.dsp, cost.bram_bits) == (110, 1, 2 * BLOCK)


def test_xc7_cells() -> None:
    cells = read_cells(REPORTS / "xc7_stat.json")
    cost = count(cells, "xc7")
    luts = sum(number for name, number in cells.items() if name.startswith("LUT"))
    assert cost.lut == luts + cells["INV"] + 4 * cells["RAM32M"] == 26
    assert (cost.ff, cost.dsp, cost.bram_bits) == (cells["FDRE"], 1, 2 * BLOCK)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_unknown_cell(target: str) -> None:
    with pytest.raises(SynthesisError, match=rf"{target} has cells of type \$mem_v2"):
        count({"$mem_v2": 1}, target)


def test_yosys_printed_no_figures(tmp_path: Path) -> None:
    stat = tmp_path / "stat.json"
    for text in ("", "{}", '{"design": {"num_cells_by_type": 3}}'):
        stat.write_text(text, encoding="utf-8")
        with pytest.raises(SynthesisError, match="no cells"):
            read_cells(stat)


def test_route_report(tmp_path: Path) -> None:
    found = read_report(REPORTS / "route.json", tool_version="0.0", port_registers=449)
    assert found == Resources(
        target="ecp5",
        tool="nextpnr-ecp5",
        tool_version="0.0",
        kind="route",
        lut=62,
        ff=110,
        dsp=1,
        bram_bits=2 * BLOCK,
        fmax_mhz=pytest.approx(123.49, abs=0.01),  # type: ignore[arg-type]  # equal to a float
    )
    assert json.loads(json.dumps(found.to_json()))["lut"] == 62

    data = json.loads((REPORTS / "route.json").read_text(encoding="utf-8"))
    (tmp_path / "unclocked.json").write_text(json.dumps({**data, "fmax": {}}), encoding="utf-8")
    assert read_report(tmp_path / "unclocked.json", tool_version=None).fmax_mhz is None  # unknown, not 0
    del data["utilization"]["DP16KD"]
    (tmp_path / "changed.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(SynthesisError, match=r"no figures.*DP16KD"):
        read_report(tmp_path / "changed.json", tool_version=None)


def test_critical_path() -> None:
    lines = critical_path(REPORTS).splitlines()
    assert "clk-to-q" in lines[0]
    assert len(lines) == 11
    assert float(lines[-1].split()[0]) == pytest.approx(1000 / 123.49, abs=0.02)


@pytest.mark.parametrize(
    ("core", "sdram", "expected"), [(80.0, 130.0, 80.0), (80.0, 110.0, 75 * 110 / 120), (70.0, 119.0, 70.0)]
)
def test_a_report_of_two_clocks(core: float, sdram: float, expected: float, tmp_path: Path) -> None:
    data = json.loads((REPORTS / "route.json").read_text(encoding="utf-8"))
    path, report = data["critical_paths"][0], tmp_path / "route.json"
    names = ("$glbnet$memory_clk", "$glbnet$clk")
    data["critical_paths"] = [
        {**path, "from": f"posedge {start}", "to": f"posedge {end}", "path": path["path"][: 3 + 2 * at + other]}
        for at, start in enumerate(names)
        for other, end in enumerate(names)
    ]
    data["fmax"] = {name: {"achieved": mhz} for name, mhz in zip(names, (sdram, core), strict=True)}
    report.write_text(json.dumps(data), encoding="utf-8")
    others = {"memory_clk": 120.0}
    assert read_clocks(report) == {"memory_clk": sdram, "clk": core}
    assert (read_fmax(report, others), read_fmax(report)) == (core, min(core, sdram))
    assert reached(report, 75.0, others) == pytest.approx(expected)
    owners = Owners(nodes=(), top="top")
    found, first = read_path(report, owners, others), read_path(report, owners)
    assert found is not None
    assert first is not None
    last = path["path"][5]["to"]
    assert found.hops[-1].endswith(f"{last['cell']}.{last['port']}"), "the one from clk to clk"
    assert len(first.hops) < len(found.hops)


@pytest.mark.parametrize("clocks", [[], [2, 3]])
def test_one_clock_is_needed(clocks: list[int]) -> None:
    flip_flops = {str(clock): {"type": "TRELLIS_FF", "connections": {"CLK": [clock]}} for clock in clocks}
    top = {"attributes": {"top": "1"}, "ports": {}, "cells": flip_flops}
    with pytest.raises(SynthesisError, match=f"one clock.*{len(clocks)} clocks"):
        register_ports({"modules": {"small": top}})


def test_no_top() -> None:
    with pytest.raises(SynthesisError, match="no top"):
        register_ports({"modules": {}})
