# SPDX-License-Identifier: Apache-2.0
"""Files that a stage left, read back: what is damaged, or of another kind, is a `StageError` that names the file."""

from __future__ import annotations

import errno
import json
import stat
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from codesign.errors import CodesignError, StageError
from codesign.paths import BuildFolder

T = TypeVar("T")
DAMAGED = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError),
    *(MemoryError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""Errors that readers of JSON, archives and records raise for files that are not what they should be."""
LARGEST = 1 << 32
"""Most bytes that are read, unpacked: a small archive may unpack to more than a computer holds."""


def loaded(path: Path, read: Callable[[], T]) -> T:
    """Return what ``read`` makes of the file at ``path``.

    Raises:
        StageError: the file is missing, damaged, or holds something else.
    """
    try:
        return read()
    except CodesignError as error:
        raise StageError(f"does not hold what it should ({error})", where=str(path), fix=_fix(path)) from None
    except DAMAGED as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise StageError(f"cannot be read ({reason})", where=str(path), fix=_fix(path)) from error


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8; of a file only, as a pipe or a device may never end.

    Raises:
        OSError: there is no such file, it cannot be read, or it is no file.
        ValueError: it is not UTF-8.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a file", str(path))
    return path.read_text(encoding="utf-8")


def load_json(path: Path) -> Any:
    """Return the JSON value in a file; numbers are finite.

    Raises:
        StageError: see `loaded`.
    """
    return loaded(path, lambda: json.loads(read_text(path), parse_constant=_refuse_constant))


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file by name: numbers, finite ones, and texts.

    Objects, which only a pickle can hold, are refused: it could run code.

    Raises:
        StageError: see `loaded`.
    """

    def read() -> dict[str, NDArray[Any]]:
        if not path.is_file():
            raise OSError(errno.ENOENT, "no such file", str(path))
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if not isinstance(arrays, np.lib.npyio.NpzFile):
                raise ValueError("no archive of arrays")
            size = 0 if arrays.zip is None else sum(item.file_size for item in arrays.zip.infolist())
            if size > LARGEST:
                raise ValueError(f"{size:,} bytes unpacked, more than {LARGEST:,}")
            return {name: _plain(name, arrays) for name in arrays}

    return loaded(path, read)


def _plain(name: str, arrays: np.lib.npyio.NpzFile) -> NDArray[Any]:
    try:
        array = arrays[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError(f"{name} holds objects in a pickle, which could run code and is not read") from None
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is no array")
    if array.dtype.kind in "fc" and not np.isfinite(array).all():
        raise ValueError(f"{name} holds values that are not finite")
    return array


def integers(arrays: dict[str, NDArray[Any]], name: str, dimensions: int) -> NDArray[Any]:
    """Return the array of whole numbers called ``name``.

    Raises:
        ValueError: it has another type or number of dimensions.
    """
    found = arrays[name]
    if found.dtype.kind not in "iu" or found.ndim != dimensions:
        raise ValueError(f"{name} holds {found.dtype} in {found.ndim} dimensions, not integers in {dimensions}")
    return found


def _fix(path: Path) -> str:
    return f"make it anew: `{anew(path.parent)}`"


def anew(folder: Path) -> str:
    """Return the command that makes a folder of the build folder again: of a stage, or of a board."""
    if folder.parent.name != BuildFolder.BOARDS:
        return f"codesign run DESIGN.toml --from {folder.name}"
    target = folder.name
    hls, dense = target.removesuffix(BuildFolder.HLS_BUILD), target.removesuffix(BuildFolder.DENSE)
    extra = " --hls" if hls != target else " --dense" if dense != target else ""
    return f"codesign build {folder.parents[1]} --target {min(hls, dense, key=len)}{extra} --force"
