# SPDX-License-Identifier: Apache-2.0
"""`DataConfig`: the ``[data]`` section of a design; names a source of clips, checks it and loads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from codesign.data.clips import ClipDataset, Clips, ClipSource
from codesign.data.digits import check_digits_arguments, moving_digits
from codesign.data.folder import Split, check_folder_arguments, cut_clips, split_folder, video_folder
from codesign.data.picture import Fit
from codesign.data.recording import printable
from codesign.data.ucf101 import check_ucf101_arguments, ucf101
from codesign.data.video import survey
from codesign.errors import ConfigError
from codesign.records import Problems, check, check_numbers, limited
from codesign.suggest import did_you_mean

Kind = Literal["moving_digits", "video_folder", "ucf101"]
DIGITS: tuple[Kind, ...] = ("moving_digits",)
FOLDER: tuple[Kind, ...] = ("video_folder",)
UCF101: tuple[Kind, ...] = ("ucf101",)
VIDEOS: tuple[Kind, ...] = (*FOLDER, *UCF101)
KEYS = {"video_folder": {"val": "val_share", "test": "test_share"}, "ucf101": {"val": "val_share"}}
"""Keys of the arguments that are called otherwise in `video_folder` and `ucf101`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Where the clips come from. See `moving_digits`, `video_folder` and `ucf101` for what each value does.

    A key that the chosen kind does not use is an error.

    Attributes:
        kind: which of the three.
        frames: frames per clip to train and test with, at least 2.
        size: height and width of a frame in pixels.
        train: clips to train with (moving_digits).
        val: clips to validate with (moving_digits).
        test: clips to test with (moving_digits).
        digit: side of a digit in pixels (moving_digits).
        travel: farthest a digit goes from the middle in pixels (moving_digits).
        speed: fastest a digit moves in pixels per frame (moving_digits).
        contrast: contrast of the strokes, 0 to 1 (moving_digits).
        texture: spread of the background, 0 to 1 (moving_digits).
        noise: sensor noise in grey levels of 256 (moving_digits).
        path: folder with one folder per class (video_folder, ucf101, which need it).
        classes: only these classes, at least two; none for all (video_folder, ucf101).
        grey: one channel, else RGB (video_folder, ucf101).
        plain: the videos lie in the folder itself, and have no classes (video_folder).
        fit: what is done with pictures that are not square: ``crop``, ``pad`` or ``stretch`` (video_folder).
        strict: refuse damaged videos; otherwise what decodes of them is used, with a warning (video_folder, ucf101).
        val_share: share of each class's files (video_folder) or training groups (ucf101) to validate with.
        test_share: share of each class's files to test with (video_folder).
        split: official split (ucf101).
        crop: side of the window a clip shows, as a share of the shorter side of the video (ucf101).
        flip: mirror half of the training clips (ucf101).
        workers: threads that decode videos (ucf101).
    """

    kind: Kind = "moving_digits"
    frames: int = 8
    size: int = 32
    train: int = limited(3000, kinds=DIGITS)
    val: int = limited(500, kinds=DIGITS)
    test: int = limited(1000, kinds=DIGITS)
    digit: float = limited(24.0, kinds=DIGITS)
    travel: float = limited(3.0, kinds=DIGITS)
    speed: float = limited(0.5, kinds=DIGITS)
    contrast: float = limited(0.8, kinds=DIGITS)
    texture: float = limited(0.15, kinds=DIGITS)
    noise: float = limited(2.0, kinds=DIGITS)
    path: Path | None = limited(None, kinds=VIDEOS)
    classes: tuple[str, ...] = limited((), kinds=VIDEOS)
    grey: bool = limited(True, kinds=VIDEOS)
    plain: bool = limited(False, kinds=FOLDER)
    fit: Fit = limited("crop", kinds=FOLDER)
    strict: bool = limited(False, kinds=VIDEOS)
    val_share: float = limited(0.2, kinds=VIDEOS)
    test_share: float = limited(0.2, kinds=FOLDER)
    split: Literal[1, 2, 3] = limited(1, kinds=UCF101)
    crop: float = limited(0.875, kinds=UCF101)
    flip: bool = limited(True, kinds=UCF101)
    workers: int = limited(2, kinds=UCF101)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ConfigError(
                "not a valid choice",
                where="data.kind",
                expected=f"one of {', '.join(map(repr, get_args(Kind)))}",
                received=repr(self.kind),
                fix=did_you_mean(str(self.kind), get_args(Kind)),
            )
        check(self, "data")
        check_numbers(
            {"frames": (2, 100_000, int), "size": (1, 4096, int)}, {"frames": self.frames, "size": self.size}, self._key
        )
        if self.kind != "moving_digits" and self.path is None:
            raise ConfigError(
                "missing",
                where="data.path",
                expected="a folder that holds one folder per class",
                fix=f'add it, as kind = "{self.kind}" reads videos',
            )
        checks: dict[str, Callable[[Mapping[str, Any], Callable[[str], str]], None]] = {
            "moving_digits": check_digits_arguments,
            "video_folder": check_folder_arguments,
            "ucf101": check_ucf101_arguments,
        }
        checks[self.kind](self._arguments(), self._key)

    def _key(self, argument: str) -> str:
        """Return the key that an argument of the kind's function comes from."""
        return f"data.{KEYS.get(self.kind, {}).get(argument, argument)}"

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments of the kind's function, but path and seed."""
        names = {
            "moving_digits": "frames size train val test digit travel speed contrast texture noise",
            "video_folder": "frames size grey fit val test classes strict",
            "ucf101": "frames size grey crop flip split val workers classes strict",
        }[self.kind].split()
        found = {name: getattr(self, KEYS.get(self.kind, {}).get(name, name)) for name in names}
        return found | ({"size": (self.size, self.size)} if self.kind == "video_folder" else {})

    def load(self, seed: int) -> ClipDataset[ClipSource]:
        """Return the clips: in memory, those of ucf101 on disk.

        Raises:
            ConfigError: a value is out of range.
            VideoError: the folder or a video cannot be used.
        """
        if self.kind == "moving_digits":
            return moving_digits(seed=seed, **self._arguments())
        assert self.path is not None  # `__post_init__` has checked
        with _in_section():
            if self.kind == "video_folder":
                return video_folder(self.path, seed=seed, **self._arguments())
            return ucf101(self.path, seed=seed, **self._arguments())

    def test_clips(self, seed: int, *, clips: int, frames: int) -> NDArray[np.uint8]:
        """Return up to ``clips`` clips of the test split, each ``frames`` long: uint8 ``[N, frames, H, W, C]``.

        They show the same digit images or files as the test split of `load`, never one that was trained with. Those
        of ucf101, whose list goes class by class, are spread over the whole list.

        Raises:
            VideoError: a video that they are from cannot be used, or is too short.
        """
        if self.kind == "moving_digits":
            return moving_digits(
                seed=seed, **{**self._arguments(), "frames": frames, "train": 1, "val": 0, "test": clips}
            ).test.frames
        if self.kind == "video_folder":
            split = self._split(seed)
            how = {name: self._arguments()[name] for name in ("size", "grey", "fit", "strict")}
            return cut_clips(split, split.test, frames=frames, most=clips, **how).frames
        test = replace(self, frames=frames).load(seed).test
        return np.stack([test.pixels(place) for place in _spread(len(test), clips)])

    def labeled_clips(self, seed: int, *, clips: int, test: bool) -> Clips:
        """Return up to ``clips`` clips of a video folder, ``data.frames`` long, spread over its files.

        Args:
            seed: seed of the split.
            clips: most clips.
            test: those of the test split; else all others.

        Raises:
            ConfigError: data of another kind.
            VideoError: a video that they are from cannot be used, or is too short.
        """
        if self.kind != "video_folder":
            raise ConfigError("no folder of videos", where="data.kind", expected="'video_folder'", received=self.kind)
        split = self._split(seed)
        part = split.test if test else split.train + split.val
        part = [part[place] for place in _spread(len(part), clips)]
        how = {name: self._arguments()[name] for name in ("size", "grey", "fit", "strict")}
        found = cut_clips(split, part, frames=self.frames, **how)
        places = _spread(len(found), clips)
        return Clips(frames=found.frames[places], labels=found.labels[places], sources=found.sources[places])

    def class_names(self, seed: int) -> tuple[str, ...]:
        """Return the names of the classes, one for each output of the network, without decoding anything.

        Raises:
            ConfigError, VideoError: as `verify` does, of folders and lists.
        """
        if self.kind == "moving_digits":
            return tuple(map(str, range(10)))
        assert self.path is not None  # `__post_init__` has checked
        return (
            self._split(seed) if self.kind == "video_folder" else ucf101(self.path, seed=seed, **self._arguments())
        ).classes

    def verify(self, seed: int, *, clips: int, frames: int) -> None:
        """Check, without decoding anything, what `load` and `test_clips` with these arguments need.

        Raises:
            ConfigError: a video is shorter than ``data.frames``, or one to measure on than ``clip.frames``, which is
                ``frames``; or a class is not there.
            VideoError: a folder, a list or a video is missing, or is none.
        """
        if self.kind == "moving_digits":
            return  # clips of any length are made
        assert self.path is not None  # `__post_init__` has checked
        if self.kind == "video_folder":
            split = self._split(seed)
            files, test = list(split.files), [split.files[place] for place, _ in split.test]
        else:
            with _in_section():
                parts = ucf101(self.path, seed=seed, **self._arguments())
            files = [*parts.train.files, *parts.val.files, *parts.test.files]
            test = [parts.test.files[place] for place in _spread(len(parts.test), clips)]
        with ThreadPoolExecutor(self.workers) as pool:
            lengths = dict(zip(files, pool.map(lambda file: survey(file).length, files), strict=True))
        if self.kind == "video_folder":
            test = _first(test, lengths, clips, frames)
        wrong = Problems()
        for key, needed, read in (("data.frames", self.frames, files), ("clip.frames", frames, test)):
            with wrong.collected():
                _check_lengths(key, needed, {file: lengths[file] for file in read})
        wrong.check()

    def _split(self, seed: int) -> Split:
        """Return which files of a video folder are in which split."""
        assert self.path is not None  # `__post_init__` has checked
        with _in_section():
            return split_folder(
                self.path,
                seed=seed,
                val=self.val_share,
                test=self.test_share,
                classes=self.classes,
                plain=self.plain,
            )


@contextmanager
def _in_section() -> Iterator[None]:
    """Name the section in errors about an argument that only the files can prove wrong."""
    try:
        yield
    except ConfigError as error:
        raise error.inside("data.") from None


def _spread(length: int, count: int) -> list[int]:
    """Return up to ``count`` places out of ``length``, evenly spread."""
    count = min(count, length)
    return [int(place * length / count) for place in range(count)]


def _first(files: list[Path], lengths: Mapping[Path, int], clips: int, frames: int) -> list[Path]:
    """Return the files that the first ``clips`` clips of a folder are cut from."""
    taken: list[Path] = []
    for file in files:
        if clips > 0:
            taken.append(file)
        clips -= lengths[file] // frames
    return taken


def _check_lengths(key: str, frames: int, lengths: Mapping[Path, int]) -> None:
    """Check that no video is shorter than a clip."""
    if not lengths:
        return
    short = min(lengths, key=lambda file: lengths[file])
    if lengths[short] >= frames:
        return
    count = sum(length < frames for length in lengths.values())
    others = "" if count == 1 else f"; {count} of {len(lengths)} videos are too short"
    fix = f"{key.partition('.')[2]} = {lengths[short]} in [{key.partition('.')[0]}] fits"
    raise ConfigError(
        "clips are longer than the shortest video",
        where=key,
        expected=f"at most {lengths[short]}, the frames of {printable(short)}{others}",
        received=frames,
        fix=f"{fix}, or leave that video out" if lengths[short] > 1 else "leave that video out",
    )
