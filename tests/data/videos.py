# SPDX-License-Identifier: Apache-2.0
"""Makes tiny video files, and folders of them in the layout of UCF101."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np


def write_video(path: Path, frames: np.ndarray, codec: str = "ffv1") -> Path:
    """Write uint8 ``[T, H, W, 3]``, losslessly unless another codec is asked for."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "bgr0" if codec == "ffv1" else "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def noise(frames: int, height: int = 16, width: int = 24, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), np.uint8)


CLASSES = ("Archery", "Biking", "Diving")
TRAIN, TEST = (3, 4, 5, 6), (1, 2)
"""Groups of each class in the two lists."""


def make_ucf101(folder: Path, frames: int = 9) -> Path:
    """Write two videos of each of six groups of three classes, and the lists of split 1."""
    lists: dict[str, list[str]] = {"trainlist01.txt": [], "testlist01.txt": []}
    for index, category in enumerate(CLASSES, start=1):
        (folder / category).mkdir(parents=True)
        for group in (*TEST, *TRAIN):
            for number in (1, 2):
                name = f"{category}/v_{category}_g{group:02}_c{number:02}.avi"
                write_video(folder / name, noise(frames, seed=100 * index + 10 * group + number))
                if group in TRAIN:
                    lists["trainlist01.txt"].append(f"{name} {index}")
                else:
                    lists["testlist01.txt"].append(name)
    lists["classInd.txt"] = [f"{index} {category}" for index, category in enumerate(CLASSES, start=1)]
    for name, lines in lists.items():
        (folder / name).write_text("\r\n".join(lines) + "\r\n")  # the official lists are of this kind
    return folder
