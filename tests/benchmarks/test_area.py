# SPDX-License-Identifier: Apache-2.0
"""Areas of the bench: the same network mapped with skipping and without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_design import small_graph

from benchmarks.area import measure_areas


@pytest.mark.heavy
def test_both_ways_are_mapped_from_the_same_sources(tmp_path: Path) -> None:
    found = measure_areas(small_graph(), tmp_path)
    assert (found.skipping.kind, found.skipping.target) == (found.dense.kind, found.dense.target) == ("synth", "ecp5")
    assert found.skipping.lut
    assert found.dense.lut
    assert found.skipping.dsp == found.dense.dsp
    assert found.lut_ratio == found.skipping.lut / found.dense.lut != 1.0
    scripts = [(tmp_path / way / "synth.ys").read_text() for way in ("skipping", "dense")]
    assert "Skip" in scripts[1]
    assert scripts[0] != scripts[1]
    cells = [json.loads((tmp_path / way / "stat.json").read_text()) for way in ("skipping", "dense")]
    assert cells[0] != cells[1]
