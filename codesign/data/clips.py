# SPDX-License-Identifier: Apache-2.0
"""What every source of clips gives: `Clips` in three splits, a `ClipDataset`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConfigError
from codesign.fixed import Fixed

PIXEL = Fixed(width=8, frac=8, signed=False)
"""Format of a pixel: uint8 codes, values 0 to 255/256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """Labelled clips.

    Attributes:
        frames: uint8 ``[N, T, H, W, C]``.
        labels: class index of each clip, int64 ``[N]``.
        sources: what each clip shows: index of the digit image or video file, int64 ``[N]``. Splits share none.
    """

    frames: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    sources: NDArray[np.int64] = field(repr=False)

    def __post_init__(self) -> None:
        if self.frames.ndim != 5 or self.frames.dtype != np.uint8:
            raise ConfigError(
                "clips have a wrong shape or dtype",
                expected="uint8 [N, T, H, W, C]",
                received=f"{self.frames.dtype} {list(self.frames.shape)}",
            )
        if not self.labels.shape == self.sources.shape == self.frames.shape[:1]:
            raise ConfigError(
                "each clip needs one label and one source",
                expected=f"{len(self.frames)} of each",
                received=f"{self.labels.shape} labels, {self.sources.shape} sources",
            )

    def __len__(self) -> int:
        return len(self.frames)

    def values(self) -> NDArray[np.float32]:
        """Return the pixels as values of `PIXEL`, float32 ``[N, T, H, W, C]`` in 0 to 255/256; exact."""
        return self.frames * np.float32(PIXEL.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipDataset:
    """Clips of the same shape in three splits that share no source.

    Attributes:
        name: where the clips are from.
        classes: name of each class.
        train: to learn from.
        val: to choose with; may be empty.
        test: to report.
    """

    name: str
    classes: tuple[str, ...]
    train: Clips
    val: Clips
    test: Clips

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a clip, ``[T, H, W, C]``."""
        return self.train.frames.shape[1:]
