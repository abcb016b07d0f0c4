# SPDX-License-Identifier: Apache-2.0
"""Processes that leave nothing running behind, however the one that started them ends.

* Programs run under `codesign.guard`, in a session of their own: killed at the end of `started`, and also when this
  process is killed.
* Python children by multiprocessing call `die_with_parent` first.
* A command maps SIGINT, SIGTERM and SIGHUP to `Ended`, so that its ``finally`` clauses run.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

GUARD = Path(__file__).with_name("guard.py")
_PR_SET_PDEATHSIG = 1


class Ended(KeyboardInterrupt):
    """SIGINT, SIGTERM or SIGHUP, cleaned up after like Ctrl-C: no tool goes on without the command that started it.

    Attributes:
        code: exit code that shells give to the signal.
        reported: whether it has been reported to the user already.
    """

    def __init__(self, number: int) -> None:
        """Keep the exit code of a signal."""
        super().__init__()
        self.code = 128 + number
        self.reported = False


@contextlib.contextmanager
def ends_as_interrupt() -> Iterator[None]:
    """Raise `Ended` on the first SIGINT, SIGTERM or SIGHUP, and ignore later ones; what is ignored (nohup) stays so.

    Does nothing in a thread other than the main one, which cannot handle signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    all_of_them = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ends = [number for number in all_of_them if signal.getsignal(number) is not signal.SIG_IGN]

    def end(number: int, _: object) -> None:
        for other in ends:
            signal.signal(other, signal.SIG_IGN)  # the tools are being ended: not twice
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in ends}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextlib.contextmanager
def started(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], stdout: IO[bytes], stderr: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a session of its own; kill it and its children at the end, or as soon as this process is gone.

    Its exit status is the process's; 128 + signal if a signal ended it. Wait with ``process.wait``.

    Args:
        argv: path of the program and its arguments.
        cwd: existing folder.
        env: whole environment.
        stdout: file for what it prints.
        stderr: the same for errors; None: with the rest.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), *argv],
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.STDOUT if stderr is None else stderr,
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()  # the guard kills what still runs
        process.wait()


def die_with_parent() -> None:
    """End this process, a child by multiprocessing, as soon as its parent is gone; nothing is cleaned up then."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, name="die with parent", daemon=True).start()
    if sys.platform == "linux":  # also while this process is deep in a library and no thread of it gets a turn
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if not parent.is_alive():
        os._exit(1)
