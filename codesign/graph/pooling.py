# SPDX-License-Identifier: Apache-2.0
"""Which poolings compute what one pooling layer does, exactly and with windows that an engine can hold."""

from __future__ import annotations

from typing import Literal

from codesign.errors import UnsupportedLayerError
from codesign.graph.axis import Axis

CASCADE_ELEMENTS = 16
"""A maximum over more elements becomes several smaller ones, one after another."""

CASCADE_FACTOR = 4
"""Largest kernel of a stage, along one axis; larger primes stay whole."""

MAX_ELEMENTS = 256
"""Most elements that one maximum compares."""


def windows(name: str, kind: Literal["max", "sum"], y: Axis, x: Axis, *, pads: bool) -> list[tuple[Axis, Axis]]:
    """Return the axes of the poolings that a layer becomes, one after another.

    The maximum over many elements becomes a cascade: windows that do not overlap, of factors of its kernel.

    Args:
        name: name of the layer, for errors.
        kind: ``max`` or ``sum``.
        y: the vertical axis.
        x: the horizontal axis.
        pads: the layer pads by itself, and Keras does not count those places in an average.

    Raises:
        UnsupportedLayerError: an average that is no power-of-two share of a sum, or more than `MAX_ELEMENTS` elements.
    """
    if kind == "sum":
        _check_average(name, y, x, pads=pads)
        return [(y, x)]
    whole = all(axis.kernel == axis.stride and not axis.padded for axis in (y, x))
    stages = _cascade(y, x) if whole and y.kernel * x.kernel > CASCADE_ELEMENTS else [(y, x)]
    elements = max(stage_y.kernel * stage_x.kernel for stage_y, stage_x in stages)
    if elements > MAX_ELEMENTS:
        raise UnsupportedLayerError(
            "the window of a maximum is too large",
            where=name,
            expected=f"at most {MAX_ELEMENTS} elements, or windows that do not overlap, of sizes with small factors",
            received=f"{elements} elements, kernel ({y.kernel}, {x.kernel})",
            fix="pool in two layers, the second on the output of the first",
        )
    return stages


def _check_average(name: str, y: Axis, x: Axis, *, pads: bool) -> None:
    area = y.kernel * x.kernel
    if area & (area - 1):
        below = [1 << axis.kernel.bit_length() - 1 for axis in (y, x)]
        above = [1 << (axis.kernel - 1).bit_length() for axis in (y, x)]
        raise UnsupportedLayerError(
            "this average divides by a number that is no power of two, so it has no exact code",
            where=name,
            expected=f"a window of a power of two of elements, such as {tuple(below)} or {tuple(above)}",
            received=f"({y.kernel}, {x.kernel}), {area} elements",
            fix="set pool_size to such a window, or bring the frame to such a size before a global pooling",
        )
    if pads and (y.padded or x.padded):
        raise UnsupportedLayerError(
            "an average over a padded window divides by fewer elements than elsewhere",
            where=name,
            expected="padding='valid', a ZeroPadding layer before it, or a size that the strides divide",
            received=f"padding='same' of {y.size} x {x.size} with strides ({y.stride}, {x.stride})",
            fix="use one of these",
        )


def _cascade(y: Axis, x: Axis) -> list[tuple[Axis, Axis]]:
    """Return the stages of a pooling whose kernel is its stride."""
    ys, xs = _factors(y.kernel), _factors(x.kernel)
    length = max(len(ys), len(xs))
    stages = []
    height, width = y.size, x.size
    for down, right in zip(ys + [1] * (length - len(ys)), xs + [1] * (length - len(xs)), strict=True):
        stages.append((Axis(size=height, kernel=down, stride=down), Axis(size=width, kernel=right, stride=right)))
        height, width = height // down, width // right
    return stages


def _factors(kernel: int) -> list[int]:
    """Return factors of ``kernel``, the largest first among those not above `CASCADE_FACTOR`; other primes whole."""
    if kernel == 1:
        return []
    small = next((n for n in range(CASCADE_FACTOR, 1, -1) if kernel % n == 0), None)
    first = small or next(n for n in range(CASCADE_FACTOR + 1, kernel + 1) if kernel % n == 0)
    return [first, *_factors(kernel // first)]
