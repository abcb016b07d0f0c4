# SPDX-License-Identifier: Apache-2.0
"""`drawn_folder`: one clip of each video of a folder that holds one folder of video files for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codesign.data.clips import ClipDataset
from codesign.data.folder import check_folder_arguments, split_folder
from codesign.data.picture import Fit
from codesign.data.streamed import StreamedClips, streamed
from codesign.errors import ConfigError

CROP = 0.875
"""Side of the square window of a clip, as a share of the shorter side of the video."""


def drawn_folder(
    path: str | Path,
    *,
    frames: int = 16,
    size: int = 112,
    grey: bool = False,
    seed: int = 0,
    val: float = 0.2,
    test: float = 0.2,
    classes: Sequence[str] = (),
    by_name: bool = False,
    workers: int = 2,
    strict: bool = False,
) -> ClipDataset[StreamedClips]:
    """Return one clip of each video of the folder of `video_folder`, with its splits.

    Clips to train with are drawn anew each time: their first frame, the place of a square window of `CROP` of the
    shorter side of the video, and whether they are mirrored. Others are the middle of their video. See `StreamedClips`.

    Args:
        path: path of the folder.
        frames: frames per clip, T.
        size: H and W of a frame in pixels.
        grey: one channel; otherwise three, RGB.
        seed: seed of the split and of what is drawn.
        val: share of a class's files to validate with.
        test: share of a class's files to test with.
        classes: only these class folders; none for all.
        by_name: split in the order of the names, whatever the seed, see `video_folder`.
        workers: threads that decode.
        strict: refuse damaged videos, instead of a `VideoWarning` for each.

    Raises:
        VideoError: no folder, no class, or a class with fewer than two videos. A video that is corrupt or too short
            raises it when it is read.
        ConfigError: an argument is out of range.
    """
    check_folder_arguments({**locals(), "size": (size, size), "fit": "crop"}, lambda name: f"drawn_folder: {name}")
    split = split_folder(path, seed=seed, val=val, test=test, classes=classes, by_name=by_name)
    parts = {
        name: [(split.files[place], label) for place, label in part]
        for name, part in (("train", split.train), ("val", split.val), ("test", split.test))
    }
    return streamed(
        str(path),
        split.classes,
        parts,
        frames=frames,
        size=size,
        crop=CROP,
        grey=grey,
        flip=True,
        seed=seed,
        workers=workers,
        strict=strict,
    )


def check_window(where: str, fit: Fit) -> None:
    """Check that pictures of another shape are cropped, as drawn clips are.

    Raises:
        ConfigError: ``fit`` is another one; ``where`` names its place.
    """
    if fit != "crop":
        raise ConfigError(
            "drawn clips are seen through a square window",
            where=where,
            expected="'crop' beside data.drawn",
            received=repr(fit),
            fix="remove one of the two",
        )
