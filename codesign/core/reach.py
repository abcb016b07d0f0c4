# SPDX-License-Identifier: Apache-2.0
"""What the events of a delta activation do in an engine that reads it: tables, lines of weights, and how to walk."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from codesign.core.config import CoreConfig
from codesign.core.lattices import lattices_of
from codesign.core.layout import Layout
from codesign.core.params import shift_of
from codesign.core.plan import Plan, lane_for_lane, offset_of, way
from codesign.errors import AccumulatorRangeError, ConversionError
from codesign.fixed import IntArray
from codesign.graph.axis import AnyAxis, Axis
from codesign.graph.engines import Conv, Dense, Engine, Join, Pool

Lines = NDArray[np.int32]


PARTS = 4
"""Readers that weights may be spread over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A reader before anything has an address.

    Attributes:
        element: each changed lane is placed by itself.
        read: layout of what is read.
        divisor: elements (or words) of a position, as the reader sees it.
        columns: columns of positions.
        rows_table: ``word, line, count`` of each row, ``[rows, 3]``.
        columns_table: of each column.
        line: its first line of weights, after the first one of all planes of what is read.
        channelwise: lane for lane.
        maximum: the line chooses the word of sums.
        group_lines: channelwise: a line of weights for each group.
        groups: words of an output position that are looped over.
        group_stride: lines of weights from one of them to the next.
        used: first line of a word's lanes = remainder * used.
        word_steps: words from one output row, and column, to the next.
        line_steps: lines back from one output row, and column, to the next.
        lines: weights, ``[N, lanes]``.
    """

    element: bool
    read: Layout
    divisor: int
    columns: int
    rows_table: IntArray = field(repr=False)
    columns_table: IntArray = field(repr=False)
    line: int
    channelwise: bool
    maximum: bool
    group_lines: bool
    groups: int
    group_stride: int
    used: int
    word_steps: tuple[int, int]
    line_steps: tuple[int, int]
    lines: Lines = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weights:
    """Lines of weights, and where they are.

    ``per_tap``: lines from one element of the kernel to the next; ``first``: first group of an output position.
    """

    lines: Lines
    per_tap: int
    groups: int = 1
    first: int = 0
    stride: int = 0
    group_lines: bool = False


def reaches_of(plan: Plan, node: Engine, at: int, config: CoreConfig) -> tuple[tuple[Reach, ...], ...]:
    """Return what events of input ``at`` of ``node`` do, by the plane that they come from; a part of a weight at a time
    where it is too wide for a line.

    Raises:
        ConversionError: weights do not fit the core.
    """
    parts = [_reach(plan, node, at, taps, config) for taps in _parts(weights_of(plan, node, at), config)]
    return tuple(zip(*parts, strict=True))


def _parts(taps: IntArray, config: CoreConfig) -> list[IntArray]:
    """Return weights whose sum these are, each narrow enough for a line: up to `PARTS` as equal as can be."""
    most = (1 << config.weight_bits - 1) - 1
    count = max(1, -(-int(np.abs(taps).max(initial=0)) // most))
    if _fits(taps, config) or count > PARTS:  # too many are an error of the weights as they are
        return [taps]
    ends = [taps * at // count for at in range(count + 1)]
    return [ends[at + 1] - ends[at] for at in range(count)]


def _fits(weights: IntArray, config: CoreConfig) -> bool:
    """Return whether weights fit the lines of a core."""
    most = 1 << config.weight_bits - 1
    return bool(weights.min(initial=0) >= -most and weights.max(initial=0) < most)


def _reach(plan: Plan, node: Engine, at: int, taps: IntArray, config: CoreConfig) -> tuple[Reach, ...]:
    """Return what events of each plane do with these weights."""
    read, made = plan.layouts[node.inputs[at]], plan.layouts[node.name]
    node = way(plan.through, node, at)
    y, x = (Axis(size=1), Axis(size=1)) if isinstance(node, Dense) else (node.y, node.x)
    channels = read.words * read.used if isinstance(node, Dense) else node.channels_in(at)
    seen = read.words if isinstance(node, Dense) else read.groups_seen(channels)
    assert seen is not None or read.raster  # the layout was chosen so
    channelwise, maximum = lane_for_lane(node, at, read, made), isinstance(node, Pool) and node.kind == "max"
    places = channels if seen is None else seen * read.used
    check_weights(node.name, taps, config)
    if channelwise:
        weights = _lane_for_lane(taps, node, at, made, config.lanes)
    else:
        weights = _one_to_all(_full(taps, node, at, made), node, at, made, places, read.planes, config.lanes)
    per_tap = 1 if maximum else weights.per_tap
    divisor = channels if seen is None else seen // read.planes
    last = (read.words * read.used - 1) // channels // x.size
    rows = y.size if seen is not None else max(y.size, last + 1)
    row, column = made.plane_groups * x.outputs, made.plane_groups
    whole = Reach(
        element=seen is None,
        read=read,
        divisor=divisor,
        columns=x.size,
        rows_table=_table(y, rows, row, per_tap * x.kernel, 0),
        columns_table=_table(x, x.size, column, per_tap, weights.first),
        line=0,
        channelwise=channelwise,
        maximum=maximum,
        group_lines=weights.group_lines,
        groups=weights.groups,
        group_stride=weights.stride,
        used=1 if seen is None else read.used,
        word_steps=(row, column),
        line_steps=(y.stride * x.kernel * per_tap, x.stride * per_tap),
        lines=weights.lines,
    )
    if read.planes == made.planes == 1:
        return (whole,)
    if not channelwise:
        return tuple(replace(whole, line=plane * len(weights.lines) // read.planes) for plane in range(read.planes))
    columns = _table(x, x.size, column, per_tap, 0)
    return tuple(
        replace(
            whole,
            divisor=1,
            columns=x.size * divisor,
            columns_table=_by_group(columns, plane * divisor + np.arange(divisor), made, weights),
        )
        for plane in range(read.planes)
    )


def _by_group(columns: IntArray, group: IntArray, made: Layout, weights: _Weights) -> IntArray:
    """Return the table of columns of a plane with an entry for each of its groups ``[N]``: they lie anywhere."""
    table = np.repeat(columns[:, None], len(group), axis=1)  # [columns, groups, 3]
    reached = table[..., 2] > 0
    table[..., 0] += reached * made.word_of(weights.first + group)
    table[..., 1] += reached * group * weights.group_lines
    return table.reshape(-1, 3)


def _table(axis: AnyAxis, entries: int, words: int, lines: int, first_word: int) -> IntArray:
    """Return ``word, line, count`` of each position on an axis; of those beyond its end, which reach nothing, too."""
    table = np.zeros((entries, 3), np.int64)
    for position in range(axis.size):
        first = axis.first(position)
        count = max(0, axis.last(position) - first + 1)
        if count:
            table[position] = first * words + first_word, axis.tap(position, first) * lines, count
    return table


def weights_of(plan: Plan, node: Engine, at: int) -> IntArray:
    """Return weights on the lattices of the output channels, ``[taps, channels in, channels out]``.

    Of an engine that works channel by channel: ``[taps, channels]``, or ``[1, 1]`` where all are the same. The channels
    of a dense layer are all lanes of the words that it reads.
    """
    layer, read = way(plan.through, node, at), plan.layouts[node.inputs[at]]
    shift = min(node.shifts[at], 62) if isinstance(node, Join) else 0
    if not isinstance(layer, Dense | Conv):
        return np.array([[1 << shift]], np.int64)
    weight = _wider(layer, shift) if layer is not node else lattices_of(plan, layer).weight
    assert weight is not None
    if isinstance(layer, Dense):
        lanes = np.zeros((1, read.words * read.used, layer.n_out), np.int64)
        lanes[0, read.lanes()] = weight
        return lanes
    taps = weight.reshape(-1, *weight.shape[2:])
    return taps[..., 0] if layer.depthwise else taps


def _wider(layer: Dense | Conv, shift: int) -> IntArray:
    """Return the weights of a layer on a finer lattice.

    Raises:
        ConversionError: one needs more than 62 bits.
    """
    if int(np.abs(layer.weight).max(initial=0)).bit_length() + shift > 62:
        raise ConversionError("weights are too wide", where=layer.name, received=f"widened by {shift} bits")
    return layer.weight << shift


def check_weights(name: str, weights: IntArray, config: CoreConfig) -> None:
    """Check that weights fit the lines of a core.

    Raises:
        ConversionError: they do not.
    """
    low, high = int(weights.min()), int(weights.max())
    most = (1 << config.weight_bits - 1) - 1
    if not _fits(weights, config):
        bits = max((-low - 1).bit_length() if low < 0 else 0, high.bit_length()) + 1
        raise ConversionError(
            "the weights do not fit the core",
            where=name,
            expected=f"{config.weight_bits} bits, {-most - 1} to {most}",
            received=f"{low} to {high}, including the shift to the lattice of what reads the layer",
            fix=f"build the core with weight_bits = {bits}, or use a coarser lattice in this layer",
        )


def check_sums(plan: Plan, node: Engine, config: CoreConfig) -> int:
    """Return the bits that no sum of an engine leaves while events are added to it, signed.

    Partial sums of either form, and what is sent, are checked, too. What is sent may be wider where all that reads it
    clips: a core sends the nearest number that it has.

    Raises:
        AccumulatorRangeError: ``|b| + sum|w| * max|r|`` does.
    """
    bound, lattices = 0, lattices_of(plan, node)
    total = np.array([0] if lattices.bias is None else [abs(value) for value in lattices.bias.tolist()], object)
    for at, name in enumerate(node.inputs):
        delta = plan.delta(name)
        weights = np.abs(weights_of(plan, node, at))
        window = node.window if isinstance(node, Pool) and node.kind == "sum" else 1
        reach = weights.reshape(-1, weights.shape[-1]).sum(axis=0).tolist()
        most = [value * window * max(-delta.lo, delta.hi) for value in reach]
        if isinstance(node, Join) and node.kind == "concat":
            bound = max(bound, *most)
        else:
            total = total + np.array(most, object)  # of one channel, where all are the same
    sent = max(-node.fmt.lo - 1, node.fmt.hi) << plan.widen[node.name]  # on the lattice that is sent
    kept = max(bound, *total)
    bound = kept if _clips(plan, node, config) else max(kept, sent)
    if bound >= 1 << config.sum_bits - 1:
        raise AccumulatorRangeError(
            "the sums do not fit the core",
            where=node.name,
            expected=f"{config.sum_bits} bits",
            received=f"{bound.bit_length() + 1} bits (|b| + sum|w| * max|r| = {bound})",
            fix=f"use fewer bits in this layer, or a core with sum_bits = {bound.bit_length() + 1}",
        )
    return int(kept).bit_length() + 1


def _clips(plan: Plan, node: Engine, config: CoreConfig) -> bool:
    """Whether all that reads an engine makes the same of the largest (smallest) number of a core and of any beyond it.

    It does if its range of codes, with a step of rounding and the hold, ends before them.
    """
    readers = [read for read in plan.graph.deltas if read.input == node.name]
    for read in readers:
        shift, step = shift_of(plan, read), int(read.steps().max())
        hold = math.ldexp(read.hold or 0.0, shift + step)
        if (max(-read.lo, read.hi) + (1 << step) << shift) + hold >= 1 << config.sum_bits - 1:
            return False
    return bool(readers) and node is not plan.graph.output


def _lane_for_lane(taps: IntArray, node: Engine, at: int, made: Layout, lanes: int) -> _Weights:
    """Return lines for words whose lanes lie as those of the output: one for all, or one for each tap and group."""
    first = offset_of(node, at) // made.used
    if taps.shape == (1, 1):
        return _Weights(lines=np.full((1, lanes), taps[0, 0], np.int32), per_tap=0, first=first)
    lines = Layout(positions=len(taps), channels=taps.shape[1], used=made.used).spread(taps.ravel(), lanes)
    return _Weights(lines=lines.astype(np.int32), per_tap=made.groups, first=first, group_lines=True)


def _full(taps: IntArray, node: Engine, at: int, made: Layout) -> IntArray:
    """Return weights ``[taps, channels in, channels out]`` of an engine that may work channel by channel."""
    if taps.ndim == 3:
        return taps
    assert not isinstance(node, Dense)
    channels = np.arange(node.channels_in(at))
    full = np.zeros((len(taps), len(channels), made.channels), np.int64)
    full[:, channels, channels + offset_of(node, at)] = taps
    return full


def _one_to_all(full: IntArray, node: Engine, at: int, made: Layout, places: int, planes: int, lanes: int) -> _Weights:
    """Return lines for lanes that add to all lanes of the output's words: ``[planes, taps, groups, places]``."""
    first, last = 0, made.groups
    if isinstance(node, Join) and node.kind == "concat":
        start = offset_of(node, at)
        first, last = start // made.used, -(-(start + node.channels[at]) // made.used)
    lines = np.zeros((len(full), last - first, places, lanes), np.int32)
    for group in range(first, last):
        columns = full[:, :, group * made.used : (group + 1) * made.used]
        lines[:, group - first, : full.shape[1], : columns.shape[2]] = columns
    groups, stride = last - first, places // planes
    by_plane = np.moveaxis(lines.reshape(len(full), groups, planes, stride, lanes), 2, 0).reshape(-1, lanes)
    per_tap = groups * stride if len(full) > 1 else 0
    return _Weights(lines=by_plane, per_tap=per_tap, groups=groups, first=first, stride=stride)
