# SPDX-License-Identifier: Apache-2.0
"""Functions in processes of their own, that leave nothing running behind."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from codesign.errors import StageError


class Child:
    """``function(*args)`` in a new process; all of it, and the result, must be picklable.

    `stop` (and Ctrl-C on the terminal) raises KeyboardInterrupt in it, so that it can end what it started.
    """

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        context = multiprocessing.get_context(
            "spawn"
        )  # a fork would copy TensorFlow's threads, or what is left of them
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_main, args=(sender, function, args))
        self._process.start()
        sender.close()

    def result(self) -> Any:
        """Wait and return what the function returned, or raise what it raised.

        Raises:
            StageError: the process died.
        """
        try:
            done, value = self._receiver.recv()
        except EOFError:
            self._process.join()
            raise StageError("a child process died", received=f"exit code {self._process.exitcode}") from None
        self._process.join()
        if done:
            return value
        raise value

    def stop(self) -> None:
        """End the process if it still runs."""
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()


def _main(sender: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):  # a terminal that closes tells every process
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        outcome = (True, function(*args))
    except KeyboardInterrupt:
        return
    except Exception as error:
        outcome = (False, error)
    sender.send(outcome)


def each(function: Callable[..., Any], calls: list[tuple[Any, ...]]) -> list[Any]:
    """Return ``[function(*args) for args in calls]``, all at the same time; an error or Ctrl-C ends the others."""
    children = [Child(function, *args) for args in calls]
    try:
        return [child.result() for child in children]
    finally:
        for child in children:
            child.stop()
