# SPDX-License-Identifier: Apache-2.0
"""A clip through the RTL as a stream of its own."""

from __future__ import annotations

import numpy as np

from codesign.sim.simulator import EngineRun, RtlRun, RtlSimulator, Stalls


def run_clip(simulator: RtlSimulator, frames: np.ndarray, *, stalls: Stalls | None = None) -> RtlRun:
    """Run codes ``[T, *shape]``, T >= 1, as a new stream whose first frame leaves before the second one enters.

    The first frame is dense: while it is computed the input would be scanned far ahead, and the frames after it would
    seem cheaper than they are. The wait before the second frame is not counted.

    Args:
        simulator: simulator, which starts a new stream.
        frames: frames of the clip.
        stalls: stalls as of `RtlSimulator.run`; drawn anew from the same seed after the first frame.

    Raises:
        FrameError, SimulationError: as `RtlSimulator.run` does.
    """
    simulator.reset()
    first, rest = (simulator.run(part, stalls=stalls) for part in (frames[:1], frames[1:]))
    return RtlRun(
        outputs=np.concatenate([first.outputs, rest.outputs]),
        cycles=np.concatenate([first.cycles, rest.cycles]),
        latency=np.concatenate([first.latency, rest.latency]),
        engines={name: joined(engine, rest.engines[name]) for name, engine in first.engines.items()},
        total_cycles=first.total_cycles + rest.total_cycles,
    )


def joined(first: EngineRun, rest: EngineRun) -> EngineRun:
    """Return what an engine did in some frames and in the ``rest``."""
    return EngineRun(
        events=np.concatenate([first.events, rest.events]),
        busy=np.concatenate([first.busy, rest.busy]),
        stalled=np.concatenate([first.stalled, rest.stalled]),
    )
