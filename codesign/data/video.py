# SPDX-License-Identifier: Apache-2.0
"""Ordinary video files as frames of uint8: `read_video`, `read_view` for a part of one, `video_folder` for clips."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from codesign.data.arguments import SEEDS, check_number
from codesign.data.clips import ClipDataset, Clips
from codesign.errors import ConfigError, VideoError

SUFFIXES = frozenset({".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm", ".wmv"})
"""What counts as a video file in a folder."""


def read_video(
    path: str | Path, frames: int | None = None, size: tuple[int, int] = (32, 32), *, grey: bool = True
) -> NDArray[np.uint8]:
    """Return the first ``frames`` frames of a video, uint8 ``[T, H, W, C]``.

    Frames are stretched to ``size`` by area averaging, in full range (black 0, white 255).

    Args:
        path: of the file.
        frames: T; None reads all.
        size: (H, W) in pixels.
        grey: one channel of luma; otherwise three, RGB.

    Raises:
        VideoError: the file is missing, cannot be decoded to its end or to ``frames``, or is too short.
        ConfigError: ``frames`` or ``size`` is out of range.
    """
    if frames is not None and frames < 1:
        raise ConfigError("frames is out of range", where=str(path), expected="at least 1, or None", received=frames)
    decoded = list(itertools.islice(video_frames(path, size, grey=grey), frames))
    if not decoded or (frames is not None and len(decoded) < frames):
        raise VideoError(
            "the video is too short", where=str(path), expected=f"{frames or 1} frames", received=len(decoded)
        )
    return np.stack(decoded)


def video_frames(
    path: str | Path, size: tuple[int, int] = (32, 32), *, grey: bool = True
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of `read_video` one by one, uint8 ``[H, W, C]``, as they are decoded.

    Raises:
        VideoError: the file is missing or cannot be decoded to the frame asked for.
        ConfigError: ``size`` is out of range.
    """
    _check_size(size)
    with _opened(Path(path)) as container:
        for frame in container.decode(video=0):
            yield scaled(frame, *size, grey)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Which part of a video a clip shows, in shares of what is possible: 0 is the first place, 1 the last.

    Attributes:
        start: of the first frame.
        row: of the upper edge.
        column: of the left edge.
        mirrored: left and right are exchanged.
    """

    start: float = 0.5
    row: float = 0.5
    column: float = 0.5
    mirrored: bool = False


CENTRE = View()
"""The middle of a video, in space and time."""


def read_view(
    path: Path, frames: int, size: int, *, crop: float = 1.0, grey: bool = True, view: View = CENTRE
) -> NDArray[np.uint8]:
    """Return consecutive frames of a video as seen through a square window, uint8 ``[T, size, size, C]``.

    The window is the same for all frames. Frames are scaled by area averaging, without distortion.

    Args:
        path: of the file.
        frames: T.
        size: H and W in pixels.
        crop: side of the window, as a share of the shorter side of the video.
        grey: one channel of luma; otherwise three, RGB.
        view: where the window and the first frame lie.

    Raises:
        VideoError: the file is missing, cannot be decoded, or is too short.
    """
    with _opened(path) as container:
        promised = sum(packet.size > 0 for packet in container.demux(video=0))
        container.seek(0)
        end = _place(view.start, promised - frames) + frames
        kept: deque[av.VideoFrame] = deque(itertools.islice(container.decode(video=0), end), maxlen=frames)
        if len(kept) < frames:
            raise VideoError(
                "the video is too short",
                where=str(path),
                expected=f"{frames} frames",
                received=len(kept),
                fix="ask for shorter clips, or leave this video out",
            )
        scale = size / (crop * min(kept[0].height, kept[0].width))
        height, width = (max(size, round(scale * side)) for side in (kept[0].height, kept[0].width))
        pixels = np.stack([scaled(frame, height, width, grey) for frame in kept])
    row, column = _place(view.row, height - size), _place(view.column, width - size)
    window: NDArray[np.uint8] = pixels[:, row : row + size, column : column + size]
    return window[:, :, ::-1] if view.mirrored else window


def _place(share: float, last: int) -> int:
    """Return the integer 0 to ``last`` that lies at ``share`` of them: each has the same share."""
    return min(int(share * (last + 1)), last) if last > 0 else 0


@contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a video file; what goes wrong with it in the body is a `VideoError` that names the file."""
    if not path.is_file():
        raise VideoError("no such video file", where=str(path), fix="check the path")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise VideoError("there is no video in the file", where=str(path), received="no video stream")
            yield container
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(
            "the video cannot be decoded",
            where=str(path),
            received=str(error),
            fix="play it with another program; if that fails too the file is corrupt",
        ) from error


def scaled(frame: av.VideoFrame, height: int, width: int, grey: bool) -> NDArray[np.uint8]:
    """Return one frame, ``[H, W, C]``, scaled by area averaging."""
    rgb: NDArray[np.uint8] = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    return _luma(rgb) if grey else rgb


def _luma(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return BT.601 luma, ``[H, W, 1]``, in integers so that it is the same everywhere."""
    weighted = rgb.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
    return ((weighted + 32768) >> 16).astype(np.uint8)[..., None]


def video_folder(
    path: str | Path,
    *,
    frames: int = 16,
    size: tuple[int, int] = (32, 32),
    grey: bool = True,
    seed: int = 0,
    val: float = 0.2,
    test: float = 0.2,
) -> ClipDataset[Clips]:
    """Return clips of a folder that holds one folder a class of video files.

    Every file is cut into consecutive clips of ``frames`` frames; what is left at its end is dropped. Splits are
    made by file, within each class: at least one file to train and one to test, and one to validate from three on.

    Args:
        path: of the folder. Class folders in alphabetical order; other files than videos are ignored.
        frames: of a clip, T.
        size: (H, W) in pixels.
        grey: one channel; otherwise three, RGB.
        seed: of the split.
        val: share of a class's files to validate with.
        test: share of a class's files to test with.

    Raises:
        VideoError: no folder, no class, a class with fewer than two videos, a corrupt or too short video.
        ConfigError: an argument is out of range.
    """
    check_number("video_folder", "frames", frames, 1, 100_000, whole=True)
    check_number("video_folder", "seed", seed, *SEEDS, whole=True)
    if not (0 <= val < 1 and 0 < test < 1 and val + test < 1):
        raise ConfigError(
            "the shares leave nothing to train or test with",
            where="video_folder",
            expected="0 <= val, 0 < test, val + test < 1",
            received=f"val={val}, test={test}",
        )
    _check_size(size)
    files = _classes(Path(path))
    rng = np.random.default_rng(seed)
    order = [file for group in files.values() for file in group]
    splits: list[list[tuple[Path, int]]] = [[], [], []]
    for label, group in enumerate(files.values()):
        shuffled = [group[i] for i in rng.permutation(len(group))]
        tests = max(1, round(test * len(group)))
        vals = max(int(len(group) > 2), round(val * len(group))) if val else 0
        vals = min(vals, len(group) - tests - 1)
        for part, chosen in enumerate((shuffled[tests + vals :], shuffled[tests : tests + vals], shuffled[:tests])):
            splits[part] += [(file, label) for file in chosen]
    made = [_cut(split, order, frames, size, grey) for split in splits]
    return ClipDataset(name=str(path), classes=tuple(files), train=made[0], val=made[1], test=made[2])


def _check_size(size: tuple[int, int]) -> None:
    if len(size) != 2 or min(size) < 1:
        raise ConfigError("size is out of range", expected="(height, width), each at least 1", received=size)


def _classes(path: Path) -> dict[str, list[Path]]:
    """Return the video files of each class, sorted."""
    if not path.is_dir():
        raise VideoError("no such folder", where=str(path), expected="a folder that holds one folder a class")
    found = {
        folder.name: sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
        for folder in sorted(path.iterdir())
        if folder.is_dir()
    }
    if not any(found.values()):
        raise VideoError(
            "there are no videos",
            where=str(path),
            expected=f"one folder a class with files such as {', '.join(sorted(SUFFIXES))}",
            received=f"{len(found)} folders without videos" if found else "no folders",
        )
    for name, files in found.items():
        if len(files) < 2:
            raise VideoError(
                "a class has too few videos",
                where=str(path / name),
                expected="at least 2, one to train and one to test",
                received=len(files),
                fix="add videos to this class or remove its folder",
            )
    return found


def _cut(split: list[tuple[Path, int]], order: list[Path], frames: int, size: tuple[int, int], grey: bool) -> Clips:
    pieces = [np.empty((0, frames, *size, 1 if grey else 3), np.uint8)]
    labels: list[int] = []
    sources: list[int] = []
    for file, label in split:
        video = read_video(file, size=size, grey=grey)
        count = len(video) // frames
        if not count:
            raise VideoError(
                "the video is too short", where=str(file), expected=f"{frames} frames", received=len(video)
            )
        pieces.append(video[: count * frames].reshape(count, frames, *video.shape[1:]))
        labels += [label] * count
        sources += [order.index(file)] * count
    return Clips(frames=np.concatenate(pieces), labels=np.array(labels, np.int64), sources=np.array(sources, np.int64))
