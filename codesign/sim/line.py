# SPDX-License-Identifier: Apache-2.0
"""A simulated board on a pseudo-terminal: a thread that carries bytes between the port and a model of the board."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from codesign.sim.pty import PseudoTerminal

_IDLE_S = 0.02

Wire = Callable[[bytes], bytes]
"""What a line does to the bytes on it; may raise `HangUp`."""


class HangUp(Exception):  # noqa: N818 - an event on the line, not an error of the program
    """Raised by a `Wire`: the plug is pulled now."""


class UartDevice(Protocol):
    """The device on the line."""

    @property
    def busy(self) -> bool:
        """Whether time must pass for it even if nothing comes in."""

    def advance(self, received: bytes) -> bytes:
        """Take what came in, let some time pass, and return what went out."""

    def power_cycle(self) -> None:
        """Forget everything, as without power."""


def perfect(data: bytes) -> bytes:
    """Carry every byte as it is."""
    return data


class SimulatedLine:
    """A thread between a `PseudoTerminal` and a `UartDevice`.

    Args:
        device: device on the line, used by the thread alone until `close`.
        to_board: what happens to bytes on the way to it.
        to_host: what happens to bytes on the way back.
    """

    def __init__(self, device: UartDevice, *, to_board: Wire = perfect, to_host: Wire = perfect) -> None:
        self.to_board, self.to_host = to_board, to_host
        self.failure: Exception | None = None
        self._device = device
        self._terminal = PseudoTerminal()
        self._terminal.plug()
        self.port = self._terminal.port
        self._stop, self._wanted = threading.Event(), threading.Event()
        self._wanted.set()
        self._power_cycle = False
        self._said: deque[bytes] = deque()
        self._thread = threading.Thread(target=self._run, name="simulated board", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Pull the plug, at the thread's next step."""
        self._wanted.clear()

    def plug(self, *, power_cycle: bool) -> None:
        """Put the plug back in; with ``power_cycle`` the board lost its power in between."""
        self._power_cycle = power_cycle
        self._wanted.set()

    def say(self, data: bytes) -> None:
        """Send bytes to the host that the device did not send, at the thread's next step."""
        self._said.append(data)

    def close(self) -> None:
        """End the thread; the port disappears."""
        self._stop.set()
        self._thread.join()
        self._terminal.close()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._step()
        except Exception as failure:  # reported when the line is closed
            self.failure = failure
            self._terminal.unplug()

    def _step(self) -> None:
        if not self._wanted.is_set():
            self._terminal.unplug()
            self._stop.wait(_IDLE_S)
            return
        if not self._terminal.plugged:
            if self._power_cycle:
                self._device.power_cycle()
            self._terminal.plug()
        try:
            received = self._terminal.read(0.0 if self._device.busy else _IDLE_S)
            sent = self._device.advance(self.to_board(received)) if received or self._device.busy else b""
            self._terminal.write(self.to_host(sent))
            while self._said:
                self._terminal.write(self._said.popleft())
        except HangUp:
            self.unplug()
