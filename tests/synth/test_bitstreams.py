# SPDX-License-Identifier: Apache-2.0
"""A small design to a bitstream by the real tools, for each board that has open ones; an estimate for the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from finished import finish
from small_design import small_graph

from codesign.cli import main
from codesign.graph.file import save_graph
from codesign.synth.record import Area, BoardBuild, read_build
from codesign.synth.resources import ECP5_BLOCK_RAM_BITS, GW2A_BLOCK_RAM_BITS, ICE40_BLOCK_RAM_BITS
from codesign.synth.target import load_target, target_names

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(3600)]  # the first call compiles the tools
BOARDS = {name: load_target(name) for name in target_names()}


def built(name: str, tmp_path: Path) -> tuple[int, BoardBuild, Path]:
    design = tmp_path / "build" / "small"
    (design / "2_graph").mkdir(parents=True)
    save_graph(small_graph(), design / "2_graph")
    finish(design / "2_graph")
    code = main(["build", str(design), "--target", name])
    folder = design / "boards" / name
    return code, read_build(folder / "build.json"), folder


def reported(name: str, folder: Path) -> Area:
    """Return what nextpnr itself says is used."""
    used = {key: site["used"] for key, site in json.loads((folder / "route.json").read_text())["utilization"].items()}
    if BOARDS[name].toolchain == "ecp5":
        lut, ff = used["TRELLIS_COMB"] + 2 * used["TRELLIS_RAMW"], used["TRELLIS_FF"]
        return Area(lut=lut, ff=ff, dsp=used["MULT18X18D"], bram_bits=used["DP16KD"] * ECP5_BLOCK_RAM_BITS)
    if BOARDS[name].toolchain == "gowin":
        lut, ff = used["LUT4"] + used["ALU"] + 4 * used["RAM16SDP4"], used["DFF"]
        dsp = used["MULT9X9"] + 2 * used["MULT18X18"]
        return Area(lut=lut, ff=ff, dsp=dsp, bram_bits=used["BSRAM"] * GW2A_BLOCK_RAM_BITS)
    bits = used["ICESTORM_RAM"] * ICE40_BLOCK_RAM_BITS
    return Area(lut=used["ICESTORM_LC"], ff=None, dsp=used["ICESTORM_DSP"], bram_bits=bits)


@pytest.mark.parametrize("name", [name for name, board in BOARDS.items() if board.toolchain != "vivado"])
def test_a_bitstream(name: str, tmp_path: Path) -> None:
    code, record, folder = built(name, tmp_path)
    assert (code, record.problem, record.met) == (0, None, True)
    assert record.fmax_mhz is not None
    assert record.fmax_mhz >= (record.clock_mhz or 0)
    assert (folder / (record.bitstream or "")).stat().st_size > 10_000
    said = reported(name, folder)
    for kind in ("lut", "ff", "dsp", "bram_bits"):
        assert sum(getattr(layer, kind) for layer in record.layers) == getattr(record.used, kind)
        assert getattr(said, kind) in (None, getattr(record.used, kind)), kind
    sizes = {layer.name: layer for layer in record.layers}
    assert all((sizes[row].lut or 0) > 20 for row in ("fc0", "d1", "fc1", "registers", "link"))
    assert sizes["fc0"].ff
    assert record.critical_path is not None
    assert record.critical_path.delay_ns == pytest.approx(1000 / record.fmax_mhz, abs=0.1)
    assert {record.critical_path.from_layer, record.critical_path.to_layer} <= set(sizes)
    available = BOARDS[name].capacity.area()
    sites = json.loads((folder / "route.json").read_text())["utilization"]
    logic = {"ecp5": "TRELLIS_COMB", "gowin": "LUT4", "ice40": "ICESTORM_LC"}[BOARDS[name].toolchain]
    memory = {"ecp5": "DP16KD", "gowin": "BSRAM", "ice40": "ICESTORM_RAM"}[BOARDS[name].toolchain]
    assert available.lut == sites[logic]["available"]
    assert BOARDS[name].capacity.block_rams == sites[memory]["available"]


@pytest.mark.parametrize("name", [name for name, board in BOARDS.items() if board.toolchain == "vivado"])
def test_an_estimate(name: str, tmp_path: Path) -> None:
    code, record, _ = built(name, tmp_path)
    assert (code, record.kind, record.top) == (0, "synth", "soc")
    assert (record.fmax_mhz, record.met, record.bitstream, record.critical_path) == (None, None, None, None)
    assert record.used.lut == sum(layer.lut or 0 for layer in record.layers)
    assert record.used.lut
    assert {layer.name for layer in record.layers}.isdisjoint({"link", "pads"})
