# SPDX-License-Identifier: Apache-2.0
"""One process at a time works in a folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from codesign.errors import StageError
from codesign.outputs import check_folder


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock.

    Raises:
        StageError: another process holds it.
        ConfigError: nothing can be written there.
    """
    check_folder(folder, "")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise StageError(
                "another run is working here",
                where=str(folder),
                received=f"lock held by process {lock.read().strip() or 'unknown'}",
                fix="wait for it to end, or stop it",
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
