# SPDX-License-Identifier: Apache-2.0
"""`Feed`: clips as Keras takes them, prepared while the network computes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from codesign.data.clips import Batch, ClipSource
from codesign.errors import CodesignError
from codesign.fixed import PIXEL, Fixed

TEST_CLIPS = 250
"""Most clips that are evaluated at once."""
TEST_VALUES = 2**23
"""Most pixels that are evaluated at once."""
PREFETCH = 2
"""Batches that are ready before they are asked for."""


class Feed:
    """One pass over clips, in order.

    Args:
        clips: source of the clips.
        order: indices of clips; all of them if left out.
        batch_size: clips in a batch; as many as `TEST_CLIPS` and `TEST_VALUES` allow if left out.
        draw: see `ClipSource.batches`.
        devices: devices that share a batch evenly. So up to ``devices - 1`` clips at the end are left out.
        frames: frames per clip that comes out: each clip is cut into as many as fit into it, and the frames after them
            are left out. None: clips stay whole.
        piece: numbers that decide which ``frames`` consecutive frames of each clip come out; None: all such pieces.
        fmt: format whose values come out, of 8 bits.
    """

    def __init__(
        self,
        clips: ClipSource,
        order: NDArray[np.int64] | None = None,
        batch_size: int | None = None,
        *,
        draw: tuple[int, ...] = (),
        devices: int = 1,
        frames: int | None = None,
        piece: tuple[int, ...] | None = None,
        fmt: Fixed = PIXEL,
    ) -> None:
        every = np.arange(len(clips)) if order is None else order
        self.order = every[: len(every) - len(every) % devices]
        most = max(1, min(TEST_CLIPS, TEST_VALUES // math.prod(clips.shape)))
        self.batch_size = max(devices, most - most % devices) if batch_size is None else batch_size
        self.clips, self.draw, self.piece, self.fmt = clips, draw, piece, fmt
        self.frames: int = clips.shape[0] if frames is None else frames
        self.error: CodesignError | None = None

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(len(self.order) / self.batch_size)

    def dataset(self) -> Any:
        """Return (float32 ``[B, T, H, W, C]``, int64 ``[B]``) batches for `fit` and `evaluate`."""
        shape = (None, self.frames, *self.clips.shape[1:])
        signature = (tf.TensorSpec(shape, tf.float32), tf.TensorSpec((None,), tf.int64))
        batches = tf.data.Dataset.from_generator(self._batches, output_signature=signature)
        return batches.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(PREFETCH)

    def _batches(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self.piece)
        try:
            for whole, labels in self.clips.batches(self.order, self.batch_size, self.draw):
                pixels = whole if self.piece is None else pieces(whole, self.frames, rng)
                yield cut(in_format(pixels, self.fmt), self.frames), np.repeat(labels, pixels.shape[1] // self.frames)
        except CodesignError as error:
            self.error = error
            raise


def in_format(values: NDArray[np.float32], fmt: Fixed) -> NDArray[np.float32]:
    """Return values of `PIXEL` as those that the same pixels have in ``fmt``, which has 8 bits; exact."""
    if fmt == PIXEL:
        return values
    return (values - np.float32(0.5 if fmt.signed else 0)) * np.float32(fmt.scale / PIXEL.scale)


def cut(clips: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Return clips ``[B, T, ...]`` as ``[B * (T // frames), frames, ...]``: those of a clip one after the other."""
    count = clips.shape[1] // frames
    return clips[:, : count * frames].reshape(-1, frames, *clips.shape[2:])


def pieces(clips: NDArray[np.float32], frames: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return of each clip of ``[B, T, ...]`` consecutive frames from a place drawn by ``rng``: ``[B, frames, ...]``."""
    starts = rng.integers(0, clips.shape[1] - frames + 1, len(clips))
    return np.stack([clip[start : start + frames] for clip, start in zip(clips, starts, strict=True)])


@contextmanager
def errors_of(*feeds: Feed) -> Iterator[None]:
    """Raise what went wrong in a feed as it was raised there, not as the TensorFlow error that it became.

    Raises:
        CodesignError: such as a `VideoError` that names the file.
    """
    try:
        yield
    except tf.errors.OpError:
        for feed in feeds:
            if feed.error is not None:
                raise feed.error from None
        raise
