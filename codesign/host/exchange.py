# SPDX-License-Identifier: Apache-2.0
"""Stop and wait: one request under way, repeated until its answer has come whole."""

from __future__ import annotations

import time
from collections import Counter
from typing import TypeVar

from codesign.core import registers as core_map
from codesign.errors import LinkError, NoNetworkError
from codesign.host.framing import OVERHEAD, SEQUENCES, Damaged, Decoder, Packet, Reason, encode
from codesign.host.link import Data, Done, Kind, Loaded, Read, Request, Result, pack, parse
from codesign.host.port import Port

R = TypeVar("R", Result, Data, Done, Loaded)

BITS_PER_BYTE = 10
"""On the line: a start bit, eight data bits, a stop bit."""
LATENCY_S = 0.1
"""Allowed for everything beside the line and the core: the USB adapter's timer (16 ms is usual), two schedulers."""
QUIET_S = 0.03
"""A line this silent has nothing on its way, seen through the USB adapter's timer."""
ATTEMPTS = 5
"""Each waits twice as long as the one before, so that a busy computer is not taken for a dead board."""
_WHY = Read(address=core_map.STATUS, count=1)


class Exchange:
    """Requests and answers over a port.

    Args:
        port: open port.
        baud: baud rate of the line; timeouts follow from it.
        slowdown: how many times slower the board is than its clock: 1, but for a simulation.

    Attributes:
        repeated: requests that had to be sent again.
    """

    def __init__(self, port: Port, baud: int, slowdown: float = 1.0) -> None:
        self.repeated = 0
        self._port = port
        self._byte_s = BITS_PER_BYTE / baud * slowdown
        self._slowdown = slowdown
        self._quiet_s = QUIET_S + 4 * self._byte_s
        self._decoder = Decoder()
        # Frames are counted apart: the board compares a frame's number with that of the frame before it.
        self._sent: Counter[Kind] = Counter()
        self._settle()

    def request(self, record: Request, answer: type[R], *, answer_bytes: int, work_s: float = 0.0) -> R:
        """Send ``record`` and return the board's answer to it.

        Args:
            record: what to ask.
            answer: kind of answer.
            answer_bytes: payload that the answer must have.
            work_s: most time the board needs in between.

        Raises:
            LinkError: no answer to any attempt, or one that makes no sense.
            NoNetworkError: a core has none.
            DisconnectedError: the port is gone.
        """
        sequence = self._sent[record.kind] % SEQUENCES
        self._sent[record.kind] += 1
        wire = encode(pack(record, sequence))
        line_s = (len(wire) + 2 * (answer_bytes + OVERHEAD)) * self._byte_s
        patience = LATENCY_S + 1.5 * (line_s + work_s * self._slowdown)
        for attempt in range(ATTEMPTS):
            self._port.write(wire)
            packet = self._await(answer.kind, sequence, patience * 2**attempt)
            if packet is not None:
                return self._checked(packet, answer, answer_bytes)
            self.repeated += 1
        raise LinkError(
            f"no answer to {record.kind.name} in {ATTEMPTS} attempts",
            where=self._port.name,
            expected=answer.kind.name,
            received=self._seen,
            fix="check that the bitstream is loaded and that the baud rate is the one it was built for",
        )

    def _await(self, kind: Kind, sequence: int, patience: float) -> Packet | None:
        """Return the answer; None if the request should be repeated."""
        deadline, trouble = time.monotonic() + patience, False
        self._seen = "silence"
        while True:
            # After trouble nothing more may come: repeat as soon as the line is silent, not into what is on its way.
            wait = self._quiet_s if trouble else deadline - time.monotonic()
            data = self._port.read(max(0.0, wait))
            if not data or (trouble and time.monotonic() > deadline):
                return None
            for found in self._decoder.feed(data):
                if isinstance(found, Packet) and (found.kind, found.sequence) == (kind, sequence):
                    return found
                if kind == Kind.RESULT and isinstance(found, Packet) and _without_network(found, sequence):
                    raise no_network(self._port.name, self.request(_WHY, Data, answer_bytes=4).words[0])
                trouble |= isinstance(found, Damaged) or found.kind == Kind.REFUSED
                self._seen = _describe(found)
            if time.monotonic() > deadline:
                return None

    def _checked(self, packet: Packet, answer: type[R], answer_bytes: int) -> R:
        record = parse(packet)
        if isinstance(record, answer) and len(packet.payload) == answer_bytes:
            return record
        received = _describe(packet)
        raise LinkError(
            "the board's answer does not fit the protocol",
            where=self._port.name,
            expected=f"{answer.kind.name} with {answer_bytes} bytes",
            received=received,
            fix="load the bitstream that was built from this design folder",
        )

    def _settle(self) -> None:
        """Wait until nothing comes any more: an answer that the last user of the port did not wait for."""
        deadline = time.monotonic() + LATENCY_S + 100 * self._quiet_s
        while self._port.read(self._quiet_s):
            if time.monotonic() > deadline:
                raise LinkError(
                    "the line never falls silent",
                    where=self._port.name,
                    expected="a board that only speaks when asked",
                    fix="check that this is the board's port",
                )


def no_network(port: str, status: int) -> NoNetworkError:
    """Return the error of a core without a network, by its status register."""
    return NoNetworkError(
        "the core on the board has no network",
        where=port,
        expected="one that was loaded since its power came",
        received=core_map.why_none(status),
        fix=f"codesign load build/DESIGN --port {port}; then start a new stream",
    )


def _without_network(found: Packet, sequence: int) -> bool:
    return (found.kind, found.sequence, found.payload) == (Kind.REFUSED, sequence, bytes([Reason.NO_NETWORK]))


def _describe(found: Packet | Damaged) -> str:
    if isinstance(found, Damaged):
        return f"a damaged packet ({found.reason.name})"
    if found.kind == Kind.REFUSED and len(found.payload) == 1:
        reasons = {reason.value: reason.name for reason in Reason}
        return f"REFUSED for {reasons.get(found.payload[0], found.payload[0])}"
    name = Kind(found.kind).name if found.kind in set(Kind) else f"kind {found.kind:#04x}"
    return f"{name} {found.sequence} with {len(found.payload)} bytes"
