# SPDX-License-Identifier: Apache-2.0
"""Makes tiny video files, and folders of them in the layout of UCF101."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np


def write_video(
    path: Path, frames: np.ndarray, codec: str = "ffv1", *, container: dict[str, str] | None = None, **stream: Any
) -> Path:
    """Write uint8 ``[T, H, W, 3]``, losslessly unless another codec is asked for.

    ``container`` are options of the muxer; ``stream`` are attributes of the stream, ``turned`` a call of
    `av.VideoStream.set_display_rotation` as (degrees, hflip, vflip).
    """
    with av.open(str(path), "w", options=container or {}) as file:
        made = add_stream(file, frames, codec, **stream)
        encode(file, made, frames)
    return path


def add_stream(
    file: av.container.OutputContainer,
    frames: np.ndarray,
    codec: str,
    turned: tuple[int, bool, bool] = (0, False, False),
    **attributes: Any,
) -> av.VideoStream:
    """Add a stream for frames to a file that is being written."""
    made = file.add_stream(codec, rate=30)
    made.height, made.width = frames.shape[1:3]
    made.pix_fmt = {"ffv1": "bgr0", "mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
    if codec == "libx264":
        made.options = {"preset": "ultrafast", "g": "10"}
    if any(turned):
        made.set_display_rotation(turned[0], hflip=turned[1], vflip=turned[2])
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def encode(file: av.container.OutputContainer, made: av.VideoStream, frames: np.ndarray) -> None:
    """Write frames into a stream, to its end."""
    for frame in frames:
        file.mux(made.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
    file.mux(made.encode())


def blocks(frames: int, height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """Return noise in blocks of 4 x 4 pixels, which lossy codecs keep."""
    small = noise(frames, height // 4, width // 4, seed)
    return small.repeat(4, axis=1).repeat(4, axis=2)


def quarters(frames: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Return a picture whose quarters are black, dark, bright and white, so that all eight ways to turn it differ."""
    picture = np.zeros((frames, height, width, 3), np.uint8)
    for level, (row, column) in zip((0, 85, 170, 255), ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
        picture[:, row * height // 2 : (row + 1) * height // 2, column * width // 2 : (column + 1) * width // 2] = level
    return picture


def noise(frames: int, height: int = 16, width: int = 24, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), np.uint8)


CLASSES = ("Archery", "Biking", "Diving")
TESTS = {1: (1, 2), 2: (3, 4), 3: (5, 6)}
"""Groups of each class in the test list of each split; the others are in its train list."""
TRAIN, TEST = (3, 4, 5, 6), TESTS[1]
"""Groups of each class in the two lists of split 1."""


def make_ucf101(folder: Path, frames: int = 9) -> Path:
    """Write two videos of each of six groups of three classes, and the lists of the three splits."""
    lists: dict[str, list[str]] = {f"{kind}list{split:02}.txt": [] for split in TESTS for kind in ("train", "test")}
    for index, category in enumerate(CLASSES, start=1):
        (folder / category).mkdir(parents=True)
        for group in range(1, 7):
            for number in (1, 2):
                name = f"{category}/v_{category}_g{group:02}_c{number:02}.avi"
                write_video(folder / name, noise(frames, seed=100 * index + 10 * group + number))
                for split, tested in TESTS.items():
                    if group in tested:
                        lists[f"testlist{split:02}.txt"].append(name)
                    else:
                        lists[f"trainlist{split:02}.txt"].append(f"{name} {index}")
    lists["classInd.txt"] = [f"{index} {category}" for index, category in enumerate(CLASSES, start=1)]
    for name, lines in lists.items():
        (folder / name).write_text("\r\n".join(lines) + "\r\n")  # the official lists are of this kind
    return folder
