# SPDX-License-Identifier: Apache-2.0
"""`moving_digits`: real handwritten digits that move slowly in front of a fixed camera."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.data.clips import SEEDS, ClipDataset, Clips
from codesign.errors import ConfigError
from codesign.records import Limits, check_numbers

SIDE = 8
"""Rows and columns of a digit image of scikit-learn's bundled set (16 grey levels)."""
LIMITS: Limits = {
    "frames": (1, 100_000, int),
    "size": (8, 512, int),
    "seed": (*SEEDS, int),
    "train": (1, 10**6, int),
    "val": (0, 10**6, int),
    "test": (1, 10**6, int),
    "digit": (8, 512, float),
    "travel": (0, 512, float),
    "speed": (0, 512, float),
    "contrast": (0, 1, float),
    "texture": (0, 1, float),
    "noise": (0, 128, float),
}
"""Limits of the arguments of `moving_digits`."""


def moving_digits(
    *,
    frames: int = 8,
    size: int = 32,
    seed: int = 0,
    train: int = 3000,
    val: int = 500,
    test: int = 1000,
    digit: float = 24.0,
    travel: float = 3.0,
    speed: float = 0.5,
    contrast: float = 0.8,
    texture: float = 0.15,
    noise: float = 2.0,
) -> ClipDataset[Clips]:
    """Return clips of one digit each: real handwriting over a textured background, with sensor noise.

    The background is drawn once per clip and stays; the digit moves along a smooth path around the middle, at sub-pixel
    positions; noise is drawn afresh for each pixel of each frame. Splits are made by digit image (60, 20
    and 20 % of each class), so no image is seen in two of them.

    Args:
        frames: frames per clip, T.
        size: H and W of a frame in pixels.
        seed: the same seed gives the same clips.
        train: clips of the training split.
        val: clips of the validation split.
        test: clips of the test split.
        digit: side of a digit in pixels.
        travel: farthest a digit goes from the middle of the frame, in pixels along each axis.
        speed: fastest a digit moves, in pixels per frame along each axis.
        contrast: how far a stroke stands out from mid-grey, 0 to 1.
        texture: how far the background spreads around its grey level, 0 to 1.
        noise: standard deviation of the sensor noise, in grey levels of 256.

    Raises:
        ConfigError: an argument is out of range, or the digit does not fit.
    """
    check_digits_arguments(locals())
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, SIDE, SIDE) / 16.0
    streams = np.random.SeedSequence(seed).spawn(4)
    splits = _split(labels, np.random.default_rng(streams[0]))
    scene = _Scene(frames, size, digit, travel, speed, contrast, texture, noise)
    made = [
        scene.clips(images, labels, split, count, np.random.default_rng(stream))
        for split, count, stream in zip(splits, (train, val, test), streams[1:], strict=True)
    ]
    classes = tuple(str(c) for c in range(10))
    return ClipDataset(name="moving_digits", classes=classes, train=made[0], val=made[1], test=made[2])


def check_digits_arguments(
    arguments: Mapping[str, Any], where: Callable[[str], str] = lambda _: "moving_digits"
) -> None:
    """Check arguments of `moving_digits` by their names.

    Raises:
        ConfigError: one is out of range, or the digit does not fit; ``where`` names its place.
    """
    check_numbers(LIMITS, arguments, where)
    room = arguments["digit"] + 2 * arguments["travel"]
    if room > arguments["size"]:
        raise ConfigError(
            "the digit leaves the frame",
            where=where("digit"),
            expected="digit + 2 * travel <= size",
            received=f"{room:g} > {arguments['size']}",
            fix="make size larger, or digit or travel smaller",
        )


def _split(labels: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Return the image indices of train, val and test: 60, 20 and 20 % of each class."""
    parts: list[list[NDArray[np.int64]]] = [[], [], []]
    for label in range(10):
        indices = rng.permutation(np.flatnonzero(labels == label))
        fences = np.array([0.6, 0.8]) * len(indices)
        for part, chosen in zip(parts, np.split(indices, fences.astype(int)), strict=True):
            part.append(chosen)
    return [np.concatenate(part) for part in parts]


class _Scene:
    """Draws clips; holds the arguments of `moving_digits`."""

    def __init__(
        self,
        frames: int,
        size: int,
        digit: float,
        travel: float,
        speed: float,
        contrast: float,
        texture: float,
        noise: float,
    ) -> None:
        self.frames, self.size, self.digit, self.travel, self.speed = frames, size, digit, travel, speed
        self.contrast, self.texture, self.noise = contrast, texture, noise

    def clips(
        self,
        images: NDArray[np.float64],
        labels: NDArray[np.int64],
        split: NDArray[np.int64],
        count: int,
        rng: np.random.Generator,
    ) -> Clips:
        """Return ``count`` clips that show the images of ``split`` in turn, each about as often."""
        rounds = [rng.permutation(split) for _ in range(-(-count // len(split)))]
        sources = np.concatenate([np.empty(0, np.int64), *rounds])[:count].astype(np.int64)
        frames = np.empty((count, self.frames, self.size, self.size, 1), np.uint8)
        for clip, source in zip(frames, sources, strict=True):
            clip[..., 0] = self._clip(images[source], rng)
        return Clips(frames=frames, labels=labels[sources].astype(np.int64), sources=sources)

    def _clip(self, image: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return one clip, ``[T, H, W]``."""
        rows, columns = self._weights(rng), self._weights(rng)
        ink = (rows @ image @ columns.transpose(0, 2, 1)).astype(np.float32)
        background = self._background(rng).astype(np.float32)
        levels = 255 * (background + ink * (0.5 + self.contrast / 2 - background))
        levels += np.float32(self.noise) * rng.standard_normal(levels.shape, np.float32)
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8)

    def _weights(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return how much each image row is seen in each frame row, ``[T, size, 8]``: bilinear, moving."""
        turn = rng.uniform(0.5, 1) * self.speed / max(self.travel, 1e-9)
        path = self.size / 2 + self.travel * np.sin(rng.uniform(0, 2 * np.pi) + turn * np.arange(self.frames))
        pitch = self.digit / SIDE
        at = (np.arange(self.size) + 0.5 - path[:, None]) / pitch + SIDE / 2 - 0.5
        weights: NDArray[np.float64] = np.maximum(0.0, 1.0 - np.abs(at[:, :, None] - np.arange(SIDE)))
        return weights

    def _background(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return a smooth random texture in 0 to 1, ``[size, size]``, darker than the strokes."""
        grain = rng.standard_normal((self.size, self.size))
        for axis in (0, 1):
            grain = (np.roll(grain, 1, axis) + 2 * grain + np.roll(grain, -1, axis)) / 4
        level = 0.5 - self.contrast / 2 + self.texture / 2
        spread: NDArray[np.float64] = np.clip(level + self.texture * grain / grain.std() / 4, 0.0, 1.0)
        return spread
