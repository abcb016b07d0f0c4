# SPDX-License-Identifier: Apache-2.0
"""The graph refuses what hardware could not compute exactly, and its derived numbers are right."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from codesign.errors import AccumulatorRangeError, ConversionError
from codesign.fixed import Fixed
from codesign.graph import Axis, Conv, Delta, Dense, Graph, Source, accumulator_format

U4 = Fixed(width=4, frac=4, signed=False)
SOURCE = Source(name="x", shape=(2, 3), fmt=Fixed(width=8, frac=8, signed=False), lanes=4)
DELTA = Delta(name="d", input="x", shape=(2, 3), in_fmt=SOURCE.fmt, fmt=U4, activation="relu", lo=0, hi=15)


def dense(**changes: Any) -> Dense:
    weight = np.array([[1, -7], [2, 7], [-3, 7], [4, 7], [-5, 7], [6, 7]])
    fields: dict[str, Any] = {
        "name": "fc",
        "input": "d",
        "weight": weight,
        "bias": np.array([-10, 20]),
        "weight_fmt": Fixed(width=4, frac=3, signed=True),
        "fmt": Fixed(width=11, frac=7, signed=True),
        "pe": 2,
    }
    return Dense(**(fields | changes))


def test_derived_numbers() -> None:
    layer = dense(pe=1)
    assert (SOURCE.size, SOURCE.beats) == (6, 2)
    assert (DELTA.shift, DELTA.widen, DELTA.delta_bits) == (4, 0, 5)
    assert (layer.n_in, layer.n_out, layer.words, layer.macs) == (6, 2, 2, 12)
    assert layer.fanout().tolist() == [2] * 6
    graph = Graph(name="g", nodes=(SOURCE, DELTA, layer))
    assert graph.output is layer
    assert graph["d"] is DELTA
    assert graph.linears == (layer,)


def test_coarse_input_is_widened() -> None:
    delta = dataclasses.replace(DELTA, in_fmt=Fixed(width=3, frac=1, signed=True))
    assert (delta.widen, delta.shift) == (3, 0)


def test_accumulator_bound_is_exact() -> None:
    layer = dense()
    fmt = accumulator_format("fc", layer.weight, layer.bias, weight_fmt=layer.weight_fmt, delta=DELTA)
    # output 1: 20 + 42 * 15 = 650 needs 11 bits signed
    assert fmt == Fixed(width=11, frac=3 + 4, signed=True)


def test_accumulator_over_the_exact_range() -> None:
    wide = Fixed(width=30, frac=0, signed=True)
    delta = dataclasses.replace(DELTA, fmt=wide, hi=wide.hi)
    with pytest.raises(AccumulatorRangeError, match=r"fc: .*Expected: at most 53 bits. Received: 5\d bits.*fewer"):
        accumulator_format("fc", np.full((6, 1), 2**23), np.zeros(1, np.int64), weight_fmt=wide, delta=delta)


def test_thresholds_round_up_to_whole_lattice_units() -> None:
    delta = dataclasses.replace(DELTA, hold=0.7, step_log2=(0, 1, 2), channels=3)
    # s = 4: 0.7 * 16 = 11.2, 0.7 * 32 = 22.4, 0.7 * 64 = 44.8
    thresholds = delta.thresholds()
    assert thresholds is not None
    assert thresholds.tolist() == [12, 23, 45, 12, 23, 45]
    assert DELTA.thresholds() is None


def test_one_threshold_gives_those_of_all_elements() -> None:
    """``ceil(ceil(x) / n) = ceil(x / n)``: what hardware does with the threshold of the coarsest step."""
    rng = np.random.default_rng(3)
    for _ in range(500):
        steps = tuple(int(k) for k in rng.integers(0, 6, 6))
        hold = float(rng.choice([0.5, 1.0, 1.3, rng.uniform(0.5, 9), np.nextafter(1.0, 2.0)]))
        fmt = dataclasses.replace(SOURCE.fmt, frac=int(rng.integers(4, 30)))
        delta = dataclasses.replace(DELTA, in_fmt=fmt, hold=hold, step_log2=steps, channels=6)
        thresholds, coarsest = delta.thresholds(), max(steps)
        assert thresholds is not None
        assert thresholds.tolist() == [-(-delta.threshold() // (1 << (coarsest - k))) for k in steps]
        assert delta.threshold() < 1 << delta.threshold_bits
        least = max(1, 1 << (delta.shift + coarsest) >> 1)
        for threshold in (least, delta.threshold(), (1 << delta.threshold_bits) - 1):
            other = delta.with_threshold(threshold)
            thresholds = other.thresholds()
            assert thresholds is not None
            assert other.threshold() == threshold
            assert thresholds.tolist() == [-(-threshold // (1 << (coarsest - k))) for k in steps]


def test_a_threshold_of_0_is_memoryless() -> None:
    assert DELTA.threshold() == 0
    assert dataclasses.replace(DELTA, hold=1.0).with_threshold(0) == DELTA


def test_thresholds_reach_as_far_as_the_clip_range() -> None:
    assert DELTA.shift == 4
    assert DELTA.threshold_bits == 8, "15 codes of 16 units"
    assert dataclasses.replace(DELTA, hold=100.0).threshold_bits == 11, "more if the graph has more"
    fine = dataclasses.replace(DELTA, in_fmt=Fixed(width=40, frac=34, signed=True))
    assert (fine.shift, fine.threshold_bits) == (30, 32), "no more than a register"
    assert dataclasses.replace(fine, hold=8.0).threshold_bits == 34


@pytest.mark.parametrize("threshold", [-1, 1, 15, 256])
def test_a_threshold_out_of_range_is_refused(threshold: int) -> None:
    delta = dataclasses.replace(DELTA, hold=1.0, step_log2=(1,))
    with pytest.raises(ConversionError, match=r"d: .*0 \(memoryless\) or 16 to 255, where 32 is one step"):
        delta.with_threshold(threshold)


def test_thresholds_of_a_network() -> None:
    held = dataclasses.replace(DELTA, hold=1.0)
    graph = Graph(name="g", nodes=(SOURCE, held, dense()))
    assert graph.with_thresholds({}) == graph
    assert graph.with_thresholds({"d": 40}).deltas[0].hold == 2.5
    with pytest.raises(ConversionError, match=r"g: .*one of \['d'\]. Received: 'fc'"):
        graph.with_thresholds({"fc": 40})
    with pytest.raises(ConversionError, match="every layer is memoryless"):
        graph.with_thresholds({"d": 0}).with_thresholds({"d": 40})


@pytest.mark.parametrize("pe", [0, -1, 3, 4])
def test_pe_must_divide(pe: int) -> None:
    with pytest.raises(ConversionError, match=r"fc: PE does not divide.*one of \[1, 2\]"):
        dense(pe=pe)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hold": 0.4}, "hold is too small"),
        ({"step_log2": (0, 1), "channels": 3}, "wrong number of per-channel steps"),
        ({"step_log2": (-1,)}, "finer than the code lattice"),
        ({"hi": 16}, "clip range"),
        ({"lo": 1}, "clip range"),
    ],
)
def test_delta_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        dataclasses.replace(DELTA, **changes)


def test_dense_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(ConversionError, match="shapes do not fit"):
        dense(bias=np.zeros(3, np.int64))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((SOURCE, DELTA, dense(name="d")), "share a name"),
        ((SOURCE, DELTA, dense(input="later")), "later or unknown"),
        ((SOURCE, dense(input="x")), "must start with Source, Delta"),
    ],
)
def test_graph_refuses(nodes: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        Graph(name="g", nodes=nodes)


def conv(**changes: Any) -> Conv:
    """5 x 4 pixels of 2 channels, kernel 3 x 2, stride 2 x 1: 'same' in y, 'valid' in x, 6 output channels."""
    fields: dict[str, Any] = {
        "name": "conv",
        "input": "d",
        "weight": np.ones((3, 2, 2, 6), np.int64),
        "bias": np.zeros(6, np.int64),
        "weight_fmt": Fixed(width=4, frac=3, signed=True),
        "fmt": Fixed(width=12, frac=7, signed=True),
        "y": Axis.same(5, 3, 2),
        "x": Axis(size=4, kernel=2),
        "pe": 3,
    }
    return Conv(**(fields | changes))


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "before", "after", "outputs"),
    [
        (5, 3, 1, 1, 1, 5),
        (5, 2, 1, 0, 1, 5),  # the odd zero stands behind
        (6, 3, 2, 0, 1, 3),
        (5, 3, 2, 1, 1, 3),
        (7, 5, 3, 2, 2, 3),
        (8, 5, 3, 1, 2, 3),
        (4, 1, 3, 0, 0, 2),  # a stride over the kernel: nothing to pad
        (1, 5, 1, 2, 2, 1),
    ],
)
def test_padding_same(size: int, kernel: int, stride: int, before: int, after: int, outputs: int) -> None:
    axis = Axis.same(size, kernel, stride)
    assert (axis.before, axis.after, axis.outputs) == (before, after, outputs)


@pytest.mark.parametrize(
    ("axis", "counts", "first"),
    [
        (Axis(size=5, kernel=3), [1, 2, 3, 2, 1], [0, 0, 0, 1, 2]),
        (Axis.same(5, 3, 1), [2, 3, 3, 3, 2], [0, 0, 1, 2, 3]),
        (Axis.same(5, 3, 2), [1, 2, 1, 2, 1], [0, 0, 1, 1, 2]),
        (Axis.same(6, 3, 2), [1, 1, 2, 1, 2, 1], [0, 0, 0, 1, 1, 2]),
        (Axis(size=6, kernel=3, stride=2), [1, 1, 2, 1, 1, 0], [0, 0, 0, 1, 1, 2]),  # the last column is cut off
        (Axis(size=7, kernel=2, stride=3), [1, 1, 0, 1, 1, 0, 0], [0, 0, 1, 1, 1, 2, 2]),  # gaps between windows
        (Axis.same(4, 1, 3), [1, 0, 0, 1], [0, 1, 1, 1]),
        (Axis.same(2, 5, 1), [2, 2], [0, 0]),  # a kernel over the frame
    ],
)
def test_outputs_that_an_element_reaches(axis: Axis, counts: list[int], first: list[int]) -> None:
    assert axis.counts().tolist() == counts
    reached = [(i, axis.first(i), axis.last(i)) for i, count in enumerate(counts) if count]
    assert [(i, start, end - start + 1) for i, start, end in reached] == [
        (i, first[i], count) for i, count in enumerate(counts) if count
    ]


def test_derived_numbers_of_a_convolution() -> None:
    layer = conv()
    assert (layer.shape, layer.size, layer.groups, layer.words, layer.n_in) == ((3, 3, 6), 54, 2, 18, 40)
    positions = [[1, 2, 2, 1], [2, 4, 4, 2], [1, 2, 2, 1], [2, 4, 4, 2], [1, 2, 2, 1]]
    each = np.repeat(np.ravel(positions), 2)  # both channels
    assert layer.fanout().tolist() == (6 * each).tolist()
    assert layer.reach().tolist() == (2 * each).tolist()
    # 9 outputs of 6 channels, 2 kernel elements in x, 3 in y but 2 at both borders, 2 channels
    assert layer.macs == 3 * 6 * 2 * (2 + 3 + 2) * 2


def test_derived_numbers_of_a_depthwise_convolution() -> None:
    layer = conv(weight=np.ones((3, 2, 2, 1), np.int64), bias=np.zeros(2, np.int64), depthwise=True, pe=1)
    assert (layer.shape, layer.groups, layer.words, layer.channels_out) == ((3, 3, 2), 2, 18, 2)
    assert layer.fanout().tolist() == layer.reach().tolist()  # one word and one multiplication a window
    assert layer.macs == 3 * 2 * (2 + 3 + 2) * 2


def test_derived_numbers_of_one_dimension() -> None:
    layer = conv(y=Axis.same(1, 1, 1), x=Axis.same(5, 3, 2), weight=np.ones((1, 3, 2, 6), np.int64), pe=6)
    assert (layer.shape, layer.n_in, layer.words) == ((1, 3, 6), 10, 3)
    assert layer.reach().tolist() == np.repeat([1, 2, 1, 2, 1], 2).tolist()


@pytest.mark.parametrize(
    "changes",
    [{"size": 0}, {"kernel": 0}, {"stride": 0}, {"before": -1}, {"after": -1}, {"kernel": 6}],
)
def test_axis_refuses(changes: dict[str, int]) -> None:
    with pytest.raises(ConversionError, match="does not fit its axis"):
        Axis(**({"size": 5, "kernel": 3} | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bias": np.zeros(5, np.int64)}, r"conv: weight and bias shapes.*\[3, 2, channels in, channels out\]"),
        ({"weight": np.ones((2, 3, 2, 6), np.int64)}, "shapes do not fit"),
        ({"weight": np.ones((3, 2, 2, 6), np.int64), "depthwise": True}, "shapes do not fit"),
        ({"pe": 4}, r"conv: PE does not divide.*one of \[1, 2, 3, 6\]"),
    ],
)
def test_conv_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        conv(**changes)


def test_accumulator_bound_of_a_depthwise_convolution() -> None:
    weight = np.array([[[[3], [-1]]], [[[-4], [2]]]])  # kernel 2 x 1, 2 channels: |w| sums to 7 and 3
    fmt = accumulator_format("conv", weight[..., 0], np.array([5, 9]), weight_fmt=U4, delta=DELTA)
    assert fmt == Fixed.holding(-110, 110, frac=8, signed=True)  # 7 * 15 + 5
