# SPDX-License-Identifier: Apache-2.0
"""`fold`: the same function, of simple layers."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import qkeras
from keras import layers as L  # noqa: N812
from layers.plain_models import FRAME, MODELS, trained
from numpy.typing import NDArray

from codesign.errors import ConfigError, UnsupportedLayerError
from codesign.keras_model.kinds import ACTIVATIONS, LINEAR, MOVES, SUMS
from codesign.layers import delta, stream
from codesign.layers.fold import fold


def values(model: Any, x: Any) -> NDArray[Any]:
    return np.asarray(model(x, training=False))


@pytest.mark.parametrize("make", MODELS)
def test_computes_the_same(make: Callable[[], Any], rng: np.random.Generator) -> None:
    model = make()
    x = rng.random((16, *model.input_shape[1:]), dtype=np.float32)
    before = values(model, x)
    folded = fold(model)
    assert np.abs(values(folded, x) - before).max() < 1e-4 * max(1, np.abs(before).max())
    np.testing.assert_array_equal(values(model, x), before)  # the model given stays as it was
    kinds = {type(layer).__name__ for layer in folded.layers}
    assert kinds <= {*LINEAR, *ACTIVATIONS, *MOVES, *SUMS, "Identity", "InputLayer"}


def test_layers_that_fold_a_normalisation_themselves(rng: np.random.Generator) -> None:
    def q(kernel: str = "kernel") -> dict[str, Any]:
        return {f"{name}_quantizer": qkeras.quantized_bits(6, 1, alpha=1) for name in (kernel, "bias")}

    layers = [
        qkeras.QConv2DBatchnorm(4, 3, dilation_rate=2, use_bias=False, name="conv", **q()),
        qkeras.QDepthwiseConv2DBatchnorm(2, activation=qkeras.quantized_relu(5, 2), name="deep", **q("depthwise")),
        L.Flatten(),
        qkeras.QDenseBatchnorm(6, folding_mode="batch_stats_folding", name="dense", **q()),
    ]
    model = trained(keras.Sequential([keras.Input(FRAME), *layers]))
    frames = rng.random((4, *FRAME), dtype=np.float32)
    folded = fold(model)
    np.testing.assert_array_equal(values(folded, frames), values(model, frames))
    kinds = [type(folded.get_layer(name)).__name__ for name in ("conv", "deep", "dense")]
    assert kinds == ["QConv2D", "QDepthwiseConv2D", "QDense"]
    np.testing.assert_array_equal(stream(model, frames).outputs, values(folded, frames))


def test_one_and_no_dimension(rng: np.random.Generator) -> None:
    frame = keras.Input((6, 3))
    x = L.BatchNormalization(name="first")(frame)
    x = L.ReLU()(L.BatchNormalization(scale=False)(L.Conv1D(4, 3)(x)))
    x = L.BatchNormalization(center=False, name="flat")(L.Flatten()(x))
    model = trained(keras.Model(frame, L.Dense(2)(x)))
    x = rng.normal(size=(9, 6, 3)).astype(np.float32)
    folded = fold(model)
    np.testing.assert_allclose(values(folded, x), values(model, x), rtol=1e-4, atol=1e-4)
    assert {"first_in", "first", "first_out", "flat_in", "flat", "flat_out"} <= {layer.name for layer in folded.layers}


def test_weights_by_hand() -> None:
    norm = L.BatchNormalization(epsilon=0.0, name="norm")
    model = keras.Sequential([keras.Input((1, 1, 2)), L.DepthwiseConv2D(1, depth_multiplier=2, name="dw"), norm])
    model.get_layer("dw").set_weights([np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), np.array([1.0, 1.0, 0.0, 0.0])])
    of_norm = [[2.0, 2.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [4.0, 4.0, 1.0, 0.25]]
    norm.set_weights(list(np.array(of_norm)))
    kernel, bias = fold(model).get_layer("dw").get_weights()
    np.testing.assert_array_equal(kernel.ravel(), [1.0, 2.0, 3.0, 8.0])  # gamma / sqrt(variance) = 1, 1, 1, 2
    np.testing.assert_array_equal(bias, [0.0, 2.0, 0.0, 1.0])


def test_several_outputs_of_the_only_channel_are_a_convolution(rng: np.random.Generator) -> None:
    deep = L.DepthwiseConv2D(3, depth_multiplier=4, strides=2, padding="same", activation="relu", name="dw")
    model = trained(keras.Sequential([keras.Input((8, 8, 1)), deep, L.BatchNormalization(), L.Flatten(), L.Dense(2)]))
    frames = rng.random((3, 8, 8, 1), dtype=np.float32)
    folded = fold(model)
    assert type(folded.get_layer("dw")).__name__ == "Conv2D"
    np.testing.assert_allclose(values(folded, frames), values(model, frames), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dilation", [1, 2])
def test_a_causal_convolution_is_padded_before(rng: np.random.Generator, dilation: int) -> None:
    layer = L.Conv1D(4, 3, padding="causal", dilation_rate=dilation, activation="relu", name="conv")
    model = trained(keras.Sequential([keras.Input((9, 2)), L.Rescaling(0.5, -1.0), layer, L.Flatten(), L.Dense(2)]))
    frames = rng.random((3, 9, 2), dtype=np.float32)
    folded = fold(model)
    assert folded.get_layer("conv").padding == "valid"
    assert folded.get_layer("conv_causal").padding == (2 * dilation, 0)
    np.testing.assert_allclose(values(folded, frames), values(model, frames), rtol=1e-4, atol=1e-5)


def test_a_normalisation_of_what_others_read_is_a_convolution(rng: np.random.Generator) -> None:
    frame = keras.Input(FRAME)
    raw = L.Conv2D(2, 3, name="conv")(frame)
    model = trained(keras.Model(frame, L.Add()([L.BatchNormalization(name="norm")(raw), raw])))
    frames = rng.random((3, *FRAME), dtype=np.float32)
    folded = fold(model)
    assert type(folded.get_layer("norm")).__name__ == "DepthwiseConv2D"
    np.testing.assert_allclose(values(folded, frames), values(model, frames), rtol=1e-4, atol=1e-5)


def of(*behind: Any, shape: tuple[int, ...] = FRAME) -> Any:
    return keras.Sequential([keras.Input(shape), *behind])


def twice() -> Any:
    frame, conv = keras.Input(FRAME), L.Conv2D(2, 1, name="conv")
    return keras.Model(frame, conv(conv(frame)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: of(L.LayerNormalization(name="odd")), "odd.*LayerNormalization"),
        (lambda: of(L.Rescaling(1 / 255, name="odd")), "odd.*Rescaling.*scale the frames before"),
        (lambda: of(L.LeakyReLU(name="odd")), "odd.*LeakyReLU.*use relu or relu6"),
        (lambda: of(L.LSTM(3, name="odd"), shape=(4, 3)), "odd.*LSTM"),
        (lambda: of(L.Conv2D(2, 1), L.BatchNormalization(axis=1, name="odd")), "odd.*axis=1"),
    ],
)
def test_refuses_by_name(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(UnsupportedLayerError, match=words):
        fold(make())


def test_new_names_are_free() -> None:
    model = of(
        L.Conv2D(2, 1, activation="relu", name="a"), L.Conv2D(2, 1, name="a_delta"), L.Conv2D(2, 1, name="input_delta")
    )
    names = [layer.name for layer in delta(model).layers]
    assert {"a", "a_delta", "a_delta_2", "input_delta", "input_delta_2"} <= set(names)


def test_refuses_a_product() -> None:
    frame = keras.Input(FRAME)
    with pytest.raises(UnsupportedLayerError, match=r"multiply.*Multiply.*use Add or Concatenate"):
        fold(keras.Model(frame, L.Conv2D(2, 1)(frame) * frame))


def test_refuses_a_layer_that_is_used_twice() -> None:
    with pytest.raises(ConfigError, match=r"conv.*used twice"):
        fold(twice())
