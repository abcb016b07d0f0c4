# SPDX-License-Identifier: Apache-2.0
"""The clips a design is measured on: 8-bit codes, which are the input of the hardware."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConfigError
from codesign.fixed import CENTERED, PIXEL, pixel_codes
from codesign.graph.ir import Graph
from codesign.stored import integers, load_arrays, loaded

CLIPS = "clips.npz"
Track = Callable[[Iterable[Any], int, str], Iterable[Any]]
"""Yields the items of a loop and shows its progress: items, their number, what one is."""


def silently(items: Iterable[Any], total: int, text: str) -> Iterable[Any]:  # noqa: ARG001
    """Return ``items``, and show nothing: a `Track`."""
    return items


def save_clips(clips: NDArray[np.integer], folder: Path) -> None:
    """Write clips ``[N, T, *frame]``."""
    np.savez_compressed(folder / CLIPS, clips=clips)


def load_clips(folder: Path) -> NDArray[np.integer]:
    """Return what `save_clips` wrote.

    Raises:
        StageError: the file is missing, damaged, or holds no clips.
    """
    arrays = load_arrays(folder / CLIPS)

    def clips() -> NDArray[np.integer]:
        found = integers(arrays, "clips", arrays["clips"].ndim)
        if found.ndim < 3 or found.dtype not in (np.uint8, np.int8) or 0 in found.shape or found.shape[1] < 2:
            raise ValueError(f"no clips of 8-bit codes: {found.dtype} {list(found.shape)}")
        return found

    return loaded(folder / CLIPS, clips)


def picture_size(graph: Graph) -> tuple[int, int, int]:
    """Return height, width and channels of the pictures that a design computes.

    Raises:
        ConfigError: the design's input is not a picture of pixels.
    """
    shape = graph.source.shape
    if len(shape) != 3 or shape[2] not in (1, 3) or graph.source.fmt not in (PIXEL, CENTERED):
        raise ConfigError(
            "the design's input is not a video frame",
            where=graph.source.name,
            expected=f"[H, W, 1 or 3] in {PIXEL}",
            received=f"{list(shape)} in {graph.source.fmt}",
        )
    return shape


def input_codes(graph: Graph, pixels: NDArray[np.uint8]) -> NDArray[np.integer]:
    """Return pixels as the codes that a design reads, see `codesign.fixed.pixel_codes`."""
    return pixel_codes(pixels, graph.source.fmt)
