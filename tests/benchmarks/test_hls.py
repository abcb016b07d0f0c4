# SPDX-License-Identifier: Apache-2.0
"""Cycles of the HLS C++ beside those of the RTL: the figures of a row, its limits, its table."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from fake_forms import FakeProject
from six_inputs import small_graph

from benchmarks.hls import HlsRow, _joined, _row, _together, tables, targets
from benchmarks.origin import Origin
from codesign.verify.golden_run import run_golden
from codesign.verify.hardware import RtlFigures
from codesign.verify.software import HlsFigures

PLACE = Origin(commit="0123456789ab", cpu=None, cores=2, load=0.0, tools={})


class Model(FakeProject):
    """A project whose kernels take 20 and more cycles a frame, one more each."""

    @property
    def delta_graph(self) -> Any:
        return self.graph


def rtl(busy: list[int], events: list[int]) -> RtlFigures:
    frames = len(busy)
    return RtlFigures(
        cycles=np.array([[99, *range(40, 39 + frames)]]),
        latency=np.zeros((1, frames), np.int64),
        busy={"fc": np.array([busy])},
        events={"fc": np.array([events])},
        dense_cycles=np.zeros(0, np.int64),
    )


def row() -> HlsRow:
    graph = small_graph()
    hls = HlsFigures(layers={"fc": np.array([[90, 30, 50]]), "fc_frame": np.array([[3, 44, 3]])})
    seen = dataclasses.replace(
        run_golden(graph, np.zeros((1, 3, 2, 3, 1), np.uint8)).layers[0], events=np.array([6, 40])
    )
    return _row("six", Model(graph), hls, rtl([80, 20, 20], [5, 6, 30]), [seen], frames=3, mismatches=0)


def test_a_row_leaves_the_first_frame_out_and_compares_layers_with_work_or_events() -> None:
    found = row()
    assert (found.hls.mean, found.hls.max) == (47.0, 50.0)  # the slower kernel of 44 and 30, and of 3 and 50
    assert (found.rtl.mean, found.ratio) == (40.5, 47.0 / 40.5)
    assert (found.worst_layer, found.worst_ratio) == ("fc", (30 + 50) / (20 + 40))
    assert found.unchanged == 22  # the third of three equal frames
    assert found.everything == 25  # the most of six frames but the first
    graph = small_graph()
    assert found.dense == max(graph.source.size, int(graph.engines[0].reach().sum()))


def test_targets_are_met_or_missed() -> None:
    good = dataclasses.replace(row(), worst_ratio=1.3, unchanged=200, input_beats=0, everything=100, dense=100)
    slow = dataclasses.replace(good, network="slow", mismatches=1, worst_ratio=1.31, unchanged=201, everything=106)
    met = {target.figure: target.met for target in targets([good, slow])}
    assert [figure for figure, kept in met.items() if not kept] == [
        "six: HLS / RTL, mean",
        "slow: mismatches",
        "slow: HLS / RTL, mean",
        "slow: HLS / RTL, worst layer (fc)",
        "slow: unchanged frame, cycles",
        "slow: everything changes / dense",
    ]


def test_the_tables_of_the_document() -> None:
    parts = tables([row()], PLACE)
    assert sorted(parts) == ["hls", "hls targets"]
    assert "| six | 3 | 47 / 50 / 50 | 40 / 41 / 41 | 1.160 | 22 (" in parts["hls"]
    assert "0123456789ab" in parts["hls"]
    assert parts["hls targets"].count("**MISSED**") == sum(not target.met for target in targets([row()]))


def test_clips_of_different_lengths_become_one() -> None:
    joined = _joined([np.array([[9, 1, 2]]), np.array([[9, 3]])])
    assert joined.tolist() == [[9, 1, 2, 3]]
    assert _together([rtl([1, 2], [1, 1]), rtl([5, 6, 7], [1, 1, 1])]).busy["fc"].tolist() == [[1, 2, 6, 7]]
