# SPDX-License-Identifier: Apache-2.0
"""`executor`: runs calls on workers and yields what comes of them, in the order they finish."""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from codesign.errors import StageError, WorkersDiedError
from codesign.executor.cluster import TRIES, Crew, connected, gone, local
from codesign.executor.worker import ONE_THREAD, Answer, Terms, answer, made_by, outcome_of, write

TICK_S = 1.0
"""Seconds between looks at which workers there are."""
WAIT_S = 60.0
"""Seconds without any worker after which the work is given up."""

Outcomes = Generator[tuple[int, Any], None, None]
Call = tuple[str, tuple[Any, ...]]
"""Folder of a call, relative to the build folder, and its further arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Where calls run.

    Attributes:
        jobs: processes of this machine; one: this process itself.
        dask: address of the scheduler of a cluster, instead.
    """

    jobs: int = 1
    dask: str | None = None


class Executor(Protocol):
    """Runs calls."""

    def unordered(self, function: Callable[..., Any], calls: Iterable[Call]) -> Outcomes:
        """Yield the number of each call and what it returned, or the exception it raised, in the order they finish.

        No more calls are taken from ``calls`` than there are workers, so it may depend on earlier outcomes. What a
        worker was doing when it died is done again, by another one, up to `TRIES` times; then the outcome is a
        `WorkersDiedError`. What still runs when the iteration is left is not waited for: it ends with the executor, or
        goes on on a cluster until it is done.

        Args:
            function: called with the build folder, the call's folder in it and its arguments. It is importable, and
                writes into that folder only.
            calls: folder and arguments of each.

        Raises:
            StageError: the scheduler is gone, no worker is left, or none is fit.
        """
        ...

    @property
    def slots(self) -> int:
        """Calls that run at a time, at present."""
        ...


@contextlib.contextmanager
def executor(
    workers: Workers, root: Path, function: Callable[..., Any], needs: Sequence[Path] = ()
) -> Iterator[Executor]:
    """Yield an executor for calls of ``function``; its own processes end with it.

    Args:
        workers: where calls run.
        root: existing build folder.
        function: what is called; workers whose sources that it reaches differ are refused.
        needs: files and folders that its calls read, which each worker has to see.

    Raises:
        ConfigError: there is no such scheduler.
        StageError: none of its workers is fit.
    """
    if workers.dask is None and workers.jobs == 1:
        yield _Here(root)
        return
    token = f".seen_{secrets.token_hex(8)}"
    terms = Terms(
        made_by=made_by(function.__module__), module=function.__module__, needs=tuple(needs), root=root, token=token
    )
    (root / token).touch()
    try:
        with connected(workers.dask) if workers.dask is not None else local(workers.jobs) as client:
            yield _There(client, terms)
    finally:
        (root / token).unlink(missing_ok=True)


class _Here:
    """Calls in this process, one after the other."""

    slots = 1

    def __init__(self, root: Path) -> None:
        self._root = root
        for name, value in ONE_THREAD.items():
            os.environ.setdefault(name, value)

    def unordered(self, function: Callable[..., Any], calls: Iterable[Call]) -> Outcomes:
        for number, (place, args) in enumerate(calls):
            yield number, outcome_of(function, (self._root, place, *args))


@dataclass(slots=True)
class _Pending:
    """A call that runs: what it is, the workers that may make it, and how often it was given to some."""

    number: int
    place: str
    args: tuple[Any, ...]
    allowed: set[str]
    tries: int = 1


class _There:
    """Calls on a Dask cluster."""

    def __init__(self, client: Any, terms: Terms) -> None:
        self._client, self._terms = client, terms
        self._crew = Crew(client, terms)
        self._workers: list[str] = []
        self._looked = self._since = time.monotonic()
        self._look()

    @property
    def slots(self) -> int:
        return max(1, len(self._workers))

    def unordered(self, function: Callable[..., Any], calls: Iterable[Call]) -> Outcomes:
        waiting, more = enumerate(calls), True
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        pending: dict[Any, _Pending] = {}
        try:
            while True:
                self._look_again()
                while more and self._workers and len(pending) < len(self._workers):
                    number, (place, args) = next(waiting, (-1, ("", ())))
                    more = number >= 0
                    if more:
                        self._submit(function, _Pending(number, place, args, set()), pending, done)
                if not more and not pending:
                    return
                with contextlib.suppress(queue.Empty):
                    future = done.get(timeout=TICK_S)
                    if future in pending:
                        call = pending.pop(future)
                        yield call.number, self._outcome(future, call)
                for number, outcome in self._stranded(function, pending, done):
                    yield number, outcome
        finally:
            for future in pending:
                with contextlib.suppress(Exception):  # the scheduler is gone
                    future.cancel()

    def _submit(
        self, function: Callable[..., Any], call: _Pending, pending: dict[Any, _Pending], done: queue.SimpleQueue[Any]
    ) -> None:
        """Give a call to the workers that there are."""
        call.allowed = set(self._workers)
        future = self._client.submit(
            answer,
            self._terms,
            function,
            call.place,
            call.args,
            workers=list(self._workers),
            pure=False,
        )
        pending[future] = call
        future.add_done_callback(done.put)

    def _outcome(self, future: Any, call: _Pending) -> Any:
        """Return what came of a call that is done, after writing its files."""
        from distributed import KilledWorker

        if future.status == "cancelled":
            raise gone("the connection was lost")
        error = future.exception() if future.status == "error" else None
        if isinstance(error, KilledWorker):
            return _died(call)
        if error is not None:
            return StageError(f"{type(error).__name__}: {error}", where=call.place)
        found: Answer = future.result()
        if found.files is not None:
            write(found.files, self._terms.root / call.place)
        return found.outcome

    def _stranded(
        self, function: Callable[..., Any], pending: dict[Any, _Pending], done: queue.SimpleQueue[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Give calls whose workers are all gone to others; yield those for which that was done too often."""
        for future, call in list(pending.items()):
            if not self._workers or call.allowed & set(self._workers):
                continue
            del pending[future]
            future.cancel()
            if call.tries >= TRIES:
                yield call.number, _died(call)
                continue
            call.tries += 1
            self._submit(function, call, pending, done)

    def _look_again(self) -> None:
        """Look which workers there are, if it is time to.

        Raises:
            StageError: there has been none for `WAIT_S`.
        """
        if time.monotonic() - self._looked >= TICK_S or not self._workers:
            self._look()
        if self._workers:
            self._since = time.monotonic()
        elif time.monotonic() - self._since > WAIT_S:
            raise StageError(
                "the cluster has no worker",
                where="--dask",
                expected=f"one within {WAIT_S:.0f} s",
                fix="start `dask worker ADDRESS --nthreads 1`, then run the command again: what is done is kept",
            )

    def _look(self) -> None:
        self._workers = self._crew.workers()
        self._looked = time.monotonic()


def _died(call: _Pending) -> WorkersDiedError:
    return WorkersDiedError(
        "each worker that did this died",
        where=call.place,
        fix="run again; with fewer at a time if the memory was full",
    )
