# SPDX-License-Identifier: Apache-2.0
"""The smallest network with every kind of owner: two deltas, two dense layers."""

from __future__ import annotations

import numpy as np

from codesign.fixed import Fixed
from codesign.graph import Delta, Dense, Graph, Source


def small_graph() -> Graph:
    """Return 8 inputs, 4 hidden, 2 outputs; seed 5."""
    draw = np.random.default_rng(5)
    code, value = Fixed(width=4, frac=0, signed=False), Fixed(width=3, frac=0, signed=True)
    wide = Fixed(width=12, frac=0, signed=True)

    def delta(name: str, source: str, shape: tuple[int, ...], fmt: Fixed) -> Delta:
        return Delta(name=name, input=source, shape=shape, in_fmt=fmt, fmt=code, activation="relu", lo=0, hi=15)

    def dense(name: str, source: str, inputs: int, outputs: int, pe: int) -> Dense:
        weight = draw.integers(-4, 4, (inputs, outputs))
        return Dense(name=name, input=source, weight=weight, bias=weight[0], weight_fmt=value, fmt=wide, pe=pe)

    nodes = (
        Source(name="frame", shape=(8,), fmt=code, lanes=4),
        delta("d0", "frame", (8,), code),
        dense("fc0", "d0", 8, 4, 2),
        delta("d1", "fc0", (4,), wide),
        dense("fc1", "d1", 4, 2, 2),
    )
    return Graph(name="small", nodes=nodes)
