# SPDX-License-Identifier: Apache-2.0
"""DeltaActivation against the golden model, its gradient, its errors and its life in Keras."""

from __future__ import annotations

import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from layers import tiny_models as models

from codesign.errors import ConfigError
from codesign.fixed import Fixed
from codesign.graph import Graph, Source
from codesign.graph.golden import Golden
from codesign.layers import DeltaActivation

IN = Fixed(width=12, frac=7, signed=True)


def golden_codes(layer: DeltaActivation, codes: np.ndarray) -> np.ndarray:
    shape = codes.shape[1:]
    node = models.to_delta(layer, "x", shape, IN)
    graph = Graph(name="one", nodes=(Source(name="x", shape=shape, fmt=IN), node))
    return Golden(graph).run(codes).outputs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hold", [None, 0.5, 0.7, 1.0, 1.5])
@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("step", [2.0**-4, 2.0**-9, 4.0, (2.0**-5, 2.0**-3, 2.0**-4)])
def test_equals_the_golden_model(
    activation: str, step: float, hold: float | None, dtype: str, rng: np.random.Generator
) -> None:
    layer = DeltaActivation(activation, 6, step, hold, dtype=dtype)
    codes = models.walk(rng, (40, 50, 3), pace=12, lo=-700, hi=700)
    codes[20:23] = np.array([IN.lo, IN.hi, 0])[:, None, None]
    values = IN.to_values(codes).astype(dtype)
    got = layer(values, frames=len(values)).numpy()
    assert got.dtype == dtype
    assert np.array_equal(layer.fmt.to_codes(got), golden_codes(layer, codes))


def test_every_input_code_around_every_edge() -> None:
    codes = np.arange(IN.lo, IN.hi + 1)[:, None]
    layer = DeltaActivation("identity", 5, 2.0**-4)
    assert np.array_equal(layer.fmt.to_codes(layer(IN.to_values(codes))), golden_codes(layer, codes))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_graphs_round_the_same(jit_compile: bool) -> None:
    codes = np.tile(np.arange(0, IN.hi + 1)[:, None], 12)
    layer = DeltaActivation("relu", 8, [2.0**-4, 2.0**-3, 2.0**-2] * 4)
    compiled = tf.function(lambda z: layer(z), jit_compile=jit_compile)
    assert np.array_equal(layer.fmt.to_codes(compiled(IN.to_values(codes))), golden_codes(layer, codes))


def test_frames_are_clips_with_their_own_reference(rng: np.random.Generator) -> None:
    layer = DeltaActivation("relu", 8, 2.0**-5, hold=1.2)
    clips = [models.walk(rng, (9, 4), pace=5, lo=0, hi=500) for _ in range(3)]
    together = layer(IN.to_values(np.concatenate(clips)), frames=9).numpy()
    assert np.array_equal(layer.fmt.to_codes(together), np.concatenate([golden_codes(layer, c) for c in clips]))
    alone = layer(IN.to_values(clips[0])).numpy()
    assert np.array_equal(layer.fmt.to_codes(alone), np.concatenate([golden_codes(layer, f[None]) for f in clips[0]]))


def test_hold_never_drifts(rng: np.random.Generator) -> None:
    layer = DeltaActivation("identity", 12, 2.0**-3, hold=0.8)
    values = IN.to_values(models.walk(rng, (300, 60), pace=3, lo=IN.lo, hi=IN.hi))
    assert np.abs(layer(values, frames=300).numpy() - values).max() < 0.8 * 2.0**-3


@pytest.mark.parametrize("hold", [None, 1.0])
def test_gradient_is_straight_through_gated_by_relu_and_clip(hold: float | None) -> None:
    z = tf.Variable([[-9.0, -0.3, 0.1, 0.3, 1.9, 9.0]])
    for activation, expected in (("relu", [0, 0, 1, 1, 0, 0]), ("identity", [0, 1, 1, 1, 0, 0])):
        layer = DeltaActivation(activation, 3 if activation == "relu" else 4, 2.0**-3, hold)
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(layer(z, frames=1) * 3.0)
        assert tape.gradient(total, z).numpy().tolist() == [[3.0 * e for e in expected]]


def test_hold_is_kept_as_float32() -> None:
    assert DeltaActivation(hold=0.7).hold == float(np.float32(0.7))


@pytest.mark.parametrize(
    "layer",
    [
        DeltaActivation(),
        DeltaActivation("linear", 5, 0.5, 0.75, name="a", dtype="float64"),
        DeltaActivation("relu", 8, [0.5, 0.25], hold=2),
    ],
)
def test_config_round_trip(layer: DeltaActivation) -> None:
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is DeltaActivation
    assert again.get_config() == layer.get_config()
    assert (again.fmt, again.step_log2, again.lo, again.hi) == (layer.fmt, layer.step_log2, layer.lo, layer.hi)


def test_lattice_is_that_of_the_smallest_step() -> None:
    layer = DeltaActivation("linear", 8, [0.5, 2.0, 0.25])
    assert (layer.fmt, layer.step_log2) == (Fixed(width=8, frac=2, signed=True), (1, 3, 0))
    assert (layer.lo, layer.hi, layer.activation) == (-128, 127, "identity")
    layer = DeltaActivation("relu", 8, 2.0**-4)
    assert (layer.fmt, layer.step_log2, layer.hi) == (Fixed(width=8, frac=4, signed=False), (0,), 255)


def test_lives_in_any_functional_model(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    inputs = keras.Input((4, 3))
    hidden = DeltaActivation("identity", 8, [0.5, 0.25, 0.125], hold=1.0)(keras.layers.Dense(3)(inputs))
    model = keras.Model(inputs, keras.layers.Add()([hidden, inputs]))
    x = rng.normal(size=(5, 4, 3))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert np.array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"step": 0.3}, "power of two"),
        ({"step": 0.0}, "power of two"),
        ({"step": -0.5}, "power of two"),
        ({"step": float("inf")}, "power of two"),
        ({"step": [0.5, 0.3]}, "power of two"),
        ({"step": []}, "power of two"),
        ({"step": [2.0**-8, 1.0]}, "apart"),
        ({"bits": 0}, "1 to 24"),
        ({"bits": 25}, "1 to 24"),
        ({"bits": 7.5}, "1 to 24"),
        ({"hold": 0.49}, "at least 0.5"),
        ({"hold": float("nan")}, "at least 0.5"),
        ({"hold": "1"}, "at least 0.5"),
        ({"activation": "tanh"}, "'relu' or 'identity'"),
        ({"dtype": "mixed_float16"}, "float32 or float64"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        DeltaActivation(name="here", **arguments)
    assert "here" in str(error.value)


def test_wrong_number_of_channels() -> None:
    with pytest.raises(ConfigError, match="1 or 3"):
        DeltaActivation(step=[0.5, 0.25])(np.zeros((2, 4, 3)))
