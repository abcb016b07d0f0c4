# SPDX-License-Identifier: Apache-2.0
"""Compiled code is loaded only if this user compiled it: seals of libraries, and private folders to compile in.

A build folder may come from another user, and anyone who can write a library can write a hash beside it. So every
library gets a seal: an HMAC of its bytes and of what they were made of, under a key that only this user can read
and that lies outside of every build folder, in ``$XDG_STATE_HOME/codesign/key`` or ``~/.local/state/codesign/key``.
What is loaded are the bytes that were checked: a private copy of them. See docs/security.md.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import hashlib
import hmac
import os
import re
import secrets
import shutil
import stat
import tempfile
import uuid
import warnings
from functools import cache
from pathlib import Path

from codesign.errors import SimulationError, TrustError, TrustWarning
from codesign.paths import BuildFolder

KEY = "key"
KEY_BYTES = 32
SEAL = ".seal"
"""Suffix that the name of a file's seal adds to the file's own."""
LARGEST = 1 << 30
"""Most bytes of a file that is read to be checked."""
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+-]+")
_VERSION = b"codesign seal 1\0"


@cache
def private(kind: str) -> Path:
    """Return a folder that no other user can enter, and that lives as long as this process.

    There are no spaces and no other special characters in its path: make, the shell and C strings take it as it is.

    Raises:
        SimulationError: there is no place for temporary files that has such a path.
    """
    places = [tempfile.gettempdir(), "/tmp", "/var/tmp"]
    for place in places:
        if _PLAIN_PATH.fullmatch(place) and os.access(place, os.W_OK | os.X_OK):
            folder = Path(tempfile.mkdtemp(prefix=f"codesign_{kind}_", dir=place))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            return folder
    raise SimulationError(
        "there is no folder for temporary files that tools can work in",
        expected="a folder whose path has letters, digits and _ . + - only",
        received=", ".join(map(repr, places)),
        fix="set TMPDIR to one",
    )


@cache
def plain_path(folder: Path) -> Path:
    """Return ``folder``, or a private copy of it, as a path that make and the shell take as it is."""
    if _PLAIN_PATH.fullmatch(str(folder)):
        return folder
    copy = private("copies") / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    shutil.copytree(folder, copy)
    return copy


def kept() -> bool:
    """Return whether seals of this process are good in the next one; if not, a `TrustWarning` has given the reason."""
    return _key()[1]


def seal(path: Path, made_of: str, data: bytes | None = None) -> None:
    """Write the seal of a file that this process made from ``made_of``.

    data: what was made, where ``path`` lies in a folder that others may write to; None: what is at ``path``.
    """
    content = path.read_bytes() if data is None else data
    path.with_name(path.name + SEAL).write_text(_seal(content, made_of) + "\n", encoding="ascii")


def sealed(path: Path, made_of: str) -> bytes | None:
    """Return the content of a file that this user made from ``made_of``; None if it is anything else, or missing."""
    content, written = read_regular(path), read_regular(path.with_name(path.name + SEAL), largest=1024)
    if content is None or written is None:
        return None
    return content if hmac.compare_digest(written.strip(), _seal(content, made_of).encode()) else None


def load(path: Path, made_of: str) -> ctypes.CDLL:
    """Load a library whose seal is good: the bytes that were checked, not what may lie at ``path`` by then.

    Raises:
        SimulationError: it is not what this user made from ``made_of``, or cannot be loaded.
    """
    content = sealed(path, made_of)
    if content is None:
        raise SimulationError(
            "the library is not what this user compiled",
            where=str(path),
            fix="delete its folder and run again; let no two users share a build folder",
        )
    digest = hashlib.sha256(content).digest()
    if digest not in _LOADED:
        _LOADED[digest] = _load(content, path)
    return _LOADED[digest]


_LOADED: dict[bytes, ctypes.CDLL] = {}
"""Libraries in this process by the SHA-256 of their bytes: one that is opened twice is loaded once, as with dlopen."""


def _load(content: bytes, path: Path) -> ctypes.CDLL:
    with tempfile.NamedTemporaryFile(suffix=".so", dir=private("load")) as copy:
        copy.write(content)
        copy.flush()
        try:
            return ctypes.CDLL(copy.name)
        except OSError as error:
            raise SimulationError(
                f"the library cannot be loaded ({error})",
                where=str(path),
                fix="if programs may not be run from TMPDIR, set it to a folder from which they may",
            ) from None


def read_regular(path: Path, *, largest: int = LARGEST) -> bytes | None:
    """Return the content of a regular file; None for anything else: a link, a pipe, a larger file, nothing."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            found = os.fstat(file.fileno())
            return file.read() if stat.S_ISREG(found.st_mode) and found.st_size <= largest else None
    except OSError:
        return None


def check_no_links(folder: Path) -> None:
    """Check that no symbolic link, pipe or device lies in a build folder: none is ever made there, and what is written
    or read through one is a file elsewhere. What a vendor's tool makes for itself, below ``boards/<board>``, may be.

    Raises:
        TrustError: there is one.
    """
    for base, folders, files in os.walk(folder):
        for path in [Path(base, name) for name in (*folders, *files)]:
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise TrustError(
                    f"{'a symbolic link' if stat.S_ISLNK(mode) else 'not a file'} in a build folder",
                    where=str(path),
                    expected="files and folders only: what is written through a link lands elsewhere",
                    fix="delete it, or put a copy of what it points to in its place",
                )
        if Path(base).parent.name == BuildFolder.BOARDS:
            folders.clear()


def _seal(content: bytes, made_of: str) -> str:
    message = _VERSION + hashlib.sha256(content).digest() + made_of.encode()
    return hmac.new(_key()[0], message, "sha256").hexdigest()


@cache
def _key() -> tuple[bytes, bool]:
    """Return the key, and whether it is kept for other processes."""
    folder = _state_folder()
    problem = "there is no home"
    if folder is not None:
        try:
            return _kept_key(folder), True
        except OSError as error:
            problem = f"{folder}: {error.strerror or error}"
    warnings.warn(
        f"no place for a key of this user ({problem}): compiled libraries are used by this process only and compiled "
        "again by the next one. Next step: set XDG_STATE_HOME to a folder that only you can write to.",
        TrustWarning,
        stacklevel=2,
    )
    return secrets.token_bytes(KEY_BYTES), False


def _state_folder() -> Path | None:
    """Return where this user's state is kept (XDG Base Directory Specification: relative paths do not count)."""
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    if given.is_absolute():
        return given / "codesign"
    with contextlib.suppress(RuntimeError):  # no home at all
        home = Path("~").expanduser() if os.environ.get("HOME", "~") else Path()
        if home.is_absolute() and home.is_dir():  # a missing home is not created
            return home / ".local" / "state" / "codesign"
    return None


def _kept_key(folder: Path) -> bytes:
    """Return the key in ``folder``, made on first use.

    Raises:
        OSError: the folder cannot be made or read, or others can write to it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise OSError("others can write to it")
    key = _read_key(folder / KEY)
    if key is None:
        with contextlib.suppress(FileNotFoundError):
            (folder / KEY).unlink()  # of a wrong size, or one that others could read
        _make_key(folder)
        key = _read_key(folder / KEY)
    if key is None:
        raise OSError("files there cannot be kept from others")
    return key


def _make_key(folder: Path) -> None:
    """Put a new key into ``folder``, or leave the one that another process has just put there."""
    new = folder / f".{KEY}_{uuid.uuid4().hex}"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    try:
        os.link(new, folder / KEY)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        new.rename(folder / KEY)
    finally:
        new.unlink(missing_ok=True)


def _read_key(path: Path) -> bytes | None:
    """Return the key, None if there is none that only this user can read."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if found.st_uid != os.geteuid():
        raise PermissionError("the key belongs to another user")
    if found.st_mode & 0o077:
        return None
    key = read_regular(path, largest=KEY_BYTES)
    return key if key is not None and len(key) == KEY_BYTES else None
