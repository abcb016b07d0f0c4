# SPDX-License-Identifier: Apache-2.0
"""Random networks with branches: residual and dense connections, pooling and upsampling between convolutions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from random_graphs import alive, conv, with_unroll

from codesign.fixed import Fixed
from codesign.graph import Axis, Conv, Delta, Engine, Graph, Join, Pool, Repeat, Source, Upsample
from codesign.graph.ir import Node

BLOCKS = ("max", "sum", "upsample", "residual", "shortcut", "concat", "self", "two readers", "three")


Folded = TypeVar("Folded", Conv, Pool, Upsample, Join)


class Branches:
    """A network under construction; every block goes from the newest `Delta` to a new one."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int, int], hold: float | str | None) -> None:
        self.rng, self.hold = rng, hold
        fmt = Fixed(width=int(rng.integers(2, 7)), frac=6, signed=bool(rng.random() < 0.3))
        self.nodes: list[Node] = [Source(name="in", shape=shape, fmt=fmt, lanes=int(rng.integers(1, 9)))]
        self.now = self.activate()

    def activate(self, engine: Engine | None = None) -> Delta:
        """Append an engine and a random activation after it."""
        if engine is not None:
            self.nodes.append(engine)
        delta = alive(self.rng, f"d{len(self.nodes)}", self.nodes, self.hold)
        self.nodes.append(delta)
        return delta

    def conv(self, delta: Delta, **kind: Any) -> Delta:
        """A convolution after ``delta``, and an activation."""
        return self.activate(conv(self.rng, f"conv{len(self.nodes)}", delta, None if not kind else False, **kind))

    def block(self, kind: str) -> None:
        """Append a block."""
        now, channels = self.now, self.now.shape[2]
        if kind in ("max", "sum"):
            self.now = self.activate(self.pool(now, kind))
        elif kind == "upsample":
            y, x = (Repeat(size=size, factor=int(self.rng.integers(1, 4))) for size in now.shape[:2])
            engine = Upsample(name=self.name("up"), input=now.name, channels=channels, fmt=now.fmt, y=y, x=x)
            self.now = self.activate(self.fold(engine, channels))
        elif kind == "residual":
            branch = self.conv(now, stride=1)
            branch = self.conv(branch, stride=1, channels_out=channels)
            self.now = self.join("add", now, branch)
        elif kind == "shortcut":
            long = self.conv(self.conv(now, stride=2, channels_out=3), stride=1, channels_out=4)
            self.now = self.join("add", long, self.conv(now, stride=2, channels_out=4))
        elif kind == "concat":
            self.now = self.join("concat", now, self.conv(now, stride=1))
        elif kind == "self":
            self.now = self.join("add", now, now)
        elif kind == "two readers":
            self.nodes.append(conv(self.rng, self.name("conv"), now, depthwise=None))
            second = alive(self.rng, f"d{len(self.nodes)}b", self.nodes, self.hold)
            first = self.activate()
            self.nodes.append(second)
            self.now = self.join("concat", first, second)
        elif kind == "three":
            self.now = self.join("concat", self.conv(now, stride=1), now, self.conv(now, stride=1))

    def pool(self, delta: Delta, kind: str) -> Pool:
        """A pooling of any window that is allowed."""
        rng = self.rng
        axes = []
        for size in delta.shape[:2]:
            kernel, stride = min(size, int(rng.choice([1, 2, 2, 3]))), int(rng.integers(1, 4))
            if kind == "sum":
                kernel = 1 << (kernel.bit_length() - 1)
            padded = kind == "max" and rng.random() < 0.5
            axes.append(Axis.same(size, kernel, stride) if padded else Axis(size=size, kernel=kernel, stride=stride))
        y, x = axes
        fmt = delta.fmt
        if kind == "sum":
            area = y.kernel * x.kernel
            frac = fmt.frac + area.bit_length() - 1
            fmt = Fixed.holding(area * delta.lo, area * delta.hi, frac=frac, signed=delta.lo < 0)
        channels = delta.shape[2]
        engine = Pool(name=self.name(kind), input=delta.name, kind=kind, channels=channels, fmt=fmt, y=y, x=x)  # type: ignore[arg-type]
        return self.fold(engine, channels)

    def join(self, kind: str, *deltas: Delta) -> Delta:
        """An addition or a concatenation, and an activation."""
        frac = max(delta.fmt.frac for delta in deltas)
        shifts = tuple(frac - delta.fmt.frac for delta in deltas)
        ends = [(delta.lo << shift, delta.hi << shift) for delta, shift in zip(deltas, shifts, strict=True)]
        low, high = zip(*ends, strict=True)
        lo, hi = (sum(low), sum(high)) if kind == "add" else (min(low), max(high))
        height, width = deltas[0].shape[:2]
        channels = tuple(delta.shape[2] for delta in deltas)
        engine = Join(
            name=self.name("join"),
            inputs=tuple(delta.name for delta in deltas),
            kind=kind,  # type: ignore[arg-type]
            channels=channels,
            shifts=shifts,
            fmt=Fixed.holding(lo, hi, frac=frac, signed=lo < 0),
            y=Axis(size=height),
            x=Axis(size=width),
        )
        return self.activate(self.fold(engine, channels[0] if kind == "add" else sum(channels)))

    def fold(self, engine: Folded, channels: int) -> Folded:
        """Give an engine a random PE."""
        return replace(engine, pe=int(self.rng.choice([pe for pe in range(1, channels + 1) if channels % pe == 0])))

    def name(self, kind: str) -> str:
        """A name that no node has."""
        return f"{kind}{len(self.nodes)}"


def random_branching_graph(
    rng: np.random.Generator,
    *,
    blocks: tuple[str, ...] | None = None,
    size: int = 7,
    hold: float | str | None = "random",
    name: str = "t",
) -> Graph:
    """Return a network of these blocks (None: 1 to 3 random ones) of random shapes and formats."""
    height, width = (int(n) for n in rng.integers(2, size + 1, 2))
    made = Branches(rng, (height, width, int(rng.choice([1, 2, 3]))), hold)
    for kind in blocks or rng.choice(BLOCKS, int(rng.integers(1, 4))):
        made.block(str(kind))
    nodes = made.nodes if rng.random() < 0.5 else made.nodes[:-1]  # codes or accumulators leave
    return Graph(name=name, nodes=with_unroll(rng, nodes))
