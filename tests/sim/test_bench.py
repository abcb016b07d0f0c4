# SPDX-License-Identifier: Apache-2.0
"""What skipping brings, held to the project's targets on the 1024-64-32-10 network; and the bench's own arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codesign.errors import SimulationError
from codesign.golden import Golden
from codesign.sim import RtlSimulator, bench
from codesign.sim.bench import Row, Speed

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("rtl_bench")]


def test_efficiency_and_never_slower_than_dense(rtl_cache: Path) -> None:
    graph = bench.network()
    rows = bench.table(graph, rtl_cache)
    fast = Speed(harness_frames_per_s=1.0, cocotb_frames_per_s=1.0, ratio=bench.SPEED_TARGET)
    print(bench.report(rows, fast))
    assert [row.density for row in rows] == list(bench.DENSITIES)
    for row in rows:
        if 0.02 <= row.density <= 0.5:
            assert row.efficiency >= bench.EFFICIENCY_TARGET, row
        assert row.dense_ratio <= bench.DENSE_RATIO_TARGET, row
    assert rows[0].cycles == rows[0].ideal_cycles == graph.source.beats
    # With nothing changed a frame takes its beats and the depth of the pipeline: nothing waits for a layer's words.
    with RtlSimulator(graph, rtl_cache) as simulator:
        still = np.repeat(bench.stream(graph, 1, 0.0), 4, axis=0)
        simulator.run(still[:1])
        assert all(simulator.run(still[:1]).latency[0] <= 48 for _ in range(3))


def test_speed_takes_a_relative_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    graph = bench.network(shape=(4, 8), outputs=(8, 4))
    (folder := Path("build")).mkdir()
    rate = bench.speed(graph, folder, frames=4)
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


def test_targets() -> None:
    def row(density: float, efficiency: float, ratio: float) -> Row:
        return Row(
            density=density,
            ideal_cycles=1.0,
            cycles=1.0,
            dense_cycles=1.0,
            efficiency=efficiency,
            dense_ratio=ratio,
            latency_cycles=1.0,
        )

    speed = Speed(harness_frames_per_s=100.0, cocotb_frames_per_s=10.0, ratio=10.0)
    good, bad = (row(0.1, 0.95, 0.1), row(1.0, 0.5, 1.0)), (row(0.1, 0.85, 0.1), row(1.0, 1.0, 1.03))
    assert bench.targets(good, speed) == (True, True, False)
    assert bench.targets(bad, speed) == (False, False, False)
    assert bench.report(bad, speed).count("MISSED") == 3
