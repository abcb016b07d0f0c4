# SPDX-License-Identifier: Apache-2.0
"""What the pixels of a frame, 0 to 255, are to a model: the values that they stand for, and the format of its input."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConfigError
from codesign.fixed import CENTERED, Fixed, pixel_codes
from codesign.layers.affine import PIXEL_LEVELS, Affine


def of_pixels(low: float, high: float, channels: int, fmt: Fixed) -> Affine:
    """Return what makes the model's input of pixels as values of ``fmt``, `PIXEL` or `CENTERED`.

    Args:
        low: what the model was trained to read for a pixel of 0.
        high: and for one of 255.
        channels: C.
        fmt: see above.

    Raises:
        ConfigError: no range.
    """
    step = step_of(low, high)
    first = low + (PIXEL_LEVELS // 2) * step if fmt == CENTERED else low
    return Affine(scale=np.full(channels, step * PIXEL_LEVELS), shift=np.full(channels, first))


def step_of(low: float, high: float) -> float:
    """Return the difference of two neighboring pixels to a model that reads ``low`` (0) to ``high`` (255).

    Raises:
        ConfigError: no range.
    """
    if not np.isfinite([low, high]).all() or low >= high:
        raise ConfigError(
            "not a range of pixels",
            where="delta, input_range",
            expected="(low, high), low < high",
            received=(low, high),
        )
    return (high - low) / (PIXEL_LEVELS - 1)


def exact_format(low: float, high: float) -> Fixed | None:
    """Return the format whose values are what a model reads that reads ``low`` to ``high``; None if there is none.

    There is one if the step is a power of two and 0 is a code: the first, or that in the middle.
    """
    step = step_of(low, high)
    mantissa, exponent = math.frexp(step)
    if mantissa != 0.5 or low not in (0, -(PIXEL_LEVELS // 2) * step):
        return None
    return Fixed(width=8, frac=1 - exponent, signed=low < 0)


def pixel_values(clips: NDArray[np.float32], fmt: Fixed) -> NDArray[np.float32]:
    """Return pixels, 0 to 255, as values of ``fmt``.

    Raises:
        ConfigError: they are no pixels.
    """
    if clips.min() < 0 or clips.max() > PIXEL_LEVELS - 1 or (clips != np.rint(clips)).any():
        raise ConfigError(
            "with input_range, clips are pixels",
            where="delta, clips",
            expected="whole numbers, 0 to 255",
            received=f"values from {clips.min():g} to {clips.max():g}",
        )
    return fmt.to_values(pixel_codes(clips.astype(np.uint8), fmt)).astype(np.float32)
