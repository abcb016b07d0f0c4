# SPDX-License-Identifier: Apache-2.0
"""How a command ends: with an exit code, and with one paragraph on stderr whatever went wrong."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import select
import sys
import tempfile
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import IO, Any, NoReturn

from codesign import __version__
from codesign.errors import (
    CodesignError,
    ConfigError,
    ConversionWarning,
    OldNameWarning,
    TrustWarning,
    VideoWarning,
    WorkerWarning,
)
from codesign.processes import Ended, ends_as_interrupt

OK, FAILED, USAGE, INTERNAL, SIGNALED, INTERRUPTED, UNREAD = 0, 1, 2, 3, 128, 130, 141


def end(command: Callable[[], int], *, debug: bool = False) -> int:
    """Run a command and return its exit code; what went wrong is reported in one paragraph on stderr.

    Args:
        command: returns `OK` or `FAILED`.
        debug: raise what went wrong instead.

    Returns:
        What the command returned; `USAGE` for wrong usage or configuration, `FAILED` if it or the system failed,
        `INTERNAL` for a fault of this program, whose traceback is then in a file that the paragraph names; 128 + signal
        if a signal ended it, `UNREAD` if the reader of its output exited.
    """
    _make_printable()
    try:
        with ends_as_interrupt(), warnings_to(lambda text: print(text, file=sys.stderr)):
            code = command()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as interrupt:
        if not (isinstance(interrupt, Ended) and interrupt.reported):
            say("interrupted")
        return interrupt.code if isinstance(interrupt, Ended) else INTERRUPTED
    except SystemExit as stop:
        if not isinstance(stop.__context__, BrokenPipeError):  # what `rich` makes of it
            raise
        return UNREAD
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _unread():
            return UNREAD
        if debug:
            raise
        return _explain(error)
    finally:
        flush()


def leave(code: int) -> NoReturn:
    """End this process at once, after what is registered for its end: taking TensorFlow apart lasts seconds."""
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    flush()
    os._exit(code)


def _explain(error: Exception) -> int:
    """Report what went wrong; return the exit code."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            say(f"error: {problem}")
        return USAGE
    if isinstance(error, CodesignError):
        say(f"error: {error}")
    elif isinstance(error, MemoryError):
        say(f"error: there is not enough memory. {error}".rstrip())
    elif isinstance(error, RecursionError):
        say("error: something is nested too deeply to be read. Next step: simplify it; --debug shows what.")
    elif isinstance(error, OSError):
        say(f"error: {_of_system(error)}")
    else:
        say(_internal(error))
        return INTERNAL
    return FAILED


def _of_system(error: OSError) -> str:
    steps = {
        errno.ENOSPC: "make room on the disk",
        errno.EDQUOT: "make room on the disk",
        errno.EROFS: "name a place that is writable",
        errno.EACCES: "make it accessible, or name another place",
        errno.EPERM: "make it accessible, or name another place",
        errno.ENOTDIR: "move away the file that is where a folder is needed",
        errno.EISDIR: "move away the folder that is where a file is needed",
        errno.EMFILE: "allow more open files: ulimit -n",
    }
    where = f"{error.filename}: " if error.filename is not None else ""
    step = steps.get(error.errno or 0, "check that it is there and accessible; --debug shows what was tried")
    return f"{where}{error.strerror or str(error) or type(error).__name__}. Next step: {step}."


def _internal(error: Exception) -> str:
    """Return the words for a fault of this program, after its traceback was written to a file."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="codesign-", suffix=".log", delete=False) as log:
            log.write(f"codesign {__version__}: {' '.join(sys.argv[1:])!a}\n")
            log.write("".join(traceback.format_exception(error)).encode("ascii", "backslashreplace").decode())
        kept = f" with {log.name}"
    except OSError:
        kept = ""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(".")
    return f"internal error: {text}. Next step: please report it{kept}; --debug shows the traceback."


def say(text: str) -> None:
    """Print a paragraph on stderr; a tool's last lines in it stay lines."""
    with contextlib.suppress(OSError, ValueError):  # there is no stderr to report to
        for line in text.splitlines():
            print(textwrap.fill(line, width=100, break_long_words=False, break_on_hyphens=False), file=sys.stderr)


@contextlib.contextmanager
def warnings_to(write: Callable[[str], None]) -> Iterator[None]:
    """Write each of this project's own warnings as one line, once (once per file); leave all others to Python."""
    ours = (ConversionWarning, VideoWarning, TrustWarning, OldNameWarning, WorkerWarning)
    said: set[str] = set()
    with warnings.catch_warnings():
        for kind in ours:
            warnings.simplefilter("always", kind)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, ours):
                others(message, category, *place, **more)
            elif (about := getattr(message, "about", str(message))) not in said:
                said.add(about)
                write(f"warning: {message}")

        warnings.showwarning = show
        yield


def _make_printable() -> None:
    """Let every character be printed, as an escape where the terminal has none; make what was closed swallow it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # was closed: `captured` and tools need all three
        pass
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        stream: IO[str] | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  (for the whole run)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _unread() -> bool:
    """Whether the reader of stdout has exited."""
    with contextlib.suppress(OSError, ValueError):
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(state & select.POLLERR for _, state in poll.poll(0))
    return False


def flush() -> None:
    """Print what is left; what cannot be printed is dropped, so that Python does not try again when it ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
