# SPDX-License-Identifier: Apache-2.0
"""Pixels stay 8-bit codes, whatever a model was trained to read: what it does to them goes into its first weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import qkeras
from keras import layers as L  # noqa: N812

from codesign.errors import ConfigError
from codesign.fixed import CENTERED, PIXEL, Fixed
from codesign.layers import DeltaActivation, delta
from codesign.layers.activation import input_format

FRAME = (6, 7, 3)


def normalized() -> Any:
    """Pixels of three ranges: no one value is what zeros stand for."""
    return L.Normalization(mean=[100.0, 120.0, 130.0], variance=[400.0, 2500.0, 10000.0], name="norm")


def shifted() -> Any:
    return L.Rescaling(1 / 127.5, -1.0, name="rescaled")


def network(*front: Any, padding: str = "same") -> Any:
    keras.utils.set_random_seed(3)
    x = frame = keras.Input(FRAME, name="frame")
    for layer in front:
        x = layer(x)
    x = L.Conv2D(5, 3, padding=padding, activation="relu", name="conv")(x)
    return keras.Model(frame, L.Dense(4, name="fc")(L.Flatten(name="flat")(x)))


CASES: dict[str, tuple[Callable[[], Any], tuple[float, float], bool, float]] = {
    "0 to 1": (lambda: network(), (0, 1), False, 0.005),
    "0 to 255": (lambda: network(), (0, 255), False, 0.005),
    "-1 to 1": (lambda: network(), (-1, 1), True, 0.01),  # zeros that pad are 127.5, and become 128
    "-1 to 1, no border": (lambda: network(padding="valid"), (-1, 1), False, 0.005),
    "rescaled": (lambda: network(shifted()), (0, 255), True, 0.01),
    "rescaled, padded by a layer": (
        lambda: network(shifted(), L.ZeroPadding2D(1), padding="valid"),
        (0, 255),
        True,
        0.01,
    ),
    "normalised": (lambda: network(normalized(), padding="valid"), (0, 255), False, 0.005),
    "normalised, padded": (lambda: network(normalized()), (0, 255), False, 0.01),
    "BatchNormalization": (lambda: network(L.BatchNormalization(name="bn"), padding="valid"), (0, 1), False, 0.005),
    "reshaped": (lambda: network(L.Flatten(), shifted(), L.Reshape(FRAME), padding="valid"), (0, 255), False, 0.005),
    "maxima": (lambda: network(shifted(), L.MaxPooling2D(2)), (0, 255), False, 0.005),
    "separable": (
        lambda: network(shifted(), L.SeparableConv2D(3, 2, padding="same", name="sep")),
        (0, 255),
        False,
        0.01,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_network_of_pixels_stays_close(case: str, rng: np.random.Generator) -> None:
    """Many bits of weights and activations, so that what is left is what pixels cost."""
    make, ends, centered, tolerance = CASES[case]
    model = make()
    pixels = rng.integers(0, 256, (8, *FRAME))
    made = delta(model, clips=pixels, input_range=ends, weight_bits=12, activation_bits=12)
    first = made.get_layer("input_delta")
    assert isinstance(first, DeltaActivation)
    assert (first.activation == "identity", first.bits, first.unit) == (centered, 8, 2.0**-8)
    low, high = ends
    wanted = np.asarray(model((low + (high - low) * pixels / 255).astype(np.float32)))
    got = np.asarray(made(((pixels - 128 * centered) / 256).astype(np.float32)))
    assert np.abs(got - wanted).max() < tolerance * np.abs(wanted).max()


def test_dark_clips_keep_all_eight_bits(rng: np.random.Generator) -> None:
    made = delta(network(), clips=rng.integers(0, 9, (4, *FRAME)), input_range=(0, 1))
    assert made.get_layer("input_delta").unit == 2.0**-8


@pytest.mark.parametrize(
    ("ends", "fmt"),
    [
        ((0, 255 / 256), Fixed(width=8, frac=8, signed=False)),
        ((0, 255), Fixed(width=8, frac=0, signed=False)),
        ((-4, 127 / 32), Fixed(width=8, frac=5, signed=True)),
        ((0, 1), None),
        ((-1, 1), None),
        ((-3, 255 / 64 - 3), None),
    ],
)
def test_first_weights_with_a_quantizer_read_values_where_the_input_has_a_format(
    ends: tuple[float, float], fmt: Fixed | None, rng: np.random.Generator
) -> None:
    keras.utils.set_random_seed(3)
    own = qkeras.quantized_bits(6, 1, alpha=1)
    frame = keras.Input(FRAME, name="frame")
    x = qkeras.QConv2D(5, 3, padding="same", kernel_quantizer=own, bias_quantizer=own, name="conv")(frame)
    model = keras.Model(frame, L.Dense(4, name="fc")(L.Flatten(name="flat")(L.ReLU(name="relu")(x))))
    made = delta(model, clips=rng.integers(0, 256, (8, *FRAME)), input_range=ends)
    scaled = "input_scaled" in [layer.name for layer in made.layers]
    assert scaled == (fmt is None), "a layer of its own"
    assert input_format(made) == fmt or (fmt is None and input_format(made) in (PIXEL, CENTERED))


def test_zeros_around_what_is_normalised_are_made_after_it() -> None:
    names = [layer.name for layer in delta(network(normalized()), input_range=(0, 255)).layers]
    assert names[:4] == ["frame", "input_delta", "input_scaled", "input_scaled_delta"]


def test_other_clips_and_ranges_are_refused() -> None:
    with pytest.raises(ConfigError, match="clips are pixels"):
        delta(network(), clips=np.full((2, *FRAME), 0.5), input_range=(0, 1))
    with pytest.raises(ConfigError, match="not a range of pixels"):
        delta(network(), input_range=(1, 0))
