# SPDX-License-Identifier: Apache-2.0
"""What a memoryless `DeltaActivation` costs in training, beside the same QKeras network without it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import qkeras

from codesign.layers import DeltaActivation

FRAMES = 16 * 8
ROUNDS = 40
LIMIT = 1.15

ACTIVATIONS: dict[str, Callable[[int, int], Any]] = {
    "QActivation": lambda bits, integer: qkeras.QActivation(qkeras.quantized_relu(bits, integer)),
    "fixed": lambda bits, integer: DeltaActivation("relu", bits, 2.0 ** (integer - bits)),
    "po2": lambda bits, integer: DeltaActivation("relu", bits, "po2", initial_step=2.0 ** (integer - bits)),
    "real": lambda bits, integer: DeltaActivation("relu", bits, "real", initial_step=2.0 ** (integer - bits)),
}


def network(activation: Callable[[int, int], Any]) -> Any:
    """The three convolutions of flows/moving_digits_conv.toml, compiled."""
    keras.utils.set_random_seed(1)
    quantizers = {f"{what}_quantizer": qkeras.quantized_bits(6, 0, alpha=1) for what in ("kernel", "bias")}
    layers: list[Any] = [keras.Input((64, 64, 1)), activation(4, 0)]
    for filters in (8, 16, 32):
        layers += [qkeras.QConv2D(filters, 3, strides=2, padding="same", **quantizers), activation(4, 1)]
    model = keras.Sequential([*layers, keras.layers.Flatten(), qkeras.QDense(10, **quantizers)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.mark.heavy
def test_a_training_step_costs_no_more_than_with_qkeras() -> None:
    models = {name: network(activation) for name, activation in ACTIVATIONS.items()}
    x = np.random.default_rng(0).random((FRAMES, 64, 64, 1), dtype=np.float32)
    labels = np.arange(FRAMES) % 10
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(ROUNDS):
        for name, model in models.items():
            start = time.perf_counter()
            model.train_on_batch(x, labels)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(each[3:]) for name, each in seconds.items()}  # the first steps compile
    ratios = {name: median / medians["QActivation"] for name, median in medians.items()}
    print(", ".join(f"{name} {1e3 * median:.1f} ms ({ratios[name]:.2f} x)" for name, median in medians.items()))
    assert max(ratios.values()) <= LIMIT, ratios
