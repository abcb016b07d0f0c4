# SPDX-License-Identifier: Apache-2.0
"""What a program is made of: divisions, layouts, and how layers become readers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from core.core_cases import OnCore
from random_graphs import random_walk

from codesign.core import CoreConfig, compile_graph
from codesign.core.interpret import divided
from codesign.core.layout import Layout, lanes_used
from codesign.core.program import reciprocal
from codesign.errors import ConversionError
from codesign.fixed import Fixed
from codesign.graph import Axis, Conv, Delta, Dense, Engine, Graph, Join, Pool, Source, accumulator_format

U4 = Fixed(width=4, frac=4, signed=False)
S4 = Fixed(width=4, frac=3, signed=True)


@pytest.mark.parametrize("bits", [4, 8, 11])
def test_every_division_of_small_indices(bits: int) -> None:
    index = np.arange(1 << bits)
    for divisor in range(1, (1 << bits) + 1):
        recip, shift = reciprocal(divisor, bits)
        assert recip < 1 << bits + 1
        assert shift < 64
        assert np.array_equal(divided(index, recip, shift), index // divisor), divisor


@pytest.mark.parametrize("bits", [16, 20, 24, 31])
def test_divisions_where_the_quotient_changes(bits: int) -> None:
    rng, top = np.random.default_rng(bits), (1 << bits) - 1
    for divisor in [*range(1, 130), *(1 << k for k in range(bits)), top, *rng.integers(1, top, 300).tolist()]:
        recip, shift = reciprocal(divisor, bits)
        assert recip < 1 << bits + 1
        multiples = np.append(rng.integers(0, top // divisor + 1, 200), top // divisor) * divisor
        index = np.concatenate([multiples, multiples - 1, multiples + divisor - 1, [0, top]])
        index = index[(index >= 0) & (index <= top)]
        assert np.array_equal(divided(index, recip, shift), index // divisor), divisor


@pytest.mark.parametrize(
    ("channels", "exact", "used"),
    [
        *((1, False, 1), (24, False, 24), (32, False, 32), (34, False, 17), (37, False, 32), (37, True, 1)),
        *((33, False, 32), (33, True, 11), (48, False, 24), (64, True, 32), (1000, False, 25), (1001, False, 32)),
    ],
)
def test_lanes_of_a_frame(channels: int, exact: bool, used: int) -> None:
    assert lanes_used(channels, 32, exact=exact) == used


@pytest.mark.parametrize("layout", [(3, 5, 4), (1, 37, 32), (6, 24, 24), (2, 64, 32), (1, 5, 8)])
def test_elements_in_words(layout: tuple[int, int, int]) -> None:
    positions, channels, used = layout
    made = Layout(positions=positions, channels=channels, used=used)
    values = np.arange(made.size) + 1
    words = made.spread(np.stack([values, -values]), 40)
    assert words.shape == (2, made.words, 40)
    assert np.array_equal(made.gather(words), np.stack([values, -values]))
    assert np.count_nonzero(words) == 2 * made.size
    for element in range(made.size):
        position, channel = divmod(element, channels)
        assert words[0, position * made.groups + channel // used, channel % used] == element + 1
    assert made.raster == all(made.lanes() == np.arange(made.size))


def delta(name: str, read: str, shape: tuple[int, ...], in_fmt: Fixed = U4, fmt: Fixed = U4) -> Delta:
    return Delta(
        name=name, input=read, shape=shape, in_fmt=in_fmt, fmt=fmt, activation="identity", lo=fmt.lo, hi=fmt.hi
    )


def conv(before: Delta, outputs: int, *, deep: bool = False, kernel: int = 3) -> Conv:
    rng = np.random.default_rng(1)
    height, width, channels = before.shape
    weight = rng.integers(-8, 8, (kernel, kernel, channels, 1 if deep else outputs))
    bias = rng.integers(-9, 9, channels if deep else outputs)
    fmt = accumulator_format("c", weight[..., 0] if deep else weight, bias, weight_fmt=S4, delta=before)
    y, x = Axis.same(height, kernel, 1), Axis.same(width, kernel, 1)
    name = f"after_{before.name}"
    return Conv(
        name=name, input=before.name, weight=weight, bias=bias, weight_fmt=S4, fmt=fmt, y=y, x=x, depthwise=deep
    )


def chain(shape: tuple[int, int, int], outputs: int, *engines: str) -> Graph:
    """Source, 1x1 convolution to ``outputs`` channels, and engines, with an activation after each but the last."""
    nodes: list[Source | Delta | Engine] = [Source(name="in", shape=shape, fmt=U4), delta("d", "in", shape)]
    first = nodes[1]
    assert isinstance(first, Delta)
    made: Engine = conv(first, outputs, kernel=1)
    for number, kind in enumerate(engines):
        now = delta(f"d{number}", made.name, made.shape, made.fmt, Fixed(width=5, frac=made.fmt.frac - 3, signed=True))
        nodes += [made, now]
        height, width, channels = now.shape
        if kind == "max":
            y, x = Axis(size=height, kernel=2, stride=2), Axis(size=width, kernel=2, stride=2)
            made = Pool(name=f"n{number}", input=now.name, kind="max", channels=channels, fmt=now.fmt, y=y, x=x)
        elif kind == "add":
            y, x = Axis(size=height), Axis(size=width)
            both = (now.name, now.name)
            made = Join(
                name=f"n{number}",
                inputs=both,
                kind="add",
                channels=(channels,) * 2,
                shifts=(0, 1),
                fmt=now.fmt,
                y=y,
                x=x,
            )
        elif kind == "concat":
            y, x = Axis(size=height), Axis(size=width)
            both = (now.name, now.name)
            made = Join(
                name=f"n{number}",
                inputs=both,
                kind="concat",
                channels=(channels,) * 2,
                shifts=(0, 0),
                fmt=now.fmt,
                y=y,
                x=x,
            )
        elif kind == "dense":
            weight = np.random.default_rng(2).integers(-8, 8, (now.size, 10))
            fmt = accumulator_format("fc", weight, np.zeros(10, int), weight_fmt=S4, delta=now)
            bias = np.zeros(10, np.int64)
            made = Dense(name=f"n{number}", input=now.name, weight=weight, bias=bias, weight_fmt=S4, fmt=fmt)
        else:
            made = conv(now, channels, deep=kind == "deep")
    return Graph(name="t", nodes=(*nodes, made))


def test_lane_for_lane_where_layouts_agree() -> None:
    graph = chain((4, 4, 3), 64, "max", "add", "deep", "concat", "conv", "dense")
    compiled = compile_graph(graph)
    walks = dict(zip([(r.delta, r.engine) for r in compiled.readers], compiled.program.walks, strict=True))
    ways = {engine: walk.channelwise for (_, engine), walk in walks.items()}
    assert ways == {"after_d": 0, "n0": 1, "n1": 1, "after_d2": 1, "n3": 1, "after_d4": 0, "n5": 0}
    assert {engine for (_, engine), walk in walks.items() if walk.maximum} == {"n0"}
    assert {engine for (_, engine), walk in walks.items() if walk.group_lines} == {"after_d2"}
    places = dict(zip([r.engine for r in compiled.readers], compiled.program.places, strict=True))
    assert {engine for engine, place in places.items() if place.element} == {"after_d"}  # 3 channels in beats of 8
    assert sum(reader.lines for reader in compiled.readers if reader.engine in ("n0", "n1", "n3")) == 5
    assert len({walks["d0", "n0"].weight_base, walks["d3", "n3"].weight_base}) == 1  # a line of ones, kept once


@pytest.mark.parametrize("outputs", [3, 24, 37, 64])
def test_chains_of_every_kind(outputs: int) -> None:
    graph = chain((6, 4, 3), outputs, "max", "add", "deep", "concat", "conv", "dense")
    rng = np.random.default_rng(outputs)
    on = OnCore(graph, CoreConfig(weight_lines=1 << 15))
    assert on.check(random_walk(rng, graph, 5, 0.3)) > 200


def test_parameters_that_repeat_are_kept_once() -> None:
    compiled = compile_graph(chain((4, 4, 3), 64, "max", "add"))
    assert [step.groups for step in compiled.program.steps] == [1, 1, 1, 1]
    assert len(compiled.program.params) == 9  # of the input, of four parts of words of 32 lanes, of the packet


def test_one_sum_word_for_engines_without_biases() -> None:
    compiled = compile_graph(chain((4, 4, 3), 64, "max", "add"))
    zero = {step.bias_base for step in compiled.program.steps[2:]}
    assert len(zero) == 1
    assert not compiled.program.sums[zero.pop()].any()
    assert compiled.program.steps[1].bias_period == 2  # 64 biases


def test_parameters_of_a_beat_that_is_not_full() -> None:
    shape = (1, 10, 2)  # 20 elements: the third beat of 8 is half full
    steps = {"channels": 2, "step_log2": (0, 1)}
    for changes in ({}, steps):
        first = replace(delta("d", "in", shape), **changes)  # type: ignore[arg-type]
        graph = Graph(name="t", nodes=(Source(name="in", shape=shape, fmt=U4), first))
        program = compile_graph(graph).program
        assert program.params[:, :, :2].tolist() == [[[1, 0], [1, len(changes) // 2]] * 4]


def test_several_activations_of_one_engine() -> None:
    before = conv(delta("d", "in", (4, 4, 2)), 3)
    sent = [delta(name, before.name, before.shape, before.fmt, replace(U4, frac=before.fmt.frac - 3)) for name in "efg"]
    both = Join(
        name="sum",
        inputs=("e", "f", "g"),
        kind="add",
        channels=(3, 3, 3),
        shifts=(0, 0, 0),
        fmt=U4,
        y=Axis(size=4),
        x=Axis(size=4),
    )
    source = Source(name="in", shape=(4, 4, 2), fmt=U4)
    steps = compile_graph(
        Graph(name="t", nodes=(source, delta("d", "in", (4, 4, 2)), before, *sent, both))
    ).program.steps
    assert [step.keep for step in steps] == [0, 1, 1, 0, 0]
    assert [step.sweep_words for step in steps] == [0, 16, 0, 0, 16]
    assert [step.readers for step in steps] == [1, 1, 1, 1, 0]


def test_a_reader_of_another_shape_beside_one_of_the_same() -> None:
    shape = (2, 3, 2)
    before = conv(delta("d", "in", shape), 7)
    sent = delta("e", before.name, before.shape, before.fmt, Fixed(width=5, frac=before.fmt.frac - 4, signed=True))
    same, other = conv(sent, 3), conv(replace(sent, shape=(2, 7, 3)), 2)
    nodes: list[Source | Delta | Engine] = [
        Source(name="in", shape=shape, fmt=U4),
        delta("d", "in", shape),
        before,
        sent,
    ]
    ends = []
    for number, engine in enumerate((same, other)):
        engine = replace(engine, name=f"c{number}")
        ends.append(
            delta(f"f{number}", engine.name, engine.shape, engine.fmt, replace(sent.fmt, frac=engine.fmt.frac - 4))
        )
        nodes += [engine, ends[-1]]
    weight = np.random.default_rng(3).integers(-8, 8, (ends[1].size, ends[0].size))
    dense = Dense(
        name="fc", input="f1", weight=weight, bias=weight[0], weight_fmt=S4, fmt=Fixed(width=20, frac=9, signed=True)
    )
    last = delta("g", "fc", (ends[0].size,), dense.fmt, sent.fmt)
    both = Join(
        name="sum",
        inputs=("f0", "g"),
        kind="add",
        channels=(1, 1),
        shifts=(0, 0),
        fmt=sent.fmt,
        y=Axis(size=1),
        x=Axis(size=ends[0].size),
    )
    graph = Graph(name="t", nodes=(*nodes, dense, last, both))
    on = OnCore(graph, CoreConfig(lanes=4, quantisers=2))
    assert on.compiled.layouts[before.name].used == 1  # 7 channels in words of 4 lanes would be padded
    assert on.check(random_walk(np.random.default_rng(1), graph, 20, 0.3)) > 400


@pytest.mark.parametrize(("shift", "parts"), [(14, 1), (15, 2), (16, 3)])
def test_a_weight_of_an_addition_that_is_too_wide_is_added_in_parts(shift: int, parts: int) -> None:
    on = OnCore(shifted(shift), CoreConfig(lanes=4, quantisers=2, sum_bits=40))
    assert [reader.delta for reader in on.compiled.readers].count("f") == parts
    assert on.check(random_walk(np.random.default_rng(1), on.graph, 20, 0.3)) > 400


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("deep", [False, True])
def test_weights_of_a_convolution_that_are_too_wide_are_added_in_parts(kernel: int, deep: bool) -> None:
    rng = np.random.default_rng([kernel, deep])
    first = delta("d", "in", (4, 4, 3))
    layer = conv(first, 3, kernel=kernel, deep=deep)
    most = 4 * 32767
    weight = rng.integers(-most // 2, most // 2, layer.weight.shape) * 2 + 1  # odd: no lattice makes them narrower
    weight.flat[:3] = -most, most, most - 1
    layer = replace(layer, weight=weight, fmt=replace(layer.fmt, width=40))
    source = Source(name="in", shape=(4, 4, 3), fmt=U4)
    graph = Graph(name="t", nodes=(source, first, layer))
    on = OnCore(graph, CoreConfig(lanes=4, quantisers=2, sum_bits=40))
    assert len(on.compiled.readers) == 4
    assert on.check(random_walk(rng, graph, 20, 0.3)) > 400


def test_a_weight_that_takes_more_than_four_parts() -> None:
    with pytest.raises(ConversionError, match="the weights do not fit the core"):
        compile_graph(shifted(17), CoreConfig(sum_bits=40))


def shifted(shift: int) -> Graph:
    """Return a network whose addition shifts one input."""
    before = conv(delta("d", "in", (4, 4, 2)), 3)
    sent = [delta(name, before.name, before.shape, before.fmt, replace(U4, frac=before.fmt.frac - 3)) for name in "ef"]
    both = Join(
        name="sum",
        inputs=("e", "f"),
        kind="add",
        channels=(3, 3),
        shifts=(0, shift),
        fmt=Fixed(width=24, frac=0, signed=True),
        y=Axis(size=4),
        x=Axis(size=4),
    )
    source = Source(name="in", shape=(4, 4, 2), fmt=U4)
    return Graph(name="t", nodes=(source, delta("d", "in", (4, 4, 2)), before, *sent, both))
