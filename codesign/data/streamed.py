# SPDX-License-Identifier: Apache-2.0
"""Clips that stay on disk: `StreamedClips` decodes them while the network computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from codesign.data.clips import Batch, ClipDataset, to_values
from codesign.data.video import CENTER, View, read_view

AHEAD = 2
"""Batches that are decoded before they are asked for."""

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedClips:
    """One clip of each of many video files, a `ClipSource`.

    Without augmentation a clip is the middle of its video, in space and time. With it, the first frame and the place
    of the window are drawn anew each time, evenly, and half of the clips are mirrored if ``flip``: one draw per clip,
    so that nothing moves in it that does not move in the video.

    Attributes:
        files: the videos.
        labels: class index of each, int64 ``[N]``.
        frames: frames per clip, T.
        size: H and W in pixels.
        crop: side of the window, as a share of the shorter side of the video.
        grey: one channel, else three.
        augment: draw; otherwise the middle.
        flip: mirror half of the drawn clips.
        seed: seed of the augmentation.
        workers: threads that decode.
        strict: refuse damaged videos, instead of a `VideoWarning`.
    """

    files: tuple[Path, ...] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    frames: int
    size: int
    crop: float = 1.0
    grey: bool = True
    augment: bool = False
    flip: bool = False
    seed: int = 0
    workers: int = 2
    strict: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a clip, ``(T, H, W, C)``."""
        return self.frames, self.size, self.size, 1 if self.grey else 3

    def __len__(self) -> int:
        return len(self.files)

    def view(self, index: int, draw: tuple[int, ...]) -> View:
        """Return what of video ``index`` is seen at ``draw``."""
        if not self.augment:
            return CENTER
        rng = np.random.default_rng((self.seed, *draw, index))
        start, row, column, side = rng.random(4)
        return View(start=start, row=row, column=column, mirrored=self.flip and side < 0.5)

    def pixels(self, index: int, view: View = CENTER) -> NDArray[np.uint8]:
        """Return one clip, uint8 ``[T, H, W, C]``.

        Raises:
            VideoError: the file is missing, cannot be decoded, or is too short.
        """
        return read_view(
            self.files[index],
            self.frames,
            self.size,
            crop=self.crop,
            grey=self.grey,
            view=view,
            strict=self.strict,
        )

    def batches(self, order: NDArray[np.int64], batch_size: int, draw: tuple[int, ...] = ()) -> Iterator[Batch]:
        """Yield the clips of ``order``; see `ClipSource`. The next `AHEAD` batches are decoded meanwhile.

        Raises:
            VideoError: as `pixels`, when the clip's turn comes.
        """
        clips = ahead(lambda index: self.pixels(index, self.view(index, draw)), order, self.workers, AHEAD * batch_size)
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            yield to_values(np.stack([next(clips) for _ in chosen])), self.labels[chosen]


def streamed(
    name: str,
    classes: Sequence[str],
    parts: Mapping[str, Sequence[tuple[Path, int]]],
    *,
    frames: int,
    size: int,
    crop: float,
    grey: bool,
    flip: bool,
    seed: int,
    workers: int,
    strict: bool,
) -> ClipDataset[StreamedClips]:
    """Return the dataset of ``parts``: ``train``, which is drawn anew each time, ``val`` and ``test``.

    Args:
        name: of the dataset.
        classes: names of the classes.
        parts: a file and the number of its class for each clip, by part.
        frames: see `StreamedClips`, as for all that follow.
        size: of a frame.
        crop: window.
        grey: one channel.
        flip: clips to train with may be mirrored.
        seed: of what is drawn.
        workers: threads that decode.
        strict: refuse damaged videos.
    """
    made = {
        part: StreamedClips(
            files=tuple(file for file, _ in clips),
            labels=np.array([label for _, label in clips], np.int64),
            frames=frames,
            size=size,
            crop=crop,
            grey=grey,
            augment=part == "train",
            flip=flip,
            seed=seed,
            workers=workers,
            strict=strict,
        )
        for part, clips in parts.items()
    }
    return ClipDataset(name=name, classes=tuple(classes), **made)


def ahead(function: Callable[[A], B], items: Iterable[A], workers: int, depth: int) -> Generator[B, None, None]:
    """Yield ``function(item)`` for each item, in order, while threads compute up to ``depth`` further ones.

    What ``function`` raises is raised when its item's turn comes. Nothing new is computed once the iterator is closed.
    """
    waiting: deque[Future[B]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="clips") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > depth:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
