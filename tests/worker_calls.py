# SPDX-License-Identifier: Apache-2.0
"""Functions that workers call in the tests of the executor."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def noted(root: Path, place: str, seconds: float) -> str:
    """Work for a while, and note which process began and which one ended it."""
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"begun_{os.getpid()}").touch()
    time.sleep(seconds)
    (folder / "done").write_text(str(os.getpid()), encoding="utf-8")
    return place


def wrong(root: Path, place: str) -> None:  # noqa: ARG001
    raise ValueError(place)


def kill(root: Path, place: str) -> None:  # noqa: ARG001
    os.kill(os.getpid(), signal.SIGKILL)


def square(root: Path, place: str, value: int) -> int:  # noqa: ARG001
    return value * value
