# SPDX-License-Identifier: Apache-2.0
"""The cycle model: by hand on tiny networks, and against the RTL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import alive, random_conv_graph, random_graph, random_walk

from codesign.errors import FrameError
from codesign.fixed import Fixed
from codesign.graph import Axis, Conv, Delta, Dense, Graph, Join, Source, Spatial, accumulator_format
from codesign.graph.cycles import CONV_DEPTH, DENSE_DEPTH, INPUT_DEPTH, Reached, dense_cycles, estimate, input_words
from codesign.graph.golden import Golden
from codesign.graph.ir import Node
from codesign.graph.sparsity import LayerActivity, activity, dense_ideal_cycles, least_cycles
from codesign.sim import RtlRun, RtlSimulator

pytestmark = pytest.mark.timeout(900)

CODE = Fixed(width=4, frac=0, signed=False)
WIDE = Fixed(width=16, frac=0, signed=True)
TOLERANCE = 0.05
DENSITIES = (0.1, 0.3, 1.0)


def delta(name: str, before: str, shape: tuple[int, ...], fmt: Fixed = CODE) -> Delta:
    return Delta(
        name=name, input=before, shape=shape, in_fmt=fmt, fmt=CODE, activation="identity", lo=CODE.lo, hi=CODE.hi
    )


def dense(name: str, before: str, n_in: int, n_out: int, pe: int) -> Dense:
    weight, bias = np.ones((n_in, n_out), np.int64), np.zeros(n_out, np.int64)
    return Dense(name=name, input=before, weight=weight, bias=bias, weight_fmt=CODE, fmt=WIDE, pe=pe)


def conv(name: str, before: str, size: int, channels: int) -> Conv:
    weight, bias = np.ones((3, 3, 1, channels), np.int64), np.zeros(channels, np.int64)
    axis = Axis.same(size, 3, 1)
    return Conv(
        name=name, input=before, weight=weight, bias=bias, weight_fmt=CODE, fmt=WIDE, y=axis, x=axis, pe=channels
    )


def two_dense() -> Graph:
    """100 inputs in 25 beats; 6 outputs in 3 words; 4 outputs in 1 word."""
    nodes = (
        Source(name="in", shape=(100,), fmt=CODE, lanes=4),
        delta("d0", "in", (100,)),
        dense("fc0", "d0", 100, 6, 2),
        delta("d1", "fc0", (6,), WIDE),
        dense("fc1", "d1", 6, 4, 4),
    )
    return Graph(name="t", nodes=nodes)


def one_conv() -> Graph:
    """8 x 8 inputs in 16 beats; 8 x 8 words of 2 channels."""
    nodes = (
        Source(name="in", shape=(8, 8, 1), fmt=CODE, lanes=4),
        delta("d0", "in", (8, 8, 1)),
        conv("conv", "d0", 8, 2),
    )
    return Graph(name="t", nodes=nodes)


def test_a_dense_layer_takes_its_words_for_each_event() -> None:
    found = estimate(two_dense(), {"fc0": [20, 20, 20], "fc1": [4, 4, 4]})
    np.testing.assert_array_equal(found.layers["fc0"], [60, 60, 60])  # no pause in which its results leave unasked
    # fc1 waits for the whole frame of fc0, so it sends its one word before the next frame's events.
    np.testing.assert_array_equal(found.layers["fc1"], [4, 5, 5])
    assert found.cycles[1:] == pytest.approx([60, 60])


def test_the_input_beats_are_the_least() -> None:
    found = estimate(two_dense(), {"fc0": np.zeros(5), "fc1": np.zeros(5)})
    assert found.cycles[1:] == pytest.approx([25] * 4)
    assert found.cycles[0] == pytest.approx(25 + INPUT_DEPTH + 2 * DENSE_DEPTH + 2, abs=3)
    assert not any(layer.any() for layer in found.layers.values())


@pytest.mark.parametrize(("beats", "words"), [(4, 16), (64, 16), (100, 25), (256, 64), (4096, 64)])
def test_the_input_is_scanned_a_quarter_of_a_frame_ahead(beats: int, words: int) -> None:
    source = Source(name="in", shape=(beats, 1, 16), fmt=Fixed(width=4, frac=0, signed=False), lanes=16)
    delta = Delta(
        name="d0", input="in", shape=source.shape, in_fmt=source.fmt, fmt=source.fmt, activation="relu", lo=0, hi=15
    )
    fmt = Fixed(width=4, frac=0, signed=True)
    weight, bias = np.ones((16 * beats, 1), np.int64), np.zeros(1, np.int64)
    wide = accumulator_format("fc", weight, bias, weight_fmt=fmt, delta=delta)
    fc = Dense(name="fc", input="d0", weight=weight, bias=bias, weight_fmt=fmt, fmt=wide)
    assert input_words(Graph(name="t", nodes=(source, delta, fc))) == words


def test_a_backlog_is_carried_to_cheap_frames() -> None:
    found = estimate(two_dense(), {"fc0": [50, 0, 0, 0, 0, 0, 0, 0], "fc1": np.zeros(8)})
    assert found.cycles.sum() < 8 * 25 + 150  # 150 cycles of work, while the input goes on
    assert found.cycles.max() >= 150
    assert found.cycles[1] < 25


def test_a_convolution_takes_the_mean_of_what_its_elements_reach() -> None:
    graph = one_conv()
    mean = (6 * 3 + 2 * 2) ** 2 / 64  # 9 words inside, 6 at an edge, 4 in a corner
    found = estimate(graph, {"conv": [0, 10, 64]})
    assert found.layers["conv"] == pytest.approx([0, 10 * mean, 64 * mean])
    assert found.layers["conv"][2] == graph.linears[0].reach().sum()


def test_dense_cycles_are_those_of_the_slowest_layer() -> None:
    assert dense_cycles(two_dense()) == pytest.approx(300)
    assert dense_cycles(two_dense()) == pytest.approx(dense_ideal_cycles(two_dense()))


@pytest.mark.parametrize("seed", range(6))
def test_words_reached_are_those_that_every_event_walks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_branching_graph(rng)
    trace = Golden(graph).run(random_walk(rng, graph, 6, 0.1))
    for node, seen in zip(graph.engines, activity(graph, trace), strict=True):
        assert isinstance(node, Spatial)
        for t in range(5):
            words = {
                word
                for at, name in enumerate(node.inputs)
                for element in np.flatnonzero(trace.deltas[name][t + 1])
                for word in walked(node, at, int(element))
            }
            assert seen.words[t] == len(words), (node.name, t)


def walked(node: Spatial, at: int, element: int) -> Iterator[tuple[int, int, int]]:
    """Return the output words (row, column, group) that an element reaches, by the definition."""
    position, channel = divmod(element, node.channels_in(at))
    iy, ix = divmod(position, node.x.size)
    if isinstance(node, Join):
        channel += node.offsets[at]
    groups = [channel // node.pe] if node.channelwise else range(node.groups)
    for oy in range(node.y.first(iy), node.y.last(iy) + 1):
        for ox in range(node.x.first(ix), node.x.last(ix) + 1):
            yield from ((oy, ox, group) for group in groups)


def test_an_object_in_the_middle_costs_more_than_the_mean() -> None:
    graph = one_conv()
    evenly = estimate(graph, {"conv": [30] * 6})
    there = {"conv": Reached(cycles=[30 * 9] * 6, words=[25] * 6)}
    middle = estimate(graph, {"conv": [30] * 6}, there)
    assert middle.layers["conv"] == pytest.approx([270] * 6)
    assert middle.layers["conv"][0] > evenly.layers["conv"][0]
    assert middle.cycles[-1] == pytest.approx(270)


@pytest.mark.parametrize("events", [{"fc0": [1]}, {"fc0": [1], "fc1": [1, 2]}, {"fc0": [], "fc1": []}, {}])
def test_counts_that_do_not_fit_are_an_error(events: dict[str, list[int]]) -> None:
    with pytest.raises(FrameError, match=r"t: the event counts do not fit.*fc0, fc1"):
        estimate(two_dense(), events)


def never_below_the_bound(graph: Graph, layers: tuple[LayerActivity, ...], run: RtlRun) -> None:
    """Check the RTL's cycles of frames that follow one which has left: of all of them, and of each engine."""
    assert least_cycles(graph, layers) <= run.cycles.sum()
    for layer in layers:
        assert layer.ideal_cycles.sum() <= run.engines[layer.name].busy.sum(), layer.name


def hold_to_the_rtl(graph: Graph, rng: np.random.Generator, cache: Path, *, skip: bool = True) -> None:
    """Compare means over frames: every layer within 5 % or a cycle, the frames within 5 % or an engine's depth."""
    with RtlSimulator(graph, cache, skip=skip) as simulator:
        for density in DENSITIES if skip else (1.0,):
            frames = random_walk(rng, graph, 40, density)
            layers = activity(graph, Golden(graph).run(frames))
            simulator.reset()
            simulator.run(frames[:1])
            run = simulator.run(frames[1:])
            found = estimate(graph, {layer.name: layer.events for layer in layers})
            if skip:
                never_below_the_bound(graph, layers, run)
            pairs = {name: (found.layers[name].mean(), run.engines[name].busy.mean()) for name in found.layers}
            pairs["frame"] = (found.cycles.mean(), run.cycles.mean())
            if not skip:
                pairs = {"frame": (dense_cycles(graph), run.cycles[1:].mean())}
            print(graph.source.shape, density, {name: f"{a:.1f} {b:.1f}" for name, (a, b) in pairs.items()})
            for name, (predicted, measured) in pairs.items():
                slack = CONV_DEPTH if name == "frame" else 1.0
                assert predicted == pytest.approx(measured, rel=TOLERANCE, abs=slack), (density, name, pairs)


def three_convolutions(rng: np.random.Generator) -> Graph:
    """Return 20 x 20 inputs and three 3 x 3 convolutions of 3, 4 and 4 channels, at stride 1, 2 and 1."""
    nodes: list[Node] = [Source(name="in", shape=(20, 20, 1), fmt=Fixed(width=8, frac=8, signed=False), lanes=8)]
    for number, (channels, stride) in enumerate(((3, 1), (4, 2), (4, 1))):
        before = alive(rng, f"d{number}", nodes, None)
        weight_fmt = Fixed(width=4, frac=3, signed=True)
        weight = rng.integers(-8, 8, (3, 3, before.shape[2], channels))
        bias = rng.integers(-20, 20, channels)
        y, x = (Axis.same(size, 3, stride) for size in before.shape[:2])
        node = Conv(
            name=f"conv{number}",
            input=before.name,
            weight=weight,
            bias=bias,
            weight_fmt=weight_fmt,
            fmt=accumulator_format("conv", weight, bias, weight_fmt=weight_fmt, delta=before),
            y=y,
            x=x,
            pe=channels,
        )
        nodes += [before, node]
    return Graph(name="three", nodes=tuple(nodes))


def random_net(kind: str, seed: int) -> tuple[Graph, np.random.Generator]:
    """Return a random network whose frames are large enough for rates to matter more than the pipeline's depth."""
    rng = np.random.default_rng(seed)
    if kind == "three convolutions":
        return three_convolutions(rng), rng
    while True:
        if kind == "dense":
            graph = random_graph(rng, layers=3, size=160, lanes=4)
        else:
            graph = random_conv_graph(rng, layers=1, size=24, dense=True)
        wide = max(node.pe for node in graph.linears)
        if graph.source.size >= 100 and wide <= 12 and dense_ideal_cycles(graph) >= 200:
            return graph, rng


@pytest.mark.parametrize(("kind", "seed"), [("convolution", 2), ("three convolutions", 2)])
def test_cycles_are_those_of_the_rtl(rtl_cache: Path, kind: str, seed: int) -> None:
    hold_to_the_rtl(*random_net(kind, seed), rtl_cache)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("kind", "seed"),
    [*(("dense", seed) for seed in range(1, 5)), ("convolution", 3), ("convolution", 4), ("three convolutions", 1)],
)
def test_cycles_of_more_networks_are_those_of_the_rtl(rtl_cache: Path, kind: str, seed: int) -> None:
    hold_to_the_rtl(*random_net(kind, seed), rtl_cache)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(6))
def test_no_network_beats_the_bound(rtl_cache: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = (random_graph, random_conv_graph, random_branching_graph)[seed % 3](rng)
    with RtlSimulator(graph, rtl_cache) as simulator:
        for density in (0.02, 0.1, 0.5, 1.0):
            frames = random_walk(rng, graph, 25, density)
            simulator.reset()
            simulator.run(frames[:1])
            never_below_the_bound(graph, activity(graph, Golden(graph).run(frames)), simulator.run(frames[1:]))


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["dense", "three convolutions"])
def test_dense_cycles_are_those_of_the_rtl(rtl_cache: Path, kind: str) -> None:
    hold_to_the_rtl(*random_net(kind, 2), rtl_cache, skip=False)
