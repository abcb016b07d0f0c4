# SPDX-License-Identifier: Apache-2.0
"""Video for the convolutional network: the files of a folder, or fixed-camera clips that are made on the spot."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codesign.data import moving_digits, read_video
from codesign.data.video import SUFFIXES
from codesign.errors import VideoError

SIDE = 64
"""Rows and columns of a frame."""
FRAMES = 60
"""Most frames of a clip; a shorter video is taken whole."""
FEWEST_FRAMES = 20
"""Fewest frames of a clip: a shorter video has no steady stream to measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One stream of video.

    Attributes:
        name: name of the file, or what it shows.
        frames: grey pixels, uint8 ``[T, 64, 64, 1]``.
    """

    name: str
    frames: NDArray[np.uint8] = field(repr=False)


def video_clips(folder: Path) -> tuple[Clip, ...]:
    """Return the first frames of every video in ``folder``, by name, stretched as those of the published figures.

    Raises:
        VideoError: no folder, no video in it, or a video that is corrupt or too short.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise VideoError(
            "there are no videos",
            where=str(folder),
            expected=f"a folder with files such as {', '.join(sorted(SUFFIXES))}",
            fix="leave --clips out to measure on made clips",
        )
    clips = tuple(
        Clip(name=path.stem, frames=read_video(path, size=(SIDE, SIDE), fit="stretch")[:FRAMES]) for path in files
    )
    for path, clip in zip(files, clips, strict=True):
        if len(clip.frames) < FEWEST_FRAMES:
            raise VideoError(
                "the video is too short",
                where=str(path),
                expected=f"at least {FEWEST_FRAMES} frames",
                received=len(clip.frames),
            )
    return clips


def made_clips(count: int, seed: int) -> tuple[Clip, ...]:
    """Return ``count`` clips of a digit that moves in front of a fixed camera, as quiet as compressed video.

    See `codesign.data.moving_digits`.
    """
    made = moving_digits(frames=FRAMES, size=SIDE, seed=seed, train=1, val=0, test=count, noise=0.3).test
    return tuple(Clip(name=f"digit_{number}", frames=frames) for number, frames in enumerate(made.frames))


def noise_clip(seed: int, frames: int = 8) -> Clip:
    """Return a clip in which every pixel moves by 64 to 192 grey levels (modulo 256) in every frame."""
    rng = np.random.default_rng(seed)
    moves = rng.integers(64, 193, (frames, SIDE, SIDE, 1))
    return Clip(name="noise", frames=(np.cumsum(moves, axis=0) % 256).astype(np.uint8))
