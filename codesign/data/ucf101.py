# SPDX-License-Identifier: Apache-2.0
"""`ucf101`: the UCF101 action videos, or any others in their official layout, streamed from disk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.data.clips import SEEDS, ClipDataset, chosen_classes
from codesign.data.recording import printable
from codesign.data.streamed import StreamedClips, streamed
from codesign.errors import VideoError
from codesign.records import Limits, check_numbers
from codesign.suggest import did_you_mean

CLASSES = "classInd.txt"
"""Name of the list of classes: an index from 1 and a name on each line."""
VIDEO_FOLDERS, LIST_FOLDERS = (".", "UCF-101"), (".", "ucfTrainTestlist")
"""Where the class folders and the lists may lie in the folder given."""
GROUP = re.compile(r"_g(\d+)_c\d+\.avi$")
"""The end of a file name: group (one background and one set of people) and number of a video."""
LIMITS: Limits = {
    "split": (1, 3, int),
    "frames": (1, 100_000, int),
    "size": (1, 4096, int),
    "crop": (0.01, 1, float),
    "val": (0, 0.9, float),
    "seed": (*SEEDS, int),
    "workers": (1, 256, int),
}
"""Limits of the arguments of `ucf101`."""


@dataclass(frozen=True, slots=True)
class Video:
    """One line of a list.

    Attributes:
        file: the video file.
        label: index of its class, from 0.
        group: number of its group within the class. Videos of a group look alike.
        where: file and line that name it.
    """

    file: Path
    label: int
    group: int
    where: str


def ucf101(
    path: str | Path,
    *,
    split: int = 1,
    frames: int = 16,
    size: int = 112,
    grey: bool = False,
    crop: float = 0.875,
    flip: bool = True,
    val: float = 0.1,
    seed: int = 0,
    workers: int = 2,
    classes: Sequence[str] = (),
    strict: bool = False,
) -> ClipDataset[StreamedClips]:
    """Return one clip of each video of an official split of UCF101.

    The layout is the one that the archives of the data set unpack to::

        path/[UCF-101/]ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi      class folders of videos
        path/[ucfTrainTestlist/]classInd.txt                            1 ApplyEyeMakeup
        path/[ucfTrainTestlist/]trainlist01.txt                         ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1
        path/[ucfTrainTestlist/]testlist01.txt                          ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi

    Videos of one group (``g01``) of a class share people and background, so a group is in one split only: that is
    checked for train and test, and the validation split is made of whole groups of the training list. Training clips
    are augmented, others are the middle of their video; see `StreamedClips`.

    Args:
        path: path of the folder.
        split: 1, 2 or 3.
        frames: frames per clip, T.
        size: H and W of a frame in pixels.
        grey: one channel; otherwise three, RGB.
        crop: side of the square window a clip shows, as a share of the shorter side of the video.
        flip: mirror half of the training clips.
        val: share of each class's training groups to validate with: at least one, unless it is 0.
        seed: seed of the validation split and of the augmentation.
        workers: threads that decode videos.
        classes: only these; none for all. Videos of others need not be there.
        strict: refuse damaged videos, instead of a `VideoWarning` for each.

    Raises:
        ConfigError: an argument is out of range or of a wrong type, or a class is not in the list of classes.
        VideoError: a list or a video is missing, a list is empty or not UTF-8, a line is not of its form, names an
            unknown class or a wrong index, a video is listed twice, a group is in train and test, a class has no video
            to train or to test with. A video that is corrupt or too short raises it when it is read.
    """
    check_ucf101_arguments(locals())
    folder = Path(path)
    if not folder.is_dir():
        raise VideoError(
            "no such folder",
            where=printable(folder),
            expected=f"a folder with {CLASSES} and class folders",
            fix="check the path; in a design it is relative to the TOML file",
        )
    indices = _classes(_list(folder, CLASSES))
    names = chosen_classes(list(indices), classes, "classes")
    train = _videos(folder, _list(folder, f"trainlist{split:02}.txt"), indices, names)
    test = _videos(folder, _list(folder, f"testlist{split:02}.txt"), indices, names)
    _separate(train, test, names)
    held = _held_out(train, val, np.random.default_rng(seed))
    parts = {
        "train": [video for video in train if (video.label, video.group) not in held],
        "val": [video for video in train if (video.label, video.group) in held],
        "test": test,
    }
    return streamed(
        str(folder),
        list(names),
        {name: [(video.file, video.label) for video in videos] for name, videos in parts.items()},
        frames=frames,
        size=size,
        crop=crop,
        grey=grey,
        flip=flip,
        seed=seed,
        workers=workers,
        strict=strict,
    )


def check_ucf101_arguments(arguments: Mapping[str, object], where: Callable[[str], str] = lambda _: "ucf101") -> None:
    """Check arguments of `ucf101` by their names.

    Raises:
        ConfigError: one is out of range; ``where`` names its place.
    """
    check_numbers(LIMITS, arguments, where)


def _list(folder: Path, name: str) -> Path:
    """Return the path of a list."""
    for place in LIST_FOLDERS:
        if (folder / place / name).is_file():
            return folder / place / name
    raise VideoError(
        f"{name} is missing",
        where=str(folder),
        expected=f"it here or in {LIST_FOLDERS[1]}",
        fix="unpack the official train and test lists into this folder",
    )


def _lines(path: Path) -> Iterable[tuple[str, str]]:
    """Yield the place and the text of each line; empty lines are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        raise VideoError(
            "not text in UTF-8",
            where=f"{path}:{number}",
            expected="names of videos or classes, UTF-8 or ASCII",
            received=f"byte 0x{error.object[error.start]:02x}",
            fix="save the list in UTF-8, or unpack the official one again",
        ) from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield f"{path}:{number}", line.strip()


def _classes(path: Path) -> dict[str, int]:
    """Return the official index of each class, in the order of the indices. Lists of some classes leave gaps."""
    found: dict[str, int] = {}
    for where, line in _lines(path):
        index, _, name = line.partition(" ")
        number = int(index) if index.isdecimal() and len(index) < 10 else 0
        if not number or not name or name in found or number in found.values():
            form = "an index from 1 that no other class has, and a new name"
            raise VideoError("not a class", where=where, expected=form, received=repr(line))
        found[name] = number
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _videos(folder: Path, path: Path, indices: dict[str, int], names: list[str]) -> list[Video]:
    """Return the videos of the classes ``names`` that a list names."""
    videos: dict[str, Video] = {}
    for where, line in _lines(path):
        name, category, group = _video(where, line, indices)
        if name in videos:
            raise VideoError("a video is listed twice", where=where, received=f"{name}, as at {videos[name].where}")
        if category in names:
            videos[name] = Video(_find(folder, name, where), names.index(category), group, where)
    found = {video.label for video in videos.values()}
    missing = [name for label, name in enumerate(names) if label not in found]
    if len(missing) == len(names):
        form = "lines such as Archery/v_Archery_g01_c01.avi"
        raise VideoError("the list is empty", where=str(path), expected=form, fix="unpack the official list again")
    if missing:
        have = ", ".join(f'"{name}"' for name in names if name not in missing)
        raise VideoError(
            "classes without a video",
            where=str(path),
            expected=f"every class of {CLASSES}",
            received=f"none of {', '.join(missing)}",
            fix=f"add them, or take some classes only: classes = [{have}]",
        )
    return list(videos.values())


def _video(where: str, line: str, indices: dict[str, int]) -> tuple[str, str, int]:
    """Return name, class and group of the video that a line of a list names."""
    name, _, index = line.partition(" ")
    category, _, file = name.partition("/")
    group = GROUP.search(file)
    if not group or "/" in file:
        form = "Class/v_Class_g01_c01.avi, in a train list followed by the index of the class"
        raise VideoError("not a video of UCF101", where=where, expected=form, received=repr(line))
    if category not in indices:
        raise VideoError(
            f"class {category!r} is not in {CLASSES}",
            where=where,
            received=repr(line),
            fix=did_you_mean(category, indices) or f"add it to {CLASSES}",
        )
    if index and index != str(indices[category]):
        raise VideoError(
            f"the index is not the one of {category} in {CLASSES}",
            where=where,
            expected=indices[category],
            received=index,
            fix="take all lists from the same archive",
        )
    return name, category, int(group[1])


def _find(folder: Path, name: str, where: str) -> Path:
    """Return the path of a listed video."""
    for place in VIDEO_FOLDERS:
        if (folder / place / name).is_file():
            return folder / place / name
    raise VideoError(
        f"{name} is missing",
        where=where,
        expected=f"it in {folder} or {folder / VIDEO_FOLDERS[1]}",
        fix="unpack the videos again, or take the line out of the list",
    )


def _separate(train: list[Video], test: list[Video], names: list[str]) -> None:
    """Raise a `VideoError` if a group is in both lists."""
    tested = {(video.label, video.group): video for video in test}
    for video in train:
        other = tested.get((video.label, video.group))
        if other is not None:
            raise VideoError(
                f"group {video.group} of {names[video.label]} is in the train list and in the test list",
                where=video.where,
                expected="people and background that are tested never trained with",
                received=f"{video.file.name} to train, {other.file.name} to test ({other.where})",
                fix="use the official lists, or keep groups together in your own",
            )


def _held_out(train: list[Video], share: float, rng: np.random.Generator) -> set[tuple[int, int]]:
    """Return class and group of what is validated with: a share of the groups of each class, never all of them."""
    held: set[tuple[int, int]] = set()
    for label in sorted({video.label for video in train}):
        groups = sorted({video.group for video in train if video.label == label})
        count = min(max(1, round(share * len(groups))), len(groups) - 1) if share else 0
        held |= {(label, int(group)) for group in rng.permutation(groups)[:count]}
    return held
