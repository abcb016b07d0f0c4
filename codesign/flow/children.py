# SPDX-License-Identifier: Apache-2.0
"""Functions in processes of their own, that leave nothing running behind."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from codesign.errors import StageError
from codesign.processes import die_with_parent

GRACE_S = 3.0
"""How long children may take to end what they started before they are killed."""


class Child:
    """A new process that calls functions for this one, one at a time; all of it must be picklable.

    It ends with this process, even if that is killed. `stop` raises KeyboardInterrupt in it, so that it can end what it
    started; Ctrl-C on the terminal reaches only this process, which then stops it.
    """

    def __init__(self) -> None:
        """Start it.

        Raises:
            StageError: the script that runs has no main guard, and each child would run it again.
        """
        context = multiprocessing.get_context(
            "spawn"
        )  # a fork would copy TensorFlow's threads, or what is left of them
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs,))
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited: not even while it imports
        try:
            self._process.start()
        except RuntimeError as error:
            if "bootstrapping" not in str(error):
                raise
            raise StageError(
                "a script that runs stages needs a main guard, as they use processes, which import it",
                where=sys.argv[0],
                fix="put what it does into a function main(), and end it with: if __name__ == '__main__': main()",
            ) from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def call(self, function: Callable[..., Any], *args: Any) -> Child:
        """Call ``function(*args)`` in it; `result` waits for that."""
        with contextlib.suppress(OSError):  # it died: `result` reports it
            self.connection.send((function, args))
        return self

    def outcome(self) -> Any:
        """Wait and return what the function returned, or what it raised: a `StageError` if the process died."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            return StageError(
                "a child process died",
                received=f"exit code {self._process.exitcode}",
                fix="run again; exit code -9 mostly means that the memory was full",
            )

    def result(self) -> Any:
        """Wait and return what the function returned, or raise what it raised.

        Raises:
            StageError: the process died.
        """
        outcome = self.outcome()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def stop(self) -> None:
        """End the process if it still runs: by SIGTERM first, then by force."""
        stop([self])

    def _ask(self) -> None:
        if self._process.is_alive():
            self._process.terminate()

    def _end(self, deadline: float) -> None:
        self._process.join(max(0.0, deadline - time.monotonic()))
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self.connection.close()


def stop(children: Sequence[Child]) -> None:
    """End children, all at the same time."""
    for child in children:
        child._ask()
    deadline = time.monotonic() + GRACE_S
    for child in children:
        child._end(deadline)


def _main(connection: Connection) -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    for number in (signal.SIGTERM, signal.SIGHUP):  # a terminal that closes signals every process
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        while True:
            _answer(connection)
    except (KeyboardInterrupt, EOFError):
        return


def _answer(connection: Connection) -> None:
    """Do one call."""
    function, args = connection.recv()
    try:
        outcome = function(*args)
    except Exception as error:
        outcome = error
    connection.send(outcome)


def each(function: Callable[..., Any], calls: list[tuple[Any, ...]]) -> list[Any]:
    """Return ``[function(*args) for args in calls]``, all at the same time; an error or Ctrl-C ends the others."""
    children = [Child().call(function, *args) for args in calls]
    try:
        return [child.result() for child in children]
    finally:
        stop(children)
