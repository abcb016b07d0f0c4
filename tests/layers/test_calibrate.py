# SPDX-License-Identifier: Apache-2.0
"""What sample frames say, against values worked out by hand."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from numpy.typing import NDArray

from codesign.errors import ConfigError
from codesign.layers import DeltaActivation, delta
from codesign.layers.calibrate import MAX_FRAMES, frames_of, range_exponent, sample, step_exponent, wasteful


@pytest.mark.parametrize(("values", "exponent"), [([0.0], None), ([1.0, -0.5], 0), ([1.001], 1), ([-0.26], -1)])
def test_range(values: list[float], exponent: int | None) -> None:
    assert range_exponent(np.array(values)) == exponent


@pytest.mark.parametrize(
    ("values", "bits", "signed", "exponent"),
    [
        ([0.0, 0.0], 4, False, None),
        (np.arange(16) / 4, 4, False, -2),  # exactly the codes 0 .. 15 of steps of 1/4
        (np.arange(-8, 8) / 4, 4, True, -2),
        ([*[0.1875] * 1000, 1.0], 4, False, -4),  # 0.1875 is 3/16, so this is exact but for 1, shown as 15/16
        ([*[0.0625] * 1000, 1.25], 4, False, -4),  # steps of 1/8 cost (1/16)^2 a thousand times, of 1/16 (5/16)^2 once
        ([*[0.0625] * 10, 1.25], 4, False, -3),  # and here less
    ],
)
def test_best_step(values: list[float] | NDArray[Any], bits: int, signed: bool, exponent: int | None) -> None:
    assert step_exponent(np.array(values), bits, signed=signed) == exponent


def test_samples_hold_the_extremes(rng: np.random.Generator) -> None:
    model = keras.Sequential([keras.Input((70, 70, 6)), L.ReLU(name="relu")])
    clips = rng.normal(size=(2, 5, 70, 70, 6)).astype(np.float32)
    clips[1, 4, 3, 3, 3] = 100.0
    seen = sample(model, ["relu"], clips)["relu"]
    assert seen.max() == 100.0
    assert seen.min() == 0.0
    assert seen.size < clips.size / 5


def test_samples_are_spread_over_many_frames() -> None:
    model = keras.Sequential([keras.Input((1,)), L.ReLU(name="relu")])
    frames = np.arange(10.0 * MAX_FRAMES, dtype=np.float32).reshape(1, -1, 1)
    seen = sample(model, ["relu"], frames)["relu"]
    assert seen.max() == frames.max()
    assert len(np.unique(seen)) == MAX_FRAMES


def test_state_pays_where_less_changes_than_is_nonzero() -> None:
    """One feature blinks (changes in both frames, nonzero in one), one stays at 1 (never changes, always nonzero)."""
    frame = keras.Input((2,))
    outputs = []
    for feature in range(2):
        one = L.Dense(1, kernel_initializer=keras.initializers.Constant(np.eye(2)[:, feature : feature + 1]))
        sent = DeltaActivation("relu", 4, 0.5, name=f"feature{feature}")(one(frame))
        outputs.append(L.Dense(3)(sent))
    model = keras.Model(frame, L.Concatenate()(outputs))
    clips = np.array([[[0.0, 1.0], [1.0, 1.0], [0.0, 1.0]]], np.float32)
    assert wasteful(model, clips) == ["feature0"]
    with pytest.raises(ConfigError, match="show no changes"):
        wasteful(model, clips[:, :1])


@pytest.mark.parametrize("clips", [np.zeros((3, 3)), np.zeros((0, 2, 4)), np.full((1, 2, 4), np.nan)])
def test_refuses_clips(clips: NDArray[Any]) -> None:
    with pytest.raises(ConfigError, match="here: clips"):
        frames_of(clips, (4,), "here")


def test_one_clip_is_clips_of_one() -> None:
    assert frames_of(np.zeros((5, 4)), (4,), "here").shape == (1, 5, 4)


def test_sums_that_are_too_wide_get_a_step_that_fits_them(rng: np.random.Generator) -> None:
    """Without a sample of what an Add reads, it was cut off at 8."""
    keras.utils.set_random_seed(5)
    x = frame = keras.Input((6, 6, 2))
    x = L.ReLU()(L.Conv2D(4, 3, name="first")(x))
    x = L.Add()([L.Conv2D(4, 1, name="one")(x), L.Conv2D(4, 1, name="other")(x)])
    model = keras.Model(frame, L.Dense(2)(L.Flatten()(L.ReLU()(x))))
    for name in ("one", "other"):
        kernel, bias = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([100 * kernel, bias])
    frames = rng.uniform(0, 1, (8, 6, 6, 2)).astype(np.float32)
    wanted = np.asarray(model(frames))
    got = np.asarray(delta(model, clips=frames, step="fixed", weight_bits=16, activation_bits=16)(frames))
    assert np.abs(got - wanted).max() < 0.01 * np.abs(wanted).max()
