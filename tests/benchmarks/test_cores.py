# SPDX-License-Identifier: Apache-2.0
"""Networks on simulated cores: a row for each that fits, beside those of pipelines."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from six_inputs import small_graph

from benchmarks import cores
from benchmarks.networks import Row
from codesign.core import CoreConfig
from codesign.graph.file import save_graph
from codesign.paths import BuildFolder
from codesign.sim.memory import DDR
from codesign.verify.clips import save_clips

CORE = cores.Core(name="small", config=CoreConfig(lanes=8, quantisers=4), timing=DDR, clock_mhz=100.0, baud=1_000_000)


def test_a_row(rtl_cache: Path) -> None:
    graph = small_graph()
    clip = np.zeros((4, *graph.source.shape), np.int64)
    clip[2:] = 1
    row = cores.run("small", graph, clip, CORE, rtl_cache)
    assert (row.architecture, row.target, row.mismatches, row.values) == ("core", "small", 0, 4 * graph.output.size)
    assert row.cycles_per_frame is not None
    assert row.dense_cycles_per_frame is not None
    assert row.frames_per_second == 1e8 / row.cycles_per_frame
    assert 0 < (row.load_seconds or 0) < 1
    assert row.bytes_per_frame is None


def test_what_does_not_fit_is_said(capsys: pytest.CaptureFixture[str], rtl_cache: Path) -> None:
    graph = small_graph()
    tiny = replace(CORE, config=replace(CORE.config, weight_lines=2))
    assert cores._tried("small", graph, np.zeros((2, *graph.source.shape), np.int64), tiny, rtl_cache) is None
    assert "small on small: " in capsys.readouterr().out


def test_designs_are_taken_from_their_build_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = small_graph()
    (tmp_path / "small" / BuildFolder.GRAPH).mkdir(parents=True)
    save_graph(graph, tmp_path / "small" / BuildFolder.GRAPH)
    save_clips(np.zeros((1, 4, *graph.source.shape), np.uint8), tmp_path / "small" / BuildFolder.GRAPH)
    monkeypatch.setattr(
        cores, "run", lambda name, _, clip, core, __: Row(network=name, target=core.name, values=len(clip))
    )
    folders = {name: tmp_path / name for name in ("small", "missing")}
    assert cores.measure(folders, [CORE], 3) == [Row(network="small", target="small", values=3)]
    assert f"missing: no graph in {tmp_path / 'missing'}" in capsys.readouterr().out


def test_rows_go_beside_those_of_pipelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Row(network="vww_96", architecture="pipeline", cycles_per_frame=9.0)
    old = Row(network="vww_96", architecture="core", target="old", clock_mhz=1.0, values=1, mismatches=0)
    other = replace(old, network="kws_dscnn")
    (tmp_path / "rows.json").write_text(json.dumps([asdict(row) for row in (pipeline, old, other)]))
    (tmp_path / "doc.md").write_text("<!-- begin cores -->\n<!-- end cores -->\n")
    new = replace(old, target="new", cycles_per_frame=12.0, mismatches=1)
    monkeypatch.setattr(cores, "measure", lambda *_: [new])
    argv = ["--json", str(tmp_path / "rows.json"), "--markdown", str(tmp_path / "doc.md"), "--only", "vww_96"]
    assert cores.main(argv) == 1, "a value differs"
    assert json.loads((tmp_path / "rows.json").read_text()) == [asdict(row) for row in (pipeline, other, new)]
    text = (tmp_path / "doc.md").read_text()
    assert "| vww_96 | new | 12 | - | - | - at 1 MHz | - | 1 of 1 |" in text
    assert "kws_dscnn" in text
