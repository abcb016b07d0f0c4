# SPDX-License-Identifier: Apache-2.0
"""The networks that are trained: float, and quantised with delta activations. Same shapes, same weights."""

from __future__ import annotations

import math
from typing import Any, Literal

import keras
import qkeras
from keras import ops

from codesign.layers import DeltaActivation
from codesign.training.config import LayerConfig, ModelConfig
from codesign.training.layout import Piece, layout

Stateless = Literal["none", "hidden", "all"]
"""Activations that are marked stateless: none, all but the input's, all."""


@keras.saving.register_keras_serializable(package="codesign")
class ZeroMean(keras.constraints.Constraint):  # type: ignore[misc]
    """Weights of an output sum to 0 over its inputs, so it does not see the mean brightness of a frame.

    Pixels are not negative; without this their common part dominates every gradient and training is slow.

    Args:
        outputs: axes of the weights that count outputs: the last one, or two of a depthwise kernel.
    """

    def __init__(self, outputs: int = 1) -> None:
        self.outputs = outputs

    def __call__(self, weight: Any) -> Any:
        """Return ``weight``, ``[*inputs, *outputs]``, without its mean over inputs."""
        inputs = tuple(range(len(weight.shape) - self.outputs))
        return weight - ops.mean(weight, axis=inputs, keepdims=True)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"outputs": self.outputs}


def build_network(
    config: ModelConfig,
    shape: tuple[int, ...],
    classes: int,
    *,
    quantized: bool,
    seed: int,
    stateless: Stateless = "none",
) -> Any:
    """Return a frame model: values of pixels ``[N, *shape]`` in, one logit per class out, ``[N, classes]``.

    Args:
        config: sizes and formats.
        shape: shape of a frame, ``(H, W, C)``.
        classes: number of outputs.
        quantized: QKeras layers and `DeltaActivation`; otherwise Keras layers and relu on the pixels as they are.
        seed: seed of the initial weights.
        stateless: activations whose readers are computed anew in every frame, so that zeros count and not changes.

    Raises:
        ConfigError: what `layout` raises.
    """
    tensors = {"frame": keras.Input(shape, name="frame")}
    build = _Builder(config, quantized=quantized, seed=seed, stateless=stateless)
    pieces = layout(config, shape, classes)
    for piece in pieces:
        tensors[piece.name] = getattr(build, piece.kind)(piece, *(tensors[name] for name in piece.inputs))
    name = "delta_network" if quantized else "float_network"
    return keras.Model(tensors["frame"], tensors[pieces[-1].name], name=name)


class _Builder:
    """Makes the layers of a `layout`: a method of the name of each kind, from piece and tensors to a tensor."""

    def __init__(self, config: ModelConfig, *, quantized: bool, seed: int, stateless: Stateless) -> None:
        self.config, self.quantized, self.seed, self.stateless = config, quantized, seed, stateless
        self.linears = 0

    def encode(self, piece: Piece, x: Any) -> Any:
        """Add the input quantiser; the float network has none."""
        if not self.quantized:
            return x
        bits, hold = self.config.input_bits, self.config.input_hold_steps
        return DeltaActivation(
            "relu",
            bits,
            2.0**-bits,
            hold or None,
            train_hold=self.config.train_hold and hold > 0,
            step_rate=self.config.step_rate,
            stateless=self.stateless == "all",
            name=piece.name,
        )(x)

    def delta(self, piece: Piece, x: Any) -> Any:
        """Add a hidden activation."""
        if not self.quantized:
            return keras.layers.ReLU(name=piece.name)(x)
        config, own = self.config, self.config.layer.get(piece.inputs[0], LayerConfig())
        step = 2.0**config.activation_step_log2
        hold = config.hold_steps if own.hold_steps is None else own.hold_steps
        return DeltaActivation(
            "relu",
            own.activation_bits or config.activation_bits,
            step if config.activation_step == "fixed" else config.activation_step,
            hold or None,
            per=config.step_per,
            initial_step=step,
            train_hold=config.train_hold and hold > 0,
            step_rate=config.step_rate,
            stateless=self.stateless != "none",
            name=piece.name,
        )(x)

    def flatten(self, piece: Piece, x: Any) -> Any:
        """Put all elements of a frame in a row."""
        return keras.layers.Flatten(name=piece.name)(x)

    def dense(self, piece: Piece, x: Any) -> Any:
        """Add a dense layer."""
        layer = qkeras.QDense if self.quantized else keras.layers.Dense
        return layer(piece.shape[-1], name=piece.name, **self._linear(piece, "kernel", self._he()))(x)

    def conv(self, piece: Piece, x: Any) -> Any:
        """Add a convolution."""
        layer = qkeras.QConv2D if self.quantized else keras.layers.Conv2D
        options = self._linear(piece, "kernel", self._he())
        return layer(piece.shape[-1], piece.kernel, **self._window(piece, "same"), **options)(x)

    def depthwise(self, piece: Piece, x: Any) -> Any:
        """Add a convolution of each channel by itself."""
        layer = qkeras.QDepthwiseConv2D if self.quantized else keras.layers.DepthwiseConv2D
        kernel = keras.initializers.RandomNormal(stddev=math.sqrt(2) / piece.kernel, seed=self._seed())
        options = self._linear(piece, "depthwise", kernel, outputs=2)
        return layer(piece.kernel, **self._window(piece, "same"), **options)(x)

    def maxpool(self, piece: Piece, x: Any) -> Any:
        """Add a maximum of windows, which are codes again."""
        return keras.layers.MaxPooling2D(piece.kernel, **self._window(piece, "valid"))(x)

    def avgpool(self, piece: Piece, x: Any) -> Any:
        """Add a mean of windows; the activation after it brings it back to the codes of the others."""
        return keras.layers.AveragePooling2D(piece.kernel, **self._window(piece, "valid"))(x)

    def add(self, piece: Piece, *x: Any) -> Any:
        """Add the sum of two frames."""
        return keras.layers.Add(name=piece.name)(list(x))

    @staticmethod
    def _window(piece: Piece, padding: str) -> dict[str, Any]:
        return {"strides": piece.stride, "padding": padding, "name": piece.name}

    def _he(self) -> Any:
        return keras.initializers.HeNormal(seed=self._seed())

    def _seed(self) -> int:
        """Return the seed of the next layer that multiplies."""
        self.linears += 1
        return self.seed + self.linears

    def _linear(self, piece: Piece, kernel: str, initializer: Any, outputs: int = 1) -> dict[str, Any]:
        """Return how the weights called ``kernel`` of ``piece`` start, are held, and are quantised."""
        options: dict[str, Any] = {f"{kernel}_initializer": initializer}
        if self.linears == 1:
            options[f"{kernel}_constraint"] = ZeroMean(outputs)
        if self.quantized:
            config = self.config
            bits = config.layer.get(piece.name, LayerConfig()).weight_bits or config.weight_bits
            options[f"{kernel}_quantizer"] = qkeras.quantized_bits(bits, config.weight_integer, alpha=1)
            options["bias_quantizer"] = qkeras.quantized_bits(config.bias_bits, config.bias_integer, alpha=1)
        return options


def freeze(network: Any) -> None:
    """Replace every weight by its quantised value; the network computes the same, exactly on the lattice.

    `ZeroMean`, which only training needs, is taken off.
    """
    for layer in network.layers:
        for name in ("kernel_constraint", "depthwise_constraint"):
            if isinstance(getattr(layer, name, None), ZeroMean):
                setattr(layer, name, None)
        for weight, quantizer in zip(layer.weights, getattr(layer, "quantizers", []), strict=False):
            weight.assign(quantizer(weight))
