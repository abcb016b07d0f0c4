# SPDX-License-Identifier: Apache-2.0
"""Unrolled by da4ml against the event engine: the layers, the steps that are bounded, the tables; heavy: for real."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmarks import da4ml
from benchmarks.da4ml import Limits, Unrolled, unroll
from benchmarks.layers import square, trained
from benchmarks.unrolled import DENSITIES, DEVICE_LUT, At, Versus, measure, measure_all
from benchmarks.unrolled_tables import unrolled_tables
from codesign import tools
from codesign.errors import SimulationError, SynthesisError, ToolNotFoundError
from codesign.fixed import Fixed
from codesign.graph.file import save_graph
from codesign.graph.golden import Golden
from codesign.graph.ir import Dense
from codesign.synth.resources import Resources

DASH = "\N{EN DASH}"


def resources(lut: int) -> Resources:
    return Resources(
        target="ecp5", tool="yosys", tool_version="0.70", kind="synth", lut=lut, ff=900, dsp=16, bram_bits=18432,
        fmax_mhz=None,
    )  # fmt: skip


def versus(size: int, lut: int | None, **known: object) -> Versus:
    return Versus(
        name=f"{size} x {size}, random",
        inputs=size,
        outputs=size,
        code_bits=4,
        weight_bits=6,
        pe=16,
        unrolled=Unrolled(lut=lut, ff=500, dsp=0, bram_bits=0, stages=3, **known),  # type: ignore[arg-type]
        skipping=resources(2000),
        dense=resources(1800),
        dense_cycles=256.0,
        at=(At(density=0.05, cycles=12.0), At(density=0.2, cycles=50.0)),
    )


def test_a_square_layer_is_seeded_and_what_it_says() -> None:
    layer = square(16, seed=1)
    node = layer.graph.nodes[-1]
    assert isinstance(node, Dense)
    assert (layer.shape, node.pe, layer.graph.source.fmt) == ((16, 16), 16, Fixed(width=4, frac=4, signed=False))
    assert node.weight.min() >= -32
    assert node.weight.max() <= 31
    np.testing.assert_array_equal(node.weight, square(16, seed=1).graph.nodes[-1].weight)  # type: ignore[union-attr]
    assert (node.weight != square(16, seed=2).graph.nodes[-1].weight).any()  # type: ignore[union-attr]


def test_a_trained_layer_comes_with_the_codes_it_sees(tmp_path: Path) -> None:
    from benchmarks.dense import network, stream

    graph = network(shape=(2, 4, 1), outputs=(6, 4))
    (tmp_path / "2_graph").mkdir()
    save_graph(graph, tmp_path / "2_graph")
    clips = stream(graph, 5, 0.5)[None]
    np.savez(tmp_path / "2_graph" / "clips.npz", clips=clips.astype(np.uint8))
    first, second = trained(tmp_path)
    assert (first.name, second.name) == ("8 x 6, fc0 of bench", "6 x 4, fc1 of bench")
    trace = Golden(graph).run(clips[0])
    np.testing.assert_array_equal(second.clip, trace.codes["d1"])
    np.testing.assert_array_equal(Golden(second.graph).run(trace.codes["d1"]).outputs, trace.outputs)


def test_da4ml_writes_plain_verilog_of_the_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = square(4, seed=1)
    frames = np.arange(32).reshape(8, 4) % 16
    mapped = resources(230)
    monkeypatch.setattr(da4ml, "_map", lambda *_: mapped)
    monkeypatch.setattr(da4ml, "_mismatches", lambda *_: 0)
    found = unroll(layer.graph, frames, tmp_path, Limits(), most_lut=DEVICE_LUT)
    assert (found.lut, found.frames, found.mismatches, found.stopped) == (230, 8, 0, None)
    assert found.stages is not None
    assert found.latency_cycles == found.stages + 1
    assert found.estimate_lut is not None
    assert found.estimate_lut > 50
    text = (tmp_path / "verilog" / "src" / "unrolled.v").read_text()
    assert "module unrolled (" in text
    small = unroll(layer.graph, frames, tmp_path, Limits(), most_lut=10)
    assert (small.lut, small.estimate_lut) == (None, found.estimate_lut)
    assert "more than the device has" in str(small.stopped)


@pytest.mark.parametrize(("late", "step"), [("write", "da4ml"), ("_map", "Yosys"), ("_mismatches", "its simulation")])
def test_what_takes_too_long_is_said_and_what_is_known_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str, step: str
) -> None:
    def child(mode: str, folder: Path, limit_s: float) -> None:
        if mode == late:
            tools.run(["sleep", "9"], folder, folder / "log", limit_s, error=SynthesisError)
        (folder / "facts.json").write_text('{"lut": 100, "stages": 2}')

    def slow(*arguments: object) -> None:
        tools.run(["sleep", "9"], tmp_path, tmp_path / "log", float(str(arguments[-1])), error=SynthesisError)

    monkeypatch.setattr(da4ml, "_child", child)
    monkeypatch.setattr(da4ml, "_map", slow if late == "_map" else lambda *_: resources(120))
    monkeypatch.setattr(da4ml, "_mismatches", slow if late == "_mismatches" else lambda *_: 0)
    limits = Limits(solve_s=0.2, synthesise_s=0.2, simulate_s=0.2)
    found = unroll(square(4, seed=1).graph, np.zeros((2, 4), np.int64), tmp_path, limits, most_lut=DEVICE_LUT)
    assert found.stopped == f"{step} does not finish in 0.2 s"
    assert found.estimate_lut == (None if late == "write" else 100)
    assert found.lut == (120 if late == "_mismatches" else None)
    assert found.mismatches is None


def test_a_failure_is_not_called_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_mode: str, folder: Path, limit_s: float) -> None:
        tools.run(["false"], folder, folder / "log", limit_s, error=SynthesisError)

    monkeypatch.setattr(da4ml, "_child", broken)
    with pytest.raises(SynthesisError, match="exit status 1"):
        unroll(square(4, seed=1).graph, np.zeros((2, 4), np.int64), tmp_path, Limits(), most_lut=1)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolNotFoundError, match="pip install 'da4ml"):
        unroll(square(4, seed=1).graph, np.zeros((2, 4), np.int64), tmp_path, Limits(), most_lut=1)


def test_a_wrong_value_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, frames = square(4, seed=1).graph, np.ones((3, 4), np.int64)
    right = Golden(graph).run(frames).outputs

    def child(_mode: str, folder: Path, _limit_s: float) -> None:
        np.save(folder / "outputs.npy", right + (np.arange(right.size).reshape(right.shape) == 5))

    monkeypatch.setattr(da4ml, "_child", child)
    with pytest.raises(SimulationError, match=r"da4ml's Verilog differs.*1 values"):
        da4ml._mismatches(graph, frames, tmp_path, 1.0)


def test_the_tables_say_who_wins_and_where_the_device_is_full() -> None:
    late = versus(
        128, None, estimate_lut=110_000, stopped="not mapped: da4ml's own estimate is more than the device has"
    )
    text = unrolled_tables([versus(32, 12_000), versus(64, 48_000), late])["unrolled"]
    for part in (
        "| 32 x 32, random | 12,000 (14 %) | 500 | 4 | 2,000 | 900 | 16 | 18 | 1,800 |",
        "| 64 x 64, random | 5.0 % | 1 | 12 | 256 | 48 | **24** | 461 |",
        "| 64 x 64, random | 20.0 % | 1 | 50 | 256 | **48** | 100 | 461 |",
        "| 128 x 128, random | (da4ml: 110,000) |",
        f"| 128 x 128, random | 5.0 % | {DASH} | 12 | 256 | {DASH} | **24** | 461 |",
        "4.0 times as many as 32 x 32. Going on like this, 84 x 84",  # 64 * sqrt(83640 / 48000) = 84.5
        "128 x 128, random: not mapped",
        "skipping takes less than unrolled in 1 of the 4 cases that were\nmapped both ways: 64 x 64, random at 5.0 %.",
    ):
        assert part in text
    alone = unrolled_tables([versus(32, 12_000)])["unrolled"]
    assert "is full is not known" in alone
    assert "in 0 of the 2 cases that were\nmapped both ways." in alone
    assert "No layer was mapped both ways" in unrolled_tables([late])["unrolled"]


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_both_sides_agree_and_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = square(8, seed=1)
    monkeypatch.setattr("benchmarks.unrolled.unroll", lambda *_, **__: Unrolled(stopped="not tried"))
    monkeypatch.setattr("benchmarks.unrolled.synthesise", lambda *_, **__: resources(1000))
    (row,) = measure_all(tmp_path, seed=1, sizes=(8,), design=tmp_path / "none")
    assert (row.name, row.pe, row.unrolled.stopped) == ("8 x 8, random", 8, "not tried")
    assert [at.density for at in row.at] == [max(1, round(share * 8)) / 8 for share in DENSITIES]
    assert row.at[0].cycles <= row.at[-1].cycles <= row.dense_cycles
    clip = dataclasses.replace(layer, clip=np.array([[0] * 8, [1] + [0] * 7, [1] + [0] * 7, [1, 2] + [0] * 6]))
    (at,) = measure(clip, tmp_path, Limits(), seed=1).at
    assert at.density == pytest.approx(2 / 24)


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_da4ml_for_real_on_a_small_layer(tmp_path: Path) -> None:
    row = measure(square(8, seed=1), tmp_path, Limits(), seed=1)
    found = row.unrolled
    assert (found.frames, found.mismatches, found.stopped) == (da4ml.FRAMES, 0, None)
    assert found.lut is not None
    assert 500 < found.lut < 3000
    assert (found.dsp, found.bram_bits) == (0, 0)
    assert row.skipping.dsp == 8
