# SPDX-License-Identifier: Apache-2.0
"""Random small networks and random streams for the tests of every part."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from codesign.fixed import Fixed, IntArray
from codesign.graph import Axis, Conv, Delta, Dense, Graph, Linear, Source, Spatial, accumulator_format
from codesign.graph.golden import Golden
from codesign.graph.ir import Node


def random_graph(
    rng: np.random.Generator,
    *,
    layers: int | None = None,
    size: int = 40,
    lanes: int | None = None,
    hold: float | str | None = "random",
    end: str = "random",
    wide: bool = False,
    words: int | None = None,
    name: str = "t",
) -> Graph:
    """Return a network of random shapes, formats, steps, clips, holds, P and PE.

    Args:
        rng: source of everything.
        layers: dense layers; None: 1 to 3.
        size: most elements of a frame and most outputs of a layer.
        lanes: P; None: 1 to 8.
        hold: of every delta layer, or ``"random"``.
        end: ``"dense"`` (accumulators leave), ``"delta"`` (codes leave) or ``"random"``.
        wide: biases that make accumulators of 40 bits and more.
        words: of every dense layer's output, where that divides the outputs; None: any divisor.
        name: of the graph.
    """
    shape = _shape(rng, size)
    fmt = Fixed(width=int(rng.integers(1, 13)), frac=int(rng.integers(0, 9)), signed=bool(rng.random() < 0.5))
    source = Source(name="in", shape=shape, fmt=fmt, lanes=lanes or int(rng.integers(1, 9)))
    delta = _delta(rng, "d0", source.name, shape, fmt, hold, span=fmt.width, relu=rng.random() < 0.2)
    nodes: list[Source | Delta | Dense] = [source, delta]
    count = layers if layers is not None else int(rng.integers(1, 4))
    for i in range(count):
        dense = _dense(rng, f"fc{i}", delta, size, wide, words)
        nodes.append(dense)
        if i == count - 1 and (end == "dense" or (end == "random" and rng.random() < 0.5)):
            break
        relu = rng.random() < 0.6
        delta = _delta(rng, f"d{i + 1}", dense.name, dense.shape, dense.fmt, hold, span=_span(dense, delta), relu=relu)
        nodes.append(delta)
    return Graph(name=name, nodes=tuple(nodes))


def random_conv_graph(
    rng: np.random.Generator,
    *,
    layers: int | None = None,
    size: int = 9,
    hold: float | str | None = "random",
    dense: bool | None = None,
    depthwise: bool | None = None,
    lists: bool = False,
    name: str = "t",
) -> Graph:
    """Return a convolutional network of random shapes, kernels, strides, paddings, steps, clips, holds, P and PE.

    Its code formats are chosen on random frames, so that no layer is dead or saturated on a random stream.

    Args:
        rng: source of everything.
        layers: convolutions; None: 1 to 3.
        size: most rows and most columns of a frame.
        hold: of every delta layer, or ``"random"``.
        dense: a dense layer at the end; None: sometimes.
        depthwise: of every convolution; None: sometimes.
        lists: the first kernel reaches many rows at once.
        name: of the graph.
    """
    height, width = (int(n) for n in rng.integers(1, size + 1, 2))
    shape = (size if lists else height, width, int(rng.choice([1, 1, 2, 3])))
    fmt = Fixed(width=int(rng.integers(2, 9)), frac=8, signed=bool(rng.random() < 0.3))
    source = Source(name="in", shape=shape, fmt=fmt, lanes=int(rng.integers(1, 9)))
    nodes: list[Node] = [source]
    count = layers if layers is not None else int(rng.integers(1, 4))
    for i in range(count):
        delta = alive(rng, f"d{i}", nodes, hold)
        nodes.append(delta)
        nodes.append(conv(rng, f"conv{i}", delta, depthwise, tall=lists and i == 0))
    if dense if dense is not None else rng.random() < 0.4:
        delta = alive(rng, f"d{count}", nodes, hold)
        nodes += [delta, _dense(rng, "fc", delta, 12, wide=False, words=None)]
    elif rng.random() < 0.4:
        nodes.append(alive(rng, f"d{count}", nodes, hold))
    return Graph(name=name, nodes=with_unroll(rng, nodes))


def random_spread_graph(rng: np.random.Generator, *, bits: int = 6, convolutions: bool = True, **kind: Any) -> Graph:
    """Return a network whose output channels have power-of-two steps that are up to ``bits`` bits apart.

    Half of the layers have biases that are finer than the weights of most channels. ``kind``: of `random_conv_graph`,
    or of `random_graph` without convolutions.
    """
    graph = (random_conv_graph if convolutions else random_graph)(rng, **kind)
    nodes: dict[str, Node] = {}
    for node in graph.nodes:
        if isinstance(node, Delta) and node.input != graph.source.name:
            nodes[node.name] = replace(node, in_fmt=nodes[node.input].fmt)
        elif isinstance(node, Dense | Conv):
            delta = nodes[node.input]
            assert isinstance(delta, Delta)
            nodes[node.name] = _spread(rng, node, delta, bits)
        else:
            nodes[node.name] = node
    return Graph(name=graph.name, nodes=tuple(nodes.values()))


def _spread(rng: np.random.Generator, node: Linear, delta: Delta, bits: int) -> Linear:
    steps = rng.integers(0, bits + 1, len(node.bias))
    depthwise = isinstance(node, Conv) and node.depthwise
    weight = node.weight << (steps[:, None] if depthwise else steps)
    fmt = replace(node.weight_fmt, width=node.weight_fmt.width + bits, frac=node.weight_fmt.frac + bits)
    bias = (node.bias << steps) + (rng.integers(0, 1 << bits, len(steps)) if rng.random() < 0.5 else 0)
    per_output = weight[..., 0] if depthwise else weight
    accumulators = accumulator_format(node.name, per_output, bias, weight_fmt=fmt, delta=delta)
    return replace(node, weight=weight, bias=bias, weight_fmt=fmt, fmt=accumulators)


def with_unroll(rng: np.random.Generator, nodes: list[Node]) -> tuple[Node, ...]:
    """Return the nodes, half of the spatial ones with a random number of output positions per cycle."""
    return tuple(
        replace(
            node,
            unroll=(int(rng.integers(1, node.y.counts().max() + 1)), int(rng.integers(1, node.x.counts().max() + 1))),
        )
        if isinstance(node, Spatial) and rng.random() < 0.5
        else node
        for node in nodes
    )


def random_walk(rng: np.random.Generator, graph: Graph, frames: int, density: float) -> IntArray:
    """Return a stream of input codes ``[frames, *shape]``; each element moves with probability ``density`` a frame.

    Half of the moves are small steps (the thresholds' neighbourhood), the others jump anywhere, often to an extreme.
    """
    fmt, size = graph.source.fmt, graph.source.size
    stream = np.empty((frames, size), np.int64)
    now = rng.integers(fmt.lo, fmt.hi, size, endpoint=True)
    for t in range(frames):
        if t:
            move = rng.random(size)
            near = now + rng.integers(-3, 4, size)
            far = rng.choice(
                [rng.integers(fmt.lo, fmt.hi, size, endpoint=True), np.full(size, fmt.lo), np.full(size, fmt.hi)]
            )
            now = np.where(move < density, np.where(move < density / 2, near, far), now).clip(fmt.lo, fmt.hi)
        stream[t] = now
    return stream.reshape(frames, *graph.source.shape)


def threshold_walk(rng: np.random.Generator, graph: Graph, frames: int) -> IntArray:
    """Return frames ``[frames, *shape]`` that keep the first delta layer within one code of where it changes its mind.

    With hold that is the distance of the threshold from what was last sent, without it half a step.
    """
    node, fmt = graph.deltas[0], graph.source.fmt
    golden = Golden(Graph(name="first", nodes=graph.nodes[:2]))
    thresholds = node.thresholds()
    if thresholds is None:
        thresholds = (1 << (node.shift + node.steps())) + 1 >> 1
    stream, sent = np.zeros((frames, node.size), np.int64), np.zeros(node.size, np.int64)
    for t in range(frames):
        distance = (thresholds + rng.integers(-1, 2, node.size)) * rng.choice([-1, 1], node.size)
        stream[t] = (((sent << node.shift) + distance) >> node.widen).clip(fmt.lo, fmt.hi)
        sent = golden.run(stream[t : t + 1]).codes[node.name][0]
    return stream.reshape(frames, *graph.source.shape)


def random_thresholds(rng: np.random.Generator, graph: Graph) -> dict[str, int]:
    """Return for each layer with hold the threshold of the graph, none, half a step, the largest, or another one."""
    thresholds = {}
    for node in graph.deltas:
        if node.hold is not None:
            step, largest = 1 << node.shift + max(node.step_log2), (1 << node.threshold_bits) - 1
            least = max(1, step >> 1)
            other = int(rng.integers(least, min(largest, 4 * step), endpoint=True))
            thresholds[node.name] = (node.threshold(), 0, least, largest, other)[int(rng.integers(5))]
    return thresholds


def extreme_frames(graph: Graph) -> IntArray:
    """Return frames ``[8, *shape]`` that swing every element between the ends of the input format and zero."""
    fmt, shape = graph.source.fmt, graph.source.shape
    checker = np.indices(shape).sum(axis=0) % 2 == 0
    ends = (np.full(shape, fmt.lo), np.full(shape, fmt.hi))
    mixed = (np.where(checker, *ends), np.where(checker, *ends[::-1]))
    return np.stack([ends[1], ends[0], ends[1], *mixed, np.zeros(shape, np.int64), ends[0], ends[0]])


def _shape(rng: np.random.Generator, size: int) -> tuple[int, ...]:
    while True:
        shape = tuple(int(n) for n in rng.integers(1, size + 1, int(rng.integers(1, 4))))
        if math.prod(shape) <= size:
            return shape


def _delta(
    rng: np.random.Generator,
    name: str,
    source: str,
    shape: tuple[int, ...],
    in_fmt: Fixed,
    hold: float | str | None,
    *,
    span: int,
    relu: bool,
) -> Delta:
    signed = bool(not relu and rng.random() < 0.7)
    width = int(rng.integers(1 + int(signed), 9))
    # A useful range, sometimes clipped, sometimes on a finer lattice than z itself.
    frac = in_fmt.frac - max(-2, span - width - int(rng.integers(0, 4)))
    fmt = Fixed(width=width, frac=frac, signed=signed)
    clipped = rng.random() < 0.3
    channels = shape[-1] if rng.random() < 0.5 else 1
    return Delta(
        name=name,
        input=source,
        shape=shape,
        in_fmt=in_fmt,
        fmt=fmt,
        activation="relu" if relu else "identity",
        step_log2=tuple(int(k) for k in rng.integers(0, 3, channels)),
        channels=channels,
        lo=int(rng.integers(fmt.lo, 1)) if clipped else fmt.lo,
        hi=int(rng.integers(1, fmt.hi + 1)) if clipped else fmt.hi,
        hold=(float(rng.choice([0.5, 0.6, 0.75, 1.0, 1.3, 2.0])) if rng.random() < 0.5 else None)
        if isinstance(hold, str)
        else hold,
    )


def alive(rng: np.random.Generator, name: str, nodes: list[Node], hold: float | str | None) -> Delta:
    """Return a delta layer after ``nodes`` whose code range is about that of its input on random frames."""
    source, before = nodes[0], nodes[-1]
    assert isinstance(source, Source)
    assert not isinstance(before, Delta)
    z = rng.integers(source.fmt.lo, source.fmt.hi, (16, source.size), endpoint=True)
    if not isinstance(before, Source):
        z = Golden(Graph(name="front", nodes=tuple(nodes))).run(z).accumulators[before.name]
    relu = bool(not isinstance(before, Source) and rng.random() < 0.6 and np.percentile(z, 70) > 0)
    signed = not relu and int(z.min()) < 0
    width = int(rng.integers(2, 7)) + int(signed)
    coarse = int(np.percentile(np.abs(z), 90)).bit_length() - width + int(signed)
    fmt = Fixed(width=width, frac=before.fmt.frac - max(coarse, -1), signed=signed)
    channels = before.shape[-1] if rng.random() < 0.5 else 1
    return Delta(
        name=name,
        input=before.name,
        shape=before.shape,
        in_fmt=before.fmt,
        fmt=fmt,
        activation="relu" if relu else "identity",
        step_log2=tuple(int(k) for k in rng.integers(0, min(2, width - 1) + 1, channels)),
        channels=channels,
        lo=fmt.lo,
        hi=fmt.hi,
        hold=(float(rng.choice([0.5, 0.75, 1.0, 1.3])) if rng.random() < 0.5 else None)
        if isinstance(hold, str)
        else hold,
    )


def conv(
    rng: np.random.Generator,
    name: str,
    delta: Delta,
    depthwise: bool | None,
    *,
    tall: bool = False,
    stride: int | None = None,
    channels_out: int | None = None,
) -> Conv:
    """Return a random convolution after ``delta``; with ``stride`` a padded 3x3 one."""
    deep = bool(rng.random() < 0.25) if depthwise is None else depthwise
    y, x = (_axis(rng, size) for size in delta.shape[:2])
    if tall:
        y = Axis.same(delta.shape[0], delta.shape[0], 1)
    if stride:
        y, x = (Axis.same(size, 3, stride) for size in delta.shape[:2])
    channels = delta.shape[2]
    bits = int(rng.integers(1, 6))
    weight_fmt = Fixed(width=bits + 1, frac=bits, signed=True)
    shape = (y.kernel, x.kernel, channels, 1 if deep else channels_out or int(rng.integers(1, 7)))
    weight = rng.integers(weight_fmt.lo, weight_fmt.hi, shape, endpoint=True)
    columns = weight[..., 0] if deep else weight
    outputs = columns.shape[-1]
    reach = 1 + int(np.sqrt((weight**2).sum() / outputs) * delta.hi) // 2
    bias = np.asarray(rng.integers(-reach, reach, outputs, endpoint=True))
    return Conv(
        name=name,
        input=delta.name,
        weight=weight,
        bias=bias,
        weight_fmt=weight_fmt,
        fmt=accumulator_format(name, columns, bias, weight_fmt=weight_fmt, delta=delta),
        y=y,
        x=x,
        depthwise=deep,
        pe=int(rng.choice([pe for pe in range(1, outputs + 1) if outputs % pe == 0])),
    )


def _taps(rng: np.random.Generator, axis: Axis) -> int:
    return int(rng.integers(1, axis.counts().max() + 1))


def _axis(rng: np.random.Generator, size: int) -> Axis:
    kernel, stride = int(rng.choice([1, 2, 3, 3, 5])), int(rng.choice([1, 1, 2, 2, 3]))
    if kernel > size or rng.random() < 0.6:
        return Axis.same(size, kernel, stride)
    return Axis(size=size, kernel=kernel, stride=stride)


def _span(node: Dense, delta: Delta) -> int:
    """Bits of the typical sum of products: what moves, without the bias."""
    peak = max(-delta.lo, delta.hi)
    return int(np.sqrt((node.weight**2).sum(axis=0).max()) * peak).bit_length() + 1


def _dense(rng: np.random.Generator, name: str, delta: Delta, size: int, wide: bool, words: int | None) -> Dense:
    n_out = int(rng.integers(1, size + 1))
    bits = int(rng.integers(1, 9))
    weight_fmt = Fixed(width=bits + 1, frac=bits, signed=True)
    weight = rng.integers(weight_fmt.lo, weight_fmt.hi, (delta.size, n_out), endpoint=True)
    reach = 1 << (int(rng.integers(39, 51)) if wide else bits + 4)
    bias = rng.integers(-reach, reach, n_out, endpoint=True)
    divisors = [pe for pe in range(1, n_out + 1) if n_out % pe == 0]
    return Dense(
        name=name,
        input=delta.name,
        weight=weight,
        bias=bias,
        weight_fmt=weight_fmt,
        fmt=accumulator_format(name, weight, bias, weight_fmt=weight_fmt, delta=delta),
        pe=n_out // words if words and n_out % words == 0 else int(rng.choice(divisors)),
    )
