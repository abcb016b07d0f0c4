# SPDX-License-Identifier: Apache-2.0
"""`DataConfig`: the ``[data]`` section of a design; names a source of clips and loads it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from codesign.data.clips import ClipDataset, ClipSource
from codesign.data.digits import moving_digits
from codesign.data.ucf101 import ucf101
from codesign.data.video import video_folder
from codesign.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Where the clips come from. See `moving_digits`, `video_folder` and `ucf101` for what each value does.

    Attributes:
        kind: which of the three.
        frames: of a clip to train and test with, at least 2.
        size: height and width of a frame in pixels.
        train: clips to train with (moving_digits).
        val: clips to validate with (moving_digits).
        test: clips to test with (moving_digits).
        digit: side of a digit in pixels (moving_digits).
        travel: farthest a digit goes from the middle in pixels (moving_digits).
        speed: fastest a digit moves in pixels a frame (moving_digits).
        contrast: of the strokes, 0 to 1 (moving_digits).
        texture: spread of the background, 0 to 1 (moving_digits).
        noise: sensor noise in grey levels of 256 (moving_digits).
        path: folder with one folder a class (video_folder, ucf101, which need it).
        grey: one channel, else RGB (video_folder, ucf101).
        val_share: share of each class's files (video_folder) or training groups (ucf101) to validate with.
        test_share: share of each class's files to test with (video_folder).
        split: official split (ucf101).
        crop: side of the window a clip shows, as a share of the shorter side of the video (ucf101).
        flip: mirror half of the training clips (ucf101).
        workers: threads that decode videos (ucf101).
    """

    kind: Literal["moving_digits", "video_folder", "ucf101"] = "moving_digits"
    frames: int = 8
    size: int = 32
    train: int = 3000
    val: int = 500
    test: int = 1000
    digit: float = 24.0
    travel: float = 3.0
    speed: float = 0.5
    contrast: float = 0.8
    texture: float = 0.15
    noise: float = 2.0
    path: Path | None = None
    grey: bool = True
    val_share: float = 0.2
    test_share: float = 0.2
    split: Literal[1, 2, 3] = 1
    crop: float = 0.875
    flip: bool = True
    workers: int = 2

    def __post_init__(self) -> None:
        if self.frames < 2:
            raise ConfigError("out of range", where="data.frames", expected="at least 2", received=self.frames)
        if self.kind != "moving_digits" and self.path is None:
            raise ConfigError("missing", where="data.path", expected="a folder that holds one folder a class")

    def load(self, seed: int) -> ClipDataset[ClipSource]:
        """Return the clips: in memory, those of ucf101 on disk.

        Raises:
            ConfigError: a value is out of range.
            VideoError: the folder or a video cannot be used.
        """
        if self.path is not None and self.kind == "video_folder":
            return video_folder(
                self.path,
                frames=self.frames,
                size=(self.size, self.size),
                grey=self.grey,
                seed=seed,
                val=self.val_share,
                test=self.test_share,
            )
        if self.path is not None and self.kind == "ucf101":
            return ucf101(
                self.path,
                split=self.split,
                frames=self.frames,
                size=self.size,
                grey=self.grey,
                crop=self.crop,
                flip=self.flip,
                val=self.val_share,
                seed=seed,
                workers=self.workers,
            )
        return moving_digits(
            frames=self.frames,
            size=self.size,
            seed=seed,
            train=self.train,
            val=self.val,
            test=self.test,
            digit=self.digit,
            travel=self.travel,
            speed=self.speed,
            contrast=self.contrast,
            texture=self.texture,
            noise=self.noise,
        )

    def test_clips(self, seed: int, *, clips: int, frames: int) -> NDArray[np.uint8]:
        """Return up to ``clips`` clips of the test split, each ``frames`` long: uint8 ``[N, frames, H, W, C]``.

        They show the same digit images or files as the test split of `load`, never one that was trained with. Those
        of ucf101, whose list goes class by class, are spread over the whole list.
        """
        longer = replace(self, frames=frames, train=1, val=0, test=clips)
        test = longer.load(seed).test
        count = min(clips, len(test))
        stretch = len(test) / count if self.kind == "ucf101" else 1
        return np.stack([test.pixels(int(place * stretch)) for place in range(count)])
