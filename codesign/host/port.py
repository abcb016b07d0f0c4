# SPDX-License-Identifier: Apache-2.0
"""A serial port: bytes out, bytes in, and one error for every way the port can disappear."""

from __future__ import annotations

import contextlib
import termios
import time
from collections.abc import Iterator

import serial
from serial.tools import list_ports

from codesign.errors import BoardError, DisconnectedError

WRITE_TIMEOUT_S = 10.0
_POLL_S = 0.02


class Port:
    """An open serial port, 8N1, for this process alone.

    Args:
        name: name of the port, such as ``/dev/ttyUSB0``.
        baud: baud rate of the line.

    Raises:
        BoardError: there is no such port, it may not be opened, or another program uses it; lists the ports there are.
    """

    def __init__(self, name: str, baud: int) -> None:
        self.name = name
        try:
            self._serial = serial.Serial(
                name, baud, timeout=_POLL_S, write_timeout=WRITE_TIMEOUT_S, exclusive=True, rtscts=False
            )
        except (OSError, ValueError, termios.error) as error:
            found = ", ".join(port.device for port in list_ports.comports()) or "none"
            raise BoardError(
                "the port cannot be opened",
                where=name,
                expected=f"a free serial port (found: {found})",
                received=str(error),
                fix="check the cable; if the port is there, join its group (often dialout) or end what uses it",
            ) from None

    def write(self, data: bytes) -> None:
        """Send ``data``; returns when the system has taken it."""
        with self._alive():
            self._serial.write(data)

    def read(self, seconds: float) -> bytes:
        """Return what has come, waiting up to ``seconds`` for the first byte; nothing if none came."""
        deadline = time.monotonic() + seconds
        with self._alive():
            while not (data := self._serial.read(max(1, self._serial.in_waiting))):
                if time.monotonic() >= deadline:
                    break
            return bytes(data)

    def close(self) -> None:
        """Give the port back."""
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()

    @contextlib.contextmanager
    def _alive(self) -> Iterator[None]:
        try:
            yield
        except (OSError, termios.error) as error:
            raise DisconnectedError(
                "the connection to the board is lost",
                where=self.name,
                received=str(error),
                fix="plug the board in again and load its bitstream if it forgot it; then start a new stream",
            ) from error
