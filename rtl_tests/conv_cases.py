# SPDX-License-Identifier: Apache-2.0
"""Convolutions that the benches of ``delta_locate`` and ``delta_conv`` build."""

from __future__ import annotations

import numpy as np

from codesign.fixed import Fixed
from codesign.graph import Axis, Conv, Delta, Graph, Source, accumulator_format

CODE = Fixed(width=5, frac=0, signed=True)


def graph(seed: int, y: Axis, x: Axis, channels: tuple[int, int], *, pe: int, depthwise: bool = False) -> Graph:
    """Return a convolution with random weights behind a delta layer that passes its codes; channels in and out."""
    rng = np.random.default_rng(seed)
    shape = (y.size, x.size, channels[0])
    source = Source(name="in", shape=shape, fmt=CODE)
    delta = Delta(
        name="d0", input="in", shape=shape, in_fmt=CODE, fmt=CODE, activation="identity", lo=CODE.lo, hi=CODE.hi
    )
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
    )
    return Graph(name="t", nodes=(source, delta, conv))


GRAPHS = {
    "same 3x3, 2 groups": graph(1, Axis.same(7, 3, 1), Axis.same(5, 3, 1), (3, 4), pe=2),
    "stride over kernel": graph(2, Axis(size=8, kernel=2, stride=3), Axis.same(6, 1, 2), (1, 3), pe=3),
    "depthwise, 3 groups": graph(3, Axis.same(6, 3, 2), Axis(size=6, kernel=2), (6, 6), pe=2, depthwise=True),
    "one row": graph(4, Axis.same(1, 1, 1), Axis.same(6, 5, 1), (2, 2), pe=1),
    "one column, tall kernel": graph(5, Axis.same(12, 9, 1), Axis(size=3, kernel=3), (1, 2), pe=2),
}
