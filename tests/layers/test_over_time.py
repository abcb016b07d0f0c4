# SPDX-License-Identifier: Apache-2.0
"""Clip models: they share the frame model's layers, train them, and compute the same stream."""

from __future__ import annotations

import pathlib
from typing import Any, Literal

import keras
import numpy as np
import pytest
from layers import tiny_models as models

from codesign.errors import ConfigError
from codesign.layers import DeltaActivation, over_time, stream

FRAMES = 5


def clips(rng: np.random.Generator, count: int = 16) -> np.ndarray:
    moving = [models.walk(rng, (FRAMES, 6, 6, 1), pace=20) for _ in range(count)]
    return np.stack(moving) / 256


@pytest.mark.parametrize("hold", [None, 0.75])
def test_clip_outputs_are_the_frame_outputs_of_each_stream(hold: float | None, rng: np.random.Generator) -> None:
    frame = models.frame_model(hold)
    x = clips(rng, 3)
    expected = np.stack([stream(frame, clip).outputs for clip in x])
    heads: dict[Literal["mean", "last"] | None, np.ndarray] = {
        None: expected,
        "mean": expected.mean(axis=1),
        "last": expected[:, -1],
    }
    for head, reduced in heads.items():
        model = over_time(frame, FRAMES, head)
        assert model.output_shape == (None, *reduced.shape[1:])
        got = model.predict(x, verbose=0)
        assert np.allclose(got, reduced, atol=1e-6) if head == "mean" else np.array_equal(got, reduced)


def test_memoryless_clip_model_is_the_frame_model_on_folded_time(rng: np.random.Generator) -> None:
    frame = models.frame_model()
    x = clips(rng)
    folded = frame.predict(x.reshape(-1, 6, 6, 1), verbose=0)
    assert np.array_equal(over_time(frame, FRAMES, None).predict(x, verbose=0), folded.reshape(-1, FRAMES, 10))


def test_training_the_clip_model_trains_the_frame_model(rng: np.random.Generator) -> None:
    frame = models.frame_model(hold=0.75)
    before = frame.get_weights()
    model = over_time(frame, FRAMES, sparsity=0.01)
    assert {id(w) for w in model.trainable_weights} == {id(w) for w in frame.trainable_weights}
    x, y = clips(rng, 64), rng.integers(0, 10, 64)
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(x, y, epochs=6, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert all(np.any(new != old) for new, old in zip(frame.get_weights(), before, strict=True))
    again = over_time(frame, FRAMES, None).predict(x[:1], verbose=0)[0]
    assert np.array_equal(again, stream(frame, x[0]).outputs)


@pytest.mark.parametrize("hold", [None, 0.75])
def test_saved_clip_model_is_the_same(hold: float | None, tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    model = over_time(models.frame_model(hold), FRAMES, sparsity=0.1)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.optimizer.build(model.trainable_variables)  # else Keras warns that the loaded one has more
    x, y = clips(rng), rng.integers(0, 10, 16)
    model.save(tmp_path / "clip.keras")
    again = keras.models.load_model(tmp_path / "clip.keras")
    assert again.evaluate(x, y, verbose=0, return_dict=True) == model.evaluate(x, y, verbose=0, return_dict=True)


def test_frame_model_stays_deployable(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    frame = models.frame_model(hold=1.0)
    over_time(frame, FRAMES)
    over_time(frame, 3, "last")
    frame.save(tmp_path / "frame.keras")
    x = clips(rng)[0]
    again = keras.models.load_model(tmp_path / "frame.keras")
    assert [layer.name for layer in again.layers] == [layer.name for layer in frame.layers]
    assert np.array_equal(stream(again, x).outputs, stream(frame, x).outputs)


def test_functional_model_with_branches(rng: np.random.Generator) -> None:
    inputs = keras.Input((6, 6, 1))
    encoded = DeltaActivation("relu", 4, 2.0**-4, 0.75)(inputs)
    left = keras.layers.Conv2D(4, 3, padding="same", name="left")(encoded)
    right = keras.layers.Conv2D(4, 1, name="right")(encoded)
    joined = DeltaActivation("relu", 8, 2.0**-4, name="joined")(keras.layers.Add()([left, right]))
    outputs = keras.layers.Dense(3, name="out")(keras.layers.Flatten()(keras.layers.MaxPooling2D()(joined)))
    frame = keras.Model(inputs, outputs)
    model = over_time(frame, FRAMES, None, sparsity=1.0)
    x = clips(rng, 2)
    expected = np.stack([stream(frame, clip).outputs for clip in x])
    assert np.allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)
    model.compile(loss="mse")
    logs = model.evaluate(x, expected, verbose=0, return_dict=True)
    assert {"density/left", "density/right", "density/out", "operation_sparsity"} <= logs.keys()


def test_bad_arguments() -> None:
    frame = models.frame_model()
    wrong: tuple[Any, ...] = (1, 0, 2.0, True)
    for frames in wrong:
        with pytest.raises(ConfigError, match="at least 2"):
            over_time(frame, frames)
    with pytest.raises(ConfigError, match="'mean', 'last' or None"):
        over_time(frame, 4, "max")  # type: ignore[arg-type]
    wrong = (-1.0, "a", float("nan"), True, None)
    sparsity: Any
    for sparsity in wrong:
        with pytest.raises(ConfigError, match=r"over_time: sparsity.*0 or more, or a SparsityLoss"):
            over_time(frame, 4, sparsity=sparsity)


def test_bad_frame_models() -> None:
    with pytest.raises(ConfigError, match=r"starts with keras\.Input"):
        over_time(keras.Sequential([keras.layers.Dense(2)]), 4)
    with pytest.raises(ConfigError, match="not a model of one frame"):
        over_time("model", 4)
    nested = keras.Sequential([keras.Input((6, 6, 1)), models.frame_model()])
    with pytest.raises(ConfigError, match=r"layers only.*Received: tiny.*keras\.Model\(inner\.input, head"):
        over_time(nested, 4)
    a, b = keras.Input((2,)), keras.Input((2,))
    with pytest.raises(ConfigError, match="2 inputs"):
        over_time(keras.Model([a, b], keras.layers.Add()([a, b])), 4)
    shared = keras.layers.Dense(2, name="twice")
    with pytest.raises(ConfigError, match="twice"):
        over_time(keras.Model(a, shared(shared(a))), 4)
    unknown = keras.Input((None, None, 1))
    with pytest.raises(ConfigError, match="must be known"):
        over_time(keras.Model(unknown, keras.layers.Conv2D(2, 3)(unknown)), 4)
