# SPDX-License-Identifier: Apache-2.0
"""Recordings of frames that are no videos: NumPy files as clips of codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codesign.data import Clips, DataConfig
from codesign.errors import ConfigError, RecordingError

FRAME = (3, 2)


def write(folder: Path, *lengths: int, kind: str = "float32", low: float = -1.0) -> Path:
    """Write a recording of each length whose values go from ``low`` to 4."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, length in enumerate(lengths):
        values = np.linspace(low, 4, length * 6).reshape(length, *FRAME)
        np.save(folder / f"{number}.npy", values.astype(kind))
    return folder


def config(path: Path, **more: object) -> DataConfig:
    given = {"path": path, "shape": FRAME, "frames": 4, "plain": True, "range": (-4.0, 3.96875)}
    return DataConfig(kind="arrays", **{**given, **more})  # type: ignore[arg-type]


def load(data: DataConfig) -> tuple[Clips, Clips, Clips]:
    """Return the clips to train with, to validate with and to test with."""
    parts = data.load(1)
    for part in (parts.train, parts.val, parts.test):
        assert isinstance(part, Clips)
    return parts.train, parts.val, parts.test  # type: ignore[return-value]


def test_clips_are_codes_of_their_values(tmp_path: Path) -> None:
    data = config(write(tmp_path, 8, 11, 5, 9))
    parts = load(data)
    assert data.class_names(1) == (tmp_path.name,)
    sources = [set(part.sources.tolist()) for part in parts]
    assert sum(map(len, sources)) == len(set.union(*sources)) == 4, "no file is in two splits"
    for clip, source in zip(parts[0].frames, parts[0].sources, strict=True):
        values = np.load(tmp_path / f"{source}.npy")
        cut = [values[at : at + 4] for at in range(0, len(values) - 3, 4)]
        assert any(np.abs((clip.astype(float) - 128) / 32 - one).max() <= 1 / 64 for one in cut)
    measured = data.labeled_clips(1, clips=1, test=False)
    assert (measured.frames.shape, measured.frames.dtype.name) == ((1, 4, *FRAME), "uint8")
    assert data.test_clips(1, clips=9, frames=5).shape == (1, 5, *FRAME)


def test_pixels_stay_what_they_are_and_folders_are_classes(tmp_path: Path) -> None:
    for number, name in enumerate(("one", "two")):
        write(tmp_path / name, 4, 4, 4, kind="uint8", low=number)
    data = config(tmp_path, plain=False, range=())
    parts = load(data)
    assert data.class_names(1) == ("one", "two")
    assert parts[2].labels.tolist() == [0, 1]
    first = np.load(tmp_path / "two/0.npy")
    both = np.concatenate([part.frames for part in parts])
    assert any(np.array_equal(clip, first) for clip in both)


@pytest.mark.parametrize(
    ("kind", "low", "exact", "wanted"),
    [
        ("float32", -1.0, False, (-128 * 4 / 127, 4.0)),
        ("float64", 0.0, False, (0.0, 4.0)),
        ("float32", -1.0, True, (-4.0, 127 / 32)),
        ("float32", 0.5, True, (0.0, 255 / 64 * 2)),
        ("int8", -1.0, False, (-128.0, 127.0)),
        ("int16", -3.0, False, (-128 * 4 / 127, 4.0)),
    ],
)
def test_the_range_is_measured_and_zero_is_a_code(
    kind: str, low: float, exact: bool, wanted: tuple[float, float], tmp_path: Path
) -> None:
    write(tmp_path, 8, 8, 8, kind=kind, low=low)
    data = config(tmp_path, range=())
    files = data._split(1)
    np.save(files.files[files.test[0][0]], np.full((8, *FRAME), 99, kind))  # not looked at
    found = data.measured_range(1, exact=exact)
    if wanted == (-4.0, 127 / 32):
        wanted = (-8.0, 127 / 16)  # 127 / 32 is less than 4
    assert found == pytest.approx(wanted)
    code = (0 - found[0]) / (found[1] - found[0]) * 255
    assert code == pytest.approx(round(code), abs=1e-9)


def test_what_was_not_measured_gets_the_nearest_code(tmp_path: Path) -> None:
    write(tmp_path, 4, 4)
    np.save(tmp_path / "0.npy", np.full((4, *FRAME), 1e9, np.float32))
    np.save(tmp_path / "1.npy", np.full((4, *FRAME), -1e9, np.float32))
    parts = load(config(tmp_path))
    assert {int(part.frames.max()) for part in parts if len(part)} == {0, 255}


def damage(folder: Path, what: str) -> None:
    values = np.load(folder / "2.npy")
    made: dict[str, Callable[[], np.ndarray]] = {
        "objects": lambda: np.array([[1], "a"], object),
        "nan": lambda: np.where(values > 3, np.nan, values),
        "infinite": lambda: np.where(values > 3, np.inf, values),
        "shape": lambda: values[:, :2],
        "type": lambda: values.astype(np.float64),
        "complex": lambda: values.astype(np.complex64),
        "flat": lambda: values[:, 0, 0],
        "short": lambda: values[:3],
        "empty": lambda: values[:0],
    }
    if what in made:
        np.save(folder / "2.npy", made[what](), allow_pickle=True)
    elif what == "cut":
        (folder / "2.npy").write_bytes((folder / "2.npy").read_bytes()[:-9])
    else:
        (folder / "2.npy").write_bytes(b"no array" * 9)


BAD = {
    "objects": r"2\.npy: the file holds Python objects.*Expected: numbers: uint8",
    "cut": r"2\.npy: not a file of a NumPy array.*mmap",
    "garbage": r"2\.npy: not a file of a NumPy array.*magic",
    "empty": r"data\.frames: clips are longer than the shortest file.*at most 0",
    "complex": r"2\.npy: values of another type.*Received: complex64",
    "flat": r"2\.npy: not frames.*frames of \[1\]",
    "shape": r"2\.npy: frames of different shapes.*\[3, 2\], as in .*0\.npy.*Received: \[2, 2\]",
    "type": r"2\.npy: values of different types.*float32, as in .*Received: float64",
    "short": r"data\.frames: clips are longer than the shortest file.*at most 3, the frames of .*2\.npy",
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files_are_refused_by_their_headers(what: str, tmp_path: Path) -> None:
    data = config(write(tmp_path, 8, 8, 8))
    damage(tmp_path, what)
    with pytest.raises((RecordingError, ConfigError), match=BAD[what]):
        data.verify(1, clips=1, frames=2)


@pytest.mark.parametrize("what", ["nan", "infinite"])
def test_values_that_are_no_numbers_are_refused_when_they_are_read(what: str, tmp_path: Path) -> None:
    data = config(write(tmp_path, 8, 8, 8))
    damage(tmp_path, what)
    data.verify(1, clips=1, frames=2)
    with pytest.raises(RecordingError, match=r"2\.npy: values that are no numbers.*NaN or infinite"):
        data.load(1)


def test_a_folder_that_does_not_fit(tmp_path: Path) -> None:
    write(tmp_path, 8, 8)
    with pytest.raises(RecordingError, match=r"frames of another shape.*\[T, 5, 1\].*\[T, 3, 2\]"):
        config(tmp_path, shape=(5, 1)).verify(1, clips=1, frames=2)
    with pytest.raises(ConfigError, match=r"data\.range: missing.*hold float32"):
        config(tmp_path, range=()).verify(1, clips=1, frames=2)
    with pytest.raises(ConfigError, match=r"data\.shape: missing"):
        config(tmp_path, shape=())
    with pytest.raises(RecordingError, match=r"there are too few recordings.*\.npy"):
        config(write(tmp_path / "one", 8)).verify(1, clips=1, frames=2)
    write(tmp_path / "zeros", 8, 8, low=0)
    for name in ("0", "1"):
        np.save(tmp_path / f"zeros/{name}.npy", np.zeros((8, *FRAME), np.float32))
    with pytest.raises(RecordingError, match="nothing but zeros"):
        config(tmp_path / "zeros", range=()).measured_range(1, exact=False)
