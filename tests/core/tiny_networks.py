# SPDX-License-Identifier: Apache-2.0
"""Networks of the shapes of MLPerf Tiny (Banbury et al., 2021): random weights, and a stream that they are alive on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from codesign.fixed import Fixed, IntArray
from codesign.graph import Axis, Conv, Delta, Dense, Engine, Graph, Join, Pool, Source, accumulator_format
from codesign.graph.golden import compute, send
from codesign.graph.ir import Node

WEIGHT = Fixed(width=8, frac=7, signed=True)
PIXEL = Fixed(width=8, frac=8, signed=False)


@dataclass(frozen=True)
class Alive:
    """A network and frames of a stream, ``[T, *shape]``."""

    graph: Graph
    frames: IntArray


class Growing:
    """A network under construction, with the values of its nodes on the stream: formats follow from them."""

    def __init__(self, shape: tuple[int, ...], frames: int, density: float, hold: float | None, seed: int = 0) -> None:
        self.rng, self.hold = np.random.default_rng(seed), hold
        source = Source(name="in", shape=shape, fmt=PIXEL, lanes=8)
        stream = self.rng.integers(0, 256, (frames, source.size))
        for t in range(1, frames):
            stays = self.rng.random(source.size) >= density
            stream[t, stays] = stream[t - 1, stays]
        self.nodes: list[Node] = [source]
        self.values: dict[str, IntArray] = {"in": stream}
        self.now = self.activate(source, relu=False)

    def activate(self, node: Source | Engine, *, relu: bool) -> Delta:
        """Append an activation of 8 bits whose range is about that of ``node``."""
        z = self.values[node.name]
        signed = not relu and int(z.min()) < 0
        reach = int(np.percentile(np.abs(z), 99.5)).bit_length()
        fmt = Fixed(width=8, frac=node.fmt.frac - max(0, reach - 8 + signed), signed=signed)
        made = Delta(
            name=f"{node.name}_sent",
            input=node.name,
            shape=node.shape,
            in_fmt=node.fmt,
            fmt=fmt,
            activation="relu" if relu else "identity",
            lo=fmt.lo,
            hi=fmt.hi,
            hold=self.hold,
        )
        self.nodes.append(made)
        self.values[made.name] = send(made, z, np.zeros(made.size, np.int64))
        return made

    def add(self, engine: Engine, *, relu: bool = True) -> Delta:
        """Append an engine and its activation."""
        self.nodes.append(engine)
        self.values[engine.name] = compute(engine, [self.values[name] for name in engine.inputs])
        self.now = self.activate(engine, relu=relu)
        return self.now

    def weights(self, *shape: int) -> IntArray:
        return np.clip(np.round(self.rng.normal(0, 40, shape)), -127, 127).astype(np.int64)

    def conv(
        self,
        outputs: int,
        kernel: tuple[int, int] = (3, 3),
        stride: int = 1,
        *,
        read: Delta | None = None,
        relu: bool = True,
    ) -> Delta:
        """A convolution with padding 'same' of ``read``, or of the last activation; 0 outputs: depthwise."""
        before = read or self.now
        height, width, channels = before.shape
        y, x = Axis.same(height, kernel[0], stride), Axis.same(width, kernel[1], stride)
        weight = self.weights(*kernel, channels, outputs or 1)
        bias = self.rng.integers(-2000, 2000, outputs or channels)
        name = f"conv{len(self.nodes)}"
        per_output = weight if outputs else weight[..., 0]
        fmt = accumulator_format(name, per_output, bias, weight_fmt=WEIGHT, delta=before)
        engine = Conv(
            name=name,
            input=before.name,
            weight=weight,
            bias=bias,
            weight_fmt=WEIGHT,
            fmt=fmt,
            y=y,
            x=x,
            depthwise=not outputs,
        )
        return self.add(engine, relu=relu)

    def dense(self, outputs: int) -> Delta:
        before, name = self.now, f"fc{len(self.nodes)}"
        weight, bias = self.weights(before.size, outputs), self.rng.integers(-2000, 2000, outputs)
        fmt = accumulator_format(name, weight, bias, weight_fmt=WEIGHT, delta=before)
        return self.add(Dense(name=name, input=before.name, weight=weight, bias=bias, weight_fmt=WEIGHT, fmt=fmt))

    def mean(self) -> Delta:
        """The sum over all positions."""
        before = self.now
        height, width, channels = before.shape
        y, x = Axis(size=height, kernel=height), Axis(size=width, kernel=width)
        fmt = replace(before.fmt, width=before.fmt.width + 10)
        name = f"mean{len(self.nodes)}"
        engine = Pool(name=name, input=before.name, kind="sum", channels=channels, fmt=fmt, y=y, x=x)
        return self.add(engine, relu=False)

    def join(self, first: Delta, second: Delta) -> Delta:
        height, width, channels = first.shape
        frac = max(first.fmt.frac, second.fmt.frac)
        engine = Join(
            name=f"add{len(self.nodes)}",
            inputs=(first.name, second.name),
            kind="add",
            channels=(channels, channels),
            shifts=(frac - first.fmt.frac, frac - second.fmt.frac),
            fmt=Fixed(width=20, frac=frac, signed=True),
            y=Axis(size=height),
            x=Axis(size=width),
        )
        return self.add(engine)

    def alive(self, name: str) -> Alive:
        """The network, whose last engine's sums leave."""
        graph = Graph(name=name, nodes=tuple(self.nodes[:-1]))
        return Alive(graph, self.values["in"].reshape(-1, *graph.source.shape))


def visual_wake_words(frames: int = 2, density: float = 0.1, hold: float | None = None) -> Alive:
    """MobileNet v1, a quarter of its channels, on 96x96x3."""
    net = Growing((96, 96, 3), frames, density, hold)
    net.conv(8, stride=2)
    for outputs, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)):
        net.conv(0, stride=stride)
        net.conv(outputs, (1, 1))
    net.mean()
    net.dense(2)
    return net.alive("vww")


def image_classification(frames: int = 2, density: float = 0.1, hold: float | None = None) -> Alive:
    """ResNet-8 on 32x32x3."""
    net = Growing((32, 32, 3), frames, density, hold)
    before = net.conv(16)
    net.conv(16)
    before = net.join(before, net.conv(16, relu=False))
    for outputs in (32, 64):
        net.conv(outputs, stride=2)
        long = net.conv(outputs, relu=False)
        before = net.join(long, net.conv(outputs, (1, 1), 2, read=before, relu=False))
    net.mean()
    net.dense(10)
    return net.alive("resnet8")


def keyword_spotting(frames: int = 2, density: float = 0.1, hold: float | None = None) -> Alive:
    """DS-CNN on 49x10x1."""
    net = Growing((49, 10, 1), frames, density, hold)
    net.conv(64, (10, 4), 2)
    for _ in range(4):
        net.conv(0)
        net.conv(64, (1, 1))
    net.mean()
    net.dense(12)
    return net.alive("kws")


def anomaly_detection(frames: int = 2, density: float = 0.1, hold: float | None = None) -> Alive:
    """An autoencoder of dense layers on 640 elements."""
    net = Growing((640,), frames, density, hold)
    for outputs in (128, 128, 128, 128, 8, 128, 128, 128, 128, 640):
        net.dense(outputs)
    return net.alive("ad")


TINY: dict[str, Callable[..., Alive]] = {
    "vww": visual_wake_words,
    "resnet8": image_classification,
    "kws": keyword_spotting,
    "ad": anomaly_detection,
}
