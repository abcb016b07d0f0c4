# SPDX-License-Identifier: Apache-2.0
"""A serial port made of software: a pseudo-terminal whose other end is this process."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import tempfile
import tty
from pathlib import Path

_CHUNK = 4096
_FULL_S = 1.0
"""How long the other side may leave its buffer full before bytes are lost, as on a real line."""


class PseudoTerminal:
    """One end of a serial line; the other end is the path ``port``, which comes and goes with the plug.

    Not thread-safe: one thread plugs, unplugs, reads and writes. `close` unplugs for good.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="codesign_board_"))
        self.port = str(self._folder / "tty")
        self._ends: tuple[int, int] | None = None

    @property
    def plugged(self) -> bool:
        """Whether there is a port to open."""
        return self._ends is not None

    def plug(self) -> None:
        """Make the port appear."""
        self.unplug()
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        Path(self.port).symlink_to(os.ttyname(theirs))
        self._ends = ours, theirs

    def unplug(self) -> None:
        """Hang up: the port disappears, and a program that has it open gets an error."""
        ends, self._ends = self._ends, None
        Path(self.port).unlink(missing_ok=True)
        for end in ends or ():
            os.close(end)

    def read(self, seconds: float) -> bytes:
        """Return what was written to the port, waiting up to ``seconds`` for the first byte."""
        if self._ends is None or not select.select([self._ends[0]], [], [], seconds)[0]:
            return b""
        return os.read(self._ends[0], _CHUNK)

    def write(self, data: bytes) -> None:
        """Send ``data`` to the port; what is not read is lost."""
        while data and self._ends is not None and select.select([], [self._ends[0]], [], _FULL_S)[1]:
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._ends[0], data) :]

    def close(self) -> None:
        """Unplug and remove the path."""
        self.unplug()
        shutil.rmtree(self._folder, ignore_errors=True)
