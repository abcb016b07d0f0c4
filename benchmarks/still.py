# SPDX-License-Identifier: Apache-2.0
"""What a frame costs in which nothing changes."""

from __future__ import annotations

import numpy as np

from codesign.sim.simulator import RtlSimulator

STILL_FRAMES = 4


def unchanged_cycles(simulator: RtlSimulator, frame: np.ndarray) -> int:
    """Return the most cycles of an unchanged frame on its own, from its first input beat to the end of its packet.

    Args:
        simulator: simulator, which starts a new stream.
        frame: codes ``[1, *shape]``, pushed once before, and then `STILL_FRAMES` times, each when the last has left.
    """
    simulator.reset()
    simulator.run(frame)
    return max(int(simulator.run(frame).cycles[0]) for _ in range(STILL_FRAMES))
