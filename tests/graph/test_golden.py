# SPDX-License-Identifier: Apache-2.0
"""The golden model against values worked out by hand, and its two forms against each other."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from random_graphs import extreme_frames, random_conv_graph, random_walk

from codesign.errors import FrameError
from codesign.fixed import Fixed
from codesign.graph import Axis, Conv, Delta, Dense, Graph, Source, accumulator_format
from codesign.graph.golden import Golden, activate, products, quantize, scatter
from codesign.graph.sparsity import activity, dense_ideal_cycles, ideal_cycles

U8 = Fixed(width=8, frac=8, signed=False)
U4 = Fixed(width=4, frac=4, signed=False)


def delta(name: str = "d", **changes: object) -> Delta:
    base = Delta(name=name, input="x", shape=(1,), in_fmt=U8, fmt=U4, activation="identity", lo=0, hi=15)
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


def small_graph(rng: np.random.Generator, hold: float | None) -> Graph:
    source = Source(name="x", shape=(4, 5), fmt=U8, lanes=4)
    first = delta("d0", shape=(20,), hold=hold)
    nodes: list[Source | Delta | Dense] = [source, first]
    signed = Fixed(width=4, frac=3, signed=True)
    for index, (n_in, n_out) in enumerate([(20, 12), (12, 6)]):
        before = nodes[-1]
        assert isinstance(before, Delta)
        weight, bias = rng.integers(-8, 8, (n_in, n_out)), rng.integers(-50, 50, n_out)
        fmt = accumulator_format(f"fc{index}", weight, bias, weight_fmt=signed, delta=before)
        layer = Dense(name=f"fc{index}", input=before.name, weight=weight, bias=bias, weight_fmt=signed, fmt=fmt, pe=3)
        nodes.append(layer)
        if index == 0:
            steps = tuple(int(k) for k in rng.integers(0, 3, n_out))
            nodes.append(
                Delta(
                    name="d1",
                    input=layer.name,
                    shape=(n_out,),
                    in_fmt=fmt,
                    fmt=Fixed(width=5, frac=4, signed=True),
                    activation="identity",
                    step_log2=steps,
                    channels=n_out,
                    lo=-16,
                    hi=15,
                    hold=hold,
                )
            )
    return Graph(name="small", nodes=tuple(nodes))


def test_rounds_half_to_even() -> None:
    z = np.array([[8], [24], [40], [7], [9], [255]])  # in sixteenths of a code: 0.5, 1.5, 2.5, ...
    assert quantize(delta(), z).ravel().tolist() == [0, 2, 2, 0, 1, 15]


def test_quantize_matches_exact_fractions() -> None:
    node = delta(in_fmt=Fixed(width=10, frac=7, signed=True), fmt=Fixed(width=6, frac=4, signed=True), lo=-32, hi=31)
    for k in range(3):
        stepped = dataclasses.replace(node, step_log2=(k,))
        z = np.arange(-512, 512)[:, None]
        expected = [min(31, max(-32, round(Fraction(int(v), 2 ** (3 + k))) * 2**k)) for v in z.ravel()]
        assert quantize(stepped, activate(stepped, z)).ravel().tolist() == expected


def test_coarse_input_is_exact() -> None:
    node = delta(in_fmt=Fixed(width=3, frac=1, signed=False), fmt=Fixed(width=6, frac=4, signed=False), hi=63)
    assert quantize(node, activate(node, np.array([[0], [1], [5]]))).ravel().tolist() == [0, 8, 40]


def one_pixel(hold: float | None) -> Graph:
    weight = np.array([[3]])
    bias = np.array([7])
    node = delta(hold=hold)
    wfmt = Fixed(width=4, frac=0, signed=True)
    fmt = accumulator_format("fc", weight, bias, weight_fmt=wfmt, delta=node)
    layer = Dense(name="fc", input="d", weight=weight, bias=bias, weight_fmt=wfmt, fmt=fmt)
    return Graph(name="g", nodes=(Source(name="x", shape=(1,), fmt=U8, lanes=1), node, layer))


def test_hold_keeps_what_was_last_sent() -> None:
    # s = 4, T = 16. 32 -> 2; 47 is 15 away: held; 48 is 16 away: sent as 3; 33: |33-48| = 15: held; 32: sent as 2.
    trace = Golden(one_pixel(1.0)).run(np.array([[32], [47], [48], [33], [32]]))
    assert trace.codes["d"].ravel().tolist() == [2, 2, 3, 3, 2]
    assert trace.deltas["d"].ravel().tolist() == [2, 0, 1, 0, -1]
    assert trace.outputs.ravel().tolist() == [13, 13, 16, 16, 13]


def test_hold_one_half_equals_memoryless_but_for_ties() -> None:
    frames = np.arange(256)[:, None]
    held = Golden(one_pixel(0.5)).run(frames).codes["d"]
    free = Golden(one_pixel(None)).run(frames).codes["d"]
    differs = np.flatnonzero((held != free).ravel())
    assert set(differs % 16) <= {8}


@pytest.mark.parametrize("hold", [None, 0.5, 1.0, 2.3])
@pytest.mark.parametrize("seed", range(3))
def test_both_forms_agree_and_state_persists(hold: float | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = small_graph(rng, hold)
    frames = np.clip(np.cumsum(rng.integers(-9, 10, (60, 4, 5)), axis=0) + 128, 0, 255)
    whole = Golden(graph).run(frames)
    stream = Golden(graph, "delta")
    parts = [stream.run(frames[:1]), stream.run(frames[1:31]), stream.run(frames[31:])]
    assert np.array_equal(whole.outputs, np.concatenate([part.outputs for part in parts]))
    for name, deltas in whole.deltas.items():
        assert np.array_equal(deltas, np.concatenate([part.deltas[name] for part in parts])), name
    for node in graph.linears:
        assert np.abs(whole.accumulators[node.name]).max() <= node.fmt.hi
    stream.reset()
    assert np.array_equal(stream.run(frames).outputs, whole.outputs)


def test_hold_never_drifts() -> None:
    rng = np.random.default_rng(1)
    frames = np.clip(np.cumsum(rng.integers(-3, 4, (500, 1)), axis=0) + 128, 8, 232)
    sent = Golden(one_pixel(1.5)).run(frames).codes["d"]
    assert np.abs(frames / 16 - sent).max() < 1.5


def test_activity_counts_by_hand() -> None:
    graph = one_pixel(None)
    layers = activity(graph, Golden(graph).run(np.array([[32], [32], [48], [0]])))
    (layer,) = layers
    assert layer.events.tolist() == [0, 1, 1]
    assert layer.active_macs.tolist() == [0, 1, 1]
    assert layer.spatial_macs.tolist() == [1, 1, 0]
    assert layer.operation_sparsity == pytest.approx(1 / 3)
    assert ideal_cycles(graph, layers).tolist() == [1, 1, 1]
    assert dense_ideal_cycles(graph) == 1


def test_activity_needs_two_frames() -> None:
    graph = one_pixel(None)
    with pytest.raises(FrameError, match="at least two frames"):
        activity(graph, Golden(graph).run(np.array([[32]])))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((2, 1), np.float32), "integer codes"),
        (np.zeros((2, 3), np.int64), r"wrong frame shape.*\[T, 1\].*\[2, 3\]"),
        (np.zeros(2, np.int64), "wrong frame shape"),
        (np.array([[256]]), "outside the input format"),
        (np.array([[-1]]), "outside the input format"),
    ],
)
def test_bad_frames(frames: np.ndarray, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        Golden(one_pixel(None)).run(frames)


def conv(weight: np.ndarray, y: Axis, x: Axis, *, depthwise: bool = False) -> Conv:
    outputs = weight.shape[2] if depthwise else weight.shape[3]
    fmt = Fixed(width=16, frac=0, signed=True)
    bias = np.arange(outputs)
    return Conv(name="c", input="d", weight=weight, bias=bias, weight_fmt=fmt, fmt=fmt, y=y, x=x, depthwise=depthwise)


HAND: list[tuple[Conv, list[int], list[int]]] = [
    (  # 'same', kernel 3 in a row of 4: 1 10 100 looks back, at and ahead
        conv(np.array([1, 10, 100]).reshape(1, 3, 1, 1), Axis.same(1, 1, 1), Axis.same(4, 3, 1)),
        [1, 2, 3, 4],
        [210, 321, 432, 43],
    ),
    (  # 'same' with an even kernel pads behind
        conv(np.array([1, 10]).reshape(2, 1, 1, 1), Axis.same(3, 2, 1), Axis.same(1, 1, 1)),
        [1, 2, 3],
        [21, 32, 3],
    ),
    (  # 'valid', stride 2: the last element reaches nothing
        conv(np.array([1, 10, 100]).reshape(1, 3, 1, 1), Axis.same(1, 1, 1), Axis(size=6, kernel=3, stride=2)),
        [1, 2, 3, 4, 5, 6],
        [321, 543],
    ),
    (  # 2 x 2 windows of a 2 x 3 frame
        conv(np.array([1, 10, 100, 1000]).reshape(2, 2, 1, 1), Axis(size=2, kernel=2), Axis(size=3, kernel=2)),
        [1, 2, 3, 4, 5, 6],
        [5421, 6532],
    ),
    (  # two channels into two: weights [in, out]
        conv(np.array([[1, 10], [100, 1000]]).reshape(1, 1, 2, 2), Axis.same(1, 1, 1), Axis.same(2, 1, 1)),
        [1, 2, 3, 4],
        [201, 2010, 403, 4030],
    ),
    (  # depthwise: channels 1, 2 and 5, 6 apart
        conv(
            np.array([1, 100, 10, 1000]).reshape(1, 2, 2, 1),
            Axis.same(1, 1, 1),
            Axis(size=2, kernel=2),
            depthwise=True,
        ),
        [1, 2, 5, 6],
        [51, 6200],
    ),
]


@pytest.mark.parametrize(("node", "codes", "expected"), HAND)
def test_convolution_by_hand(node: Conv, codes: list[int], expected: list[int]) -> None:
    assert products(node, np.array([codes])).tolist() == [expected]
    assert scatter(node, np.array(codes)).tolist() == expected


@pytest.mark.parametrize("seed", range(24))
def test_both_forms_agree_on_convolutions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_conv_graph(rng, depthwise=None if seed % 4 else True)
    frames = np.concatenate([random_walk(rng, graph, 12, 0.2), extreme_frames(graph)])
    whole, stream = Golden(graph).run(frames), Golden(graph, "delta")
    parts = [stream.run(frames[:1]), stream.run(frames[1:])]
    assert np.array_equal(whole.outputs, np.concatenate([part.outputs for part in parts]))
    assert whole.outputs.shape == (20, *graph.output.shape)
    for node in graph.linears:
        assert np.abs(whole.accumulators[node.name]).max() <= node.fmt.hi


def test_activity_of_a_convolution_by_hand() -> None:
    """Borders count exactly: in a 1 x 4 row under a 'same' kernel of 3 the ends reach 2 outputs, the others 3."""
    weight = np.ones((1, 3, 1, 2), np.int64)
    node = dataclasses.replace(conv(weight, Axis.same(1, 1, 1), Axis.same(4, 3, 1)), pe=1)
    graph = Graph(name="g", nodes=(Source(name="x", shape=(1, 4, 1), fmt=U8, lanes=4), delta(shape=(1, 4, 1)), node))
    frames = np.array([[0, 0, 0, 0], [16, 0, 0, 0], [16, 16, 0, 16], [16, 16, 0, 16]])
    layers = activity(graph, Golden(graph).run(frames))
    assert layers[0].macs == 2 * (2 + 3 + 3 + 2)
    assert layers[0].events.tolist() == [1, 2, 0]
    assert layers[0].active_macs.tolist() == [4, 10, 0]
    assert layers[0].ideal_cycles.tolist() == [4, 10, 0]  # two words of one lane at each position
    assert layers[0].spatial_macs.tolist() == [4, 14, 14]
    assert dense_ideal_cycles(graph) == 20
