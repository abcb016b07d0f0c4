# SPDX-License-Identifier: Apache-2.0
"""The graph refuses what hardware could not compute exactly, and its derived numbers are right."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from codesign.errors import AccumulatorRangeError, ConversionError
from codesign.fixed import Fixed
from codesign.graph import Delta, Dense, Graph, Source, accumulator_format

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
