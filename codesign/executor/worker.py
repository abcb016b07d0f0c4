# SPDX-License-Identifier: Apache-2.0
"""What runs in a worker: a check that it is fit for the work, and a call in the build folder or in one of its own."""

from __future__ import annotations

import os
import pickle
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from codesign import __version__, provenance
from codesign.errors import StageError
from codesign.sources import source_hash
from codesign.trust import private

PACKAGES = ("tensorflow", "keras", "qkeras-v3", "hls4ml", "numpy")
"""Distributions that a trained network depends on."""
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
"""Environment of a worker: many small networks train faster side by side than one with many threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a worker and the process that gives it work must have in common.

    Attributes:
        made_by: versions of Python, this package and `PACKAGES`, and the hash of the sources that a call reaches.
        module: module of the function that is called.
        needs: files and folders that a call reads.
        root: build folder.
        token: name of a file in it, which a worker finds only if it sees the same folder.
    """

    made_by: dict[str, str | None]
    module: str
    needs: tuple[Path, ...]
    root: Path
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call returned, or the exception that it raised; and what it wrote, where the build folder is not seen.

    Attributes:
        outcome: what it returned or raised.
        files: content of each file below the call's folder, by its path there; None if they lie in the build folder.
    """

    outcome: Any
    files: dict[str, bytes] | None = None


def made_by(module: str) -> dict[str, str | None]:
    """Return what results of functions of ``module`` follow from, here."""
    own: dict[str, str | None] = {"Python": platform.python_version(), "codesign": __version__}
    own |= {name: provenance.installed(name) for name in PACKAGES}
    return own | {"sources of codesign": source_hash(module)[:12]}


def unfit(terms: Terms) -> str | None:
    """Return in words why this process cannot do the work; None if it can."""
    here = made_by(terms.module)
    wrong = [
        f"{name} {here.get(name)} instead of {wanted}"
        for name, wanted in terms.made_by.items()
        if here.get(name) != wanted
    ]
    if wrong:
        return f"it has {', '.join(wrong)}"
    unseen = [str(path) for path in terms.needs if not path.exists()]
    return f"it does not see {', '.join(unseen)}" if unseen else None


def answer(terms: Terms, function: Callable[..., Any], place: str, args: tuple[Any, ...]) -> Answer:
    """Call ``function(root, place, *args)`` and return what came of it.

    Args:
        terms: the build folder is used if this process sees it, and a private one otherwise.
        function: writes into ``root / place`` only, and may read what earlier calls of this process wrote elsewhere.
        place: folder of the call, relative.
        args: further arguments.
    """
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    seen = (terms.root / terms.token).is_file()
    root = terms.root if seen else private("trials") / terms.token
    outcome = outcome_of(function, (root, place, *args))
    if seen:
        return Answer(outcome=outcome)
    folder = root / place
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    shutil.rmtree(folder, ignore_errors=True)
    return Answer(outcome=outcome, files=files)


def outcome_of(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return what a call returned, or the exception that it raised, as one that can be pickled."""
    try:
        return function(*args)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))  # of our own process
        except Exception:
            return StageError(f"{type(error).__name__}: {error}")
        return error


def write(files: dict[str, bytes], folder: Path) -> None:
    """Write what `answer` brought along into ``folder``.

    Raises:
        StageError: a path leads out of the folder.
    """
    for name, content in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise StageError("a worker sent a file that lies elsewhere", where=str(folder), received=repr(name))
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
