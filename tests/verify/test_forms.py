# SPDX-License-Identifier: Apache-2.0
"""How clips go through a simulator, and what a difference leads to. The simulators have their own tests."""

from __future__ import annotations

import dataclasses
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_forms import FakeProject, FakeSimulator
from six_inputs import small_graph

from codesign import verify
from codesign.errors import SimulationError, StageError
from codesign.flow.stage import Job, no_bar
from codesign.flow.stages import rtl
from codesign.graph.file import save_graph
from codesign.graph.ir import Graph
from codesign.rtl.project import emit
from codesign.sim import RtlRun
from codesign.verify import forms
from codesign.verify.compare import compare, must_agree, read_comparison
from codesign.verify.golden_run import GOLDEN, load_golden, run_golden, save_golden
from codesign.verify.hardware import load_rtl, run_rtl, save_rtl
from codesign.verify.software import CYCLES, load_hls, run_csim, save_hls


@pytest.fixture
def clips() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (3, 7, 2, 3, 1)).astype(np.uint8)


def making(kind: Any, graph: Graph, folder: Path) -> Any:
    """Return what makes simulators of that kind."""
    return partial(kind, graph, folder / "verilator", files=emit(graph))


def test_rtl_runs_every_clip_as_a_new_stream(clips: np.ndarray, tmp_path: Path) -> None:
    FakeSimulator.calls = []
    graph = small_graph()
    outputs, figures = run_rtl(making(FakeSimulator, graph, tmp_path), clips, dense_frames=4)
    np.testing.assert_array_equal(outputs, run_golden(graph, clips).outputs)
    assert [call for call in FakeSimulator.calls if call != (False, 4)] == [(True, 1), (True, 6)] * 3
    assert FakeSimulator.calls.count((False, 4)) == 1  # in a thread of its own
    np.testing.assert_array_equal(figures.cycles, [[100, *range(100, 106)]] * 3)
    np.testing.assert_array_equal(figures.busy["fc"], [[10, *range(10, 16)]] * 3)
    assert figures.dense_cycles.tolist() == [101, 102, 103]
    save_rtl(figures, tmp_path)
    again = load_rtl(tmp_path)
    np.testing.assert_array_equal(again.latency, figures.latency)
    assert sorted(again.busy) == ["encode", "fc"]


def test_clips_are_shared_by_two_simulators(tmp_path: Path) -> None:
    clips = np.random.default_rng(6).integers(0, 256, (5, 3, 2, 3, 1)).astype(np.uint8)
    made = []

    class Counted(FakeSimulator):
        def __init__(self, *args: Any, **options: Any) -> None:
            made.append(self)
            super().__init__(*args, **options)

    FakeSimulator.calls = []
    graph = small_graph()
    outputs, figures = run_rtl(making(Counted, graph, tmp_path), clips, dense_frames=0)
    assert len(made) == 2
    assert figures.dense_cycles.size == 0
    np.testing.assert_array_equal(outputs, run_golden(graph, clips).outputs)


def test_one_simulator_that_fails_stops_the_others(clips: np.ndarray, tmp_path: Path) -> None:
    class Fails(FakeSimulator):
        ended = threading.Event()

        def run(self, frames: np.ndarray, *, stalls: None = None) -> RtlRun:
            if self.skip:
                raise SimulationError("the design hangs")
            assert self.ended.wait(60), "not stopped"
            return super().run(frames, stalls=stalls)

        def stop(self) -> None:
            self.ended.set()

    FakeSimulator.calls = []
    graph = small_graph()
    with pytest.raises(SimulationError, match="the design hangs"):
        run_rtl(making(Fails, graph, tmp_path), clips, dense_frames=4)
    assert Fails.ended.is_set()


def test_csim_runs_every_clip_as_a_new_stream(clips: np.ndarray, tmp_path: Path) -> None:
    graph = small_graph()
    outputs, figures = run_csim(FakeProject(graph), graph, clips)
    np.testing.assert_array_equal(outputs, run_golden(graph, clips).outputs)
    np.testing.assert_array_equal(figures.layers["fc"], [range(20, 27)] * 3)
    np.testing.assert_array_equal(figures.cycles, [[22, 22, 22, 23, 24, 25, 26]] * 3)  # the slowest layer
    save_hls(figures, tmp_path)
    again = load_hls(tmp_path)
    assert sorted(again.layers) == ["encode", "fc"]
    np.testing.assert_array_equal(again.cycles, figures.cycles)


def test_cycles_of_the_hls_that_are_none(tmp_path: Path) -> None:
    bad: tuple[dict[str, Any], ...] = ({"layers/fc": np.zeros((3, 0), np.int64)}, {"other": np.zeros((3, 2), np.int64)})
    for arrays in bad:
        np.savez_compressed(tmp_path / CYCLES, **arrays)
        with pytest.raises(StageError, match=CYCLES):
            load_hls(tmp_path)


def test_agreement_is_written(tmp_path: Path) -> None:
    values = np.arange(24).reshape(2, 3, 4)
    must_agree(compare("golden_rtl", values, values.copy()), tmp_path)
    found = read_comparison(tmp_path, "golden_rtl")
    assert (found.frames, found.values, found.mismatches) == (6, 24, 0)


def test_a_difference_stops_the_flow_and_says_where(tmp_path: Path) -> None:
    values = np.arange(24).reshape(2, 3, 4)
    wrong = values.copy()
    wrong[1, 0, 2] = 99
    with pytest.raises(StageError, match=r"1 of 24 .* differ.*clip 1, frame 0, output \[2\]: 14 against 99"):
        must_agree(compare("golden_rtl", values, wrong), tmp_path)
    assert read_comparison(tmp_path, "golden_rtl").mismatches == 1


def test_a_wrong_shape_is_all_wrong() -> None:
    values = np.zeros((2, 3, 4), np.int64)
    assert compare("golden_csim", values, values[:, :2]).mismatches == 24


def test_what_the_golden_model_did_comes_back_from_disk(clips: np.ndarray, tmp_path: Path) -> None:
    graph = small_graph()
    run = run_golden(graph, clips)
    save_golden(run, tmp_path)
    again = load_golden(graph, tmp_path)
    for name in ("outputs", "ideal", "least"):
        np.testing.assert_array_equal(getattr(again, name), getattr(run, name))
    for layer, was in zip(again.layers, run.layers, strict=True):
        assert (layer.name, layer.elements, layer.macs) == (was.name, was.elements, was.macs)
        for count in ("events", "active_macs", "spatial_macs", "ideal_cycles", "words"):
            np.testing.assert_array_equal(getattr(layer, count), getattr(was, count))


@pytest.mark.parametrize("change", ["outputs", "fc/events", "least", "another network"])
def test_a_golden_run_of_something_else_is_refused(change: str, clips: np.ndarray, tmp_path: Path) -> None:
    run = run_golden(small_graph(), clips)
    save_golden(run, tmp_path)
    arrays = dict(np.load(tmp_path / GOLDEN))
    if change == "another network":
        arrays = {key.replace("fc/", "other/"): values for key, values in arrays.items()}
    else:
        arrays[change] = arrays[change][..., :-1]
    np.savez(tmp_path / GOLDEN, **arrays)
    with pytest.raises(StageError, match=GOLDEN):
        load_golden(small_graph(), tmp_path)


def test_every_form_is_compared_and_a_difference_is_counted(
    clips: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeSimulator.calls = []
    monkeypatch.setattr(forms, "RtlSimulator", FakeSimulator)
    graph = small_graph()
    found = verify.run(graph, clips, cache=tmp_path, hls=FakeProject(graph))
    assert [item.pair for item in found.comparisons] == ["golden_csim", "golden_rtl"]
    assert found.mismatches == 0
    assert not found.rtl.dense_cycles.size
    weight = graph.linears[0].weight.copy()
    weight.flat[0] += 1
    wrong = Graph(name=graph.name, nodes=tuple(replace_weight(node, weight) for node in graph.nodes))
    assert verify.run(graph, clips, cache=tmp_path, hls=FakeProject(wrong)).mismatches > 0


def replace_weight(node: Any, weight: np.ndarray) -> Any:
    return dataclasses.replace(node, weight=weight) if hasattr(node, "weight") else node


def test_rtl_stage_writes_the_emitted_files(tmp_path: Path) -> None:
    (tmp_path / "2_graph").mkdir()
    (tmp_path / "3_rtl").mkdir()
    save_graph(small_graph(), tmp_path / "2_graph")
    upstream = {"2_graph": tmp_path / "2_graph"}
    rtl.run(Job(design=None, folder=tmp_path / "3_rtl", upstream=upstream, cache=tmp_path, bar=no_bar))
    files = emit(small_graph())
    assert {path.name for path in (tmp_path / "3_rtl").iterdir()} == set(files)
    assert (tmp_path / "3_rtl" / "small_top.sv").read_text() == files["small_top.sv"]
