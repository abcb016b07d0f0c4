# SPDX-License-Identifier: Apache-2.0
"""The sparsity loss against values worked out by hand; the metrics against the golden model's counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import random_models
import tensorflow as tf
from layers import tiny_models as models

from codesign.graph.golden import Golden
from codesign.graph.sparsity import activity
from codesign.layers import DeltaActivation, Engines, over_time
from codesign.layers.meter import _sums
from codesign.layers.streaming import float64, in_float64
from codesign.verify.golden_run import run_golden


def two_dense(step: float = 0.25) -> keras.Sequential:
    """2 -> 3 -> 1, weights 1: 6 + 3 = 9 MACs. The codes are easy to follow."""
    return keras.Sequential(
        [
            keras.Input((2,)),
            DeltaActivation("relu", 4, step),
            keras.layers.Dense(3, kernel_initializer="ones", name="a"),
            DeltaActivation("relu", 4, 0.5),
            keras.layers.Dense(1, kernel_initializer="ones", name="b"),
        ]
    )


def test_loss_and_metrics_by_hand() -> None:
    # values/0.25 = codes of the first layer; their sum/2 = codes of the second (half to even: 1.5 -> 2, 2.5 -> 2)
    clips = np.array([[[0.0, 0.25], [0.5, 0.25], [0.5, 0.75]], [[0.25, 0.25], [0.25, 0.25], [0.5, 0.25]]])
    # first layer |d| in codes: clip 0: (2, 0), (0, 2); clip 1: (0, 0), (1, 0)
    # second layer, each of three: codes 0.5->0, 1.5->2, 2.5->2 then 1, 1, 1.5->2: |d| = 2, 0, 0, 1
    model = over_time(two_dense(), 3, sparsity=0.5)
    model.compile(loss="mse")
    target = model.predict(clips, verbose=0)
    logs = model.evaluate(clips, target, verbose=0, return_dict=True)
    l1 = (3 * (2 + 2 + 1) + 1 * 3 * (2 + 1)) / 4 / 9
    assert logs["loss"] == pytest.approx(0.5 * l1, rel=1e-6)
    assert logs["density/a"] == 3 / 8
    assert logs["density/b"] == 6 / 12
    assert logs["operation_sparsity"] == (4 * 9 - 3 * 3 - 6) / (4 * 9)


def test_loss_is_in_codes_of_each_layer() -> None:
    clips = np.zeros((1, 2, 2))
    clips[0, 1, 0] = 0.25  # half a code of the second layer, rounded to 0
    losses = []
    for step in (0.25, 0.125):
        model = over_time(two_dense(step), 2, sparsity=1.0)
        model(clips)
        losses.append(float(sum(model.losses)))
    assert losses == [pytest.approx(3 * 1 / 9), pytest.approx(3 * 2 / 9)]


def test_no_sparsity_adds_no_loss() -> None:
    model = over_time(two_dense(), 2)
    model(np.ones((1, 2, 2)))
    assert model.losses == []


def test_gradient_is_straight_through() -> None:
    frame = two_dense()
    model = over_time(frame, 2, sparsity=1.0)
    clips = np.array([[[0.25, 0.0], [1.0, 0.0]]])
    with tf.GradientTape() as tape:
        model(clips)
        loss = sum(model.losses)
    gradient = tape.gradient(loss, frame.get_layer("a").kernel).numpy()
    # loss of layer b: 3 elements, |d| = (r1 - r0) / 0.5, fan-out 1, 9 MACs; dr/dw = x of that frame
    assert np.allclose(gradient, [[(1.0 - 0.25) / 0.5 / 9] * 3, [0.0] * 3])


def test_the_loss_trains_weights(rng: np.random.Generator) -> None:
    frame = models.frame_model()
    x = np.stack([models.walk(rng, (6, 6, 6, 1), pace=20) for _ in range(64)]) / 256
    model = over_time(frame, 6, sparsity=10.0)
    model.compile(keras.optimizers.Adam(0.003), loss=lambda _, outputs: 0.0 * keras.ops.sum(outputs, axis=-1))
    history = model.fit(x, np.zeros(64), epochs=10, verbose=0).history
    assert history["density/fc2"][-1] < 0.7 * history["density/fc2"][0]
    assert history["density/fc1"][-1] == history["density/fc1"][0]  # the input has nothing to train


@pytest.mark.parametrize("hold", [None, 0.75])
def test_metrics_equal_the_golden_counts(hold: float | None, rng: np.random.Generator) -> None:
    frame = models.frame_model(hold, "identity")
    clips = np.stack([models.walk(rng, (7, 6, 6, 1), pace=4) for _ in range(10)])
    model = over_time(frame, 7)
    model.compile(loss="mse")
    logs = model.evaluate(clips / 256, np.zeros((10, 10)), batch_size=4, verbose=0, return_dict=True)
    graph = models.to_graph(frame)
    counted = [activity(graph, Golden(graph, "delta").run(clip)) for clip in clips]
    active = macs = 0
    for layers in zip(*counted, strict=True):
        events, elements = sum(int(a.events.sum()) for a in layers), 10 * 6 * layers[0].elements
        assert 0 < logs[f"density/{layers[0].name}"] == events / elements < 1
        active += sum(int(a.active_macs.sum()) for a in layers)
        macs += 10 * 6 * layers[0].macs
    assert logs["operation_sparsity"] == (macs - active) / macs


@pytest.mark.parametrize(
    ("made", "engines"),
    [
        (random_models.rich_design, Engines(layer_pe={"fc1": 3, "fc2": 2})),
        (random_models.rich_conv_design, Engines(layer_pe={"c1": 2, "dw": 2}, unroll={"c1": (2, 1), "dw": (1, 9)})),
        (random_models.rich_branch_design, Engines(pe=2, unroll={"c1": (1, 2)})),
    ],
    ids=["dense", "convolutions", "branches"],
)
def test_every_metric_equals_the_graph(
    made: Callable[[], random_models.Design], engines: Engines, tmp_path: Path, rng: np.random.Generator
) -> None:
    """What training counts is what the golden model, the report and the ideal of the hardware count."""
    design = made()
    design.config["Model"]["PE"] = engines.pe
    for name, unroll in engines.unroll.items():
        design.config["LayerName"][name]["Unroll"] = list(unroll)
    graph = design.convert(tmp_path).delta_graph
    source = graph.source
    clips = np.stack([random_models.walk(rng, source.fmt, source.shape, 8) for _ in range(3)])
    layers = run_golden(graph, clips).layers
    with float64():
        model = over_time(in_float64(design.keras), 8, "last", engines=engines)
        model.compile(loss="mse")
        values = source.fmt.to_values(clips)
        logs = model.evaluate(values, model.predict(values, verbose=0), batch_size=2, verbose=0, return_dict=True)
    frames = 3 * 7
    for layer in layers:
        if layer.macs:
            assert logs[f"density/{layer.name}"] == layer.events.sum() / (frames * layer.elements)
    macs = frames * sum(layer.macs for layer in layers)
    assert 0 < logs["operation_sparsity"] == (macs - sum(layer.active_macs.sum() for layer in layers)) / macs < 1
    assert 0 < logs["spatial_sparsity"] == (macs - sum(layer.spatial_macs.sum() for layer in layers)) / macs < 1
    # the ideal of the graph without input beats, which are not the network's
    assert logs["cycles_per_frame"] == np.max([layer.ideal_cycles for layer in layers], axis=0).sum() / frames


@pytest.mark.parametrize("large", [1, 2**24 + 1, 3 * 2**40])
def test_sums_are_exact(large: int) -> None:
    """Costs beyond what float32 holds, with and without a common factor."""
    values = np.array([[[1, -1, 0, 2, 0, 0], [0, 0, 0, 0, 0, 0]], [[0, 0, 3, 0, 0, -4], [1, 1, 1, 1, 1, 1]]])
    costs = [np.array([1, 3, 5]) * large, np.array([large, 1, 0])]
    sums = _sums(keras.ops.convert_to_tensor(values, "float32"), costs, channels=2)
    elements = np.array([[2, 1, 0], [0, 0, 0], [0, 1, 1], [2, 2, 2]])
    for got, cost in zip(sums, costs, strict=True):
        assert got.numpy().tolist() == (elements @ cost).tolist()


def test_after_a_stateless_activation_values_are_events() -> None:
    frame = two_dense()
    frame.layers[2].stateless = True
    clips = np.array([[[0.0, 0.25], [0.5, 0.25], [0.5, 0.25], [0.0, 0.0]]])
    # codes of a: 0 1, 2 1, 2 1, 0 0: changes 1 + 0 + 2, values 2 + 2 + 0; of each of three of b: 0 2 2 0
    model = over_time(frame, 4, engines=Engines(pe=1))
    model.compile(loss="mse")
    logs = model.evaluate(clips, np.zeros((1, 1)), verbose=0, return_dict=True)
    assert logs["density/a"] == 3 / 6
    assert logs["density/b"] == 6 / 9
    assert logs["operation_sparsity"] == (27 - 3 * 3 - 6) / 27
    assert logs["spatial_sparsity"] == (27 - 3 * 4 - 6) / 27
    assert logs["cycles_per_frame"] == (3 + 3 + 6) / 3  # a: 3, 0, 6; b: 3, 3, 0
