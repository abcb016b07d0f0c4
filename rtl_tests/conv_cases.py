# SPDX-License-Identifier: Apache-2.0
"""Spatial engines that the benches of ``delta_locate`` and ``delta_conv`` build; each graph ends with the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from codesign.fixed import Fixed, IntArray
from codesign.graph import (
    Axis,
    Conv,
    Delta,
    Dense,
    Graph,
    Join,
    Pool,
    Repeat,
    Source,
    Spatial,
    Upsample,
    accumulator_format,
)

CODE = Fixed(width=5, frac=0, signed=True)


def graph(
    seed: int,
    y: Axis,
    x: Axis,
    channels: tuple[int, int],
    *,
    pe: int,
    depthwise: bool = False,
    unroll: tuple[int, int] = (1, 1),
) -> Graph:
    """Return a convolution with random weights after a delta layer that passes its codes; channels in and out."""
    rng = np.random.default_rng(seed)
    delta = passing((y.size, x.size, channels[0]))
    fmt = Fixed(width=4, frac=0, signed=True)
    kernel = (y.kernel, x.kernel, channels[0], 1 if depthwise else channels[1])
    weight = rng.integers(fmt.lo, fmt.hi, kernel, endpoint=True)
    bias = rng.integers(-200, 200, channels[1])
    columns = weight[..., 0] if depthwise else weight
    conv = Conv(
        name="conv",
        input="d0",
        weight=weight,
        bias=bias,
        weight_fmt=fmt,
        fmt=accumulator_format("conv", columns, bias, weight_fmt=fmt, delta=delta),
        y=y,
        x=x,
        depthwise=depthwise,
        pe=pe,
        unroll=unroll,
    )
    return after(delta, conv)


def pooling(
    kind: Literal["max", "sum"], y: Axis, x: Axis, channels: int, *, pe: int, unroll: tuple[int, int] = (1, 1)
) -> Graph:
    """Return a maximum or a sum of windows."""
    delta = passing((y.size, x.size, channels))
    area = y.kernel * x.kernel if kind == "sum" else 1
    fmt = Fixed.holding(area * CODE.lo, area * CODE.hi, frac=0, signed=True)
    return after(
        delta, Pool(name="conv", input="d0", kind=kind, channels=channels, fmt=fmt, y=y, x=x, pe=pe, unroll=unroll)
    )


def upsampling(y: Repeat, x: Repeat, channels: int, *, pe: int) -> Graph:
    """Return an upsampling."""
    delta = passing((y.size, x.size, channels))
    return after(delta, Upsample(name="conv", input="d0", channels=channels, fmt=CODE, y=y, x=x, pe=pe))


def joining(kind: str, y: int, x: int, channels: tuple[int, int], shifts: tuple[int, int], *, pe: int) -> Graph:
    """Return a join of two inputs of ``CODE``; the second one is the output of an identity pooling."""
    axes = Axis(size=y), Axis(size=x)
    first = passing((y, x, channels[0]))
    one = np.zeros((1, 1, *channels), np.int64)
    one[0, 0, 0] = 1
    conv = pointwise(first, one)
    second = Delta(
        name="d1",
        input="copy",
        shape=conv.shape,
        in_fmt=conv.fmt,
        fmt=CODE,
        activation="relu",
        lo=0,
        hi=CODE.hi,
    )
    lo, hi = (sum(end << shift for shift in shifts) for end in (CODE.lo, CODE.hi))
    join = Join(
        name="conv",
        inputs=("d0", "d1"),
        kind=kind,  # type: ignore[arg-type]
        channels=channels,
        shifts=shifts,
        fmt=Fixed.holding(lo, hi, frac=0, signed=True),
        y=axes[0],
        x=axes[1],
        pe=pe,
    )
    source = Source(name="in", shape=first.shape, fmt=CODE)
    return Graph(name="t", nodes=(source, first, conv, second, join))


def reshaped(seed: int, rows: int, y: Axis, x: Axis, channels: tuple[int, int], *, pe: int) -> Graph:
    """Return a convolution after a delta layer whose frame came in fewer ``rows``, each of several of its own."""
    own = graph(seed, y, x, channels, pe=pe)
    one = np.eye(own.source.size // rows, dtype=np.int64)[None, None]
    first = passing((rows, 1, len(one[0, 0])))
    copy = pointwise(first, one)
    shape = (y.size, x.size, channels[0])
    second = replace(passing(shape), name="d1", input="copy", in_fmt=copy.fmt)
    source = Source(name="in", shape=first.shape, fmt=CODE)
    assert isinstance(own.output, Conv)
    return Graph(name="t", nodes=(source, first, copy, second, replace(own.output, input="d1")))


def pointwise(delta: Delta, weight: IntArray) -> Conv:
    """Return a convolution of kernel 1 with weights ``[1, 1, C, F]`` after ``d0``, without biases."""
    bias = np.zeros(weight.shape[-1], np.int64)
    narrow = Fixed(width=2, frac=0, signed=True)
    return Conv(
        name="copy",
        input="d0",
        weight=weight,
        bias=bias,
        weight_fmt=narrow,
        fmt=accumulator_format("copy", weight, bias, weight_fmt=narrow, delta=delta),
        y=Axis(size=delta.shape[0]),
        x=Axis(size=delta.shape[1]),
    )


def feeds(graph: Graph) -> list[Delta]:
    """Return the delta layers that the engine at the end reads."""
    return [feed for name in graph.output.inputs if isinstance(feed := graph[name], Delta)]


def passing(shape: tuple[int, ...]) -> Delta:
    """Return a delta layer that passes its codes."""
    return Delta(
        name="d0", input="in", shape=shape, in_fmt=CODE, fmt=CODE, activation="identity", lo=CODE.lo, hi=CODE.hi
    )


def after(delta: Delta, engine: Dense | Spatial) -> Graph:
    """Return source, delta layer and any engine."""
    return Graph(name="t", nodes=(Source(name="in", shape=delta.shape, fmt=CODE), delta, engine))


GRAPHS = {
    "same 3x3, 2 groups": graph(1, Axis.same(7, 3, 1), Axis.same(5, 3, 1), (3, 4), pe=2),
    "stride over kernel": graph(2, Axis(size=8, kernel=2, stride=3), Axis.same(6, 1, 2), (1, 3), pe=3),
    "depthwise, 3 groups": graph(3, Axis.same(6, 3, 2), Axis(size=6, kernel=2), (6, 6), pe=2, depthwise=True),
    "one row": graph(4, Axis.same(1, 1, 1), Axis.same(6, 5, 1), (2, 2), pe=1),
    "one column, tall kernel": graph(5, Axis.same(12, 9, 1), Axis(size=3, kernel=3), (1, 2), pe=2),
    "max 3x2": pooling("max", Axis(size=7, kernel=3, stride=2), Axis(size=6, kernel=2, stride=2), 4, pe=2),
    "sum 2x2": pooling("sum", Axis(size=6, kernel=2, stride=2), Axis(size=5, kernel=2, stride=1), 3, pe=1),
    "taps 3x3": graph(6, Axis.same(8, 3, 1), Axis.same(7, 3, 1), (2, 4), pe=4, unroll=(3, 3)),
    "taps 2x1, 2 groups": graph(7, Axis.same(9, 5, 2), Axis.same(6, 5, 2), (1, 4), pe=2, unroll=(2, 1)),
    "taps 1x3, depthwise": graph(
        8, Axis.same(4, 3, 1), Axis.same(9, 3, 1), (2, 2), pe=1, depthwise=True, unroll=(1, 3)
    ),
    "max, taps 2x2": pooling(
        "max", Axis(size=7, kernel=3, stride=2), Axis(size=8, kernel=4, stride=2), 2, pe=2, unroll=(2, 2)
    ),
    "rows mixed, 3x3": reshaped(9, 3, Axis.same(9, 3, 1), Axis.same(4, 3, 1), (2, 4), pe=2),
    "rows mixed, 1x3": reshaped(10, 3, Axis(size=9), Axis.same(4, 3, 1), (2, 4), pe=2),
    "upsample 2x3": upsampling(Repeat(size=4, factor=2), Repeat(size=3, factor=3), 2, pe=2),
}
JOINS = {
    "add": joining("add", 5, 3, (4, 4), (1, 0), pe=2),
    "concat": joining("concat", 9, 2, (2, 4), (0, 2), pe=3),
}
