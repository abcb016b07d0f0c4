# SPDX-License-Identifier: Apache-2.0
"""`calibrate`: a float model and clips become a delta network that answers the same and skips; nothing is trained."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from calibration.moving import SIZE, float_model, spots
from keras import layers as L  # noqa: N812

from codesign.calibration.agreement import Judge, decides
from codesign.calibration.checks import check_model
from codesign.calibration.evaluate import evaluate, pixel_values
from codesign.calibration.forward import Forward
from codesign.calibration.search import Calibration, _in_steps_of, calibrate, with_holds
from codesign.errors import ConfigError, UnsupportedLayerError
from codesign.layers import DeltaActivation, delta, stream

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def clips() -> Any:
    return spots(6, 8)


def test_forward_computes_what_stream_does_and_counts_what_changes(clips: Any) -> None:
    network = delta(float_model(), clips=clips, input_range=(0, 1), step="fixed", hold=2.0, input_hold=1.5)
    forward = Forward(network, pixel_values(network, clips[:2]))
    result = forward.run()
    runs = [stream(network, clip / 256) for clip in clips[:2]]
    for got, run in zip(result.outputs, runs, strict=True):
        np.testing.assert_allclose(got, run.outputs, rtol=0, atol=1e-6)
    changed = sum(int((np.diff(run.codes["pw_delta"], axis=0) != 0).any(-1).sum()) for run in runs)
    assert changed > 0
    pointwise = sum(int((np.diff(run.codes["relu2"], axis=0) != 0).sum()) * 8 for run in runs)
    assert result.macs["pw"] == pointwise
    assert forward.macs_of_all["pw"] == 2 * 7 * 3 * 3 * 6 * 8
    assert result.events["relu2"] == pointwise / 8
    most = max(result.events.values()) / (2 * 7 * max(forward.sizes.values()))
    assert forward.left(result) == pytest.approx(result.work / forward.total + most)
    assert (forward.reads["relu2"], forward.prices["relu2"]) == (["pw"], 8.0)
    plain = delta(float_model(), clips=clips, input_range=(0, 1), step="fixed")
    other = Forward(plain, pixel_values(plain, clips[:2]))
    tried = other.run({**forward.holds, "relu2": np.full(6, 2.0)})
    np.testing.assert_array_equal(tried.outputs, result.outputs)
    assert tried.macs == result.macs
    assert other.run().work > tried.work


def test_holds_that_agree_are_found(clips: Any) -> None:
    model = float_model()
    found = calibrate(model, clips, input_range=(0, 1), agreement=0.9)
    assert found.agreement.decisions >= 0.9
    assert found.operation_sparsity > found.memoryless_sparsity + 0.05
    holds = {layer.name: layer.hold for layer in found.network.layers if isinstance(layer, DeltaActivation)}
    assert holds == {item.name: item.hold for item in found.activations}
    assert any(hold is not None for hold in holds.values())
    again = evaluate(model, found.network, clips, input_range=(0, 1))
    assert again.agreement == found.agreement
    assert again.operation_sparsity == pytest.approx(found.operation_sparsity)
    assert sum(item.macs * (1 - item.skipped) for item in found.layers) == pytest.approx(
        (1 - found.operation_sparsity) * sum(item.macs for item in found.layers)
    )


def test_bits_are_added_until_rounding_is_small_beside_what_is_allowed(
    clips: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = ((3, 3), (8, 8), (12, 12))
    monkeypatch.setattr("codesign.calibration.search.WIDTHS", widths)
    few = clips[:2]
    assert bits_of(calibrate(float_model(), few, input_range=(0, 1), agreement=0.9)) == (8, 8)
    monkeypatch.setattr("codesign.calibration.search.ROUNDED", 0.0)
    assert bits_of(calibrate(float_model(), few, input_range=(0, 1), agreement=0.9)) == (12, 12)


def bits_of(found: Calibration) -> tuple[int, int]:
    return found.weight_bits, found.activation_bits


def test_an_agreement_that_nothing_reaches_names_the_best_and_the_layer_in_the_way(
    clips: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codesign.calibration.search.WIDTHS", ((2, 1),))
    with pytest.raises(
        ConfigError, match=r"no setting agrees .*2-bit weights and 1-bit .* the rounding of '\w+' costs"
    ):
        calibrate(float_model(), clips, input_range=(0, 1), agreement=1.0)


def test_holds_are_put_into_a_copy(clips: Any) -> None:
    network = delta(float_model(), clips=clips, input_range=(0, 1), step="fixed")
    held = with_holds(network, {"relu": 3.0, "relu2": None})
    assert (held.get_layer("relu").hold, network.get_layer("relu").hold) == (3.0, None)
    frames = pixel_values(network, clips[0, :1])
    np.testing.assert_array_equal(
        stream(held, frames).codes["input_delta"], stream(network, frames).codes["input_delta"]
    )


def test_what_only_the_scaled_network_quantises_is_memoryless() -> None:
    """Which sums are too wide to be sent depends on the scales."""
    before: Any = SimpleNamespace(layers={"a": SimpleNamespace(unit=0.5), "b": SimpleNamespace(unit=1.0)})
    after: Any = SimpleNamespace(activations=["a", "c"], layers={"a": SimpleNamespace(unit=0.25)})
    assert _in_steps_of(after, before, {"a": 2.0, "b": 1.0}) == {"a": 4.0}


def test_numbers_are_compared_within_a_tolerance() -> None:
    judge = Judge(wanted=np.array([[[0.0, 1.0], [2.0, 10.0]]]), decides=False, tolerance=0.1)
    found = judge.judge(np.array([[[0.9, 1.0], [2.0, 8.5]]]))
    assert (found.decisions, found.frames) == (0.5, 2)
    assert found.mean_abs_difference == pytest.approx(2.4 / 4)
    assert judge.loss(judge.wanted) == 0.0
    assert judge.expected(np.array([[[0.8, 1.0], [2.0, 10.0]]])) == 1.0
    assert judge.expected(np.array([[[0.9, 1.0], [2.0, 10.0]]])) == 0.5, "of a tolerance of 1, 0.15 are to spare"


def test_what_is_expected_of_other_frames() -> None:
    """Answers with little ahead turn with changes that are seen on others, most of all on those like them."""
    wanted = np.array([[[0.55, 0.45], [0.9, 0.1], [0.6, 0.4], [0.99, 0.01]]])
    judge = Judge(wanted=wanted, decides=True)
    assert judge.expected(wanted) == 1.0
    weights = judge.weights[0]
    np.testing.assert_allclose(weights, 4 * wanted[0, :, 0] * wanted[0, :, 1] + 0.1)
    outputs = wanted.copy()
    outputs[0, 3] = [0.97, 0.03]  # a change of 1.1 in log-odds, more than 0.2 and 0.4 that two frames are ahead
    assert judge.same(outputs).all()
    assert judge.expected(outputs) == pytest.approx(1 - 2 / 4 * weights[3] / weights.sum())
    outputs[0, 0] = [0.4, 0.6]
    assert judge.expected(outputs) <= 0.75, "not better than what is seen"


def test_an_error_counts_most_where_answers_are_near() -> None:
    wanted = np.array([[[0.5, 0.5], [0.9, 0.1]]])
    judge = Judge(wanted=wanted, decides=True)
    outputs = np.array([[[0.6, 0.4], [0.9, 0.1]]])
    near, far = judge.weights[0]
    assert judge.error(outputs) == pytest.approx(np.log(1.5) ** 2 * near / (near + far))
    assert judge.error(wanted) == 0.0
    numbers = Judge(wanted=np.zeros((1, 2, 3)), decides=False)
    assert numbers.error(np.full((1, 2, 3), 2.0)) == 12.0


def test_an_agreement_allows_for_an_error() -> None:
    wanted = np.array([[[0.6, 0.4], [0.9, 0.1]]])
    judge = Judge(wanted=wanted, decides=True)
    leads = [np.log(1.5), np.log(9.0)]
    np.testing.assert_allclose(judge.leads, [leads])
    sigma = judge.room(0.9) ** 0.5
    turned = np.mean([math.erfc(lead / sigma / math.sqrt(2)) / 2 for lead in leads])
    assert turned == pytest.approx(0.1, rel=1e-3)


def test_which_models_decide() -> None:
    assert decides(float_model())
    again = keras.Sequential([keras.Input((4,)), L.Dense(4)])
    assert not decides(again), "an autoencoder"
    assert not decides(keras.Sequential([keras.Input((4,)), L.Dense(1)]))


def test_all_layers_are_refused_at_once() -> None:
    x = frame = keras.Input((SIZE, SIZE, 3))
    x = L.LeakyReLU(name="leaky")(L.Conv2D(4, 3, name="conv")(x))
    x = L.Cropping2D(1, name="cropped")(x)
    model = keras.Model(frame, L.Dense(2)(L.Flatten()(x)))
    with pytest.raises(UnsupportedLayerError, match=r"leaky \(LeakyReLU\), cropped \(Cropping2D\)"):
        check_model(model, frame=(SIZE, SIZE, 3), classes=None, input_range=(0, 1))


def test_clips_and_labels_have_to_fit() -> None:
    with pytest.raises(ConfigError, match="do not fit the input"):
        check_model(float_model(), frame=(8, 8, 3), classes=None, input_range=(0, 1))
    with pytest.raises(ConfigError, match="labels do not fit"):
        check_model(float_model(), frame=(SIZE, SIZE, 3), classes=("a", "b", "c"), input_range=(0, 1))
