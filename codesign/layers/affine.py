# SPDX-License-Identifier: Apache-2.0
"""What a model does to its pixels before the first layer with weights: a scale and a shift for each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codesign.errors import UnsupportedLayerError
from codesign.layers.linear import affine as normalization

KINDS = ("Rescaling", "Normalization", "BatchNormalization")
"""Classes of layers that scale and shift each channel."""

PIXEL_LEVELS = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Affine:
    """``scale * x + shift`` by channel.

    Attributes:
        scale: ``[C]``.
        shift: ``[C]``.
    """

    scale: NDArray[np.float64]
    shift: NDArray[np.float64]

    @classmethod
    def of(cls, layer: Any, channels: int) -> Affine:
        """Return what one of `KINDS` does to frames of ``channels`` channels.

        Raises:
            UnsupportedLayerError: it does something else to each position, or to another axis.
        """
        if type(layer).__name__ == "BatchNormalization":
            return cls._of(layer, *normalization(layer), channels)
        if type(layer).__name__ == "Rescaling":
            return cls._of(layer, layer.scale, layer.offset, channels)
        mean, spread = (np.asarray(value, np.float64) for value in (layer.mean, layer.variance))
        spread = np.maximum(np.sqrt(spread), 1e-7)
        if layer.invert:
            return cls._of(layer, spread, mean, channels)
        return cls._of(layer, 1 / spread, -mean / spread, channels)

    @classmethod
    def _of(cls, layer: Any, scale: ArrayLike, shift: ArrayLike, channels: int) -> Affine:
        values = [np.asarray(value, np.float64) for value in (scale, shift)]
        if any(value.size not in (1, channels) or value.shape[-1:] not in ((), (value.size,)) for value in values):
            raise UnsupportedLayerError(
                "only channels can be scaled and shifted",
                where=layer.name,
                expected=f"one number, or {channels}: one for each channel",
                received=[list(value.shape) for value in values],
                fix="normalise over the last axis",
            )
        scale, shift = (np.broadcast_to(value.ravel(), channels).copy() for value in values)
        return cls(scale=scale, shift=shift)

    def then(self, after: Affine) -> Affine:
        """Return this one and ``after`` in one."""
        return Affine(scale=self.scale * after.scale, shift=self.shift * after.scale + after.shift)

    def over(self, channels: int) -> Affine | None:
        """Return the same for a frame reshaped to ``channels`` channels; None if it depends on the channel."""
        if channels == len(self.scale):
            return self
        if any(len(np.unique(value)) > 1 for value in (self.scale, self.shift)):
            return None
        return Affine(scale=np.full(channels, self.scale[0]), shift=np.full(channels, self.shift[0]))

    def into(
        self, kernel: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights ``[..., C, outputs]`` and biases of a linear layer that does this to what it reads.

        A depthwise kernel is ``[..., C, M]`` with C * M biases. Exactness: but at borders that are padded with zeros.
        """
        moved = kernel * self.shift[:, None]
        depthwise = len(bias) == len(self.shift) * kernel.shape[-1] and len(self.shift) != 1
        axes = tuple(range(kernel.ndim - 2)) if depthwise else tuple(range(kernel.ndim - 1))
        return kernel * self.scale[:, None], bias + moved.sum(axes).reshape(-1)

    @property
    def keeps_borders(self) -> bool:
        """Whether what becomes 0 is 0 to less than three levels of a pixel, so that zeros can be padded before."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return bool((np.abs(self.shift) <= 2.5 / PIXEL_LEVELS * np.abs(self.scale)).all())
