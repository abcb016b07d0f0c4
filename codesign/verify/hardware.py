# SPDX-License-Identifier: Apache-2.0
"""Clips through the RTL in Verilator, each as a new stream."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray
from codesign.sim import RtlRun, RtlSimulator, run_clip
from codesign.stored import integers, load_arrays, loaded
from codesign.verify.clips import Track, silently

SIMULATORS = 2
"""Simulators that share the clips, beside the one of the dense frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RtlFigures:
    """Cycles of the RTL on the same clips; all ``[N, T]``, first frames still in.

    Attributes:
        cycles: cycles from one output TLAST to the next.
        latency: cycles from the last input beat to the output TLAST.
        busy: cycles with work, for the input scan (under the name of the first delta layer) and each engine.
        events: nonzero deltas, under the same names.
        dense_cycles: cycles of frames with skipping off, first frame left out, ``[F]``; empty if none were run.
    """

    cycles: IntArray
    latency: IntArray
    busy: dict[str, IntArray]
    events: dict[str, IntArray]
    dense_cycles: IntArray


class Simulator(Protocol):
    """What `run_clips` needs of a simulator: `RtlSimulator`, or that of a core."""

    def run(self, codes: np.ndarray) -> RtlRun:
        """Run consecutive frames of codes."""

    def stop(self) -> None:
        """Make a run in another thread fail soon."""

    def close(self) -> None:
        """Free what it holds."""


S = TypeVar("S", bound=Simulator)
R = TypeVar("R", bound=RtlRun)


class _Thread(Generic[S]):
    """A simulator with a thread of its own; simulators compute side by side, as their C++ code needs no interpreter."""

    def __init__(self, simulator: S) -> None:
        self._simulator = simulator
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> _Thread[S]:
        return self

    def __exit__(self, *_: object) -> None:
        self._simulator.stop()  # what still runs, if another one failed
        self._pool.shutdown(cancel_futures=True)
        self._simulator.close()

    def submit(self, run: Callable[[S, NDArray[np.integer]], R], frames: NDArray[np.integer]) -> Future[R]:
        """Return what ``run(simulator, frames)`` is going to return; one after the other."""
        return self._pool.submit(run, self._simulator, frames)


def steady(values: IntArray) -> IntArray:
    """Return ``[N, T]`` per-frame values without the first frame of each clip, ``[N * (T - 1)]``."""
    return values[:, 1:].reshape(-1)


def run_rtl(
    simulate: Callable[..., RtlSimulator],
    clips: NDArray[np.integer],
    *,
    dense_frames: int,
    track: Track = silently,
) -> tuple[IntArray, RtlFigures]:
    """Run clips of codes ``[N, T, *shape]`` with skipping on, and ``dense_frames`` of the first with skipping off.

    Args:
        simulate: makes a simulator of the network; called with ``skip=False`` for the dense frames.
        clips: clips of codes, each a new stream.
        dense_frames: frames for the dense baseline; 0: do not build it.
        track: progress display.

    Returns:
        Output codes ``[N, T, ...]`` and the cycles.
    """
    runs, dense = run_clips(simulate, clips, run_clip, dense_frames=dense_frames, track=track)
    return np.stack([run.outputs for run in runs]), figures_of(runs, dense)


def run_clips(
    simulate: Callable[..., S],
    clips: NDArray[np.integer],
    run: Callable[[S, NDArray[np.integer]], R],
    *,
    dense_frames: int,
    track: Track,
) -> tuple[list[R], IntArray]:
    """Return what ``run(simulator, clip)`` returns of each clip, and the cycles of the dense frames, ``[F]``.

    There is one build, and up to three simulators of it side by side: the clips take turns in two, from four clips on,
    so that each has several streams; the dense frames are in one of their own. The figures depend on no core count.
    """
    with contextlib.ExitStack() as stack:
        count = min(SIMULATORS, max(1, len(clips) // 2))
        threads = [stack.enter_context(_Thread(simulate())) for _ in range(count)]
        running = [threads[n % count].submit(run, clip) for n, clip in enumerate(clips)]
        if dense_frames:
            baseline = stack.enter_context(_Thread(simulate(skip=False)))
            dense_run = baseline.submit(lambda own, frames: own.run(frames), clips[0][:dense_frames])
        runs = [done.result() for done in track(running, len(clips), "clip")]
        dense = dense_run.result().cycles[1:] if dense_frames else np.zeros(0, np.int64)
    return runs, dense


def figures_of(runs: Sequence[RtlRun], dense_cycles: IntArray) -> RtlFigures:
    """Return the figures of the runs of all clips."""
    return RtlFigures(
        cycles=np.stack([run.cycles for run in runs]),
        latency=np.stack([run.latency for run in runs]),
        busy={name: np.stack([run.engines[name].busy for run in runs]) for name in runs[0].engines},
        events={name: np.stack([run.engines[name].events for run in runs]) for name in runs[0].engines},
        dense_cycles=dense_cycles,
    )


def save_rtl(figures: RtlFigures, folder: Path) -> None:
    """Write ``cycles.npz``."""
    arrays: dict[str, Any] = {f"busy/{name}": values for name, values in figures.busy.items()}
    arrays |= {f"events/{name}": values for name, values in figures.events.items()}
    arrays |= {"cycles": figures.cycles, "latency": figures.latency, "dense_cycles": figures.dense_cycles}
    np.savez_compressed(folder / "cycles.npz", **arrays)


def load_rtl(folder: Path) -> RtlFigures:
    """Return what `save_rtl` wrote.

    Raises:
        StageError: the file is missing, damaged, or holds something else.
    """
    path = folder / "cycles.npz"
    data = load_arrays(path)

    def figures() -> RtlFigures:
        shapes = {values.shape for name, values in data.items() if name != "dense_cycles"}
        if len(shapes) != 1 or 0 in min(shapes) or not data["dense_cycles"].size:
            raise ValueError("cycles of other frames")
        return RtlFigures(
            cycles=integers(data, "cycles", 2),
            latency=integers(data, "latency", 2),
            dense_cycles=integers(data, "dense_cycles", 1),
            busy=_each(data, "busy/"),
            events=_each(data, "events/"),
        )

    return loaded(path, figures)


def _each(data: dict[str, NDArray[Any]], prefix: str) -> dict[str, IntArray]:
    """Return the arrays of every engine whose key starts with ``prefix``."""
    return {key.removeprefix(prefix): integers(data, key, 2) for key in data if key.startswith(prefix)}
