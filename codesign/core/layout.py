# SPDX-License-Identifier: Apache-2.0
"""How the elements of a frame lie in words of lanes.

An engine's frame is words in the order (position, group): a position has ``channels`` channels in ``groups`` groups of
``used`` lanes, and channel ``c`` is lane ``c % used`` of group ``c // used``. The frame of the source is one position
whose groups are the beats of the input.

A frame may be in planes: some of the groups of all positions, then the next ones. Each plane is sent by a step of its
own, so it begins with a chunk of marks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.core.config import CHUNK_BITS
from codesign.fixed import IntArray
from codesign.graph.pe import largest_divisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the elements of a frame are.

    Attributes:
        positions: positions of the frame.
        channels: channels of a position.
        used: lanes of a word that hold channels (the last group may hold fewer).
        planes: a divisor of the groups.
    """

    positions: int
    channels: int
    used: int
    planes: int = 1

    @property
    def groups(self) -> int:
        """Words of a position."""
        return -(-self.channels // self.used)

    @property
    def padded(self) -> int:
        """Lanes of a position: its channels, and what the last group has more."""
        return self.groups * self.used

    @property
    def plane_groups(self) -> int:
        """Words of a position in a plane."""
        return self.groups // self.planes

    @property
    def plane_words(self) -> int:
        """Words of a plane."""
        return self.positions * self.plane_groups

    @property
    def plane_stride(self) -> int:
        """Words from a plane to the next."""
        return self.plane_words if self.planes == 1 else -(-self.plane_words // CHUNK_BITS) * CHUNK_BITS

    @property
    def words(self) -> int:
        """Words of the frame, those between planes included."""
        return self.planes * self.plane_stride

    @property
    def size(self) -> int:
        """Elements of the frame."""
        return self.positions * self.channels

    @property
    def raster(self) -> bool:
        """Whether element ``e`` of the frame is lane ``e % used`` of word ``e // used``."""
        return self.planes == 1 and (self.positions == 1 or self.padded == self.channels)

    def parts(self, quantisers: int) -> int:
        """Return the rows of ``quantisers`` codes of each word."""
        return -(-self.used // quantisers)

    def lanes(self) -> IntArray:
        """Return ``word * used + lane`` of each element of the flattened frame, ``[size]``."""
        position, channel = np.divmod(np.arange(self.size, dtype=np.int64), self.channels)
        group, lane = np.divmod(channel, self.used)
        result: IntArray = (position * self.plane_groups + self.word_of(group)) * self.used + lane
        return result

    def word_of(self, group: IntArray) -> IntArray:
        """Return the word of each group in the first position."""
        plane, at = np.divmod(group, self.plane_groups)
        result: IntArray = plane * self.plane_stride + at
        return result

    def spread(self, values: np.ndarray, row: int, fill: int = 0) -> np.ndarray:
        """Return values of the elements as words of ``row`` lanes, ``[..., size]`` -> ``[..., words, row]``."""
        words = np.full((*values.shape[:-1], self.words, row), fill, values.dtype)
        word, lane = np.divmod(self.lanes(), self.used)
        words[..., word, lane] = values
        return words

    def gather(self, words: np.ndarray) -> np.ndarray:
        """Return the elements in words of at least ``used`` lanes, ``[..., words, row]`` -> ``[..., size]``."""
        word, lane = np.divmod(self.lanes(), self.used)
        result: np.ndarray = words[..., word, lane]
        return result

    def groups_seen(self, channels: int) -> int | None:
        """Return the words of a position for a reader that takes positions of ``channels`` channels.

        None if a word would hold channels of several positions, so that each element has to be placed by itself.
        """
        if channels == self.channels:
            return self.groups
        return channels // self.used if self.raster and channels % self.used == 0 else None


def lanes_used(channels: int, lanes: int, *, exact: bool) -> int:
    """Return how many of ``lanes`` lanes a frame of so many channels uses.

    Args:
        channels: channels of a position.
        lanes: lanes of a word.
        exact: no lane may be padding, as a reader takes the frame for one of another shape.
    """
    used = largest_divisor(channels, lanes)
    return used if exact or channels <= lanes or 2 * used > lanes else lanes
