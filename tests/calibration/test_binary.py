# SPDX-License-Identifier: Apache-2.0
"""A model of one sigmoid is a classifier of two classes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

from codesign.calibration.agreement import Judge, decides, is_binary
from codesign.calibration.checks import check_model
from codesign.calibration.evaluate import evaluate, float_outputs
from codesign.errors import ConfigError
from codesign.layers import delta


def model_of(outputs: int, activation: str) -> Any:
    keras.utils.set_random_seed(4)
    return keras.Sequential(
        [keras.Input((5,)), L.Dense(6, activation="relu"), L.Dense(outputs, activation=activation, name="fc")]
    )


@pytest.mark.parametrize(
    ("outputs", "activation", "binary", "deciding"),
    [(1, "sigmoid", True, True), (1, "linear", False, False), (2, "sigmoid", False, True), (2, "softmax", False, True)],
)
def test_only_a_single_sigmoid_is_binary(outputs: int, activation: str, binary: bool, deciding: bool) -> None:
    model = model_of(outputs, activation)
    assert (is_binary(model), decides(model)) == (binary, deciding)
    assert is_binary(delta(model)) == binary


def test_its_output_is_two_probabilities(rng: np.random.Generator) -> None:
    model, clips = model_of(1, "sigmoid"), rng.integers(0, 256, (3, 8, 5), np.uint8)
    outputs = float_outputs(model, clips, (0, 1))
    wanted = np.asarray(model(clips.reshape(-1, 5) / np.float32(255))).reshape(3, 8)
    np.testing.assert_allclose(outputs, np.stack([1 - wanted, wanted], axis=-1), atol=1e-6)
    network = delta(model, clips=clips, input_range=(0, 1), step="fixed")
    found = evaluate(model, network, clips, input_range=(0, 1))
    assert found.outputs.shape == (3, 8, 2)
    np.testing.assert_allclose(found.outputs, outputs, atol=0.02)
    same = (found.outputs[..., 1] > 0.5) == (wanted > 0.5)
    assert found.agreement.decisions == same.mean()


def test_an_answer_that_turns_is_counted() -> None:
    judge = Judge(wanted=np.array([[[0.4, 0.6], [0.9, 0.1]]]), decides=True)
    assert judge.judge(np.array([[[0.6, 0.4], [0.8, 0.2]]])).decisions == 0.5
    assert judge.probabilities


def test_two_classes_fit_it() -> None:
    model = model_of(1, "sigmoid")
    check_model(model, frame=(5,), classes=("no", "yes"), input_range=(0, 1))
    with pytest.raises(ConfigError, match=r"2 folders, one for each output.*Received: 3"):
        check_model(model, frame=(5,), classes=("no", "yes", "maybe"), input_range=(0, 1))
