# SPDX-License-Identifier: Apache-2.0
"""A network with one of everything that a graph on disk has: hold, steps per channel, a dense layer."""

from __future__ import annotations

import numpy as np

from codesign.fixed import Fixed
from codesign.graph.ir import Delta, Dense, Graph, Source, accumulator_format


def small_graph(seed: int = 3) -> Graph:
    """Return 2 x 3 pixels, an identity delta, 4 outputs."""
    rng = np.random.default_rng(seed)
    source = Source(name="in", shape=(2, 3, 1), fmt=Fixed(width=8, frac=8, signed=False), lanes=4)
    delta = Delta(
        name="d0",
        input="in",
        shape=(6,),
        in_fmt=source.fmt,
        fmt=Fixed(width=4, frac=4, signed=False),
        activation="identity",
        step_log2=(0, 1, 0, 2, 0, 0),
        channels=6,
        lo=0,
        hi=15,
        hold=0.75,
    )
    weight, bias = rng.integers(-8, 8, (6, 4)), rng.integers(-20, 20, 4)
    weight_fmt = Fixed(width=4, frac=3, signed=True)
    fmt = accumulator_format("fc", weight, bias, weight_fmt=weight_fmt, delta=delta)
    dense = Dense(name="fc", input="d0", weight=weight, bias=bias, weight_fmt=weight_fmt, fmt=fmt, pe=2)
    return Graph(name="small", nodes=(source, delta, dense))
