# SPDX-License-Identifier: Apache-2.0
"""Seals: what this user compiled is loaded, also later and elsewhere; anything else that lies there is not."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codesign import trust
from codesign.errors import SimulationError, TrustError, TrustWarning
from codesign.trust import SEAL

Attack = Callable[[Path, Path], None]
MADE_OF = "sources, flags and versions"


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Give the test a key of its own and return where it is kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    trust._key.cache_clear()
    yield tmp_path / "state" / "codesign"
    trust._key.cache_clear()


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a library whose answer() is 42, and an attacker's that leaves a file `ran` when it is loaded."""
    folder = tmp_path_factory.mktemp("libraries")
    (folder / "good.c").write_text("int answer(void) { return 42; }\n")
    (folder / "evil.c").write_text(
        '#include <stdio.h>\n__attribute__((constructor)) static void run(void) { fclose(fopen("'
        f'{folder}/ran", "w")); }}\nint answer(void) {{ return 666; }}\n'
    )
    for name in ("good", "evil"):
        subprocess.run(["g++", "-xc", "-shared", "-fPIC", f"{name}.c", "-o", f"{name}.so"], cwd=folder, check=True)
    return folder / "good.so", folder / "evil.so"


@pytest.fixture
def library(state: Path, libraries: tuple[Path, Path], tmp_path: Path) -> Path:
    """Return the good library in a build folder, sealed."""
    path = tmp_path / "build" / "harness.so"
    path.parent.mkdir()
    path.write_bytes(libraries[0].read_bytes())
    trust.seal(path, MADE_OF)
    assert state.is_dir()
    return path


def replaced(path: Path, evil: Path) -> None:
    path.write_bytes(evil.read_bytes())


def with_a_plain_hash(path: Path, evil: Path) -> None:
    replaced(path, evil)
    path.with_name(path.name + SEAL).write_text(hashlib.sha256(path.read_bytes()).hexdigest() + "\n")


def sealed_by_another_user(path: Path, evil: Path) -> None:
    replaced(path, evil)
    trust._key.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(path.parent / "theirs"))
        trust.seal(path, MADE_OF)
    trust._key.cache_clear()


def with_the_seal_of_another_build(path: Path, _: Path) -> None:
    trust.seal(path, "older sources")


def linked(path: Path, evil: Path) -> None:
    path.unlink()
    path.symlink_to(evil)


def linked_to_the_sealed_one(path: Path, _: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to("other")


def truncated(path: Path, _: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path, _: Path) -> None:
    os.truncate(path, 0)


def a_pipe(path: Path, _: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path, _: Path) -> None:
    path.unlink()
    path.mkdir()


def without_its_seal(path: Path, _: Path) -> None:
    path.with_name(path.name + SEAL).unlink()


def with_an_endless_seal(path: Path, _: Path) -> None:
    path.with_name(path.name + SEAL).unlink()
    path.with_name(path.name + SEAL).symlink_to("/dev/zero")


ATTACKS: list[Attack] = [
    replaced,
    with_a_plain_hash,
    sealed_by_another_user,
    with_the_seal_of_another_build,
    linked,
    linked_to_the_sealed_one,
    truncated,
    emptied,
    a_pipe,
    a_folder,
    without_its_seal,
    with_an_endless_seal,
]


def test_what_this_user_compiled_is_loaded(library: Path) -> None:
    assert trust.load(library, MADE_OF).answer() == 42


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_anything_else_is_not(library: Path, libraries: tuple[Path, Path], attack: Attack) -> None:
    attack(library, libraries[1])
    assert trust.sealed(library, MADE_OF) is None
    with pytest.raises(SimulationError, match="not what this user compiled"):
        trust.load(library, MADE_OF)
    assert not libraries[1].with_name("ran").exists()


def test_the_attack_would_run(libraries: tuple[Path, Path]) -> None:
    """Without the check the planted library runs: the tests above show something."""
    mark = libraries[1].with_name("ran")
    assert ctypes.CDLL(str(libraries[1])).answer() == 666
    assert mark.exists()
    mark.unlink()


def test_what_runs_are_the_bytes_that_were_checked(
    monkeypatch: pytest.MonkeyPatch, library: Path, libraries: tuple[Path, Path]
) -> None:
    """Somebody puts another library in its place right after the check, and cuts it off later."""
    check = trust.sealed

    def then_replaced(path: Path, made_of: str) -> bytes | None:
        content = check(path, made_of)
        replaced(path, libraries[1])
        return content

    monkeypatch.setattr(trust, "sealed", then_replaced)
    monkeypatch.setattr(trust, "_LOADED", {})
    loaded = trust.load(library, MADE_OF)
    os.truncate(library, 0)  # what a mapped file does to its process then: SIGBUS
    assert loaded.answer() == 42
    assert not libraries[1].with_name("ran").exists()


def test_a_seal_moves_with_its_folder(library: Path, tmp_path: Path) -> None:
    library.parent.rename(tmp_path / "elsewhere")
    assert trust.load(tmp_path / "elsewhere" / library.name, MADE_OF).answer() == 42


def test_a_seal_is_good_in_other_processes(library: Path) -> None:
    code = "from sys import argv; from pathlib import Path; from codesign.trust import load\n"
    code += "print(load(Path(argv[1]), argv[2]).answer())"
    done = subprocess.run([sys.executable, "-c", code, library, MADE_OF], capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"


def test_the_key_is_for_this_user_only(library: Path, state: Path) -> None:
    assert library.exists()
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / trust.KEY).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in state.iterdir()] == [trust.KEY]


@pytest.mark.parametrize("fault", ["readable", "short", "linked"])
def test_a_key_that_others_could_know_is_replaced(library: Path, state: Path, fault: str) -> None:
    key = state / trust.KEY
    before = key.read_bytes()
    if fault == "readable":
        key.chmod(0o640)
    elif fault == "short":
        key.write_bytes(before[:8])
    else:
        key.rename(library.with_name("key"))
        key.symlink_to(library.with_name("key"))
    trust._key.cache_clear()
    assert trust.sealed(library, MADE_OF) is None
    assert trust.kept()
    assert key.read_bytes() != before
    assert key.lstat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fault", ["writable by all", "a file", "no home", "a home that is not there"])
def test_without_a_place_for_a_key_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, state: Path, tmp_path: Path, fault: str
) -> None:
    if fault == "writable by all":
        state.mkdir(parents=True)
        state.chmod(0o777)
    elif fault == "a file":
        state.parent.write_text("")
    else:
        monkeypatch.setenv("XDG_STATE_HOME", "relative")
        monkeypatch.setenv("HOME", "" if fault == "no home" else str(tmp_path / "nobody"))
    with pytest.warns(TrustWarning, match=r"no place for a key.*XDG_STATE_HOME"):
        assert not trust.kept()
    assert not (tmp_path / "nobody").exists()
    path = tmp_path / "library"
    path.write_bytes(b"made here")
    trust.seal(path, MADE_OF)
    assert trust.sealed(path, MADE_OF) == b"made here"  # good in this process
    trust._key.cache_clear()
    with pytest.warns(TrustWarning):
        assert trust.sealed(path, MADE_OF) is None  # and not in the next one


def test_links_and_pipes_in_a_build_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file").write_text("")
    trust.check_no_links(tmp_path)
    for make in (lambda path: path.symlink_to("/etc/passwd"), lambda path: path.symlink_to("nowhere"), os.mkfifo):
        path = tmp_path / "cache" / "x"
        make(path)
        with pytest.raises(TrustError, match=r"cache/x: .*delete it"):
            trust.check_no_links(tmp_path)
        path.unlink()


def test_private_folders_have_plain_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    odd = tmp_path / "a b;$c"
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    trust.private.cache_clear()
    try:
        folder = trust.private("odd")
        assert folder.is_dir()
        assert " " not in str(folder)
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        trust.private.cache_clear()


def test_a_folder_with_an_odd_path_has_a_plain_copy(tmp_path: Path) -> None:
    """A checkout in a folder with a space: Verilator's own folder, which make is told of, is in it."""
    odd = tmp_path / "my project"
    (odd / "bin").mkdir(parents=True)
    (odd / "bin" / "verilator").write_text("text")
    copy = trust.plain_path(odd)
    assert " " not in str(copy)
    assert (copy / "bin" / "verilator").read_text() == "text"
    assert trust.plain_path(odd) == copy
    assert trust.plain_path(copy) == copy
