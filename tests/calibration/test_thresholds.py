# SPDX-License-Identifier: Apache-2.0
"""Thresholds of channels: as much variance of the answer as is allowed, for less work than one hold for all takes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from calibration.moving import SIZE, float_model, spots
from keras import layers as L  # noqa: N812

from codesign.calibration.agreement import Judge
from codesign.calibration.evaluate import float_outputs, pixel_values
from codesign.calibration.forward import Forward
from codesign.calibration.search import calibrate
from codesign.calibration.thresholds import find_thresholds
from codesign.layers import delta

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def given() -> tuple[Forward, Judge]:
    clips, model = spots(6, 8), float_model()
    network = delta(model, clips=clips, input_range=(0, 1), step="fixed", equalized=True, activation_bits=10)
    judge = Judge(wanted=float_outputs(model, clips, (0, 1)), decides=True)
    return Forward(network, pixel_values(network, clips)), judge


def leads(outputs: Any) -> Any:
    return outputs[..., 0] - outputs[..., 1]


def test_less_work_for_the_same_error(given: tuple[Forward, Judge]) -> None:
    forward, judge = given
    plain = leads(forward.run().outputs)
    uniform = forward.run(dict.fromkeys(forward.activations, 4.0))
    error = float(np.average((leads(uniform.outputs) - plain) ** 2, weights=judge.weights))
    own = ["relu", "relu2", "pw_delta"]
    found, top = find_thresholds(forward, judge, variance=error, own=own, show=lambda *_: None)
    assert all(
        len(np.unique(found[name])) == (1 if name not in own else len(found[name])) for name in ("relu", "input_delta")
    )
    assert {name: values.shape for name, values in top.items()} == {name: each.shape for name, each in found.items()}
    result = forward.run(found)
    assert result.work < uniform.work
    assert np.average((leads(result.outputs) - plain) ** 2, weights=judge.weights) < 1.5 * error


def test_numbers_are_held_within_their_tolerance() -> None:
    """Of a model that gives numbers, too: nothing is scaled behind a layer without relu."""
    keras.utils.set_random_seed(2)
    x = frame = keras.Input((SIZE, SIZE, 3))
    x = L.Conv2D(4, 3, strides=2, activation="relu")(x)
    model = keras.Model(frame, L.Dense(1)(L.Flatten()(L.Conv2D(3, 2)(x))))
    clips = spots(4, 8)
    found = calibrate(model, clips, input_range=(0, 1), agreement=0.95, tolerance=0.2)
    assert found.agreement.decisions >= 0.95
    assert found.operation_sparsity > found.memoryless_sparsity
