# SPDX-License-Identifier: Apache-2.0
"""The networks that are trained: float, and quantised with delta activations. Same shapes, same weights."""

from __future__ import annotations

from typing import Any

import keras
import qkeras
from keras import ops

from codesign.layers import DeltaActivation
from codesign.training.config import ModelConfig


@keras.saving.register_keras_serializable(package="codesign")
class ZeroMean(keras.constraints.Constraint):  # type: ignore[misc]
    """Weights of an output sum to 0 over its inputs, so it does not see the mean brightness of a frame.

    Pixels are not negative; without this their common part dominates every gradient and training is slow.
    """

    def __call__(self, weight: Any) -> Any:
        """Return ``[n_in, n_out]`` weights without their mean over inputs."""
        return weight - ops.mean(weight, axis=0, keepdims=True)


def build_network(config: ModelConfig, shape: tuple[int, ...], classes: int, *, quantised: bool, seed: int) -> Any:
    """Return a frame model: values of pixels ``[N, *shape]`` in, one logit a class out, ``[N, classes]``.

    Args:
        config: sizes and formats.
        shape: of a frame, ``(H, W, C)``.
        classes: number of outputs.
        quantised: `QDense` and `DeltaActivation`; otherwise `Dense` and relu on the pixels as they are.
        seed: of the initial weights.
    """
    layers = [keras.Input(shape, name="frame")]
    if quantised:
        step = 2.0**-config.input_bits
        layers.append(DeltaActivation("relu", config.input_bits, step, config.input_hold_steps or None, name="encode"))
    layers.append(keras.layers.Flatten(name="flatten"))
    units = (*config.hidden, classes)
    for number, width in enumerate(units, start=1):
        layers.append(_dense(config, width, f"fc{number}", quantised, seed + number))
        if number < len(units):
            layers.append(_activation(config, f"delta{number}", quantised))
    return keras.Sequential(layers, name="delta_network" if quantised else "float_network")


def _dense(config: ModelConfig, units: int, name: str, quantised: bool, seed: int) -> Any:
    start: dict[str, Any] = {"kernel_initializer": keras.initializers.HeNormal(seed=seed), "name": name}
    if name == "fc1":
        start["kernel_constraint"] = ZeroMean()
    if not quantised:
        return keras.layers.Dense(units, **start)
    return qkeras.QDense(
        units,
        kernel_quantizer=qkeras.quantized_bits(config.weight_bits, config.weight_integer, alpha=1),
        bias_quantizer=qkeras.quantized_bits(config.bias_bits, config.bias_integer, alpha=1),
        **start,
    )


def _activation(config: ModelConfig, name: str, quantised: bool) -> Any:
    if not quantised:
        return keras.layers.ReLU(name=name)
    step = 2.0**config.activation_step_log2
    return DeltaActivation("relu", config.activation_bits, step, config.hold_steps or None, name=name)


def freeze(network: Any) -> None:
    """Replace every weight by its quantised value; the network computes the same, exactly on the lattice.

    `ZeroMean`, which only training needs, is taken off.
    """
    for layer in network.layers:
        if isinstance(getattr(layer, "kernel_constraint", None), ZeroMean):
            layer.kernel_constraint = None
        for weight, quantizer in zip(layer.weights, getattr(layer, "quantizers", []), strict=False):
            weight.assign(quantizer(weight))
