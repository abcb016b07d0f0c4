# SPDX-License-Identifier: Apache-2.0
"""Output channels on lattices of their own: the same accumulators, in as few bits as the widest channel needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_graphs import random_conv_graph, random_graph, random_spread_graph

from codesign.fixed import Fixed, IntArray
from codesign.graph import Delta, Dense, accumulator_format
from codesign.graph.channels import channel_lattices
from codesign.graph.golden import products

CODE = Fixed(width=4, frac=0, signed=False)
DELTA = Delta(name="d", input="in", shape=(2,), in_fmt=CODE, fmt=CODE, activation="identity", lo=0, hi=15)


def dense(weight: IntArray, bias: IntArray | None = None, *, pe: int = 1, bits: int = 12) -> Dense:
    offset = np.zeros(weight.shape[1], np.int64) if bias is None else bias
    fmt = Fixed(width=bits, frac=0, signed=True)
    accumulators = accumulator_format("fc", weight, offset, weight_fmt=fmt, delta=DELTA)
    return Dense(name="fc", input="d", weight=weight, bias=offset, weight_fmt=fmt, fmt=accumulators, pe=pe)


@pytest.mark.parametrize("seed", range(12))
def test_the_engine_computes_the_same_accumulators_in_its_bits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_spread_graph(rng, convolutions=bool(seed % 3))
    for node in graph.linears:
        delta = graph[node.input]
        assert isinstance(delta, Delta)
        lattices = channel_lattices(node, delta)
        codes = rng.integers(delta.lo, delta.hi, (20, delta.size), endpoint=True)
        own = replace(node, weight=lattices.weight, bias=lattices.bias)
        sums = products(own, codes) + np.resize(own.bias, node.size)
        shifts, low = (np.resize(values, node.size) for values in (lattices.shifts, lattices.low))
        whole = products(node, codes) + np.resize(node.bias, node.size)
        np.testing.assert_array_equal((sums << shifts) + low, whole)
        assert int(np.abs(lattices.weight).max()) <= 1 << lattices.weight_bits - 1
        assert np.abs(sums).max() < 1 << lattices.sum_bits - 1
        assert lattices.sum_bits <= node.fmt.width
        assert lattices.weight_bits <= node.weight_fmt.width + 1


def test_steps_apart_make_nothing_wider() -> None:
    rng, steps = np.random.default_rng(1), np.array([0, 3, 6, 1])
    weight = rng.integers(-64, 64, (8, 4)) * 2 + 1
    near, far = channel_lattices(dense(weight), DELTA), channel_lattices(dense(weight << steps, bits=18), DELTA)
    assert far.shifts.tolist() == steps.tolist()
    assert (far.weight_bits - near.weight_bits, far.sum_bits) == (18 - 12 - 6, near.sum_bits)
    np.testing.assert_array_equal(far.weight, near.weight)
    assert not near.narrow


def test_a_fine_bias_keeps_its_low_bits() -> None:
    lattices = channel_lattices(dense(np.array([[8, -40]]), np.array([-13, 7])), DELTA)
    assert lattices.shifts.tolist() == [3, 3]
    assert lattices.bias.tolist() == [-2, 0]
    assert lattices.low.tolist() == [3, 7]


def test_no_channel_is_shifted_that_saves_nothing() -> None:
    weight = np.array([[127, 2, 0, 64]])
    assert channel_lattices(dense(weight), DELTA).shifts.tolist() == [0, 0, 0, 0], "the first one needs all bits"
    weight = np.array([[127, 2, 0, 256]])
    shifts = channel_lattices(dense(weight, pe=4), DELTA).shifts.tolist()
    assert shifts == [0, 0, 0, 2], "as far as the first one is wide"


def test_shifters_have_to_be_worth_it() -> None:
    weight = np.array([[127, 256]])
    assert channel_lattices(dense(weight, pe=2), DELTA).shifts.tolist() == [0, 2], "wires"
    assert not channel_lattices(dense(weight, pe=1), DELTA).narrow, "3 bits for shifters"
    assert channel_lattices(dense(weight * [1, 4], pe=1), DELTA).shifts.tolist() == [0, 4]


def test_channels_of_a_lane_share_a_shift_where_they_can() -> None:
    weight = np.array([[256 * 4, 127, 16 * 4, 1]])
    assert channel_lattices(dense(weight, pe=2), DELTA).shifts.tolist() == [4, 0, 4, 0]


def test_a_layer_of_zeros_stays_as_it_is() -> None:
    lattices = channel_lattices(dense(np.zeros((3, 2), np.int64), np.array([5, -8])), DELTA)
    assert not lattices.narrow
    assert lattices.bias.tolist() == [5, -8]


def test_layers_without_spread_stay_as_they_are() -> None:
    same = total = 0
    for seed in range(20):
        for make in (random_graph, random_conv_graph):
            graph = make(np.random.default_rng(seed))
            for node in graph.linears:
                delta = graph[node.input]
                assert isinstance(delta, Delta)
                lattices = channel_lattices(node, delta)
                same += lattices.sum_bits == node.fmt.width and not lattices.narrow
                total += 1
    assert same > 0.8 * total
