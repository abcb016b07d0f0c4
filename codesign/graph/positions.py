# SPDX-License-Identifier: Apache-2.0
"""What engines share: one input, frames of positions, and what an event of an element reaches there."""

from __future__ import annotations

import math

import numpy as np

from codesign.errors import ConversionError
from codesign.fixed import Fixed, IntArray
from codesign.graph.axis import AnyAxis
from codesign.graph.pe import check_pe


class OneInput:
    """What the nodes with one input share."""

    __slots__ = ()
    input: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes this one reads."""
        return (self.input,)


class OnPositions:
    """What the engines on frames ``[height, width, channels]`` share. One axis is a height of 1."""

    __slots__ = ()
    name: str
    fmt: Fixed
    y: AnyAxis
    x: AnyAxis
    pe: int
    unroll: tuple[int, int]

    def _check(self) -> None:
        check_pe(self.name, self.pe, self.channels_out)
        most = (int(self.y.counts().max()), int(self.x.counts().max()))
        if not all(1 <= unroll <= limit for unroll, limit in zip(self.unroll, most, strict=True)):
            raise ConversionError(
                "more output positions per cycle than an input element reaches",
                where=self.name,
                expected=f"1 to {most[0]} rows, 1 to {most[1]} columns",
                received=f"unroll={self.unroll}",
                fix=f"set Unroll of layer {self.name!r} within that",
            )

    @property
    def channelwise(self) -> bool:
        """Whether an event reaches one channel only, of every output position."""
        return True

    @property
    def channels_out(self) -> int:
        """Output channels."""
        raise NotImplementedError

    def channels_in(self, at: int = 0) -> int:  # noqa: ARG002  (one input)
        """Return the channels of input ``at``."""
        return self.channels_out

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output frame, ``(height, width, channels)``."""
        return (self.y.outputs, self.x.outputs, self.channels_out)

    @property
    def size(self) -> int:
        """Elements in an output frame."""
        return math.prod(self.shape)

    @property
    def n_in(self) -> int:
        """Input elements, of all inputs."""
        return self.y.size * self.x.size * self.channels_in()

    @property
    def groups(self) -> int:
        """Output words of one output position."""
        return self.channels_out // self.pe

    @property
    def words(self) -> int:
        """Output words (of PE lanes) of a frame."""
        return self.y.outputs * self.x.outputs * self.groups

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a dense frame: none."""
        return 0

    def fanout(self, at: int = 0) -> IntArray:
        """Return the MACs each element of input ``at`` takes part in: none."""
        return np.zeros(self.y.size * self.x.size * self.channels_in(at), dtype=np.int64)

    def reach(self, at: int = 0) -> IntArray:
        """Return what an event of each element of input ``at`` costs in cycles: the output words that it reaches,
        ``unroll`` positions of them per cycle.
        """
        return self._positions(1 if self.channelwise else self.groups, at, *self.unroll)

    def _positions(self, each: int, at: int, rows: int = 1, columns: int = 1) -> IntArray:
        positions = np.outer(-(-self.y.counts() // rows), -(-self.x.counts() // columns)).ravel() * each
        result: IntArray = np.repeat(positions, self.channels_in(at))
        return result


class SameChannels(OnPositions):
    """A spatial engine with as many output channels as input channels."""

    __slots__ = ()
    channels: int

    @property
    def channels_out(self) -> int:
        """Output channels."""
        return self.channels
