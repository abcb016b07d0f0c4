# SPDX-License-Identifier: Apache-2.0
"""Both ends of a serial line, bit by bit, for the benches of the board's modules."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from typing import Any


class Talker:
    """Drives a line, 8N1, at a rate of its own that need not be the listener's.

    Attributes:
        period: cycles of a bit; a fraction moves the edges against the clock.
        levels: to come, ``(level, bits)``.
        pause: probability of a gap of random length after a byte.
    """

    def __init__(self, pin: Any, period: float, rng: random.Random, *, pause: float = 0.0) -> None:
        self.pin, self.period, self.rng, self.pause = pin, period, rng, pause
        self.clear()

    def clear(self) -> None:
        self.levels: deque[tuple[int, float]] = deque()
        self.left, self.level, self.speaking = 0.0, 1, False

    def say(self, data: Iterable[int], *, stop: int = 1) -> None:
        """Append bytes; with ``stop`` 0 their stop bits are wrong."""
        for byte in data:
            self.levels += [(0, 1.0), *((byte >> i & 1, 1.0) for i in range(8)), (stop, 1.0)]
            if self.rng.random() < self.pause:
                self.hold(1, self.rng.random() * 5)

    def hold(self, level: int, bits: float) -> None:
        """Append a level for some bits' time."""
        self.levels.append((level, bits))

    @property
    def busy(self) -> bool:
        """Whether something is still to be said."""
        return bool(self.levels) or self.speaking

    def drive(self) -> None:
        self.left -= 1
        while self.left <= 0 and self.levels:
            self.level, bits = self.levels.popleft()
            self.left += bits * self.period
            self.speaking = True
        if self.left <= 0:
            self.level, self.left = 1, self.rng.random()  # the next byte starts anywhere between two edges
            self.speaking = False
        self.pin.value = self.level

    def sample(self, _: int) -> bool:
        return self.busy


class Listener:
    """Samples a line, 8N1, in the middle of each bit, and notes how far edges are from where they belong.

    Attributes:
        data: bytes heard.
        edge_error: largest distance of an edge within a byte from the ideal one [cycles].
        started_at: cycle of each start bit.
    """

    def __init__(self, pin: Any, period: float) -> None:
        self.pin, self.period = pin, period
        self.clear()

    def clear(self) -> None:
        self.data: list[int] = []
        self.started_at: list[int] = []
        self.edge_error = 0.0
        self.before, self.bits, self.start = 1, -1, 0

    def drive(self) -> None:
        """Nothing."""

    def sample(self, now: int) -> bool:
        level = int(self.pin.value)
        at = (now - self.start) / self.period
        if self.bits >= 0 and level != self.before:
            self.edge_error = max(self.edge_error, abs(at - round(at)) * self.period)
        if self.bits < 0:
            if (self.before, level) == (1, 0):
                self.start, self.bits, self.byte = now, 0, 0
                self.started_at.append(now)
        elif at >= self.bits + 0.5:
            if 1 <= self.bits <= 8:
                self.byte |= level << (self.bits - 1)
            else:
                assert level == int(self.bits == 9), "a start bit is 0, a stop bit 1"
            self.bits += 1
            if self.bits == 10:
                self.data.append(self.byte)
                self.bits = -1
        self.before = level
        return self.bits >= 0


class Always:
    """A ready signal that a module does not have."""

    value = 1


class Events:
    """Notes the values of some outputs in every cycle in which one of the ``pulses`` is 1."""

    def __init__(self, pulses: Iterable[Any], fields: Iterable[Any]) -> None:
        self.pulses, self.fields = list(pulses), list(fields)
        self.seen: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def clear(self) -> None:
        self.seen.clear()

    def drive(self) -> None:
        """Nothing."""

    def sample(self, _: int) -> bool:
        bits = tuple(int(pulse.value) for pulse in self.pulses)
        if any(bits):
            self.seen.append((bits, tuple(int(field.value) for field in self.fields)))
        return any(bits)
