# SPDX-License-Identifier: Apache-2.0
"""`DataConfig`: the ``[data]`` section of a design; names a source of clips, checks it and loads it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from codesign.data import arrays
from codesign.data.clips import ClipDataset, Clips, ClipSource, spread
from codesign.data.digits import check_digits_arguments, moving_digits
from codesign.data.drawn import check_window, drawn_folder
from codesign.data.folder import (
    VIDEO_FILES,
    Split,
    check_folder_arguments,
    check_lengths,
    check_shares,
    cut_clips,
    first_files,
    split_folder,
    video_folder,
)
from codesign.data.picture import Fit
from codesign.data.ucf101 import check_ucf101_arguments, ucf101
from codesign.data.video import survey
from codesign.errors import ConfigError
from codesign.records import Problems, check, check_numbers, limited
from codesign.suggest import did_you_mean

Kind = Literal["moving_digits", "video_folder", "ucf101", "arrays"]
DIGITS: tuple[Kind, ...] = ("moving_digits",)
FOLDER: tuple[Kind, ...] = ("video_folder",)
UCF101: tuple[Kind, ...] = ("ucf101",)
ARRAYS: tuple[Kind, ...] = ("arrays",)
VIDEOS: tuple[Kind, ...] = (*FOLDER, *UCF101)
SPLIT: tuple[Kind, ...] = (*FOLDER, *ARRAYS)
"""Kinds whose files are split here."""
FILES: tuple[Kind, ...] = (*VIDEOS, *ARRAYS)
SHARES = {"val": "val_share", "test": "test_share"}
KEYS = {"video_folder": SHARES, "ucf101": {"val": "val_share"}, "arrays": SHARES}
"""Keys of the arguments that are called otherwise in `video_folder` and `ucf101`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Where the clips come from. See `moving_digits`, `video_folder` and `ucf101` for what each value does, and
    `codesign.data.arrays` for recordings that are no videos.

    A key that the chosen kind does not use is an error.

    Attributes:
        kind: which of the four.
        frames: frames per clip to train and test with, at least 2.
        size: height and width of a frame in pixels (not arrays).
        train: clips to train with (moving_digits).
        val: clips to validate with (moving_digits).
        test: clips to test with (moving_digits).
        digit: side of a digit in pixels (moving_digits).
        travel: farthest a digit goes from the middle in pixels (moving_digits).
        speed: fastest a digit moves in pixels per frame (moving_digits).
        contrast: contrast of the strokes, 0 to 1 (moving_digits).
        texture: spread of the background, 0 to 1 (moving_digits).
        noise: sensor noise in grey levels of 256 (moving_digits).
        path: folder with one folder per class (all but moving_digits, which need it).
        classes: only these classes, at least two; none for all (all but moving_digits).
        grey: one channel, else RGB (video_folder, ucf101).
        plain: the files lie in the folder itself, and have no classes (video_folder, arrays).
        fit: what is done with pictures that are not square: ``crop``, ``pad`` or ``stretch`` (video_folder).
        strict: refuse damaged videos; otherwise what decodes of them is used, with a warning (video_folder, ucf101).
        val_share: share of each class's files or training groups (ucf101) to validate with (all but moving_digits).
        test_share: share of each class's files to test with (video_folder, arrays).
        by_name: split in the order of the names, whatever the seed (video_folder, arrays).
        drawn: one clip of each video, to train with drawn anew each time, see `drawn_folder` (video_folder).
        shape: shape of a frame (arrays, which needs it).
        range: values that become the codes 0 and 255 (arrays, which needs it unless the files hold uint8).
        split: official split (ucf101).
        crop: side of the window a clip shows, as a share of the shorter side of the video (ucf101).
        flip: mirror half of the training clips (ucf101).
        workers: threads that decode videos (ucf101).
    """

    kind: Kind = "moving_digits"
    frames: int = 8
    size: int = limited(32, kinds=(*DIGITS, *VIDEOS))
    train: int = limited(3000, kinds=DIGITS)
    val: int = limited(500, kinds=DIGITS)
    test: int = limited(1000, kinds=DIGITS)
    digit: float = limited(24.0, kinds=DIGITS)
    travel: float = limited(3.0, kinds=DIGITS)
    speed: float = limited(0.5, kinds=DIGITS)
    contrast: float = limited(0.8, kinds=DIGITS)
    texture: float = limited(0.15, kinds=DIGITS)
    noise: float = limited(2.0, kinds=DIGITS)
    path: Path | None = limited(None, kinds=FILES)
    classes: tuple[str, ...] = limited((), kinds=FILES)
    grey: bool = limited(True, kinds=VIDEOS)
    plain: bool = limited(False, kinds=SPLIT)
    fit: Fit = limited("crop", kinds=FOLDER)
    strict: bool = limited(False, kinds=VIDEOS)
    val_share: float = limited(0.2, kinds=FILES)
    test_share: float = limited(0.2, kinds=SPLIT)
    by_name: bool = limited(False, kinds=SPLIT)
    drawn: bool = limited(False, kinds=FOLDER)
    shape: tuple[int, ...] = limited((), at_least=1, at_most=1 << 20, kinds=ARRAYS)
    range: tuple[float, ...] = limited((), kinds=ARRAYS)
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
                fix=f'add it, as kind = "{self.kind}" reads {"recordings" if self.kind == "arrays" else "videos"}',
            )
        checks: dict[str, Callable[[Mapping[str, Any], Callable[[str], str]], None]] = {
            "moving_digits": check_digits_arguments,
            "video_folder": check_folder_arguments,
            "ucf101": check_ucf101_arguments,
            "arrays": self._check_arrays,
        }
        checks[self.kind](self._arguments(), self._key)
        if self.drawn:
            check_window("data.fit", self.fit)

    def _check_arrays(self, arguments: Mapping[str, Any], where: Callable[[str], str]) -> None:
        check_shares(arguments, where)
        if not self.shape:
            raise ConfigError(
                "missing",
                where="data.shape",
                expected="the shape of a frame, such as [49, 10, 1]",
                fix="add it: recordings are [T, *shape]",
            )
        if self.range:
            arrays.check_range("data.range", self.range)

    @property
    def frame(self) -> tuple[int, ...]:
        """Shape of a frame."""
        if self.kind == "arrays":
            return self.shape
        return self.size, self.size, 1 if self.kind == "moving_digits" or self.grey else 3

    def _key(self, argument: str) -> str:
        """Return the key that an argument of the kind's function comes from."""
        return f"data.{KEYS.get(self.kind, {}).get(argument, argument)}"

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments of the kind's function, but path and seed."""
        names = {
            "moving_digits": "frames size train val test digit travel speed contrast texture noise",
            "video_folder": "frames size grey fit val test classes strict by_name",
            "ucf101": "frames size grey crop flip split val workers classes strict",
            "arrays": "frames val test",
        }[self.kind].split()
        found = {name: getattr(self, KEYS.get(self.kind, {}).get(name, name)) for name in names}
        return found | ({"size": (self.size, self.size)} if self.kind == "video_folder" else {})

    def load(self, seed: int) -> ClipDataset[ClipSource]:
        """Return the clips: in memory, those of ucf101 and drawn ones on disk.

        Raises:
            ConfigError: a value is out of range.
            VideoError, RecordingError: the folder or a file cannot be used.
        """
        if self.kind == "moving_digits":
            return moving_digits(seed=seed, **self._arguments())
        assert self.path is not None  # `__post_init__` has checked
        if self.kind == "arrays":
            split = self._split(seed)
            parts = {name: self._cut(split, getattr(split, name), self.frames) for name in ("train", "val", "test")}
            return ClipDataset(name=str(self.path), classes=split.classes, **parts)
        with _in_section():
            if self.kind == "video_folder" and not self.drawn:
                return video_folder(self.path, seed=seed, **self._arguments())
            if self.kind == "video_folder":
                drawn = {name: value for name, value in self._arguments().items() if name not in ("fit", "size")}
                return drawn_folder(self.path, size=self.size, seed=seed, workers=self.workers, **drawn)
            return ucf101(self.path, seed=seed, **self._arguments())

    def test_clips(self, seed: int, *, clips: int, frames: int) -> NDArray[np.uint8]:
        """Return up to ``clips`` clips of the test split, each ``frames`` long: uint8 ``[N, frames, *frame]``.

        They show the same digit images or files as the test split of `load`, never one that was trained with. Those
        of ucf101, whose list goes class by class, and of arrays are spread over all.

        Raises:
            VideoError, RecordingError: a file that they are from cannot be used, or is too short.
        """
        if self.kind == "moving_digits":
            return moving_digits(
                seed=seed, **{**self._arguments(), "frames": frames, "train": 1, "val": 0, "test": clips}
            ).test.frames
        if self.kind == "arrays":
            split = self._split(seed)
            return self._cut(split, split.test, frames, clips).frames
        if self.kind == "video_folder":
            split = self._split(seed)
            how = {name: self._arguments()[name] for name in ("size", "grey", "fit", "strict")}
            return cut_clips(split, split.test, frames=frames, most=clips, **how).frames
        test = replace(self, frames=frames).load(seed).test
        return np.stack([test.pixels(place) for place in spread(len(test), clips)])

    def labeled_clips(self, seed: int, *, clips: int, test: bool) -> Clips:
        """Return up to ``clips`` clips of a folder of files, ``data.frames`` long, spread over them.

        Args:
            seed: seed of the split.
            clips: most clips.
            test: those of the test split; else all others.

        Raises:
            ConfigError: data of another kind.
            VideoError, RecordingError: a file that they are from cannot be used, or is too short.
        """
        if self.kind not in SPLIT:
            kinds = " or ".join(map(repr, SPLIT))
            raise ConfigError("no folder of clips", where="data.kind", expected=kinds, received=self.kind)
        split = self._split(seed)
        part = split.test if test else split.train + split.val
        if self.kind == "arrays":
            return self._cut(split, part, self.frames, clips)
        part = [part[place] for place in spread(len(part), clips)]
        how = {name: self._arguments()[name] for name in ("size", "grey", "fit", "strict")}
        found = cut_clips(split, part, frames=self.frames, **how)
        places = spread(len(found), clips)
        return Clips(frames=found.frames[places], labels=found.labels[places], sources=found.sources[places])

    def holds_pixels(self) -> bool:
        """Return whether recordings hold codes, uint8, and need no range."""
        assert self.path is not None
        return arrays.survey(self._split(0).files)[1] == "uint8"

    def measured_range(self, seed: int, *, exact: bool) -> arrays.Range:
        """Return the range of recordings that fits all but those of the test split, which are not read.

        Raises: the errors of `codesign.data.arrays.measured_range` and of `verify`.
        """
        split = self._split(seed)
        return arrays.measured_range([split.files[place] for place, _ in split.train + split.val], exact=exact)

    def class_names(self, seed: int) -> tuple[str, ...]:
        """Return the names of the classes, one for each output of the network, without decoding anything.

        Raises:
            ConfigError, VideoError, RecordingError: as `verify` does, of folders and lists.
        """
        if self.kind == "moving_digits":
            return tuple(map(str, range(10)))
        assert self.path is not None  # `__post_init__` has checked
        return (self._split(seed) if self.kind in SPLIT else ucf101(self.path, seed=seed, **self._arguments())).classes

    def verify(self, seed: int, *, clips: int, frames: int) -> None:
        """Check, without decoding anything, what `load` and `test_clips` with these arguments need.

        Raises:
            ConfigError: a video is shorter than ``data.frames``, or one to measure on than ``clip.frames``, which is
                ``frames``; or a class is not there, or recordings have another shape or no range.
            VideoError, RecordingError: a folder, a list or a file is missing, or is none.
        """
        if self.kind == "moving_digits":
            return  # clips of any length are made
        assert self.path is not None  # `__post_init__` has checked
        if self.kind in SPLIT:
            split = self._split(seed)
            files, test = list(split.files), [split.files[place] for place, _ in split.test]
        else:
            with _in_section():
                parts = ucf101(self.path, seed=seed, **self._arguments())
            files = [*parts.train.files, *parts.val.files, *parts.test.files]
            test = [parts.test.files[place] for place in spread(len(parts.test), clips)]
        if self.kind == "arrays":
            self._check_recordings(files)
            lengths = {file: len(arrays.open_recording(file)) for file in files}
        else:
            with ThreadPoolExecutor(self.workers) as pool:
                lengths = dict(zip(files, pool.map(lambda file: survey(file).length, files), strict=True))
        if self.kind == "video_folder":
            test = first_files(test, lengths, clips, frames)
        wrong = Problems()
        for key, needed, read in (("data.frames", self.frames, files), ("clip.frames", frames, test)):
            with wrong.collected():
                check_lengths(key, needed, {file: lengths[file] for file in read})
        wrong.check()

    def _check_recordings(self, files: Sequence[Path]) -> None:
        """Check shape and type of recordings."""
        shape, dtype = arrays.survey(files)
        if shape != self.shape:
            raise arrays.wrong_shape(files[0], self.shape, shape)
        if dtype != "uint8" and not self.range:
            raise ConfigError(
                "missing",
                where="data.range",
                expected=f"[low, high]: the values of the codes 0 and 255, as the recordings hold {dtype}",
                fix="add it; codesign import measures it",
            )

    def _cut(self, split: Split, part: Sequence[tuple[int, int]], frames: int, most: int = sys.maxsize) -> Clips:
        """Return clips of recordings."""
        low, high = self.range or (0.0, 255.0)
        return arrays.cut_recordings(split, part, frames=frames, shape=self.shape, limits=(low, high), most=most)

    def _split(self, seed: int) -> Split:
        """Return which files of a folder are in which split."""
        assert self.path is not None  # `__post_init__` has checked
        with _in_section():
            return split_folder(
                self.path,
                seed=seed,
                val=self.val_share,
                test=self.test_share,
                classes=self.classes,
                plain=self.plain,
                by_name=self.by_name,
                files=arrays.RECORDINGS if self.kind == "arrays" else VIDEO_FILES,
            )


@contextmanager
def _in_section() -> Iterator[None]:
    """Name the section in errors about an argument that only the files can prove wrong."""
    try:
        yield
    except ConfigError as error:
        raise error.inside("data.") from None
