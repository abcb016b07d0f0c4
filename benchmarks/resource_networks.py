# SPDX-License-Identifier: Apache-2.0
"""Small networks that show what the leaves of the RTL take: two engines each, drawn as trained ones are.

Formats follow one another as in a trained network: accumulators of the bits that the weights need, codes of a few bits
some places below their top. Half of the activations have a step for each channel, a third of them a hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from codesign.fixed import Fixed
from codesign.graph.axis import Axis, Repeat
from codesign.graph.ir import (
    Conv,
    Delta,
    Dense,
    Engine,
    Graph,
    Join,
    Node,
    Pool,
    Source,
    Upsample,
    accumulator_format,
)

Draw: TypeAlias = np.random.Generator
Maker: TypeAlias = Callable[[Draw, str, Delta, tuple[int, int, int]], Engine]

CODE_BITS = (3, 4, 5, 6, 8)
WEIGHT_BITS = (4, 5, 6, 8)
CHANNELS = (2, 4, 6, 8, 12, 16)
MOST_MULTIPLIERS = 6
"""Of an engine: what a lane and a place of a cycle take shows with few of them, and synthesis is short."""


def network(seed: int, first: str, second: str, *, most_pe: int = 4) -> Graph:
    """Return a network with engines of two kinds (`KINDS`), of at most ``most_pe`` lanes."""
    draw = np.random.default_rng(seed)
    side = int(draw.choice([8, 10, 12, 16, 20, 24, 28, 32]))
    shape = (side, side if draw.random() < 2 / 3 else max(4, side // 2), int(draw.choice([1, 1, 2, 3, 4, 8])))
    fmt = Fixed(width=int(draw.choice([4, 6, 8])), frac=4, signed=False)
    nodes: list[Node] = [Source(name="frame", shape=shape, fmt=fmt, lanes=int(draw.choice([1, 2, 4, 8, 16])))]
    nodes.append(_delta(draw, "d0", nodes[0], shape[2], fmt))
    for number, kind in enumerate((first, second)):
        before = nodes[-1]
        assert isinstance(before, Delta)
        engine = _engine(draw, kind, f"e{number}", before, nodes, most_pe)
        nodes.append(engine)
        channels = engine.n_out if isinstance(engine, Dense) else engine.channels_out
        if number == 0 or draw.random() < 0.5:
            nodes.append(_delta(draw, f"d{number + 1}", engine, channels, engine.fmt))
    return Graph(name="t", nodes=tuple(nodes))


def _engine(draw: Draw, kind: str, name: str, before: Delta, nodes: list[Node], most_pe: int) -> Engine:
    shape = before.shape if len(before.shape) == 3 else (1, 1, before.size)
    if kind == "dense" or math.prod(shape[:2]) == 1:
        return _dense(draw, name, before, most_pe)
    if kind == "join":
        return _join(draw, name, before, shape, nodes, most_pe)
    return _SPATIAL[kind](draw, name, before, shape, most_pe)


def _delta(draw: Draw, name: str, before: Node, channels: int, fmt: Fixed) -> Delta:
    bits = min(int(draw.choice(CODE_BITS)), fmt.width)
    signed = draw.random() < 0.15
    below = max(0, fmt.width - int(fmt.signed) - bits - int(draw.integers(0, 4)))  # a few bits above are clipped
    code = Fixed(width=bits, frac=fmt.frac - below, signed=signed)
    spread = draw.random() < 0.5 and not isinstance(before, Source)
    steps = tuple(int(k) for k in draw.integers(0, min(4, bits), channels)) if spread else (0,)
    return Delta(
        name=name,
        input=before.name,
        shape=before.shape,
        in_fmt=fmt,
        fmt=code,
        activation="identity" if signed else "relu",
        step_log2=steps,
        channels=channels if spread else 1,
        lo=code.lo if signed else 0,
        hi=code.hi,
        hold=float(draw.choice([0.75, 1.0, 1.5])) if draw.random() < 1 / 3 else None,
    )


def _weights(draw: Draw, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, Fixed]:
    """Return weights with an output channel along the last axis, biases and the format of the weights."""
    bits = int(draw.choice(WEIGHT_BITS))
    peak = 1 << bits - 1
    weight = np.clip(np.rint(draw.normal(0, peak / 2.5, shape)), -peak + 1, peak - 1).astype(np.int64)
    shifts = draw.integers(0, 3, shape[-1]) if draw.random() < 0.4 else np.zeros(shape[-1], np.int64)
    weight <<= shifts
    bias = draw.integers(-4 * peak, 4 * peak, shape[-1]) << shifts
    return weight, bias, Fixed(width=bits + int(shifts.max()), frac=bits, signed=True)


def _pe(draw: Draw, outputs: int, most: int) -> int:
    return int(draw.choice([pe for pe in range(1, min(most, outputs) + 1) if outputs % pe == 0]))


def _dense(draw: Draw, name: str, before: Delta, most_pe: int) -> Dense:
    outputs = int(draw.choice([4, 8, 10, 12, 16, 32]))
    weight, bias, fmt = _weights(draw, (before.size, outputs))
    acc = accumulator_format(name, weight, bias, weight_fmt=fmt, delta=before)
    pe = _pe(draw, outputs, most_pe)
    return Dense(name=name, input=before.name, weight=weight, bias=bias, weight_fmt=fmt, fmt=acc, pe=pe)


def _axes(draw: Draw, shape: tuple[int, int, int], kernels: tuple[int, ...]) -> tuple[Axis, Axis]:
    kernel = min(int(draw.choice(kernels)), *shape[:2])
    stride = int(draw.choice([1, 2])) if kernel > 1 else 1
    return Axis.same(shape[0], kernel, stride), Axis.same(shape[1], kernel, stride)


def _unroll(draw: Draw, y: Axis | Repeat, x: Axis | Repeat, pe: int) -> tuple[int, int]:
    if draw.random() < 0.5:
        return 1, 1
    rows, columns = (range(1, int(axis.counts().max()) + 1) for axis in (y, x))
    every = [(a, b) for a in rows for b in columns if a * b * pe <= MOST_MULTIPLIERS]
    return every[draw.integers(len(every))] if every else (1, 1)


def _conv(draw: Draw, name: str, before: Delta, shape: tuple[int, int, int], most_pe: int) -> Conv:
    y, x = _axes(draw, shape, (1, 3, 3, 3, 5))
    outputs = int(draw.choice(CHANNELS))
    weight, bias, fmt = _weights(draw, (y.kernel, x.kernel, shape[2], outputs))
    acc = accumulator_format(name, weight, bias, weight_fmt=fmt, delta=before)
    pe = _pe(draw, outputs, most_pe)
    return Conv(
        name=name,
        input=before.name,
        weight=weight,
        bias=bias,
        weight_fmt=fmt,
        fmt=acc,
        y=y,
        x=x,
        pe=pe,
        unroll=_unroll(draw, y, x, pe),
    )


def _depthwise(draw: Draw, name: str, before: Delta, shape: tuple[int, int, int], most_pe: int) -> Conv:
    y, x = _axes(draw, shape, (3, 3, 5))
    weight, bias, fmt = _weights(draw, (y.kernel, x.kernel, shape[2]))
    acc = accumulator_format(name, weight, bias, weight_fmt=fmt, delta=before)
    pe = _pe(draw, shape[2], most_pe)
    return Conv(
        name=name,
        input=before.name,
        weight=weight[..., None],
        bias=bias,
        weight_fmt=fmt,
        fmt=acc,
        y=y,
        x=x,
        depthwise=True,
        pe=pe,
        unroll=_unroll(draw, y, x, pe),
    )


def _pool(draw: Draw, name: str, before: Delta, shape: tuple[int, int, int], most_pe: int) -> Pool:
    kind: Literal["max", "sum"] = "max" if draw.random() < 0.6 else "sum"
    kernel = 2 if min(shape[:2]) < 4 or draw.random() < 0.7 else 4
    kernel = min(kernel, *shape[:2])
    y, x = (Axis(size=size, kernel=kernel, stride=kernel) for size in shape[:2])
    fmt = before.fmt
    if kind == "sum":
        extra = (kernel * kernel - 1).bit_length()
        fmt = Fixed(width=fmt.width + extra + int(not fmt.signed), frac=fmt.frac + extra, signed=True)
    pe = _pe(draw, shape[2], most_pe if kernel < 3 else 4)
    return Pool(name=name, input=before.name, kind=kind, channels=shape[2], fmt=fmt, y=y, x=x, pe=pe)


def _upsample(draw: Draw, name: str, before: Delta, shape: tuple[int, int, int], most_pe: int) -> Upsample:
    y, x = (Repeat(size=size, factor=2) for size in shape[:2])
    pe = _pe(draw, shape[2], most_pe)
    unroll = _unroll(draw, y, x, pe)
    return Upsample(name=name, input=before.name, channels=shape[2], fmt=before.fmt, y=y, x=x, pe=pe, unroll=unroll)


def _join(
    draw: Draw,
    name: str,
    before: Delta,
    shape: tuple[int, int, int],
    nodes: list[Node],
    most_pe: int,
) -> Join:
    """Return the sum, or both side by side, of a frame and a pointwise convolution of it, which is added to nodes."""
    weight, bias, fmt = _weights(draw, (1, 1, shape[2], shape[2]))
    acc = accumulator_format(f"{name}_side", weight, bias, weight_fmt=fmt, delta=before)
    point = tuple(Axis(size=size) for size in shape[:2])
    side = Conv(
        name=f"{name}_side",
        input=before.name,
        weight=weight,
        bias=bias,
        weight_fmt=fmt,
        fmt=acc,
        y=point[0],
        x=point[1],
        pe=_pe(draw, shape[2], most_pe),
    )
    made = _delta(draw, f"{name}_side_delta", side, shape[2], acc)
    nodes += [side, made]
    kind = "add" if draw.random() < 0.6 else "concat"
    frac = max(before.fmt.frac, made.fmt.frac)
    shifts = (frac - before.fmt.frac, frac - made.fmt.frac)
    low = sum(min(0, feed.lo) << shift for feed, shift in zip((before, made), shifts, strict=True))
    high = sum(feed.hi << shift for feed, shift in zip((before, made), shifts, strict=True))
    sums = Fixed.holding(min(low, -1), high, frac=frac, signed=True)
    outputs = shape[2] if kind == "add" else 2 * shape[2]
    return Join(
        name=name,
        inputs=(before.name, made.name),
        kind="add" if kind == "add" else "concat",
        channels=(shape[2], shape[2]),
        shifts=shifts,
        fmt=sums,
        y=point[0],
        x=point[1],
        pe=_pe(draw, outputs, most_pe),
    )


_SPATIAL: dict[str, Callable[[Draw, str, Delta, tuple[int, int, int], int], Engine]] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "pool": _pool,
    "upsample": _upsample,
}
KINDS = (*_SPATIAL, "dense", "join")
PAIRS = (
    *(("conv", "conv"), ("conv", "dense"), ("conv", "depthwise"), ("depthwise", "conv"), ("conv", "pool")),
    *(("pool", "conv"), ("conv", "join"), ("conv", "conv"), ("dense", "dense"), ("conv", "upsample")),
)
"""Kinds of the engines, in turn: as often as networks have them."""
