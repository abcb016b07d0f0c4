# SPDX-License-Identifier: Apache-2.0
"""A transposed convolution as ordinary ones: one for each row that a row of its input becomes.

With strides ``(sy, sx)`` an output row of phase ``a = row % sy`` sees every sy-th row of the kernel only, so it is a
convolution of the input; its sx column phases are as many times more channels, which are columns in raster order. The
sy results, one beside the other, are the rows in raster order. What a column phase does not see is weights of 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from codesign.errors import UnsupportedLayerError

KINDS = ("Conv2DTranspose",)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transposed:
    """A transposed convolution of one tensor.

    Attributes:
        name: its name; that of the layer that gives its output.
        x: what it reads.
        kernel: ``[kernel height, kernel width, outputs, inputs]``.
        bias: ``[outputs]``.
        strides: vertical and horizontal.
    """

    name: str
    x: Any
    kernel: Floats
    bias: Floats
    strides: tuple[int, int]

    @classmethod
    def of(cls, layer: Any, x: Any, name: str) -> Transposed:
        """Return what a Conv2DTranspose does to ``x``.

        Raises:
            UnsupportedLayerError: its output is no multiple of its input, or it is dilated, or has channels first.
        """
        wide = any(size > stride for size, stride in zip(layer.kernel_size, layer.strides, strict=True))
        more = getattr(layer, "output_padding", None)
        wrong = {
            "padding='valid'": layer.padding == "valid" and wide,
            f"dilation_rate={layer.dilation_rate}": tuple(layer.dilation_rate) != (1, 1),
            f"output_padding={more}": more is not None,
            "data_format='channels_first'": layer.data_format != "channels_last",
        }
        if any(wrong.values()):
            raise UnsupportedLayerError(
                "this transposed convolution is not made of convolutions whose rows and columns interleave",
                where=name,
                expected="an output of strides times the input: padding='same', or a kernel no larger than the strides",
                received=", ".join(text for text, is_wrong in wrong.items() if is_wrong),
                fix="use padding='same', or UpSampling with interpolation='nearest' and a convolution after it",
            )
        kernel = np.asarray(layer.kernel, np.float64)
        bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(kernel.shape[2])
        return cls(name=name, x=x, kernel=kernel, bias=bias, strides=tuple(layer.strides))

    def then(self, scale: Floats, shift: Floats) -> Transposed:
        """Return the same, followed by ``scale * x + shift`` by channel."""
        return replace(self, kernel=self.kernel * scale[:, None], bias=self.bias * scale + shift)

    def output(self) -> Any:
        """Return its output, made by layers whose names begin with its name."""
        layers = keras.layers
        (height, width), (sy, sx), channels = self.x.shape[1:3], self.strides, self.kernel.shape[2]
        columns = _phases(self.kernel.shape[1], sx)
        rows = []
        for phase, row in enumerate(_phases(self.kernel.shape[0], sy)):
            (top, bottom), (left, right) = _reach([row]), _reach(columns)
            kernel = np.zeros((top + bottom + 1, left + right + 1, self.kernel.shape[3], sx, channels))
            for dy, ky in row.items():
                for at, column in enumerate(columns):
                    for dx, kx in column.items():
                        kernel[top - dy, left - dx, :, at] = self.kernel[ky, kx].T
            padded = self.x
            if top or bottom or left or right:
                zeros = ((top, bottom), (left, right))
                padded = layers.ZeroPadding2D(zeros, name=f"{self.name}_pad{phase}")(padded)
            convolution = layers.Conv2D(sx * channels, kernel.shape[:2], name=f"{self.name}_row{phase}")
            made = convolution(padded)
            convolution.set_weights([kernel.reshape(*kernel.shape[:3], -1), np.tile(self.bias, sx)])
            rows.append(layers.Reshape((height, width * sx, channels), name=f"{self.name}_columns{phase}")(made))
        whole = rows[0] if sy == 1 else layers.Concatenate(axis=2, name=f"{self.name}_rows")(rows)
        return layers.Reshape((height * sy, width * sx, channels), name=self.name)(whole)


def _phases(kernel: int, stride: int) -> list[dict[int, int]]:
    """Return for each output phase along one axis which element of the kernel sees the input so many steps before."""
    before = max(kernel - stride, 0) // 2
    found = []
    for phase in range(stride):
        first, last = math.ceil((-phase - before) / stride), (kernel - 1 - phase - before) // stride
        found.append({steps: steps * stride + phase + before for steps in range(first, last + 1)})
    return found


def _reach(phases: list[dict[int, int]]) -> tuple[int, int]:
    """Return how many steps before and after the input at its place phases see."""
    steps = [0, *(step for phase in phases for step in phase)]
    return max(steps), -min(steps)
