# SPDX-License-Identifier: Apache-2.0
"""A Dask cluster: the one at an address, or workers of this machine that end with this process."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import warnings
from collections.abc import Iterator
from typing import Any

from codesign.errors import ConfigError, StageError, WorkerWarning
from codesign.executor.worker import ONE_THREAD, Terms, unfit
from codesign.trust import private

CONNECT_S = 10.0
"""Seconds in which a scheduler has to answer, and workers of this machine have to start."""
START_S = 60.0
GRACE_S = 3.0
TRIES = 2
"""Times that a call is made, if its workers die."""


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield a client of the scheduler at ``address``, which is trusted as its workers are.

    Raises:
        ConfigError: there is none.
    """
    from distributed import Client

    _quiet()
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigError(
            "no Dask scheduler answers",
            where="--dask",
            expected="the address of one that runs, e.g. tcp://192.168.0.1:8786",
            received=f"{address} ({' '.join(str(error).split()) or type(error).__name__})",
            fix="start it with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`",
        ) from None
    try:
        yield client
    finally:
        _close(client)


@contextlib.contextmanager
def local(jobs: int) -> Iterator[Any]:
    """Yield a client of ``jobs`` new processes with one thread each; they end with this one, however it ends.

    They talk through TLS with keys of their own, as everyone on this machine could connect otherwise.

    Raises:
        StageError: they do not start.
    """
    import dask
    from distributed import Client, LocalCluster
    from distributed.security import Security

    _quiet()
    settings = {
        "distributed.scheduler.allowed-failures": TRIES - 1,
        "distributed.worker.daemon": False,
        "distributed.nanny.pre-spawn-environ": ONE_THREAD,
        "logging.distributed": "critical",
    }
    with dask.config.set(settings), contextlib.ExitStack() as stack:
        cluster = LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            security=Security.temporary(),
            local_directory=str(private("dask")),
        )
        stack.callback(_end, cluster)
        client = Client(cluster, timeout=START_S, set_as_default=False)
        stack.callback(_close, client)
        yield client


def _end(cluster: Any) -> None:
    """End the workers at once, whatever they do."""
    for nanny in list(cluster.workers.values()):
        nanny.auto_restart = False
        if nanny.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(nanny.pid, signal.SIGKILL)
    _close(cluster)


def _close(part: Any) -> None:
    """Close a client or a cluster: if it does not answer in time, what ended the work is still what is reported."""
    with contextlib.suppress(Exception):
        part.close(timeout=GRACE_S)


class Crew:
    """The workers of a cluster that are fit for the work; those that are not are named once."""

    def __init__(self, client: Any, terms: Terms) -> None:
        self._client, self._terms = client, terms
        self._refused: dict[str, str] = {}
        self._fit: set[str] = set()

    def workers(self) -> list[str]:
        """Return the addresses of the workers that are there and fit.

        Raises:
            StageError: there are workers, and none is fit; or the scheduler is gone.

        Warns:
            WorkerWarning: some are not.
        """
        try:
            info = self._client.scheduler_info(n_workers=-1)["workers"]
            new = [address for address in info if address not in self._fit and address not in self._refused]
            for address, reason in self._judged(new, info).items():
                if reason is None:
                    self._fit.add(address)
                    continue
                self._refused[address] = f"worker {info[address]['name']} at {address} is refused: {reason}"
                warnings.warn(self._refused[address], WorkerWarning, stacklevel=2)
        except (OSError, TimeoutError) as error:
            raise gone(str(error)) from None
        fit = [address for address in info if address in self._fit]
        if info and not fit:
            raise StageError(
                "no worker of the cluster can do the work",
                where="--dask",
                received="; ".join(self._refused[address] for address in info),
                fix="give the workers the same environment, one thread each, and the data",
            )
        return fit

    def _judged(self, addresses: list[str], info: dict[str, Any]) -> dict[str, str | None]:
        """Return what is wrong with each worker, None where nothing is."""
        threads = {address: info[address]["nthreads"] for address in addresses}
        found: dict[str, str | None] = {
            address: f"it has {count} threads, and networks train one in a process (--nthreads 1)"
            for address, count in threads.items()
            if count != 1
        }
        asked = [address for address in addresses if address not in found]
        if asked:
            said = self._client.run(unfit, self._terms, workers=asked, on_error="return")
            found |= {
                address: f"it cannot import this package ({reason})" if isinstance(reason, BaseException) else reason
                for address, reason in said.items()
            }
        return found


def gone(why: str) -> StageError:
    """Return the error of a scheduler that does not answer any more."""
    return StageError(
        "the Dask scheduler is gone",
        where="--dask",
        received=why or None,
        fix="see whether it runs, then run the command again: what is done is kept",
    )


def _quiet() -> None:
    """Let Dask say only what ends the program: what happens to workers is reported here."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
