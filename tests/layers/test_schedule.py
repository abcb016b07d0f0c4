# SPDX-License-Identifier: Apache-2.0
"""Callbacks on the factor: its course by hand, and a controller that meets its target."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from layers import tiny_models as models

from codesign.errors import ConfigError
from codesign.layers import DeltaActivation, Engines, SparsityLoss, Target, WarmUp, over_time
from codesign.layers.schedule import FACTOR, STEEPEST, find_meter


def one_dense() -> keras.Sequential:
    return keras.Sequential([keras.Input((4,)), DeltaActivation("relu", 4, 0.25), keras.layers.Dense(2, name="fc")])


def compiled(frame: Any, loss: float, frames: int = 2, engines: Engines | None = None) -> Any:
    model = over_time(frame, frames, sparsity=loss, engines=engines)
    model.compile(keras.optimizers.Adam(0.003), loss=lambda _, outputs: 0.0 * keras.ops.sum(outputs, axis=-1))
    return model


def test_warm_up() -> None:
    model = compiled(one_dense(), 8.0)
    x, y = np.zeros((2, 2, 4)), np.zeros(2)
    assert model.fit(x, y, epochs=4, verbose=0, callbacks=[WarmUp(2)]).history[FACTOR] == [0.0, 4.0, 8.0, 8.0]
    again = model.fit(x, y, initial_epoch=1, epochs=2, verbose=0, callbacks=[WarmUp(2)])
    assert again.history[FACTOR] == [4.0]


@pytest.mark.parametrize("by_cycles", [False, True])
def test_target_moves_the_factor_as_documented(by_cycles: bool) -> None:
    """Inputs change by half, then not at all, then wholly: 4, 0 and 8 of 8 elements."""
    model = compiled(one_dense(), 2.0, engines=Engines(pe=1))
    x = np.zeros((6, 2, 4))
    x[0:2, 1, :2] = x[4:6, 1] = 1.0
    wanted: dict[str, Any] = {"cycles_per_frame": 2.0} if by_cycles else {"operation_sparsity": 0.75}
    shares = np.array([4.0, 0.0, 8.0]) / 2 if not by_cycles else np.array([4.0, 0.0, 8.0])
    target = Target(**wanted, gain=0.5, damping=0.25, steps=1.0)
    course = []
    meter = find_meter(model)
    assert meter is not None
    penalty = meter.penalty
    assert penalty is not None
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: course.append(float(penalty.factor)))  # noqa: ARG005
    model.fit(x, np.zeros(6), batch_size=2, shuffle=False, verbose=0, callbacks=[target, watch])
    average, last, factor, expected = None, None, 2.0, []
    for share in shares / (4.0 if not by_cycles else 1.0):
        average = share if average is None else (average + share) / 2
        error = max(-STEEPEST, min(STEEPEST, math.log(average / (2.0 if by_cycles else 0.25))))
        factor *= math.exp(0.5 * error + 0.25 * (0.0 if last is None else error - last))
        last = error
        expected.append(factor)
    assert np.allclose(course, expected, rtol=1e-5)


def test_target_stays_in_its_bounds() -> None:
    model = compiled(one_dense(), 2.0)
    x = np.zeros((8, 2, 4))
    for target, last in (
        (Target(operation_sparsity=0.5, gain=1.0, bounds=(0.5, 4.0)), 0.5),  # nothing changes: no less factor
        (Target(operation_sparsity=0.999, gain=1.0, bounds=(0.5, 4.0)), 4.0),
    ):
        history = model.fit(x, np.zeros(8), batch_size=1, shuffle=False, verbose=0, callbacks=[target]).history
        assert history[FACTOR] == [last]
        x[:, 1] = 1.0


def second_layer_works() -> keras.Sequential:
    """8 -> 32 -> 32 -> 10 outputs: most MACs and the slowest layer are where training can make changes rare."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((8,)),
            DeltaActivation("relu", 4, 2.0**-4),
            keras.layers.Dense(32, name="fc1"),
            DeltaActivation("relu", 6, 2.0**-4),
            keras.layers.Dense(32, name="fc2"),
            DeltaActivation("relu", 6, 2.0**-4),
            keras.layers.Dense(10, name="fc3"),
        ]
    )


@pytest.mark.parametrize(
    ("wanted", "loss", "gain", "start"),
    [
        ({"operation_sparsity": 0.8}, SparsityLoss(0.1), 0.15, 0.64),
        ({"cycles_per_frame": 52.0}, SparsityLoss(0.5, weights="cycles"), 0.25, 71.0),
    ],
    ids=["macs", "cycles"],
)
def test_target_is_met(
    wanted: dict[str, Any], loss: SparsityLoss, gain: float, start: float, rng: np.random.Generator
) -> None:
    """A network learns to tell clips apart while the controller finds the factor, 8 or 40 times the first one."""
    x = np.stack([models.walk(rng, (4, 8), pace=60) for _ in range(64)]) / 256
    model = over_time(second_layer_works(), 4, sparsity=loss, engines=Engines(pe=4))
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    target = Target(**wanted, gain=gain)
    history = model.fit(x, rng.integers(0, 10, 64), batch_size=8, epochs=20, verbose=0, callbacks=[target]).history
    ((name, value),) = wanted.items()
    print(np.round(history[name], 3), np.round(history[FACTOR], 3))
    assert history[name][0] == pytest.approx(start, rel=0.05)
    assert np.mean(history[name][-4:]) == pytest.approx(value, rel=0.05)
    assert 1 < history[FACTOR][-1] < 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "one target is needed.*none"),
        ({"operation_sparsity": 0.9, "cycles_per_frame": 3}, "one target is needed.*both"),
        ({"operation_sparsity": 1.0}, r"Target\.operation_sparsity: .*above 0, below 1"),
        ({"cycles_per_frame": 0.0}, r"Target\.cycles_per_frame"),
        ({"operation_sparsity": 0.9, "gain": 0.0}, r"Target\.gain"),
        ({"operation_sparsity": 0.9, "damping": -1.0}, r"Target\.damping"),
        ({"operation_sparsity": 0.9, "steps": 0.0}, r"Target\.steps"),
        ({"operation_sparsity": 0.9, "bounds": (2.0, 1.0)}, r"Target\.bounds"),
    ],
)
def test_wrong_targets(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Target(**arguments)


def test_wrong_warm_up() -> None:
    wrong: tuple[Any, ...] = (0, 1.5, True)
    for epochs in wrong:
        with pytest.raises(ConfigError, match=r"WarmUp\.epochs"):
            WarmUp(epochs)


def test_a_model_has_to_have_what_is_moved() -> None:
    x, y = np.zeros((2, 2, 4)), np.zeros(2)
    with pytest.raises(ConfigError, match=r"no sparsity loss.*SparsityLoss"):
        compiled(one_dense(), 0.0).fit(x, y, verbose=0, callbacks=[WarmUp(2)])
    with pytest.raises(ConfigError, match=r"counts no cycles.*engines=Engines"):
        compiled(one_dense(), 1.0).fit(x, y, verbose=0, callbacks=[Target(cycles_per_frame=3)])
