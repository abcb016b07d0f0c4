# SPDX-License-Identifier: Apache-2.0
"""What every kind of data gives: three splits of clips (`ClipDataset`), in memory (`Clips`) or on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConfigError
from codesign.fixed import PIXEL
from codesign.suggest import did_you_mean

Batch = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Values of pixels, float32 ``[B, T, *frame]``, and labels, int64 ``[B]``."""

SEEDS = (0, 2**63)
"""Limits of a seed."""


class ClipSource(Protocol):
    """Labelled clips of one shape, wherever they are: what training and evaluation read."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class index of each clip, int64 ``[N]``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a clip, ``(T, *frame)``."""

    def __len__(self) -> int:
        """Return the number of clips, N."""

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """Return one clip without augmentation, uint8 ``[T, *frame]``."""

    def batches(self, order: NDArray[np.int64], batch_size: int, draw: tuple[int, ...] = ()) -> Iterator[Batch]:
        """Yield the clips of the indices ``order``, ``batch_size`` at a time; the last batch may be smaller.

        Args:
            order: indices of clips.
            batch_size: clips in a batch.
            draw: numbers that decide the augmentation, such as phase and epoch: the same numbers, the same pixels.
        """


S = TypeVar("S", bound=ClipSource, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """Labelled clips in memory, never augmented. A frame of a video is ``[H, W, C]``.

    Attributes:
        frames: uint8 ``[N, T, *frame]``.
        labels: class index of each clip, int64 ``[N]``.
        sources: what each clip shows: index of the digit image or video file, int64 ``[N]``. Splits share none.
    """

    frames: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    sources: NDArray[np.int64] = field(repr=False)

    def __post_init__(self) -> None:
        if self.frames.ndim < 3 or self.frames.dtype != np.uint8:
            raise ConfigError(
                "clips have a wrong shape or dtype",
                expected="uint8 [N, T, *frame]",
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

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a clip, ``(T, *frame)``."""
        return self.frames.shape[1:]

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """Return one clip, uint8 ``[T, *frame]``."""
        clip: NDArray[np.uint8] = self.frames[index]
        return clip

    def values(self) -> NDArray[np.float32]:
        """Return the pixels as values of `PIXEL`, float32 ``[N, T, *frame]`` in 0 to 255/256; exact."""
        return to_values(self.frames)

    def batches(self, order: NDArray[np.int64], batch_size: int, draw: tuple[int, ...] = ()) -> Iterator[Batch]:  # noqa: ARG002
        """Yield the clips of ``order``; see `ClipSource`."""
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            yield to_values(self.frames[chosen]), self.labels[chosen]


def to_values(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pixels as values of `PIXEL`, float32 in 0 to 255/256; exact."""
    return pixels * np.float32(PIXEL.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipDataset(Generic[S]):
    """Clips of the same shape in three splits that share no source.

    Attributes:
        name: where the clips are from.
        classes: name of each class.
        train: clips to train on.
        val: clips to validate with; may be empty.
        test: clips to test with.
    """

    name: str
    classes: tuple[str, ...]
    train: S
    val: S
    test: S

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a clip, ``(T, *frame)``."""
        return self.train.shape


def spread(length: int, most: int) -> list[int]:
    """Return up to ``most`` indices, spread evenly over ``length``."""
    count = min(most, length)
    return [place * length // count for place in range(count)]


def chosen_classes(found: Sequence[str], asked: Sequence[str], where: str) -> list[str]:
    """Return the classes ``asked`` for, in the order in which they were ``found``; all of them if none is asked for.

    Raises:
        ConfigError: a class is not there, or asked for twice, or there is only one.
    """
    for name in asked:
        if name not in found:
            raise ConfigError(
                f"there is no class {name!r}",
                where=where,
                expected=f"some of {', '.join(found)}",
                fix=did_you_mean(name, found),
            )
    if asked and (len(set(asked)) < len(asked) or len(asked) < 2):
        raise ConfigError(
            "classes must be distinct, and at least two",
            where=where,
            expected="at least two different ones, or none for all",
            received=", ".join(asked),
        )
    return [name for name in found if not asked or name in asked]
