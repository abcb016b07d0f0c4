# SPDX-License-Identifier: Apache-2.0
"""What skipping brings against the project's targets on the 1024-64-32-10 network; and the bench's own arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import dense as bench
from benchmarks.speed import Speed, speed
from benchmarks.still import unchanged_cycles
from benchmarks.targets import dense_targets
from codesign.errors import SimulationError
from codesign.graph.cycles import dense_cycles, estimate
from codesign.graph.golden import Golden
from codesign.graph.sparsity import activity
from codesign.sim import RtlSimulator

pytestmark = pytest.mark.timeout(600)


def test_efficiency_and_never_slower_than_dense(rtl_cache: Path) -> None:
    graph = bench.network()
    rows = bench.table(graph, rtl_cache)
    with RtlSimulator(graph, rtl_cache) as simulator:
        unchanged = unchanged_cycles(simulator, bench.stream(graph, 1, 0.0))
    fast = Speed(harness_frames_per_s=20.0, cocotb_frames_per_s=1.0, ratio=20.0)
    targets = dense_targets(rows, unchanged, graph.source.beats, fast)
    assert [row.density for row in rows] == list(bench.DENSITIES)
    assert all(target.met for target in targets), [*rows, *targets]
    assert rows[0].cycles == rows[0].ideal_cycles == graph.source.beats
    # With nothing changed a frame takes its beats and the depth of the pipeline: nothing waits for a layer's words.
    assert unchanged <= graph.source.beats + 48


def test_the_cycle_model_predicts_layers_and_frames(rtl_cache: Path) -> None:
    graph = bench.network()
    with RtlSimulator(graph, rtl_cache) as simulator:
        for density in bench.DENSITIES:
            frames = bench.stream(graph, 24, density)
            layers = activity(graph, Golden(graph).run(frames))
            simulator.reset()
            simulator.run(frames[:1])
            run = simulator.run(frames[1:])
            found = estimate(graph, {layer.name: layer.events for layer in layers})
            assert found.cycles.mean() == pytest.approx(run.cycles.mean(), rel=0.05)
            for name, cycles in found.layers.items():
                assert cycles.mean() == pytest.approx(run.engines[name].busy.mean(), rel=0.05), (density, name)
    assert dense_cycles(graph) == pytest.approx(bench.dense_cycles(graph, rtl_cache), rel=0.05)


def test_speed_takes_a_relative_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    graph = bench.network(shape=(4, 8), outputs=(8, 4))
    (folder := Path("build")).mkdir()
    rate = speed(graph, folder, frames=4)
    assert rate.ratio == rate.harness_frames_per_s / rate.cocotb_frames_per_s > 0


def test_a_wrong_output_is_an_error(monkeypatch: pytest.MonkeyPatch, rtl_cache: Path) -> None:
    graph = bench.network()
    with RtlSimulator(graph, rtl_cache) as simulator:
        other = Golden(bench.network(seed=2))
        monkeypatch.setattr(bench, "Golden", lambda _: other)
        with pytest.raises(SimulationError, match="differs from the golden model"):
            bench.measure(simulator, 4096.0, 1.0)


@pytest.mark.parametrize("density", bench.DENSITIES)
def test_the_stream_has_exactly_the_density_it_says(density: float) -> None:
    graph = bench.network()
    codes = bench.stream(graph, 20, density).reshape(20, -1)
    changed = (np.diff(codes, axis=0) != 0).sum(axis=1)
    assert set(changed.tolist()) == {round(density * 1024)}
    assert codes.min() >= graph.source.fmt.lo
    assert codes.max() <= graph.source.fmt.hi
