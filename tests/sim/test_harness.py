# SPDX-License-Identifier: Apache-2.0
"""The C++ harness on a hand-written loopback top: transport of bits, timing, stalls, and every protocol check."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sim.loopback import Fault, identity, loopback

from codesign.errors import FrameError, SimulationError
from codesign.sim import RtlSimulator, Stalls, run_clip

BUSY = Stalls(seed=7, source_probability=0.3, sink_probability=0.5)


def frames(simulator: RtlSimulator, count: int, seed: int = 0) -> np.ndarray:
    source = simulator.graph.source
    codes = np.random.default_rng(seed).integers(source.fmt.lo, source.fmt.hi, (count, *source.shape), endpoint=True)
    codes[:1], codes[1:2] = source.fmt.lo, source.fmt.hi
    return codes


@pytest.fixture
def sim(monkeypatch: pytest.MonkeyPatch, rtl_cache: Path) -> RtlSimulator:
    return loopback(monkeypatch, rtl_cache)


@pytest.mark.parametrize(
    ("size", "lanes", "width", "signed"),
    [
        pytest.param(18, 4, 7, True, id="32 bits", marks=pytest.mark.heavy),
        pytest.param(5, 3, 20, False, id="72 bits"),
        pytest.param(33, 16, 40, True, id="640 bits"),
    ],
)
def test_every_bit_arrives(
    monkeypatch: pytest.MonkeyPatch, rtl_cache: Path, size: int, lanes: int, width: int, signed: bool
) -> None:
    with loopback(monkeypatch, rtl_cache, identity(size, lanes, width, signed=signed)) as sim:
        codes = frames(sim, 50)
        for stalls in (None, BUSY):
            np.testing.assert_array_equal(sim.run(codes, stalls=stalls).outputs, codes)


def test_cycles_latency_and_engine_work_of_each_frame(sim: RtlSimulator) -> None:
    run = sim.run(frames(sim, 10))
    assert run.cycles.tolist() == [5] * 10  # 5 beats a frame
    assert run.latency.tolist() == [1] * 10
    assert run.total_cycles == 50
    engine = run.engines["encode"]
    assert engine.events.tolist() == engine.busy.tolist() == [5] * 10
    assert engine.stalled.tolist() == [0] * 10


def test_stalls_slow_down_change_nothing_and_repeat_with_the_seed(sim: RtlSimulator) -> None:
    codes = frames(sim, 200)
    first, again = sim.run(codes, stalls=BUSY), sim.run(codes, stalls=BUSY)
    other = sim.run(codes, stalls=Stalls(seed=8, source_probability=0.3, sink_probability=0.5))
    assert first.cycles.tolist() == again.cycles.tolist() != other.cycles.tolist()
    assert first.total_cycles > 1.8 * 1000
    assert first.engines["encode"].stalled.sum() > 0
    assert first.engines["encode"].events.tolist() == [5] * 200
    source_only = sim.run(codes, stalls=Stalls(seed=1, source_probability=0.5, sink_probability=0.0))
    assert source_only.engines["encode"].stalled.sum() == 0
    assert 1.6 * 1000 < source_only.total_cycles < 2.4 * 1000


@pytest.mark.parametrize("probability", [-0.1, 1.0, float("nan")])
def test_a_stall_that_never_ends_is_refused(probability: float) -> None:
    with pytest.raises(SimulationError, match="0 <= p < 1"):
        Stalls(seed=1, source_probability=probability, sink_probability=0.0)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.HANG, "the design hangs"),
        (Fault.DROP_VALID, "tvalid fell"),
        (Fault.CHANGE_DATA, "changed while the sink stalled"),
        (Fault.MOVE_LAST, "tlast is on the wrong beat"),
        (Fault.STRAY, "belongs to no input frame"),
        (Fault.MISS_DONE, "frame_done pulses do not match"),
        (Fault.RAISE_ERROR, "error_o rose"),
        (Fault.ASSERTION, r"loopback_top\.sv:\d+"),
        (Fault.ENDLESS, "too many cycles"),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Fault) else "",
)
def test_a_broken_rule_is_an_error_and_a_hard_reset_recovers(sim: RtlSimulator, fault: Fault, message: str) -> None:
    # The fourth frame is the last one, so that a beat after it belongs to no frame.
    count = 3 if fault == Fault.STRAY else 10
    codes = frames(sim, count)
    sim.counter(fault << 4)
    with pytest.raises(SimulationError, match=message) as caught:
        sim.run(codes, stalls=BUSY)
    assert "output frame" in str(caught.value)
    assert "encode" in str(caught.value)
    with pytest.raises(SimulationError, match="the last run failed"):
        sim.run(codes)
    sim.reset(hard=True)
    np.testing.assert_array_equal(sim.run(codes).outputs, codes)


def test_a_hang_names_the_frame_and_the_beat(sim: RtlSimulator) -> None:
    sim.counter(Fault.HANG << 4)
    with pytest.raises(SimulationError, match=r"output frame 3 beat 1: the design hangs.*16 of 50 input beats"):
        sim.run(frames(sim, 10))


def test_a_limit_of_cycles_is_kept(sim: RtlSimulator) -> None:
    with pytest.raises(SimulationError, match=r"cycle 20, .*too many cycles"):
        sim.run(frames(sim, 10), max_cycles=20)


def test_a_new_stream_is_announced_once(sim: RtlSimulator) -> None:
    sim.run(frames(sim, 0))
    for _ in range(3):
        sim.run(frames(sim, 4))
    assert (sim.counter(0), sim.counter(1)) == (12, 1)
    sim.reset()
    sim.run(frames(sim, 4))
    assert (sim.counter(0), sim.counter(1)) == (16, 2)
    sim.reset(hard=True)
    assert (sim.counter(0), sim.counter(1)) == (0, 0)
    sim.run(frames(sim, 1))
    assert (sim.counter(0), sim.counter(1)) == (1, 1)


def test_a_clip_is_a_new_stream_whose_first_frame_goes_alone(sim: RtlSimulator) -> None:
    codes = frames(sim, 5)
    sim.run(codes)
    clip = run_clip(sim, codes, stalls=BUSY)
    assert (sim.counter(0), sim.counter(1)) == (10, 2)
    np.testing.assert_array_equal(clip.outputs, codes)
    first, rest = (sim.run(part, stalls=BUSY) for part in (codes[:1], codes[1:]))
    assert clip.cycles.tolist() == [*first.cycles, *rest.cycles]
    assert clip.latency.tolist() == [*first.latency, *rest.latency]
    assert clip.total_cycles == clip.cycles.sum()
    for figure in ("events", "busy", "stalled"):
        found, *parts = (getattr(run.engines["encode"], figure) for run in (clip, first, rest))
        np.testing.assert_array_equal(found, np.concatenate(parts))


def test_no_frames_is_an_empty_run(sim: RtlSimulator) -> None:
    run = sim.run(np.zeros((0, 18), np.int64))
    assert run.outputs.shape == (0, 18)
    assert run.cycles.shape == run.latency.shape == run.engines["encode"].events.shape == (0,)
    assert run.total_cycles == 0


def test_raw_beats_come_back_with_their_last_flags(sim: RtlSimulator) -> None:
    beats = np.arange(-14, 14).reshape(7, 4)
    last = np.array([0, 0, 1, 1, 0, 0, 0], bool)
    raw = sim.run_beats(beats, last, np.zeros(7, bool), stalls=BUSY)
    assert (raw.accepted, raw.errors) == (7, 0)
    np.testing.assert_array_equal(raw.outputs, beats)
    np.testing.assert_array_equal(raw.last, last)


@pytest.mark.parametrize("shape", [(7, 3), (28,)])
def test_raw_beats_of_a_wrong_shape_are_refused(sim: RtlSimulator, shape: tuple[int, ...]) -> None:
    with pytest.raises(FrameError, match=r"beats \[N, 4\]"):
        sim.run_beats(np.zeros(shape, np.int64), np.zeros(7, bool), np.zeros(7, bool))


@pytest.mark.parametrize("codes", [np.zeros((2, 17), np.int64), np.zeros((2, 18)), np.full((2, 18), 64)])
def test_wrong_frames_are_refused_before_they_run(sim: RtlSimulator, codes: np.ndarray) -> None:
    with pytest.raises(FrameError):
        sim.run(codes)
    sim.run(frames(sim, 2))


def test_simulators_do_not_share_state(monkeypatch: pytest.MonkeyPatch, rtl_cache: Path) -> None:
    with (
        loopback(monkeypatch, rtl_cache) as one,
        loopback(monkeypatch, rtl_cache) as two,
        loopback(monkeypatch, rtl_cache, identity(5, 3, 20, signed=False)) as other,
    ):
        one.counter(Fault.HANG << 4)
        for sim in (two, other, two):
            np.testing.assert_array_equal(sim.run(frames(sim, 9)).outputs, frames(sim, 9))
        with pytest.raises(SimulationError, match="hangs"):
            one.run(frames(one, 9))
        assert (two.counter(0), other.counter(0)) == (18, 9)


def test_forgotten_state_is_random(monkeypatch: pytest.MonkeyPatch, rtl_cache: Path) -> None:
    assert len({loopback(monkeypatch, rtl_cache, seed=seed).counter(2) for seed in (1, 2, 3, 3)}) == 3


def test_the_working_directory_is_left_alone(monkeypatch: pytest.MonkeyPatch, rtl_cache: Path, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with loopback(monkeypatch, Path(os.path.relpath(rtl_cache))) as sim:
        np.testing.assert_array_equal(sim.run(frames(sim, 3)).outputs, frames(sim, 3))
    assert Path.cwd() == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_closed_simulator_says_so(sim: RtlSimulator) -> None:
    sim.close()
    sim.close()
    with pytest.raises(SimulationError, match="closed"):
        sim.run(frames(sim, 1))


def test_a_stopped_simulator_says_so(sim: RtlSimulator) -> None:
    sim.stop()
    with pytest.raises(SimulationError, match="stopped"):
        sim.run(frames(sim, 3))
