# SPDX-License-Identifier: Apache-2.0
"""Cycles, Multipliers and Activity of the whole model give PE and Unroll; what layers set themselves stays."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from qkeras import QActivation, quantized_relu
from random_models import conv, dense, depthwise, design

from codesign.errors import ConfigError, ConversionWarning
from codesign.graph import Dense, Graph
from codesign.graph.balance import loads, multipliers
from codesign.graph.golden import Golden


@pytest.fixture(scope="module")
def made() -> Any:
    """Return a depthwise, a pointwise and a pooled layer, a dense one."""
    return design(
        [
            depthwise((3, 3), "dw", padding="same"),
            QActivation(quantized_relu(4, 2), name="q0"),
            conv(8, (1, 1), "pw"),
            QActivation(quantized_relu(4, 2), name="q1"),
            keras.layers.AveragePooling2D(2, name="mean"),
            keras.layers.Flatten(),
            dense(2, "fc"),
        ],
        shape=(8, 8, 4),
    )


def graph_of(made: Any, folder: Path, layers: dict[str, dict[str, Any]] | None = None, **whole: Any) -> Graph:
    """Convert with these entries of the whole model and of layers; return the graph."""
    before = {name: dict(entry) for name, entry in made.config["LayerName"].items()}
    config = {"Model": made.config["Model"] | whole, "LayerName": before}
    for name, entry in (layers or {}).items():
        config["LayerName"][name] |= entry
    found: Graph = type(made)(keras=made.keras, config=config).convert(folder).delta_graph
    return found


def total(graph: Graph) -> int:
    return sum(map(multipliers, graph.engines))


def test_balanced_takes_no_more_multipliers_and_fewer_cycles(made: Any, tmp_path: Path) -> None:
    plain, balanced = graph_of(made, tmp_path), graph_of(made, tmp_path, Cycles="balanced")
    assert total(balanced) <= total(plain)
    assert max(load.cycles for load in loads(balanced)) < max(load.cycles for load in loads(plain))
    frames = np.random.default_rng(1).integers(0, plain.source.fmt.hi + 1, (2, plain.source.size))
    np.testing.assert_array_equal(Golden(plain).run(frames).outputs, Golden(balanced).run(frames).outputs)


def test_a_target_in_cycles_and_what_changes(made: Any, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConversionWarning)
        slow = graph_of(made, tmp_path, Cycles=2000)
        fast = graph_of(made, tmp_path, Cycles=600)
        still = graph_of(made, tmp_path, Cycles=600, Activity=0.05)
        some = graph_of(made, tmp_path, Cycles=600, Activity={"dw": 0.05})
    assert total(still) < total(some) < total(fast)
    assert total(slow) < total(fast)
    assert max(load.cycles for load in loads(fast)) <= 600


def test_what_a_layer_sets_stays(made: Any, tmp_path: Path) -> None:
    graph = graph_of(made, tmp_path, {"dw": {"Unroll": [1, 3]}, "fc": {"PE": 1}}, Cycles="balanced", Multipliers=40)
    fc, dw = graph["fc"], graph["dw"]
    assert isinstance(fc, Dense)
    assert (fc.pe, dw.unroll) == (1, (1, 3))  # type: ignore[union-attr]
    assert total(graph) <= 40


def test_a_target_that_is_not_reached_names_the_layer_and_the_cure(made: Any, tmp_path: Path) -> None:
    with pytest.warns(
        ConversionWarning, match="10 cycles is not reached.*mean takes 512 cycles a frame: an event takes one"
    ):
        graph_of(made, tmp_path, Cycles=10)
    with pytest.warns(ConversionWarning, match="dw takes 1,936 cycles a frame: raise its unroll above 1x1: 3x3"):
        graph_of(made, tmp_path, {"dw": {"Unroll": [1, 1]}}, Cycles=100)
    with pytest.warns(ConversionWarning, match="the input takes 256 cycles a frame: raise P above 1"):
        graph_of(made, tmp_path, P=1, Cycles=100, Activity=0.01)


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        ({"Cycles": 0}, r"config\['Model'\]\['Cycles'\].*'balanced', or a positive integer"),
        ({"Cycles": "balance"}, "'balanced', or a positive integer"),
        ({"Multipliers": 2.5}, r"\['Multipliers'\].*a positive integer"),
        ({"Cycles": 10, "Multipliers": 2}, "at most 2 multipliers"),
        ({"Activity": 0.5}, "Cycles or Multipliers beside it"),
        ({"Cycles": 10, "Activity": 2}, "a share of the inputs that change, 0 to 1"),
        ({"Cycles": 10, "Activity": {"dv": 0.5}}, r"\['Activity'\]\['dv'\].*did you mean 'dw'"),
        ({"Cycles": 10, "PE": 4}, "either PE or a target"),
    ],
)
def test_what_is_no_target_is_refused(made: Any, tmp_path: Path, whole: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        graph_of(made, tmp_path, **whole)
