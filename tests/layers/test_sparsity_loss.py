# SPDX-License-Identifier: Apache-2.0
"""The sparsity loss: its weights and values against numbers worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from codesign.errors import ConfigError
from codesign.layers import DeltaActivation, Engines, SparsityLoss, over_time
from codesign.layers.probe import Probe
from codesign.layers.schedule import find_meter
from codesign.layers.sparsity_loss import mean_size

CONV = Probe(name="c", shape=(3, 2), unit=0.5, products=4, reach=((1, 2, 1),))
"""Two channels of three positions: 4 + 8 + 4 MACs each, 32 in all."""
JOIN = Probe(name="add", shape=(3, 4), unit=None)
POOL = Probe(name="p", shape=(3, 4), unit=0.25, reach=((1, 1, 0),))
DENSE = Probe(name="fc", shape=(8,), unit=0.25, products=2)
"""16 MACs."""
PROBES = [CONV, JOIN, POOL, DENSE]

# Codes of the first layer, 1 and 2 steps of 0.25; their sum is what each of three outputs gets, in steps of 0.5.
CLIP = np.array([[[0.0, 0.25], [0.5, 0.25], [0.5, 1.5]]])
CHANGES = {"a": 2 + 0 + 0 + 5, "b": 3 * (2 + 2)}
"""Sums over both changes of |d| in codes: codes of b are 0, 2, 4 (0.25/0.5 is rounded to even), alike in 3 channels."""
VALUES = {"a": 0 + 1 + 2 + 1 + 2 + 6, "b": 3 * (0 + 2 + 4)}
EVENTS = {"a": 1 + 1, "b": 3 + 3}


def two_dense(*, stateless: bool = False) -> keras.Sequential:
    """2 -> 3 -> 1, weights 1: 6 + 3 MACs."""
    middle = DeltaActivation("relu", 4, 0.5)
    middle.stateless = stateless
    return keras.Sequential(
        [
            keras.Input((2,)),
            DeltaActivation("relu", 4, 0.25),
            keras.layers.Dense(3, kernel_initializer="ones", name="a"),
            middle,
            keras.layers.Dense(1, kernel_initializer="ones", name="b"),
        ]
    )


def loss_of(loss: SparsityLoss | float, frame: Any = None, engines: Engines | None = None) -> float:
    model = over_time(frame or two_dense(), 3, sparsity=loss, engines=engines)
    model(CLIP)
    return float(sum(model.losses))


def listed(costs: list[Any]) -> list[Any]:
    return [None if cost is None else np.asarray(cost).tolist() for cost in costs]


def test_costs_of_macs() -> None:
    costs = SparsityLoss(1.0).costs(PROBES, Engines())
    assert listed(costs) == [[4 / 48, 8 / 48, 4 / 48], None, None, 2 / 48]


def test_costs_of_named_layers() -> None:
    costs = SparsityLoss(1.0, weights={"c": 3.0, "fc": 0.0}).costs(PROBES, Engines())
    assert listed(costs) == [[3 * 4 / 32, 3 * 8 / 32, 3 * 4 / 32], None, None, None]
    with pytest.raises(ConfigError, match=r"names no linear layer.*c, fc.*add, p"):
        SparsityLoss(1.0, weights={"p": 1.0, "add": 1.0}).costs(PROBES, Engines())


def test_costs_of_cycles() -> None:
    # conv: 4 outputs by 2 PE take 2 cycles at each position reached: 2 * (2 + 4 + 2) = 16 cycles a dense frame;
    # join: 12 elements, 12 cycles; pool: 8; dense: 8 elements of 1 cycle
    costs = SparsityLoss(1.0, weights="cycles").costs(PROBES, Engines(pe=2))
    assert listed(costs) == [[2 / 16, 4 / 16, 2 / 16], None, [1 / 16, 1 / 16, 0], 1 / 16]
    both = [JOIN, JOIN, CONV]  # inputs of one layer share its engine: 24 cycles
    assert listed(SparsityLoss(1.0, weights="cycles").costs(both, Engines(pe=2)))[2] == [2 / 24, 4 / 24, 2 / 24]


def test_temporal_loss_by_macs() -> None:
    expected = (3 * CHANGES["a"] + 1 * CHANGES["b"]) / 2 / 9
    assert loss_of(SparsityLoss(0.5)) == pytest.approx(0.5 * expected, rel=1e-6)
    assert loss_of(0.5) == pytest.approx(0.5 * expected, rel=1e-6)


def test_spatial_loss_counts_all_frames() -> None:
    expected = (3 * VALUES["a"] + 1 * VALUES["b"]) / 3 / 9
    assert loss_of(SparsityLoss(2.0, of="spatial")) == pytest.approx(2 * expected, rel=1e-6)


def test_loss_of_named_layers() -> None:
    assert loss_of(SparsityLoss(2.0, weights={"b": 0.25})) == pytest.approx(2 * 0.25 * CHANGES["b"] / 2 / 3, rel=1e-6)


def test_after_a_stateless_activation_values_count() -> None:
    loss = SparsityLoss(1.0)
    expected = (3 * CHANGES["a"] / 2 + VALUES["b"] / 3) / 9
    assert loss_of(loss, two_dense(stateless=True)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("changes", [True, False])
def test_written_gradient_is_that_of_the_formula(changes: bool, rng: np.random.Generator) -> None:
    clips = tf.constant(rng.integers(-2, 3, (3, 4, 5)) / 4)
    weights = tf.constant(rng.normal(size=5))

    def formula(values: Any) -> Any:
        x = values[:, 1:] - values[:, :-1] if changes else values
        return tf.reduce_sum(tf.reduce_mean(tf.abs(x), axis=(0, 1)) * weights)

    def written(values: Any) -> Any:
        return mean_size(values, weights, changes=changes)

    (a, a_gradient), (b, b_gradient) = (_with_gradient(function, clips) for function in (formula, written))
    assert np.allclose(a, b, rtol=1e-12)
    assert np.allclose(a_gradient, b_gradient, rtol=1e-12)


def _with_gradient(function: Any, clips: Any) -> tuple[Any, Any]:
    with tf.GradientTape() as tape:
        tape.watch(clips)
        value = 3.0 * function(clips)
    return value, tape.gradient(value, clips)


@pytest.mark.parametrize("of", ["temporal", "spatial"])
def test_loss_by_cycles(of: Any) -> None:
    """One PE: an event of ``a`` takes 3 cycles, one of ``b`` 1; dense frames 6 and 3."""
    sizes, frames = (CHANGES, 2) if of == "temporal" else (VALUES, 3)
    # frames but the first: of both codes of a, all 4 are not 0, of the 3 of b all 6
    cycles = {"a": 3 * 2 / 2, "b": 6 / 2} if of == "temporal" else {"a": 3 * 4 / 2, "b": 6 / 2}
    slowest = max(cycles.values())
    raw = {name: math.exp(2.0 * value / slowest) for name, value in cycles.items()}
    share = {name: value / sum(raw.values()) for name, value in raw.items()}
    expected = sum(share[name] * cost * sizes[name] / frames / 6 for name, cost in (("a", 3), ("b", 1)))
    loss = SparsityLoss(10.0, of=of, weights="cycles", sharpness=2.0)
    assert loss_of(loss, engines=Engines(pe=1)) == pytest.approx(10 * expected, rel=1e-5)


def test_measured_cycles_are_a_moving_average_of_training_steps() -> None:
    model = over_time(two_dense(), 3, sparsity=SparsityLoss(1.0, weights="cycles"), engines=Engines(pe=1))
    meter = find_meter(model)
    assert meter is not None
    assert meter.penalty is not None
    still = np.zeros_like(CLIP)
    model(CLIP)
    assert np.array_equal(meter.penalty.cycles, [0, 0])  # an evaluation does not count
    model(CLIP, training=True)
    assert np.allclose(meter.penalty.cycles, [3, 3])
    model(still, training=True)
    assert np.allclose(meter.penalty.cycles, [2.7, 2.7])
    model(still)
    assert float(sum(model.losses)) == 0.0
    assert np.allclose(meter.penalty.cycles, [2.7, 2.7])


def test_nothing_happens() -> None:
    """Layers share equally when none has had an event."""
    model = over_time(two_dense(), 3, sparsity=SparsityLoss(1.0, weights="cycles"))
    model(np.zeros_like(CLIP), training=True)
    assert float(sum(model.losses)) == 0.0


def test_the_slowest_layer_is_pushed_hardest() -> None:
    """Two layers with as many MACs in a frame, one of them on a quarter of the PE."""
    frame = keras.Sequential(
        [
            keras.Input((4,)),
            DeltaActivation("relu", 4, 0.25),
            keras.layers.Dense(4, kernel_initializer="identity", name="a"),
            DeltaActivation("relu", 4, 0.25),
            keras.layers.Dense(4, kernel_initializer="identity", name="b"),
        ]
    )
    loss = SparsityLoss(1.0, weights="cycles", sharpness=8.0)
    model = over_time(frame, 2, sparsity=loss, engines=Engines(pe=4, layer_pe={"b": 1}))
    clip = np.stack([np.zeros((1, 4)), np.ones((1, 4))], axis=1)
    model.compile(loss="mse")
    logs = model.evaluate(clip, np.zeros((1, 4)), verbose=0, return_dict=True)
    assert logs["cycles_per_frame"] == 16  # b: 4 events of 4 cycles; a: 4 events of 1
    model(clip)
    push = 1 / (1 + math.exp(8.0 * (4 / 16 - 1)))  # softmax(8 * 16 / 16, 8 * 4 / 16)
    # 4 events of 4 codes: 16 cycles a step at b, 4 at a, of 16 of a dense frame; 4 codes for each
    assert float(sum(model.losses)) == pytest.approx(4 * (push * 16 + (1 - push) * 4) / 16, rel=1e-5)


def test_saved_and_loaded(tmp_path: Path) -> None:
    """A clip model keeps its loss, its factor and the cycles it has measured."""
    loss = SparsityLoss(3.0, of="temporal", weights="cycles", sharpness=2.0)
    model = over_time(two_dense(), 3, sparsity=loss, engines=Engines(pe=2, layer_pe={"a": 1}, unroll={"b": (1, 1)}))
    model.compile(keras.optimizers.SGD(0.0), loss="mse")
    model.fit(CLIP, np.zeros((1, 1)), verbose=0)
    meter = find_meter(model)
    assert meter is not None
    assert meter.penalty is not None
    meter.penalty.factor.assign(7.0)
    model.save(tmp_path / "clip.keras")
    again = keras.models.load_model(tmp_path / "clip.keras")
    found = find_meter(again)
    assert found is not None
    assert found.penalty is not None
    assert (found.sparsity, found.engines, found.probes) == (loss, meter.engines, meter.probes)
    assert float(found.penalty.factor) == 7.0
    assert np.array_equal(found.penalty.cycles, meter.penalty.cycles)
    logs = [each.evaluate(CLIP, np.zeros((1, 1)), verbose=0, return_dict=True) for each in (model, again)]
    assert logs[0] == logs[1]
    named = SparsityLoss(1.0, weights={"a": 2.0})
    over_time(two_dense(), 3, sparsity=named).save(tmp_path / "named.keras")
    named_again = find_meter(keras.models.load_model(tmp_path / "named.keras"))
    assert named_again is not None
    assert named_again.sparsity == named


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"factor": 0.0}, "factor is out of range.*> 0"),
        ({"factor": math.nan}, "factor is out of range"),
        ({"factor": "1"}, "factor is not a number.*'1'"),
        ({"factor": True}, "factor is not a number"),
        ({"sharpness": None}, "sharpness is not a number"),
        ({"weights": {"a": "1"}}, "a weight is negative or no number"),
        ({"sharpness": -1.0}, "sharpness is negative"),
        ({"of": "time"}, "'temporal' or 'spatial'.*'time'"),
        ({"weights": "mac"}, "'macs', 'cycles'.*'mac'"),
        ({"weights": {"a": -1.0}}, "a weight is negative"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SparsityLoss(**{"factor": 1.0, **arguments})


def test_a_weight_names_a_layer_of_the_model() -> None:
    with pytest.raises(ConfigError, match=r"some of a, b.*Received: c"):
        over_time(two_dense(), 2, sparsity=SparsityLoss(1.0, weights={"c": 1.0}))
