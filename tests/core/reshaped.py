# SPDX-License-Identifier: Apache-2.0
"""Random networks whose frames are taken for frames of other shapes, with several activations after one engine.

Layers that real models have are in `random_graphs` and `random_branches`; these have what only the layouts of a core
see: channels that no word divides, positions that start within a word, steps of any period, lattices that widen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from random_graphs import alive

from codesign.fixed import Fixed
from codesign.graph import Axis, Conv, Delta, Dense, Engine, Graph, Join, Pool, Repeat, Source, Upsample
from codesign.graph.ir import Node, accumulator_format

CHANNELS = (1, 2, 3, 5, 7, 8, 12, 16, 17, 24, 31, 32, 33, 34, 37, 40, 64, 67)
WEIGHT = Fixed(width=4, frac=3, signed=True)


class Reshaped:
    """A network under construction."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        shape = self.factors(int(rng.choice([12, 24, 30, 60, 64, 72])))
        fmt = Fixed(width=5, frac=5, signed=bool(rng.random() < 0.5))
        self.nodes: list[Node] = [Source(name="in", shape=shape, fmt=fmt, lanes=4)]
        self.deltas = self.activations(1 + int(rng.random() < 0.3))

    def factors(self, size: int) -> tuple[int, int, int]:
        """Rows, columns and channels of a frame of ``size`` elements."""
        channels = int(self.rng.choice([c for c in range(1, size + 1) if size % c == 0]))
        positions = size // channels
        rows = int(self.rng.choice([r for r in range(1, positions + 1) if positions % r == 0]))
        return rows, positions // rows, channels

    def activations(self, count: int) -> list[Delta]:
        """Append activations of the last engine or the source, with steps of any period, some on finer lattices."""
        before, made = len(self.nodes), []
        for number in range(count):
            node = alive(self.rng, f"d{before}{'abc'[number]}", self.nodes[:before], "random")
            if self.rng.random() < 0.4:
                period = int(self.rng.choice([p for p in range(1, node.size + 1) if node.size % p == 0]))
                steps = tuple(int(k) for k in self.rng.integers(0, 2, period))
                node = replace(node, channels=period, step_log2=steps)
            if self.rng.random() < 0.3:
                extra = int(self.rng.integers(1, 4))
                fmt = replace(node.fmt, width=node.fmt.width + extra, frac=node.in_fmt.frac + extra)
                node = replace(node, fmt=fmt, lo=fmt.lo, hi=fmt.hi)
            made.append(node)
        self.nodes += made
        return made

    def add(self) -> None:
        """Append an engine that reads some activation in any shape, and activations of it."""
        delta = self.any(self.deltas)
        name, kind = (
            f"n{len(self.nodes)}",
            self.rng.choice(["dense", "conv", "deep", "max", "sum", "up", "add", "concat"]),
        )
        engine: Engine
        if kind == "dense":
            engine = self.dense(name, delta, int(self.rng.choice(CHANNELS)))
        elif kind in ("conv", "deep"):
            engine = self.conv(name, delta, deep=kind == "deep")
        elif kind in ("max", "sum", "up"):
            engine = self.moved(name, delta, str(kind))
        else:
            engine = self.join(name, delta, str(kind))
        self.nodes.append(engine)
        self.deltas = self.activations(int(self.rng.choice([1, 1, 2])))

    def meet(self) -> None:
        """Join the activations of the last two engines, after a dense layer where their frames differ in size."""
        late = [node for node in self.nodes if isinstance(node, Delta)][-3:]
        first, last = late[0], late[-1]
        if first.size != last.size:
            self.nodes.append(self.dense(f"n{len(self.nodes)}", first, last.size))
            (first,) = self.activations(1)
        self.nodes.append(self.join(f"n{len(self.nodes)}", last, "add", first))
        self.deltas = self.activations(1)

    def any(self, deltas: list[Delta]) -> Delta:
        """One of them."""
        return deltas[int(self.rng.integers(len(deltas)))]

    def dense(self, name: str, delta: Delta, outputs: int) -> Dense:
        weight = self.rng.integers(-8, 8, (delta.size, outputs))
        bias = self.rng.integers(-50, 50, outputs)
        fmt = accumulator_format(name, weight, bias, weight_fmt=WEIGHT, delta=delta)
        return Dense(name=name, input=delta.name, weight=weight, bias=bias, weight_fmt=WEIGHT, fmt=fmt)

    def conv(self, name: str, delta: Delta, *, deep: bool) -> Conv:
        rows, columns, channels = self.factors(delta.size)
        y, x = (Axis.same(size, int(self.rng.integers(1, 4)), int(self.rng.integers(1, 4))) for size in (rows, columns))
        outputs = 1 if deep else int(self.rng.choice(CHANNELS[: 10 if rows * columns > 4 else None]))
        weight = self.rng.integers(-8, 8, (y.kernel, x.kernel, channels, outputs))
        bias = self.rng.integers(-50, 50, channels if deep else outputs)
        per_output = weight[..., 0] if deep else weight
        fmt = accumulator_format(name, per_output, bias, weight_fmt=WEIGHT, delta=delta)
        return Conv(
            name=name, input=delta.name, weight=weight, bias=bias, weight_fmt=WEIGHT, fmt=fmt, y=y, x=x, depthwise=deep
        )

    def moved(self, name: str, delta: Delta, kind: str) -> Engine:
        rows, columns, channels = self.factors(delta.size)
        fmt = replace(delta.fmt, width=delta.fmt.width + 4)
        if kind == "up":
            y, x = (Repeat(size=size, factor=int(self.rng.integers(1, 3))) for size in (rows, columns))
            return Upsample(name=name, input=delta.name, channels=channels, fmt=fmt, y=y, x=x)
        axes = [
            Axis(size=n, kernel=min(n, int(self.rng.integers(1, 4))), stride=int(self.rng.integers(1, 3)))
            for n in (rows, columns)
        ]
        return Pool(name=name, input=delta.name, kind=kind, channels=channels, fmt=fmt, y=axes[0], x=axes[1])  # type: ignore[arg-type]

    def join(self, name: str, delta: Delta, kind: str, *others: Delta) -> Join:
        """Two or three activations of frames of one size, joined in a shape of their own."""
        rows, columns, channels = self.factors(delta.size)
        same = [node for node in self.nodes if isinstance(node, Delta) and node.size == delta.size]
        taken = [delta, *(others or (self.any(same) for _ in range(int(self.rng.integers(1, 3)))))]
        return Join(
            name=name,
            inputs=tuple(node.name for node in taken),
            kind=kind,  # type: ignore[arg-type]
            channels=(channels,) * len(taken),
            shifts=tuple(int(k) for k in self.rng.integers(0, 3, len(taken))),
            fmt=replace(delta.fmt, width=delta.fmt.width + 5),
            y=Axis(size=rows),
            x=Axis(size=columns),
        )


def random_reshaped_graph(rng: np.random.Generator) -> Graph:
    """Return a network of one to four engines in any shapes."""
    made = Reshaped(rng)
    for _ in range(int(rng.integers(1, 5))):
        made.add()
        if rng.random() < 0.4:
            made.meet()
        if sum(isinstance(node, Delta) and node.size for node in made.nodes) > 4000:
            break
    if rng.random() < 0.5:
        while isinstance(made.nodes[-1], Delta):
            made.nodes.pop()
    return Graph(name="t", nodes=tuple(made.nodes))
