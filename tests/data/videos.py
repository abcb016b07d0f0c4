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
