# SPDX-License-Identifier: Apache-2.0
"""An AXI4 memory for benches: random latencies and stalls, as unhelpful as the protocol allows."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

PAGE = 4096
"""Bytes that a burst stays in."""


def bursts(address: int, beats: int, bits: int) -> Iterator[tuple[int, int]]:
    """Yield address (in bytes) and length (beats less 1) of the bursts of a record; ``address`` is in beats."""
    each = bits // 8
    while beats:
        room = (PAGE - address * each % PAGE) // each
        yield address * each, min(room, beats) - 1
        address, beats = address + min(room, beats), max(0, beats - room)


@dataclass(slots=True)
class Burst:
    """A burst on its way; ``at`` is the cycle from which it may be answered, ``data`` what was read or is written."""

    address: int
    beats: int
    at: int
    data: list[int] = field(default_factory=list)


class AxiMemory:
    """Answers a master without IDs in order.

    What is read is what the memory holds when the address is taken, or only when it is answered, by chance; what is
    written counts at once, or only when it is answered. Stalled channels have to keep what they offer.

    Args:
        dut: has the ports ``m_axi_*``.
        bits: of a beat.
        beats: size of the memory.
        rng: draws everything.
        pause: probability of a stall of each channel in each cycle.
        latency: most cycles from a request to its answer, drawn for each.

    Attributes:
        words: the memory, a number for each beat.
        base: address [bytes] of its first beat; no other address may come.
        stopped: channels that do nothing any more: ar, r, aw, w, b.
        wrong: answers ``r`` or ``b`` with an error, each once.
        short: leaves out RLAST.
    """

    def __init__(
        self, dut: Any, *, bits: int, beats: int, rng: random.Random, pause: float = 0.0, latency: int = 0
    ) -> None:
        self.dut, self.bits, self.rng, self.pause, self.latency = dut, bits, rng, pause, latency
        self.words = [rng.getrandbits(bits) for _ in range(beats)]
        self.base = 0
        self.stopped: set[str] = set()
        self.wrong: set[str] = set()
        self.short = False
        self.clear()

    def clear(self) -> None:
        """Forget all that is under way."""
        self.reads: deque[Burst] = deque()
        self.writes: deque[Burst] = deque()
        self.early: deque[tuple[int, bool]] = deque()  # data that came before their address
        self.answers: deque[Burst] = deque()
        self.held: dict[str, tuple[int, ...]] = {}
        self.offers: set[str] = set()
        self.addresses: list[tuple[str, int, int]] = []
        self.now = self.most_open = 0

    def _pin(self, name: str) -> Any:
        return getattr(self.dut, f"m_axi_{name}")

    def _draw(self, channel: str) -> bool:
        return channel not in self.stopped and self.rng.random() >= self.pause

    def drive(self) -> None:
        for channel in ("ar", "aw", "w"):
            self._pin(f"{channel}ready").value = int(self._draw(channel))
        self.offers -= {"r", "b"} & self.stopped
        if self.reads and self.reads[0].at <= self.now and ("r" in self.offers or self._draw("r")):
            self.offers.add("r")
        if self.answers and self.answers[0].at <= self.now and ("b" in self.offers or self._draw("b")):
            self.offers.add("b")
        self._pin("rvalid").value, self._pin("bvalid").value = int("r" in self.offers), int("b" in self.offers)
        self._pin("rdata").value = self._next_data() if "r" in self.offers else self.rng.getrandbits(self.bits)
        last = self.reads[0].beats == 1 and not self.short if "r" in self.offers else self.rng.getrandbits(1)
        self._pin("rlast").value = int(last)
        for channel in ("r", "b"):
            error = channel in self.wrong if channel in self.offers else self.rng.getrandbits(1)
            self._pin(f"{channel}resp").value = self.rng.choice((2, 3)) if error else self.rng.choice((0, 1))

    def _next_data(self) -> int:
        burst = self.reads[0]
        return burst.data[0] if burst.data else self.words[burst.address]

    def sample(self, now: int) -> bool:
        if self.dut.rst_ni.value == 0:
            return False
        self.now = now + 1
        moved = [self._read_address(), self._write_address(), self._write_data(), self._read_data(), self._answer()]
        self.most_open = max(self.most_open, len(self.reads))
        return any(moved)

    def _taken(self, channel: str, *names: str) -> tuple[int, ...] | None:
        """Return what is taken, and check that what is stalled stays."""
        valid, ready = (int(self._pin(f"{channel}{name}").value) for name in ("valid", "ready"))
        values = tuple(int(self._pin(name).value) for name in names) if valid else ()
        assert self.held.get(channel) in (None, values), f"{channel} changed while stalled"
        self.held.pop(channel, None)
        if valid and not ready:
            self.held[channel] = values
        return values if valid and ready else None

    def _address(self, channel: str) -> Burst | None:
        names = [f"{channel}{name}" for name in ("addr", "len", "size", "burst")]
        taken = self._taken(channel, *names)
        if taken is None:
            return None
        address, length, size, burst = taken
        each = self.bits // 8
        assert (1 << size, burst) == (each, 1), "size and kind of a burst"
        assert address % each == 0
        offset = address - self.base
        assert 0 <= offset < len(self.words) * each, f"{address:#x} is not in the memory"
        assert address % PAGE + (length + 1) * each <= PAGE, "a burst across 4 KiB"
        self.addresses.append((channel, address, length))
        at = self.now + self.rng.randint(0, self.latency)
        return Burst(offset // each, length + 1, at)

    def _read_address(self) -> bool:
        if (burst := self._address("ar")) is None:
            return False
        if self.rng.random() < 0.5:
            burst.data = self.words[burst.address : burst.address + burst.beats]
        self.reads.append(burst)
        return True

    def _write_address(self) -> bool:
        if (burst := self._address("aw")) is None:
            return False
        self.writes.append(burst)
        while self.early and self._write_next(*self.early.popleft()):
            pass
        return True

    def _write_data(self) -> bool:
        taken = self._taken("w", "wdata", "wlast", "wstrb")
        if taken is None:
            return False
        data, last, strobes = taken
        assert strobes == (1 << self.bits // 8) - 1
        if self.writes and not self.early:
            self._write_next(data, bool(last))
        else:
            self.early.append((data, bool(last)))
        return True

    def _write_next(self, data: int, last: bool) -> bool:
        """Write a beat of the oldest burst; return whether there is another burst."""
        burst = self.writes[0]
        burst.data.append(data)
        assert last == (len(burst.data) == burst.beats), "WLAST"
        if last:
            self.writes.popleft()
            burst.at = self.now + self.rng.randint(0, self.latency)
            self.answers.append(burst)
            if self.rng.random() < 0.5:
                for each in self.answers:  # in order
                    self._store(each)
        return not last or bool(self.writes)

    def _store(self, burst: Burst) -> None:
        self.words[burst.address : burst.address + len(burst.data)] = burst.data
        burst.data = []

    def _read_data(self) -> bool:
        if "r" not in self.offers or self._pin("rready").value == 0:
            return False
        self.offers.discard("r")
        self.wrong.discard("r")
        burst = self.reads[0]
        burst.address, burst.beats, burst.data = burst.address + 1, burst.beats - 1, burst.data[1:]
        if burst.beats == 0:
            self.reads.popleft()
        return True

    def _answer(self) -> bool:
        if "b" not in self.offers or self._pin("bready").value == 0:
            return False
        self.offers.discard("b")
        self.wrong.discard("b")
        self._store(self.answers.popleft())
        return True
