# SPDX-License-Identifier: Apache-2.0
"""How clips go through a simulator, and what a difference leads to. The simulators have their own tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_graph_file import small_graph

from codesign.errors import StageError
from codesign.flow import simulate
from codesign.flow.agree import compare, must_agree, read_comparison
from codesign.flow.simulate import load_rtl, run_csim, run_rtl, save_rtl
from codesign.flow.stage import Job, no_bar
from codesign.flow.stages import rtl
from codesign.graph.file import save_graph
from codesign.graph.golden import Golden
from codesign.graph.ir import Graph
from codesign.report.figures import run_golden
from codesign.rtl.emit import emit
from codesign.sim import EngineRun, RtlRun


def silently(items: Iterable[Any], total: int, text: str) -> Iterable[Any]:  # noqa: ARG001
    return items


class FakeSimulator:
    """The golden model with made-up cycles, one more each frame of a run."""

    calls: list[tuple[bool, int]]

    def __init__(self, graph: Graph, folder: Path, *, skip: bool) -> None:  # noqa: ARG002
        self.golden, self.skip = Golden(graph), skip

    def __enter__(self) -> FakeSimulator:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def reset(self) -> None:
        self.golden.reset()

    def run(self, frames: np.ndarray, *, stalls: None = None) -> RtlRun:  # noqa: ARG002
        type(self).calls.append((self.skip, len(frames)))
        count = np.arange(len(frames))
        engine = EngineRun(events=count, busy=count + 10, stalled=count)
        names = ("encode", *(node.name for node in self.golden.graph.linears))
        return RtlRun(
            outputs=self.golden.run(frames).outputs,
            cycles=count + 100,
            latency=count + 200,
            engines=dict.fromkeys(names, engine),
            total_cycles=0,
        )


@pytest.fixture
def clips() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (3, 7, 2, 3, 1)).astype(np.uint8)


def test_rtl_runs_every_clip_as_a_new_stream(
    clips: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeSimulator.calls = []
    monkeypatch.setattr(simulate, "RtlSimulator", FakeSimulator)
    graph = small_graph()
    outputs, figures = run_rtl(graph, clips, cache=tmp_path, dense_frames=4, track=silently)
    np.testing.assert_array_equal(outputs, run_golden(graph, clips).outputs)
    assert FakeSimulator.calls == [(True, 1), (True, 6)] * 3 + [(False, 4)]
    np.testing.assert_array_equal(figures.cycles, [[100, *range(100, 106)]] * 3)
    np.testing.assert_array_equal(figures.busy["fc"], [[10, *range(10, 16)]] * 3)
    assert figures.dense_cycles.tolist() == [101, 102, 103]
    save_rtl(figures, tmp_path)
    again = load_rtl(tmp_path)
    np.testing.assert_array_equal(again.latency, figures.latency)
    assert sorted(again.busy) == ["encode", "fc"]


class FakeProject:
    """A compiled HLS project that returns values, as hls4ml does."""

    def __init__(self, graph: Graph) -> None:
        self.golden, self.graph = Golden(graph), graph

    def reset(self) -> None:
        self.golden.reset()

    def predict(self, codes: np.ndarray) -> np.ndarray:
        assert codes.dtype.kind == "i"  # integers are codes
        return self.graph.output.fmt.to_values(self.golden.run(codes).outputs)


def test_csim_runs_every_clip_as_a_new_stream(clips: np.ndarray) -> None:
    graph = small_graph()
    outputs = run_csim(FakeProject(graph), graph, clips, silently)
    np.testing.assert_array_equal(outputs, run_golden(graph, clips).outputs)


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


def test_rtl_stage_writes_the_emitted_files(tmp_path: Path) -> None:
    (tmp_path / "2_graph").mkdir()
    (tmp_path / "3_rtl").mkdir()
    save_graph(small_graph(), tmp_path / "2_graph")
    upstream = {"2_graph": tmp_path / "2_graph"}
    rtl.run(Job(design=None, folder=tmp_path / "3_rtl", upstream=upstream, cache=tmp_path, bar=no_bar))
    files = emit(small_graph())
    assert {path.name for path in (tmp_path / "3_rtl").iterdir()} == set(files)
    assert (tmp_path / "3_rtl" / "small_top.sv").read_text() == files["small_top.sv"]
