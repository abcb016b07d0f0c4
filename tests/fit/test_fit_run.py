# SPDX-License-Identifier: Apache-2.0
"""What `codesign fit` writes is what `codesign run` builds, bit for bit, and about as fast and as large as it said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fit_cases import two_convolutions
from flow.test_conv_design import TOML

from codesign.cli import main
from codesign.fit.resources import Cells, resource_model
from codesign.graph.file import load_graph
from codesign.synth import synthesise_graph
from codesign.verify.compare import read_comparison
from codesign.verify.hardware import load_rtl, steady

pytestmark = pytest.mark.heavy
CLOCK_MHZ = 1.0


@pytest.mark.timeout(3000)
def test_a_fitted_design_has_no_mismatch_and_its_cycles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, build = tmp_path / "tiny.toml", tmp_path / "build"
    path.write_text(TOML.replace("frames = 5\n", "frames = 64\n"))
    assert main(["run", str(path), "--build-dir", str(build), "--to", "2_graph"]) == 0
    before = load_graph(build / "tiny" / "2_graph")
    fitted = tmp_path / "fitted.toml"
    capsys.readouterr()
    arguments = ["fit", str(build / "tiny"), "--target", "ulx3s-85f", "--clock", str(CLOCK_MHZ)]
    assert main([*arguments, "--fps", "5000", "--write", str(fitted)]) == 0
    said = capsys.readouterr().out
    predicted = float(said.split(" at the mean (")[1].split(")")[0].replace(",", ""))
    assert main(["run", str(fitted), "--build-dir", str(build), "--to", "4_rtlsim"]) == 0
    assert "1_model cached" in capsys.readouterr().out
    after = load_graph(build / "tiny" / "2_graph")
    assert [node.pe for node in after.engines] != [node.pe for node in before.engines], "it was written"
    assert read_comparison(build / "tiny" / "4_rtlsim", "golden_rtl").mismatches == 0
    cycles = steady(load_rtl(build / "tiny" / "4_rtlsim").cycles)
    assert float(np.mean(cycles)) == pytest.approx(predicted, rel=0.1)


@pytest.mark.timeout(1200)
def test_cells_are_as_yosys_counts_them(tmp_path: Path) -> None:
    graph = two_convolutions(pe=2, lanes=4)
    made = synthesise_graph(graph, target="ecp5", folder=tmp_path)
    cells = sum(resource_model().nodes(graph).values(), Cells())
    area = cells.area()
    assert (area.dsp, area.bram_bits) == (made.dsp, made.bram_bits)
    assert area.lut == pytest.approx(made.lut, rel=0.1)
    assert area.ff == pytest.approx(made.ff, rel=0.1)
