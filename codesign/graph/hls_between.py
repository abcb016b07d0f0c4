# SPDX-License-Identifier: Apache-2.0
"""What stands between linear layers: the pooling, upsampling and joining nodes of hls4ml layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from codesign.errors import UnsupportedLayerError
from codesign.graph.axis import Axis, Repeat
from codesign.graph.ir import Delta, Join, Pool, Upsample
from codesign.graph.wide import exact_format, warn_if_wide

CASCADE_TAPS = 16
"""A maximum over more elements becomes several smaller ones, one after another."""

CASCADE_FACTOR = 4
"""Largest kernel of a stage, along one axis; larger primes stay whole."""

MAX_TAPS = 256
"""Most elements that one maximum compares."""


def windows(layer: Any, kind: Literal["max", "sum"], y: Axis, x: Axis, *, pads: bool) -> list[tuple[Axis, Axis]]:
    """Return the axes of the poolings that ``layer`` becomes, one after another.

    The maximum over many elements becomes a cascade: windows that do not overlap, of factors of its kernel.

    Args:
        layer: of hls4ml.
        kind: of the pooling.
        y: the vertical axis.
        x: the horizontal axis.
        pads: the layer pads by itself, and Keras does not count those places in an average.

    Raises:
        UnsupportedLayerError: an average that is no power-of-two share of a sum, or more than `MAX_TAPS` elements.
    """
    if kind == "sum":
        _check_average(layer.name, y, x, pads=pads)
        return [(y, x)]
    whole = all(axis.kernel == axis.stride and not axis.padded for axis in (y, x))
    stages = _cascade(y, x) if whole and y.kernel * x.kernel > CASCADE_TAPS else [(y, x)]
    taps = max(stage_y.kernel * stage_x.kernel for stage_y, stage_x in stages)
    if taps > MAX_TAPS:
        raise UnsupportedLayerError(
            "the window of a maximum is too large",
            where=layer.name,
            expected=f"at most {MAX_TAPS} elements, or windows that do not overlap with sizes made of small factors",
            received=f"{taps} elements, kernel ({y.kernel}, {x.kernel})",
            fix="pool in two layers, the second on the output of the first",
        )
    return stages


def pool(name: str, delta: Delta, kind: Literal["max", "sum"], axes: tuple[Axis, Axis], pe: int) -> Pool:
    """Return the pooling of the codes of ``delta``; an average is the sum on a lattice finer by its area.

    Raises:
        ConversionError: the maximum over a padded window of codes that can be negative.
        AccumulatorRangeError: the sum is too wide to be exact everywhere.
    """
    y, x = axes
    fmt = delta.fmt
    if kind == "sum":
        area = y.kernel * x.kernel
        fmt = exact_format(name, area * delta.lo, area * delta.hi, delta.fmt.frac + area.bit_length() - 1)
        warn_if_wide(name, fmt)
    return Pool(
        name=name, input=delta.name, kind=kind, channels=delta.size // (y.size * x.size), fmt=fmt, y=y, x=x, pe=pe
    )


def upsample(layer: Any, name: str, delta: Delta, shape: tuple[int, ...], pe: int) -> Upsample:
    """Return the nearest-neighbour upsampling of a frame of ``shape``; one axis is vertical.

    Raises:
        UnsupportedLayerError: another interpolation.
    """
    interpolation = layer.get_attr("interpolation", "nearest")  # hls4ml's own "algorithm" a config overrides
    if interpolation != "nearest":
        raise UnsupportedLayerError(
            "upsampling with this interpolation computes new values",
            where=layer.name,
            expected="interpolation='nearest'",
            received=f"interpolation={interpolation!r}",
            fix="use 'nearest' and a convolution behind it",
        )
    sides = ("width",) if len(shape) == 2 else ("height", "width")
    axes = [Repeat(size=n, factor=int(layer.get_attr(f"{side}_factor"))) for n, side in zip(shape, sides, strict=False)]
    y, x = (*axes, Repeat(size=1, factor=1))[:2]
    return Upsample(name=name, input=delta.name, channels=shape[-1], fmt=delta.fmt, y=y, x=x, pe=pe)


def added(name: str, deltas: Sequence[Delta], shapes: Sequence[tuple[int, ...]], pe: int) -> Join:
    """Return the sum of frames.

    Raises:
        UnsupportedLayerError: their shapes differ.
        AccumulatorRangeError: the sum is too wide to be exact everywhere.
    """
    if len(set(shapes)) > 1:
        raise UnsupportedLayerError(
            "frames of different shapes are added",
            where=name,
            expected="the same shape everywhere: nothing is broadcast",
            received=list(shapes),
            fix="bring them to one shape before, with UpSampling2D or a convolution",
        )
    frac, shifts = _common(deltas)
    lo, hi = (sum(end << shift for end, shift in zip(ends, shifts, strict=True)) for ends in _ranges(deltas))
    fmt = exact_format(name, lo, hi, frac)
    warn_if_wide(name, fmt)
    *sizes, channels = shapes[0]
    y, x = positions(sizes)
    return Join(
        name=name,
        inputs=tuple(delta.name for delta in deltas),
        kind="add",
        channels=(channels,) * len(deltas),
        shifts=shifts,
        fmt=fmt,
        y=y,
        x=x,
        pe=pe,
    )


def concatenated(name: str, deltas: Sequence[Delta], shapes: Sequence[tuple[int, ...]], axis: int, pe: Any) -> Join:
    """Return frames side by side along ``axis`` (of a frame, from 0).

    In raster order everything from ``axis`` on is one run of codes at each position before it: its channels.

    Args:
        name: of the node.
        deltas: that make the codes.
        shapes: of their frames.
        axis: along which they lie.
        pe: function from the number of output channels to the processing elements.

    Raises:
        AccumulatorRangeError: the common format is too wide to be exact everywhere.
    """
    frac, shifts = _common(deltas)
    los, his = ([end << shift for end, shift in zip(ends, shifts, strict=True)] for ends in _ranges(deltas))
    channels = tuple(math.prod(shape[axis:]) for shape in shapes)
    y, x = positions(shapes[0][:axis])
    return Join(
        name=name,
        inputs=tuple(delta.name for delta in deltas),
        kind="concat",
        channels=channels,
        shifts=shifts,
        fmt=exact_format(name, min(los), max(his), frac),
        y=y,
        x=x,
        pe=pe(sum(channels)),
    )


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


def positions(sizes: Sequence[int]) -> tuple[Axis, Axis]:
    """Return the axes of positions with ``sizes``; what lies behind the first is horizontal."""
    return Axis(size=sizes[0] if sizes else 1), Axis(size=math.prod(sizes[1:]))


def _common(deltas: Sequence[Delta]) -> tuple[int, tuple[int, ...]]:
    """Return the finest lattice among ``deltas``, and the shifts of their codes to it."""
    frac = max(delta.fmt.frac for delta in deltas)
    return frac, tuple(frac - delta.fmt.frac for delta in deltas)


def _ranges(deltas: Sequence[Delta]) -> tuple[list[int], list[int]]:
    return [delta.lo for delta in deltas], [delta.hi for delta in deltas]
