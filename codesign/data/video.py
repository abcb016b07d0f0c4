# SPDX-License-Identifier: Apache-2.0
"""Ordinary video files as frames of uint8: `read_video`, `video_frames` one by one, `read_view` for a part of one.

Frames are those that a player shows: of the film and not of a cover picture, upright, with square pixels. A picture of
another shape than the frames is fitted, see `Fit`. One rule holds for damaged files, whatever their format: what
decodes is used if it is enough, with a `VideoWarning` that counts the rest; ``strict`` refuses them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from codesign.data.picture import MIDDLE, Fit, Window, check_fit, fitted, place
from codesign.data.recording import Recording, Survey, opened, printable, settle
from codesign.errors import ConfigError, VideoError

_NAMES = ".3gp .asf .avi .flv .gif .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv"
SUFFIXES = frozenset(_NAMES.split())
"""What counts as a video file in a folder."""
FEWEST = 2
"""Frames without which a damaged video is no video."""


def read_video(
    path: str | Path,
    frames: int | None = None,
    size: tuple[int, int] = (32, 32),
    *,
    grey: bool = True,
    fit: Fit = "crop",
    strict: bool = False,
) -> NDArray[np.uint8]:
    """Return the first ``frames`` frames of a video, uint8 ``[T, H, W, C]``.

    Frames are scaled to ``size`` by area averaging, in full range (black 0, white 255).

    Args:
        path: path of the file.
        frames: T; None reads all.
        size: (H, W) in pixels.
        grey: one channel of luma; otherwise three, RGB.
        fit: what is done with pictures of another shape, see `Fit`.
        strict: refuse a damaged video, instead of a `VideoWarning`.

    Raises:
        VideoError: the file is missing, is no video, has fewer than ``frames`` frames that decode (`FEWEST` of a
            damaged one), or is damaged and ``strict``.
        ConfigError: ``frames``, ``size`` or ``fit`` is out of range.
    """
    if frames is not None and frames < 1:
        raise ConfigError("frames is out of range", where=str(path), expected="at least 1, or None", received=frames)
    check_view("read_video", size, fit)
    with opened(path) as recording:
        fit_to = _fit_to(recording, size, grey, fit)
        decoded = [fit_to(frame) for frame in islice(recording.frames(), frames)]
        settle(recording, frames or FEWEST, strict)
        _check_length(recording, frames or 1)
    return np.stack(decoded)


def video_frames(
    path: str | Path,
    size: tuple[int, int] = (32, 32),
    *,
    grey: bool = True,
    fit: Fit = "crop",
    strict: bool = False,
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of `read_video` one by one, uint8 ``[H, W, C]``, as they are decoded.

    Raises:
        VideoError: as `read_video`; what is only known at the end of the file, after its last frame. With ``strict``
            a damaged file is refused before its first frame: it is decoded twice.
        ConfigError: ``size`` or ``fit`` is out of range.
    """
    check_view("video_frames", size, fit)
    if strict:
        check_whole(path)
    with opened(path) as recording:
        fit_to = _fit_to(recording, size, grey, fit)
        try:
            for frame in recording.frames():
                yield fit_to(frame)
        except GeneratorExit:
            if recording.damage():
                settle(recording, 0, strict=False)
            raise
        settle(recording, FEWEST, strict)


def check_whole(path: str | Path) -> None:
    """Decode a video to its end.

    Raises:
        VideoError: it is damaged.
    """
    with opened(path) as recording:
        deque(recording.frames(), maxlen=0)
        settle(recording, FEWEST, strict=True)


def survey(path: str | Path) -> Survey:
    """Return how long a video is, without decoding it.

    Raises:
        VideoError: the file is missing, or is no video.
    """
    with opened(path) as recording:
        return recording.survey()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Which part of a video a clip shows, in shares of what is possible: 0 is the first place, 1 the last.

    Attributes:
        start: place of the first frame.
        row: place of the upper edge.
        column: place of the left edge.
        mirrored: left and right are exchanged.
    """

    start: float = 0.5
    row: float = 0.5
    column: float = 0.5
    mirrored: bool = False


CENTER = View()
"""The middle of a video, in space and time."""


def read_view(
    path: Path,
    frames: int,
    size: int,
    *,
    crop: float = 1.0,
    grey: bool = True,
    view: View = CENTER,
    strict: bool = False,
) -> NDArray[np.uint8]:
    """Return consecutive frames of a video as seen through a square window, uint8 ``[T, size, size, C]``.

    The window is the same for all frames. Frames are scaled by area averaging, without distortion. Of a damaged video
    the frames that decode count as consecutive.

    Args:
        path: path of the file.
        frames: T.
        size: H and W in pixels.
        crop: side of the window, as a share of the shorter side of the video as it is shown.
        grey: one channel of luma; otherwise three, RGB.
        view: where the window and the first frame lie.
        strict: refuse a damaged video, as far as it was read, instead of a `VideoWarning`.

    Raises:
        VideoError: the file is missing, is no video, has too few frames, or is damaged and ``strict``.
    """
    window = Window(share=crop, row=view.row, column=view.column)
    known = survey(path)
    length = known.length
    while True:
        with opened(path, known) as recording:
            end = place(view.start, length - frames) + frames
            kept: deque[av.VideoFrame] = deque(islice(recording.frames(), end), maxlen=frames)
            if frames <= recording.decoded < min(end, length):
                length = recording.decoded  # fewer frames than packets: choose again among those that are there
                continue
            settle(recording, frames, strict)
            _check_length(recording, frames)
            fit_to = _fit_to(recording, (size, size), grey, "crop", window)
            pixels = np.stack([fit_to(frame) for frame in kept])
            break
    return pixels[:, :, ::-1] if view.mirrored else pixels


def _fit_to(
    recording: Recording, size: tuple[int, int], grey: bool, fit: Fit, window: Window = MIDDLE
) -> Callable[[av.VideoFrame], NDArray[np.uint8]]:
    """Return what fits the frames of a recording."""
    where = printable(recording.path)
    return partial(fitted, size=size, grey=grey, fit=fit, aspect=recording.aspect, window=window, where=where)


def _check_length(recording: Recording, frames: int) -> None:
    """Check that enough frames were there."""
    if recording.decoded < frames:
        raise VideoError(
            "the video is too short",
            where=printable(recording.path),
            expected=f"{frames} frames",
            received=recording.decoded,
            fix="ask for fewer frames, or leave this video out",
        )


def check_view(where: str, size: tuple[int, int], fit: object) -> None:
    """Check size and fit of the frames.

    Raises:
        ConfigError: one of them is out of range.
    """
    if len(size) != 2 or min(size) < 1:
        raise ConfigError(
            "size is out of range", where=where, expected="(height, width), each at least 1", received=size
        )
    check_fit(where, fit)
