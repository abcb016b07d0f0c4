# SPDX-License-Identifier: Apache-2.0
"""`video_folder`: a folder that holds one folder of ordinary video files for each class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from codesign.data.clips import SEEDS, ClipDataset, Clips, chosen_classes
from codesign.data.picture import Fit
from codesign.data.recording import printable
from codesign.data.video import SUFFIXES, check_view, read_video
from codesign.errors import CodesignError, ConfigError, VideoError
from codesign.records import Limits, check_numbers

LIMITS: Limits = {
    "frames": (1, 100_000, int),
    "seed": (*SEEDS, int),
    "val": (-inf, inf, float),  # together, see `check_folder_arguments`
    "test": (-inf, inf, float),
}
"""Limits of the arguments of `video_folder`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What counts as a file of clips in a folder.

    Attributes:
        noun: several of them.
        suffixes: how their names end, lower case.
        error: what is raised if they cannot be used.
    """

    noun: str
    suffixes: frozenset[str]
    error: type[CodesignError]

    @property
    def example(self) -> str:
        """What they are called."""
        return ", ".join(sorted(self.suffixes))

    def inside(self, folder: Path) -> list[Path]:
        """Return those that lie in ``folder`` itself, sorted."""
        return sorted(file for file in folder.iterdir() if file.suffix.lower() in self.suffixes)


VIDEO_FILES = Files(noun="videos", suffixes=SUFFIXES, error=VideoError)
"""Ordinary video files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which files of a folder are in which split.

    Attributes:
        classes: name of each class.
        files: all of them. The source of a clip is an index into it.
        train: indices and labels of the files to train on.
        val: the same for validation.
        test: the same for testing.
    """

    classes: tuple[str, ...]
    files: tuple[Path, ...]
    train: list[tuple[int, int]]
    val: list[tuple[int, int]]
    test: list[tuple[int, int]]


def video_folder(
    path: str | Path,
    *,
    frames: int = 16,
    size: tuple[int, int] = (32, 32),
    grey: bool = True,
    fit: Fit = "crop",
    seed: int = 0,
    val: float = 0.2,
    test: float = 0.2,
    classes: Sequence[str] = (),
    strict: bool = False,
    by_name: bool = False,
) -> ClipDataset[Clips]:
    """Return clips of a folder that holds one folder of video files per class.

    Every file is cut into consecutive clips of ``frames`` frames; what is left at its end is dropped. Splits are
    made by file, within each class: at least one file to train and one to test, and one to validate from three on.
    They are drawn, or ``by_name``: the last files are tested with and those before them validated with, so that
    neighbours, which often are parts of one recording, are rarely in two splits.

    Args:
        path: path of the folder. Class folders in alphabetical order; other files than videos are ignored.
        frames: frames per clip, T.
        size: (H, W) in pixels.
        grey: one channel; otherwise three, RGB.
        fit: what is done with pictures of another shape, see `codesign.data.picture.Fit`.
        seed: seed of the split.
        val: share of a class's files to validate with.
        test: share of a class's files to test with.
        classes: only these class folders; none for all.
        strict: refuse damaged videos, instead of a `VideoWarning` for each.
        by_name: split in the order of the names, whatever the seed.

    Raises:
        VideoError: no folder, no class, a class with fewer than two videos, a video that cannot be decoded or is too
            short; see `codesign.data.read_video`.
        ConfigError: an argument is out of range.
    """
    check_folder_arguments(locals())
    split = split_folder(path, seed=seed, val=val, test=test, classes=classes, by_name=by_name)

    def cut(part: list[tuple[int, int]]) -> Clips:
        return cut_clips(split, part, frames=frames, size=size, grey=grey, fit=fit, strict=strict)

    return ClipDataset(
        name=str(path), classes=split.classes, train=cut(split.train), val=cut(split.val), test=cut(split.test)
    )


def check_folder_arguments(
    arguments: Mapping[str, Any], where: Callable[[str], str] = lambda _: "video_folder"
) -> None:
    """Check arguments of `video_folder` by their names.

    Raises:
        ConfigError: one is out of range; ``where`` names its place.
    """
    check_shares(arguments, where)
    check_view(where("size"), arguments["size"], arguments["fit"])


def check_shares(arguments: Mapping[str, Any], where: Callable[[str], str]) -> None:
    """Check the length of clips and the shares of the splits by their names.

    Raises:
        ConfigError: one is out of range; ``where`` names its place.
    """
    check_numbers(LIMITS, arguments, where)
    val, test = arguments["val"], arguments["test"]
    if not (0 <= val < 1 and 0 < test < 1 and val + test < 1):
        raise ConfigError(
            "the shares leave nothing to train or test with",
            where=where("test"),
            expected="0 <= val, 0 < test, val + test < 1",
            received=f"val={val}, test={test}",
        )


def split_folder(
    path: str | Path,
    *,
    seed: int,
    val: float,
    test: float,
    classes: Sequence[str] = (),
    plain: bool = False,
    by_name: bool = False,
    files: Files = VIDEO_FILES,
) -> Split:
    """Return which files of a folder are in which split; see `video_folder`. ``plain``: they lie in it, in no class.

    Raises:
        VideoError: no folder, no class, or a class with fewer than two videos; the error of other ``files``.
        ConfigError: a class is not there.
    """
    groups = {Path(path).name: _unclassed(Path(path), files)} if plain else _classes(Path(path), classes, files)
    rng = np.random.default_rng(seed)
    parts: list[list[tuple[int, int]]] = [[], [], []]
    start = 0
    for label, group in enumerate(groups.values()):
        order = range(len(group))[::-1] if by_name else rng.permutation(len(group))
        places = [start + int(i) for i in order]
        tests = max(1, round(test * len(group)))
        vals = max(int(len(group) > 2), round(val * len(group))) if val else 0
        vals = min(vals, len(group) - tests - 1)
        for part, chosen in zip(
            parts, (places[tests + vals :], places[tests : tests + vals], places[:tests]), strict=True
        ):
            part += [(place, label) for place in chosen]
        start += len(group)
    found = tuple(file for group in groups.values() for file in group)
    return Split(classes=tuple(groups), files=found, train=parts[0], val=parts[1], test=parts[2])


def _unclassed(path: Path, files: Files) -> list[Path]:
    """Return the files of a folder without classes, sorted."""
    found = files.inside(path) if path.is_dir() else []
    if len(found) < 2:
        raise files.error(
            f"there are too few {files.noun}",
            where=printable(path),
            expected=f"at least 2 files such as {files.example}, one of them to measure with",
            received=f"{len(found)}" if path.is_dir() else "no folder",
            fix="cut a long one in two, or add one",
        )
    return found


def _classes(path: Path, asked: Sequence[str], files: Files) -> dict[str, list[Path]]:
    """Return the files of each class, sorted."""
    if not path.is_dir():
        raise files.error(
            "no such folder",
            where=printable(path),
            expected="a folder that holds one folder per class",
            fix="check the path; in a design it is relative to the TOML file",
        )
    found = {folder.name: files.inside(folder) for folder in sorted(path.iterdir()) if folder.is_dir()}
    if not any(found.values()):
        raise files.error(
            f"there are no {files.noun}",
            where=printable(path),
            expected=f"one folder per class with files such as {files.example}",
            received=f"{len(found)} folders without {files.noun}" if found else "no folders",
            fix="name the folder that holds the folders of the classes",
        )
    found = {name: found[name] for name in chosen_classes(list(found), asked, "classes")}
    for name, group in found.items():
        if len(group) < 2:
            raise files.error(
                f"a class has too few {files.noun}",
                where=printable(path / name),
                expected="at least 2, one to train and one to test",
                received=len(group),
                fix=f"add {files.noun} to this class or remove its folder",
            )
    return found


def cut_clips(
    split: Split,
    part: Sequence[tuple[int, int]],
    *,
    frames: int,
    size: tuple[int, int],
    grey: bool,
    fit: Fit,
    strict: bool,
    most: int | None = None,
) -> Clips:
    """Return the clips of some files of a folder, in their order; at most ``most``.

    Raises:
        VideoError: see `read_video`.
    """
    pieces = [np.empty((0, frames, *size, 1 if grey else 3), np.uint8)]
    labels: list[int] = []
    sources: list[int] = []
    for source, label in part:
        if most is not None and len(labels) >= most:
            break
        video = read_video(split.files[source], size=size, grey=grey, fit=fit, strict=strict)
        count = len(video) // frames
        if not count:
            raise VideoError(
                "the video is too short",
                where=printable(split.files[source]),
                expected=f"{frames} frames",
                received=len(video),
                fix="ask for shorter clips, or leave this video out",
            )
        pieces.append(video[: count * frames].reshape(count, frames, *video.shape[1:]))
        labels += [label] * count
        sources += [source] * count
    return Clips(
        frames=np.concatenate(pieces)[:most],
        labels=np.array(labels[:most], np.int64),
        sources=np.array(sources[:most], np.int64),
    )


def first_files(files: list[Path], lengths: Mapping[Path, int], clips: int, frames: int) -> list[Path]:
    """Return the files that the first ``clips`` clips of a folder are cut from."""
    taken: list[Path] = []
    for file in files:
        if clips > 0:
            taken.append(file)
        clips -= lengths[file] // frames
    return taken


def check_lengths(key: str, frames: int, lengths: Mapping[Path, int]) -> None:
    """Check that no file is shorter than a clip.

    Raises:
        ConfigError: one is; names ``key``.
    """
    if not lengths:
        return
    short = min(lengths, key=lambda file: lengths[file])
    if lengths[short] >= frames:
        return
    count = sum(length < frames for length in lengths.values())
    others = "" if count == 1 else f"; {count} of {len(lengths)} files are too short"
    fix = f"{key.partition('.')[2]} = {lengths[short]} in [{key.partition('.')[0]}] fits"
    raise ConfigError(
        "clips are longer than the shortest file",
        where=key,
        expected=f"at most {lengths[short]}, the frames of {printable(short)}{others}",
        received=frames,
        fix=f"{fix}, or leave that file out" if lengths[short] > 1 else "leave that file out",
    )
