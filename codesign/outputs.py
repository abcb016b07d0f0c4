# SPDX-License-Identifier: Apache-2.0
"""Files and folders that a user names: checked before any work, and written whole or not at all.

Missing folders of a path are made below a folder that exists, but **never directly below the root**: a mistyped
absolute path is an error and not a new tree of folders, whatever the rights of the user.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from codesign.errors import ConfigError, OutputError


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path] = ()) -> None:
    """Check that every output file can be written; nothing is made or changed.

    Args:
        outputs: path by the option that names it; None: not asked for.
        inputs: files that are read, which none of them may replace.

    Raises:
        ConfigError: one cannot be written, would replace an input, or is named twice; ``where`` is ``option path``.
    """
    taken = {_resolved(path, "input"): f"the input {path}" for path in inputs}
    for option, path in outputs.items():
        if path is None:
            continue
        target = _resolved(path, option)
        if target in taken:
            raise ConfigError(
                "the output would replace what else is read or written",
                where=f"{option} {path}",
                received=taken[target],
                fix="name another file",
            )
        taken[target] = f"{option} {path}"
        _check_file(target, f"{option} {path}")


def check_folder(path: Path, option: str) -> None:
    """Check that files can be made in a folder, which is there or can be made; nothing is made or changed.

    Raises:
        ConfigError: they cannot; ``where`` is ``option path``.
    """
    _check_folder(_resolved(path, option), f"{option} {path}".lstrip())


def check_work(folder: Path, names: Iterable[str]) -> None:
    """Check a folder that a command works in, and that no file is where it will make a folder.

    Args:
        folder: as in `check_folder`.
        names: names of the folders in it.

    Raises:
        ConfigError: it cannot work there.
    """
    check_folder(folder, "")
    for path in (folder / name for name in names):
        if os.path.lexists(path) and not path.is_dir():
            raise ConfigError("a file is in the way", where=str(path), expected="a folder", fix="move it away")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which takes the place of ``path`` when the body ends, in one step.

    If the body fails nothing is left, and ``path`` is what it was. A link is followed; to a device or a pipe the body
    writes directly. Missing folders are made.

    Raises:
        OutputError: the system refuses: the disk is full, the folder is not writable ...
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            yield target
            return
        missing = _missing(target.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".codesign-{os.getpid()}.part")  # short, so that any name that fits can be written
        try:
            yield part
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                for folder in missing:
                    folder.rmdir()
            raise
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise OutputError(
            f"cannot be written ({reason})",
            where=str(path),
            fix="make room or name another place, and run it again",
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 as `replacing` does.

    Raises:
        OutputError: the system refuses.
    """
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def _resolved(path: Path, option: str) -> Path:
    try:
        found = path.resolve()
        found.is_file()  # raises what no call to the system can take: a name too long, a zero in it
    except (OSError, ValueError, RuntimeError) as error:
        where = f"{option} {str(path)[:200]!r}"
        raise ConfigError("no such path can be", where=where, received=error, fix="choose another path") from None
    return found


def _check_file(target: Path, where: str) -> None:
    if target.is_dir():
        raise ConfigError("the output is a folder", where=where, expected="a file to write", fix="name a file in it")
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        _check_folder(target.parent, where)
        return
    except OSError as error:
        raise ConfigError("the output cannot be written", where=where, received=_reason(error)) from None
    if not os.access(target, os.W_OK):
        raise ConfigError("the output is not writable", where=where, fix="name another file, or make it writable")
    if stat.S_ISREG(mode):
        _check_folder(target.parent, where)


def _check_folder(folder: Path, where: str) -> None:
    """Check that a file can be made in ``folder``, or that folder in one that exists."""
    missing = _missing(folder)
    place = missing[-1].parent if missing else folder
    if missing and place == Path(place.anchor):
        raise ConfigError(
            "there is no such folder, and none is made directly below the root",
            where=where,
            expected="a path below a folder that exists",
            received=f"no {missing[-1]}",
            fix=f"check the path, or make the folder first: mkdir -p {folder}",
        )
    if not place.is_dir():
        fix = "name another folder, or move the file"
        raise ConfigError("a file is in the way", where=where, expected="a folder", received=str(place), fix=fix)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise ConfigError(
            "nothing can be written there",
            where=where,
            received=f"{place}: {_reason(error)}",
            fix="name another place, or make this one writable",
        ) from None


def _missing(folder: Path) -> list[Path]:
    """Return the folders that are not there, from ``folder`` upwards."""
    return list(itertools.takewhile(lambda path: not os.path.lexists(path), (folder, *folder.parents)))


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
