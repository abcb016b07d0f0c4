# SPDX-License-Identifier: Apache-2.0
"""What the user sees of a run: one line per stage, a progress bar on a terminal, the rest in the stage's log."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

BEAT_S = 30.0
"""Seconds between the lines that show the progress of a long step, where there is no terminal for a bar."""

_STYLES = {"ok": "green", "cached": "dim", "skipped": "yellow", "failed": "red bold", "interrupted": "yellow"}
_TRACEBACK = re.compile(
    r"(?:\n(?:The above exception was the direct cause|During handling of the above exception).*\n\n)?"
    r"^Traceback \(most recent call last\):\n(?:[ \t].*\n)*.*\n?",
    re.MULTILINE,
)
"""A traceback, with what connects it to the one before."""
_NOISE = re.compile(
    r"WARNING: All log messages before absl|[IWEF]\d{4} [\d:.]+ +\d+ \S+:\d+\]"
    r"|\d{4}-\d\d-\d\d [\d:.]+: [IWEF] |To enable the following instructions"
)
"""Log lines of TensorFlow and Abseil, which come before any setting of theirs could hide them."""


class Terminal:
    """The lines and the bar of one run. Keeps the real terminal while a stage's own output goes to its log."""

    def __init__(self, stream: IO[str] | None = None, *, beat_s: float = BEAT_S) -> None:
        own = stream or _own_stdout()
        if own not in (stream, sys.stdout):
            weakref.finalize(self, own.close)
        self.console = Console(file=own, highlight=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._beat_s = beat_s
        self._at = ""

    def stage(self, number: int, count: int, name: str, status: str, detail: str = "") -> None:
        """Print ``[3/8] 3_rtl ok 4.1 s``."""
        colon = ":" if status == "skipped" else ""
        line = f"\\[{number}/{count}] {name} [{_STYLES.get(status, 'default')}]{status}[/]{colon}"
        self.console.print(f"{line} {_escape(detail)}".rstrip())

    def text(self, text: str, style: str = "") -> None:
        """Print a line as it is."""
        self.console.print(text, markup=False, style=style)

    @contextlib.contextmanager
    def bar(self, title: str) -> Iterator[None]:
        """Show a progress bar while a step runs; where the output is no terminal, a line every `BEAT_S` seconds."""
        self._at = ""
        if not self.console.is_terminal:
            with beats(lambda seconds: self.text(f"{title} running: {seconds:.0f} s{self._at}"), self._beat_s):
                yield
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as self._progress:
            self._task = self._progress.add_task(title, total=None, text="")
            try:
                yield
            finally:
                self._progress = None

    def advance(self, fraction: float, text: str) -> None:
        """Move the bar: ``fraction`` from 0 to 1."""
        self._at = f", {100 * fraction:.0f} %, {text}"
        if self._progress is not None:
            self._progress.update(self._task, total=1.0, completed=fraction, text=text)


@contextlib.contextmanager
def beats(show: Callable[[float], None], every_s: float = BEAT_S) -> Iterator[None]:
    """Call ``show`` with the seconds since the start, every ``every_s`` of them, from another thread."""
    start, done = time.monotonic(), threading.Event()

    def beat() -> None:
        while not done.wait(every_s):
            show(time.monotonic() - start)

    thread = threading.Thread(target=beat, name="beats", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _own_stdout() -> IO[str]:
    """Return a copy of stdout that stays the terminal while `captured` points descriptor 1 at a log."""
    try:
        raw = io.FileIO(os.dup(sys.stdout.fileno()), "w")  # unbuffered: nothing is left over when the reader ends
        return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)
    except (OSError, ValueError):  # replaced by something without a descriptor, as in a notebook
        return sys.stdout


def _escape(text: str) -> str:
    return text.replace("[", "\\[")


@contextlib.contextmanager
def captured(log: Path) -> Iterator[None]:
    """Append everything written to stdout and stderr, by Python, libraries and child processes, to ``log``."""
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("a", encoding="utf-8", buffering=1) as stream:
        saved = os.dup(1), os.dup(2)
        try:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
            with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
                yield
        finally:
            for descriptor, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)


def last_lines(log: Path, count: int = 15, *, traceback: bool = True) -> list[str]:
    """Return the last lines of a log, without what TensorFlow logs about the machine; without tracebacks if
    asked.
    """
    if not log.is_file():
        return []
    text = log.read_text(encoding="utf-8", errors="replace")
    text = text if traceback else _TRACEBACK.sub("", text)
    return [line for line in text.splitlines() if not _NOISE.match(line)][-count:]
