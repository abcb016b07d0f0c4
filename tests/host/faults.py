# SPDX-License-Identifier: Apache-2.0
"""What can happen to bytes on a line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from codesign.host.framing import FLAG
from codesign.sim.line import HangUp


class Noise:
    """A line that flips a bit of a byte, drops a byte, and inserts bytes, flags among them, each with a probability."""

    def __init__(self, seed: int, probability: float) -> None:
        self.rng, self.probability, self.faults = np.random.default_rng(seed), probability, 0

    def __call__(self, data: bytes) -> bytes:
        carried = bytearray()
        for byte in data:
            hit = self.rng.random() < self.probability
            self.faults += int(hit)
            carried += self.fault(byte) if hit else bytes([byte])
        return bytes(carried)

    def fault(self, byte: int) -> bytes:
        kind = self.rng.integers(4)
        if kind == 0:
            return bytes([byte ^ 1 << int(self.rng.integers(8))])
        if kind == 1:
            return b""
        garbage = self.rng.integers(0, 256, 20 if kind == 2 else 1, np.uint8).tobytes()
        return (bytes([FLAG]) + garbage if kind == 2 else garbage) + bytes([byte])


class Once:
    """A line on which something happens to byte number ``at``, counted from now; before and after it is perfect."""

    def __init__(self, at: int, happen: Callable[[int], bytes]) -> None:
        self.left, self.happen = at, happen

    def __call__(self, data: bytes) -> bytes:
        place, self.left = self.left, self.left - len(data)
        if not 0 <= place < len(data):
            return data
        return data[:place] + self.happen(data[place]) + data[place + 1 :]


def hang_up(_: int) -> bytes:
    raise HangUp


class Lost:
    """A line that loses the next ``count`` bytes."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __call__(self, data: bytes) -> bytes:
        lost, self.count = data[: self.count], max(0, self.count - len(data))
        return data[len(lost) :]
