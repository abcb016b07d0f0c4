# SPDX-License-Identifier: Apache-2.0
"""Plain Keras and QKeras models as people write them, with statistics and weights of a trained one."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import qkeras
from keras import layers as L  # noqa: N812

FRAME = (8, 8, 2)


def trained(model: Any, seed: int = 0) -> Any:
    """Return ``model`` with weights and normalisations as after training, none of them special."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for weight in layer.weights:
            if weight.name in ("moving_variance", "gamma"):
                weight.assign(rng.uniform(0.4, 1.6, weight.shape))
            elif weight.name in ("beta", "bias", "moving_mean"):
                weight.assign(rng.normal(0, 0.3, weight.shape))
    return model


def sequential() -> Any:
    """Convolutions with BatchNormalization and ReLU layers."""
    keras.utils.set_random_seed(1)
    return trained(
        keras.Sequential(
            [
                keras.Input(FRAME, name="frame"),
                L.Conv2D(4, 3, padding="same", use_bias=False, name="conv1"),
                L.BatchNormalization(name="norm1"),
                L.ReLU(name="relu1"),
                L.MaxPooling2D(2, name="pool"),
                L.ZeroPadding2D(1, name="pad"),
                L.DepthwiseConv2D(3, use_bias=False, name="dw"),
                L.BatchNormalization(name="norm2"),
                L.ReLU(6.0, name="relu2"),
                L.Dropout(0.5, name="dropout"),
                L.Flatten(name="flatten"),
                L.Dense(5, name="logits"),
                L.Softmax(name="classes"),
            ],
            name="sequential",
        )
    )


def residual() -> Any:
    """A residual block whose shortcut is codes, one whose shortcut is a convolution written with ``+``, an average."""
    keras.utils.set_random_seed(2)
    relu = L.Activation("relu", name="relu")  # one layer, used three times
    x = frame = keras.Input(FRAME, name="frame")
    x = relu(L.BatchNormalization(name="norm")(L.Conv2D(4, 3, padding="same", name="stem")(x)))
    y = L.BatchNormalization(name="norm_a")(L.Conv2D(4, 3, padding="same", name="a")(x))
    x = relu(L.Add(name="sum")([x, y]))
    y = L.Conv2D(6, 3, strides=2, padding="same", name="b")(x) + L.Conv2D(6, 1, strides=2, name="shortcut")(x)
    x = L.GlobalAveragePooling2D(name="mean")(relu(y))
    return trained(keras.Model(frame, L.Dense(3, name="logits")(x), name="residual"))


def arguments() -> Any:
    """``activation=`` arguments, BatchNormalization after them, a separable convolution, softmax as an argument."""
    keras.utils.set_random_seed(3)
    return trained(
        keras.Sequential(
            [
                keras.Input(FRAME, name="frame"),
                L.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="conv1"),
                L.BatchNormalization(name="norm1"),
                L.SeparableConv2D(6, 3, padding="same", activation="relu6", name="sep"),
                L.Flatten(name="flatten"),
                L.Dense(8, activation="relu", name="fc1"),
                L.BatchNormalization(name="norm2"),
                L.Dense(4, activation="softmax", name="fc2"),
            ],
            name="arguments",
        )
    )


def quantized() -> Any:
    """A QKeras model: quantisers kept, one layer with a BatchNormalization after it, and one that has its own."""
    keras.utils.set_random_seed(4)

    def q(kernel: str = "kernel") -> dict[str, Any]:
        names = (f"{kernel}_quantizer", "bias_quantizer")
        return {name: qkeras.quantized_bits(6, 1, alpha=1) for name in names}

    model = keras.Sequential(
        [
            keras.Input(FRAME, name="frame"),
            qkeras.QActivation(qkeras.quantized_bits(6, 0, alpha=1), name="q_in"),
            qkeras.QConv2D(4, 3, padding="same", name="conv1", **q()),
            L.BatchNormalization(name="norm1"),
            qkeras.QActivation(qkeras.quantized_relu(5, 2), name="q1"),
            qkeras.QDepthwiseConv2D(3, name="dw", activation=qkeras.quantized_relu(4, 1), **q("depthwise")),
            qkeras.QConv2DBatchnorm(4, 3, name="conv2", **q()),
            qkeras.QActivation(qkeras.quantized_relu(4, 2), name="q2"),
            L.Flatten(name="flatten"),
            qkeras.QDense(3, name="logits", **q()),
        ],
        name="quantised",
    )
    return trained(model)


def line() -> Any:
    """Frames of one dimension."""
    keras.utils.set_random_seed(5)
    return trained(
        keras.Sequential(
            [
                keras.Input((16, 8), name="frame"),
                L.Conv1D(6, 3, padding="same", activation="relu", name="conv"),
                L.MaxPooling1D(2, name="pool"),
                L.DepthwiseConv1D(3, strides=2, padding="same", name="dw"),
                L.BatchNormalization(name="norm"),
                L.ReLU(name="relu"),
                L.GlobalAveragePooling1D(name="mean"),
                L.Dense(3, name="logits"),
            ],
            name="line",
        )
    )


def preactivated() -> Any:
    """Blocks of BatchNormalization, ReLU and convolution whose sums others read, and a sigmoid at the end."""
    keras.utils.set_random_seed(6)
    frame = keras.Input(FRAME, name="frame")
    x = L.Dropout(0.1, name="dropout")(L.Conv2D(4, 3, padding="same", name="stem")(frame))
    for block in "ab":
        y = L.ReLU(name=f"relu_{block}")(L.BatchNormalization(name=f"norm_{block}")(x))
        x = L.Add(name=f"sum_{block}")([x, L.Conv2D(4, 3, padding="same", name=f"conv_{block}")(y)])
    x = L.ReLU(name="relu")(L.BatchNormalization(name="norm")(x))
    x = L.Dense(1, activation="sigmoid", name="seen")(L.Flatten(name="flatten")(x))
    return trained(keras.Model(frame, x, name="preactivated"))


def averaged() -> Any:
    """No weights after the mean of 5 x 5, which is followed by a softmax."""
    keras.utils.set_random_seed(7)
    layers = [
        L.Conv2D(4, 3, activation="relu", name="conv"),
        L.Conv2D(3, 2, name="classes"),
        L.ReLU(name="relu"),
        L.GlobalAveragePooling2D(name="mean"),
        L.Activation("softmax", name="softmax"),
    ]
    return trained(keras.Sequential([keras.Input(FRAME, name="frame"), *layers], name="averaged"))


MODELS = (preactivated, averaged, sequential, residual, arguments, quantized, line)
