# SPDX-License-Identifier: Apache-2.0
"""Targets, tables and JSON of the bench, on figures that are made up."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.area import Areas
from benchmarks.conv import ClipRow, ConvRun
from benchmarks.dense import Row
from benchmarks.origin import Origin, origin
from benchmarks.record import Measured, write_json
from benchmarks.speed import Speed
from benchmarks.tables import tables
from codesign.errors import ConfigError
from codesign.report.document import fill
from codesign.report.model import Mismatches
from codesign.synth import Resources

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"


def clip_row(name: str, speedup: float, csim: int = 0) -> ClipRow:
    return ClipRow(
        name=name,
        frames=60,
        values=600,
        mismatches=Mismatches(keras_golden=0, golden_csim=csim, golden_rtl=0),
        mismatches_with_stalls=0,
        density=0.05,
        ideal_cycles=950.0,
        cycles=1000.0,
        skip_efficiency=0.95,
        speedup=speedup,
        latency_cycles=500.0,
    )


def areas(skipping: int) -> Areas:
    """Return a network of 20,000 LUTs, and of so many with skipping."""
    dense = Resources(
        target="ecp5",
        tool="yosys",
        tool_version=None,
        kind="synth",
        lut=20000,
        ff=1,
        dsp=1,
        bram_bits=1,
        fmax_mhz=None,
    )
    return Areas(skipping=dataclasses.replace(dense, lut=skipping), dense=dense)


def conv_run(hold: float | None, *speedups: float) -> ConvRun:
    return ConvRun(
        hold=hold,
        input_beats=256,
        dense_cycles=20000.0,
        noise_cycles=10000.0,
        noise_mismatches=0,
        unchanged_cycles=340,
        frames_per_s=200.0,
        frames_per_core_s=400.0,
        areas=areas(27000),
        clips=tuple(clip_row(f"clip_{n}", speedup) for n, speedup in enumerate(speedups)),
    )


def measured() -> Measured:
    row = Row(
        density=0.1,
        ideal_cycles=95.0,
        cycles=100.0,
        dense_cycles=1000.0,
        efficiency=0.95,
        dense_ratio=0.1,
        latency_cycles=10.0,
    )
    return Measured(
        command="a command",
        origin=Origin(commit="0123", cpu=None, cores=2, load=0.0, tools={"verilator": "5.048", "g++": None}),
        video="2 clips",
        seed=1,
        rows=(row,),
        beats=64,
        unchanged=100,
        speed=Speed(harness_frames_per_s=2000.0, cocotb_frames_per_s=40.0, ratio=50.0),
        conv=(conv_run(None, 10.0, 18.0), conv_run(1.0, 30.0, 50.0)),
    )


def missed(figures: Measured) -> list[str]:
    return [target.figure for target in (*figures.dense_targets(), *figures.conv_targets()) if not target.met]


def test_every_target_is_met_at_its_limit_and_missed_beyond() -> None:
    figures = measured()
    assert missed(figures) == []
    assert figures.met()
    memoryless, hold = figures.conv
    bad = dataclasses.replace(
        figures,
        rows=(dataclasses.replace(figures.rows[0], efficiency=0.89, dense_ratio=1.03),),
        unchanged=265,
        speed=dataclasses.replace(figures.speed, ratio=19.9),
        conv=(
            dataclasses.replace(memoryless, noise_cycles=20401.0, unchanged_cycles=457, frames_per_core_s=299.0),
            dataclasses.replace(
                hold, noise_mismatches=1, areas=areas(27001), clips=(clip_row("a", 24.9), clip_row("b", 50.0, csim=1))
            ),
        ),
    )
    assert not bad.met()
    assert missed(bad) == [
        "least skip efficiency, densities 0.02 to 0.5",
        "most measured / dense",
        "unchanged frame, cycles",
        "harness / cocotb, frames/s",
        "memoryless: noise video, measured / dense",
        "memoryless: unchanged frame, cycles",
        "memoryless: simulated frames/s of processor time",
        "hold = 1: mismatches",
        "hold = 1: speed-up over dense, mean",
        "hold = 1: speed-up over dense, least of the clips",
        "hold = 1: LUTs / dense",
    ]
    assert bad.conv[1].mismatches == 2
    assert tables(bad)["conv targets"].count("**MISSED**") == 7


def test_means_are_over_clips() -> None:
    run = conv_run(None, 10.0, 18.0)
    assert (run.mean("speedup"), run.least("speedup"), run.values) == (14.0, 10.0, 1200)
    assert (run.noise_ratio, run.latency_share) == (0.5, 0.025)
    assert run.areas.lut_ratio == 1.35
    assert run.throughput_per_lut == pytest.approx(14.0 / 1.35)


def test_the_tables_fill_the_document_and_fill_it_again(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    prose = document.read_text(encoding="utf-8").split("<!-- begin origin -->")[0]
    fill(document, tables(measured()))
    once = document.read_text(encoding="utf-8")
    fill(document, tables(measured()))
    assert document.read_text(encoding="utf-8") == once
    assert once.startswith(prose)
    for text in (
        "commit 0123",
        "unknown processor",
        "| 0.1 | 95 | 100.0 | 0.950 | 0.100 | 10.0 |",
        "14.0 (10.0)",
        "27,000 / 20,000 = 1.350",
        "clip_1",
    ):
        assert text in once


def test_a_document_without_a_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such document"):
        fill(tmp_path / "none.md", {"a": ""})
    (document := tmp_path / "a.md").write_text("<!-- begin a -->\n")
    with pytest.raises(ConfigError, match=r"place of a table is not marked.*begin a"):
        fill(document, {"a": ""})


def test_json_has_settings_figures_and_targets(tmp_path: Path) -> None:
    write_json(measured(), path := tmp_path / "new" / "performance.json")
    record = json.loads(path.read_text())
    assert record["origin"]["commit"] == "0123"
    assert record["conv"]["settings"]["first_measured_frame"] == 10
    memoryless, hold = record["conv"]["networks"]
    assert memoryless["hold"] is None
    assert hold["summary"]["speedup"] == {"mean": 40.0, "least": 30.0}
    pairs = {"keras_golden": 0, "golden_csim": 0, "golden_rtl": 0, "golden_hls": None}
    assert hold["clips"][0]["mismatches"] == pairs
    assert all(target["met"] for part in ("dense", "conv") for target in record[part]["targets"])


def test_the_origin_names_the_machine() -> None:
    here = origin()
    assert here.cores >= 1
    assert here.tools["verilator"] is not None


def test_bad_clips_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clips", str(tmp_path), "--folder", str(tmp_path)]) == 2
    assert "there are no videos" in capsys.readouterr().err
