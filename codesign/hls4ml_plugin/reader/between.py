# SPDX-License-Identifier: Apache-2.0
"""What stands between linear layers: the pooling, upsampling and joining nodes of hls4ml layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.graph.axis import Axis, Repeat
from codesign.graph.ir import Delta, Join, Pool, Upsample
from codesign.graph.wide import exact_format, warn_if_wide


def pool(
    name: str, delta: Delta, kind: Literal["max", "sum"], axes: tuple[Axis, Axis], pe: int, *, mean: bool, pads: bool
) -> Pool:
    """Return the pooling of the codes of ``delta``; a ``mean`` is the sum on a lattice finer by its area.

    Args:
        name: name of the node.
        delta: what it reads.
        kind: ``max`` or ``sum``.
        axes: vertical and horizontal.
        pe: output channels computed in one cycle.
        mean: see above.
        pads: the layer pads by itself, and its maximum leaves those places out, where an engine compares with 0.

    Raises:
        ConversionError: the maximum over a window that the layer pads, of codes that can be negative.
        AccumulatorRangeError: the sum is too wide to be exact everywhere.
    """
    y, x = axes
    fmt = delta.fmt
    if kind == "max" and pads and delta.lo < 0 and (y.padded or x.padded):
        raise ConversionError(
            "the maximum over a padded window needs codes that are not negative",
            where=name,
            expected="padding='valid', a ZeroPadding layer before it, or a relu before the pooling",
            received=f"codes of {fmt}",
            fix="use one of these",
        )
    if kind == "sum":
        area = y.kernel * x.kernel
        fmt = exact_format(
            name, area * delta.lo, area * delta.hi, delta.fmt.frac + (area.bit_length() - 1 if mean else 0)
        )
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
            fix="use 'nearest' and a convolution after it",
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
        name: name of the node.
        deltas: delta activations that make the codes.
        shapes: shapes of their frames.
        axis: axis along which they lie.
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


def positions(sizes: Sequence[int]) -> tuple[Axis, Axis]:
    """Return the axes of positions with ``sizes``; what follows the first is horizontal."""
    return Axis(size=sizes[0] if sizes else 1), Axis(size=math.prod(sizes[1:]))


def _common(deltas: Sequence[Delta]) -> tuple[int, tuple[int, ...]]:
    """Return the finest lattice among ``deltas``, and the shifts of their codes to it."""
    frac = max(delta.fmt.frac for delta in deltas)
    return frac, tuple(frac - delta.fmt.frac for delta in deltas)


def _ranges(deltas: Sequence[Delta]) -> tuple[list[int], list[int]]:
    return [delta.lo for delta in deltas], [delta.hi for delta in deltas]
