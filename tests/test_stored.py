# SPDX-License-Identifier: Apache-2.0
"""Files from outside: whatever is wrong with one, the error names it, what it should be and the next step."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codesign.errors import ConfigError, StageError
from codesign.stored import load_arrays, load_json, loaded

Damage = Callable[[Path], None]


class Evil:
    """An object whose pickle leaves a file when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 8)


def missing(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Evil(path.with_name("ran"))))


ANY_FILE: list[Damage] = [cut_off, emptied, noise, missing, a_folder, pickled]


def with_objects(path: Path) -> None:
    np.savez(path, a=np.array([Evil(path.with_name("ran"))], dtype=object))


def with_nan(path: Path) -> None:
    np.savez(path, a=np.array([1.0, np.nan]))


def one_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.arange(3))


def a_zip_of_text(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", "no array")


def with_an_array_cut_off(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        content = archive.read("a.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", content[:-9])


def with_a_huge_shape(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        content = archive.read("a.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", content.replace(b"(100,), }           ", b"(999999999999999,), }"[:20]))


@pytest.mark.parametrize(
    "damage",
    [*ANY_FILE, with_objects, with_nan, one_array, a_zip_of_text, with_an_array_cut_off, with_a_huge_shape],
    ids=lambda damage: damage.__name__,
)
def test_damaged_arrays(tmp_path: Path, damage: Damage) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.arange(100))
    damage(path)
    with pytest.raises(StageError, match=r"a\.npz: cannot be read.*Next step: make it anew.*--from") as error:
        load_arrays(path)
    assert not (tmp_path / "ran").exists()
    assert ("in a pickle" in str(error.value)) == (damage is with_objects)


def test_good_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", whole=np.arange(3), real=np.ones((2, 2)), text=np.array("{}"))
    arrays = load_arrays(tmp_path / "a.npz")
    assert {name: array.shape for name, array in arrays.items()} == {"whole": (3,), "real": (2, 2), "text": ()}


def nested(path: Path) -> None:
    path.write_text("[" * 100_000)


def with_infinity(path: Path) -> None:
    path.write_text('{"a": Infinity}')


def in_latin(path: Path) -> None:
    path.write_bytes('{"a": "\u00e9"}'.encode("latin-1"))


@pytest.mark.parametrize("damage", [*ANY_FILE, nested, with_infinity, in_latin], ids=lambda damage: damage.__name__)
def test_damaged_json(tmp_path: Path, damage: Damage) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": list(range(10))}))
    damage(path)
    with pytest.raises(StageError, match=r"a\.json: cannot be read.*Next step: make it anew.*--from"):
        load_json(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("problem", [KeyError("a"), TypeError("t"), ZeroDivisionError(), ConfigError("c", where="x")])
def test_every_problem_becomes_one_error(tmp_path: Path, problem: Exception) -> None:
    def read() -> None:
        raise problem

    with pytest.raises(StageError, match=rf"^{tmp_path}: .*Next step"):
        loaded(tmp_path, read)
