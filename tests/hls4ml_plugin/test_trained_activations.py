# SPDX-License-Identifier: Apache-2.0
"""Networks with trained steps and holds become hardware bit for bit, or are refused with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from random_models import Design, conv, dense, walk

from codesign.errors import CodesignError, ConversionError, UnsupportedLayerError
from codesign.graph.golden import Golden
from codesign.layers import DeltaActivation, over_time, stream

pytestmark = pytest.mark.timeout(300)

SHAPE = (6, 5, 1)
FRAMES = 6


def network(per: str = "channel", **kwargs: Any) -> Any:
    """A convolution and two dense layers between trained activations."""
    options = {"step": "po2", "per": per, "step_rate": 16, "initial_step": 2.0**-6, **kwargs}
    return keras.Sequential(
        [
            keras.Input(SHAPE, name="frame"),
            DeltaActivation("relu", 5, hold=0.6, train_hold=True, **{**options, "per": "layer"}, name="d0"),
            conv(4, (3, 3), "c1", bias=6, strides=2, padding="same"),
            DeltaActivation("relu", 8, max_value=1.5, **options, name="d1"),
            keras.layers.Flatten(),
            dense(6, "fc1", bias=6),
            DeltaActivation("identity", 7, hold=1.0, train_hold=True, **{**options, "per": "neuron"}, name="d2"),
            dense(3, "fc2"),
        ]
    )


def train(model: Any) -> None:
    """Train on random walks, with a loss that pushes every step up."""
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    clips = np.clip(rng.random((64, 1, *SHAPE)) + rng.normal(0, 0.08, (64, FRAMES, *SHAPE)).cumsum(axis=1), 0, 1)
    labels = (clips.mean(axis=(1, 2, 3, 4)) * 3).astype(int)
    clip_model = over_time(model, FRAMES, sparsity=30.0)
    clip_model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    clip_model.fit(clips, labels, epochs=4, batch_size=8, verbose=0)


def design(model: Any) -> Design:
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Delta")
    config["LayerName"]["frame"].update(Precision="ufixed<8,0>", P=4)
    config["Model"]["PE"] = 2
    return Design(keras=model, config=config)


@pytest.mark.parametrize(
    ("per", "io_type", "rtl"),
    [("channel", "io_stream", False), pytest.param("layer", "io_parallel", True, marks=pytest.mark.heavy)],
)
def test_a_trained_network_is_exact_everywhere(per: str, io_type: str, rtl: bool, tmp_path: Path) -> None:
    model = network(per)
    train(model)
    deltas = [model.get_layer(name) for name in ("d0", "d1", "d2")]
    assert any(max(delta.step_log2) > 0 for delta in deltas)  # training moved the steps
    assert all(abs(delta.hold - start) > 0.01 for delta, start in zip(deltas[::2], (0.6, 1.0), strict=True))
    converted = design(model).convert(tmp_path, io_type=io_type)
    graph = converted.delta_graph
    for delta in deltas:
        node = graph[delta.name]
        assert (node.step_log2, node.hold, node.fmt, node.hi) == (delta.step_log2, delta.hold, delta.fmt, delta.hi)
    frames = walk(np.random.default_rng(1), graph.source.fmt, SHAPE, 300)
    trace = Golden(graph).run(frames)
    run = stream(model, graph.source.fmt.to_values(frames))
    np.testing.assert_array_equal(graph.output.fmt.to_codes(run.outputs), trace.outputs)
    for name, codes in run.codes.items():
        np.testing.assert_array_equal(codes.reshape(len(frames), -1), trace.codes[name])
    converted.compile()
    np.testing.assert_array_equal(graph.output.fmt.to_codes(converted.predict(frames)), trace.outputs)
    if rtl:
        converted.reset()
        np.testing.assert_array_equal(graph.output.fmt.to_codes(converted.predict(frames, sim="rtl")), trace.outputs)


def test_flattened_neurons_are_channels(tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input(SHAPE, name="frame"),
            conv(2, (3, 3), "c1"),
            keras.layers.Flatten(),
            DeltaActivation("relu", 6, "po2", per="neuron", name="d1"),
            dense(3, "fc"),
        ]
    )
    delta = model.get_layer("d1")
    delta.weights[0].assign(np.arange(24) % 4)
    graph = design(model).convert(tmp_path).delta_graph
    assert graph["d1"].step_log2 == tuple(np.arange(24) % 4)
    frames = walk(np.random.default_rng(1), graph.source.fmt, SHAPE, 100)
    expected = Golden(graph).run(frames).outputs
    run = stream(model, graph.source.fmt.to_values(frames))
    np.testing.assert_array_equal(graph.output.fmt.to_codes(run.outputs), expected)


REFUSED: dict[str, tuple[dict[str, Any], type[CodesignError], str]] = {
    "real": ({"step": "real"}, ConversionError, r"d1: a real step.*step='real'.*train with step='po2'"),
    "neuron": ({"step": "po2", "per": "neuron"}, UnsupportedLayerError, r"d1: .*1 or 4 steps.*24 steps.*per='channel'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    options, kind, message = REFUSED[name]
    layers = [keras.Input((6, 4), name="frame"), DeltaActivation("relu", 5, **options, name="d1"), dense(3, "fc")]
    with pytest.raises(kind, match=message):
        design(keras.Sequential([*layers[:2], keras.layers.Flatten(), layers[2]]))
