# SPDX-License-Identifier: Apache-2.0
"""A small network that computes pictures, and pictures that move."""

from __future__ import annotations

import numpy as np
from random_graphs import alive, conv

from codesign.fixed import PIXEL
from codesign.graph import Graph, Source
from codesign.graph.ir import Node


def picture_graph(seed: int = 5, name: str = "small") -> Graph:
    """Return two convolutions of grey 8 x 8 pictures; a hold in front of each, of 1 and of 0.75 steps."""
    rng = np.random.default_rng(seed)
    nodes: list[Node] = [Source(name="frame", shape=(8, 8, 1), fmt=PIXEL, lanes=4)]
    for number, hold in ((1, 1.0), (2, 0.75)):
        delta = alive(rng, f"delta{number}", nodes, hold)
        nodes += [delta, conv(rng, f"conv{number}", delta, False, stride=2, channels_out=4)]
    return Graph(name=name, nodes=tuple(nodes))


def moving_pictures(frames: int, seed: int = 1) -> np.ndarray:
    """Return pixels ``[T, 8, 8, 1]``: a bright square that walks over noise that stays."""
    rng = np.random.default_rng(seed)
    pictures = np.repeat(rng.integers(0, 100, (1, 8, 8, 1), np.uint8), frames, axis=0)
    at = rng.integers(0, 6, 2)
    for picture in pictures:
        at = (at + rng.integers(-1, 2, 2)).clip(0, 5)
        picture[at[0] : at[0] + 3, at[1] : at[1] + 3] = rng.integers(150, 256)
    return pictures
