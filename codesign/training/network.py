# SPDX-License-Identifier: Apache-2.0
"""The networks that are trained: float, and quantised with delta activations. Same shapes, same weights."""

from __future__ import annotations

import math
from typing import Any, Literal

import keras
import qkeras
from keras import ops

from codesign.errors import ConfigError
from codesign.layers import DeltaActivation
from codesign.training.config import BlockConfig, ModelConfig

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
    quantised: bool,
    seed: int,
    stateless: Stateless = "none",
) -> Any:
    """Return a frame model: values of pixels ``[N, *shape]`` in, one logit a class out, ``[N, classes]``.

    Args:
        config: sizes and formats.
        shape: of a frame, ``(H, W, C)``.
        classes: number of outputs.
        quantised: QKeras layers and `DeltaActivation`; otherwise Keras layers and relu on the pixels as they are.
        seed: of the initial weights.
        stateless: activations whose readers are computed anew in every frame, so that zeros count and not changes.

    Raises:
        ConfigError: a pool does not fit on what the blocks before it leave of a frame.
    """
    frame = keras.Input(shape, name="frame")
    build = _Builder(config, quantised=quantised, seed=seed, stateless=stateless)
    x = build.encode(frame)
    for number, block in enumerate(config.blocks, start=1):
        x = getattr(build, block.kind)(x, block, number)
    x = keras.layers.Flatten(name="flatten")(x)
    units = (*config.hidden, classes)
    for number, width in enumerate(units, start=1):
        x = build.dense(x, width, f"fc{number}")
        if number < len(units):
            x = build.delta(x, f"delta{number}")
    return keras.Model(frame, x, name="delta_network" if quantised else "float_network")


class _Builder:
    """Adds layers behind a tensor and returns theirs; a method of the name of each kind of block."""

    def __init__(self, config: ModelConfig, *, quantised: bool, seed: int, stateless: Stateless) -> None:
        self.config, self.quantised, self.seed, self.stateless = config, quantised, seed, stateless
        self.linears = 0

    def encode(self, x: Any) -> Any:
        """Add the input quantiser."""
        if not self.quantised:
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
            name="encode",
        )(x)

    def delta(self, x: Any, name: str) -> Any:
        """Add a hidden activation."""
        if not self.quantised:
            return keras.layers.ReLU(name=name)(x)
        config = self.config
        step = 2.0**config.activation_step_log2
        return DeltaActivation(
            "relu",
            config.activation_bits,
            step if config.activation_step == "fixed" else config.activation_step,
            config.hold_steps or None,
            per=config.step_per,
            initial_step=step,
            train_hold=config.train_hold and config.hold_steps > 0,
            step_rate=config.step_rate,
            stateless=self.stateless != "none",
            name=name,
        )(x)

    def dense(self, x: Any, units: int, name: str) -> Any:
        """Add a dense layer."""
        options = self._linear("kernel", keras.initializers.HeNormal(seed=self._seed()))
        return (qkeras.QDense if self.quantised else keras.layers.Dense)(units, name=name, **options)(x)

    def conv(self, x: Any, block: BlockConfig, number: int) -> Any:
        """Add a convolution and an activation."""
        return self.delta(self._conv(x, block, f"conv{number}"), f"conv{number}_delta")

    def separable(self, x: Any, block: BlockConfig, number: int) -> Any:
        """Add a depthwise convolution and one of kernel 1, an activation behind each."""
        taps = keras.initializers.RandomNormal(stddev=math.sqrt(2) / block.kernel, seed=self._seed())
        layer = qkeras.QDepthwiseConv2D if self.quantised else keras.layers.DepthwiseConv2D
        options = self._linear("depthwise", taps, outputs=2)
        x = layer(block.kernel, strides=block.stride, padding="same", name=f"dw{number}", **options)(x)
        x = self.delta(x, f"dw{number}_delta")
        return self.delta(self._conv(x, block, f"pw{number}", kernel=1, stride=1), f"pw{number}_delta")

    def residual(self, x: Any, block: BlockConfig, number: int) -> Any:
        """Add two convolutions beside a shortcut, and an activation of their sum."""
        name = f"res{number}"
        behind = self.delta(self._conv(x, block, f"{name}_a"), f"{name}_a_delta")
        behind = self._conv(behind, block, f"{name}_b", stride=1)
        skip = x if x.shape == behind.shape else self._conv(x, block, f"{name}_skip", kernel=1)
        return self.delta(keras.layers.Add(name=f"{name}_add")([behind, skip]), f"{name}_delta")

    def maxpool(self, x: Any, block: BlockConfig, number: int) -> Any:
        """Add a maximum of windows, which are codes again."""
        return self._pool(keras.layers.MaxPooling2D, x, block, number)

    def avgpool(self, x: Any, block: BlockConfig, number: int) -> Any:
        """Add a mean of windows and an activation, which brings it back to the codes of the others."""
        return self.delta(self._pool(keras.layers.AveragePooling2D, x, block, number), f"pool{number}_delta")

    @staticmethod
    def _pool(layer: Any, x: Any, block: BlockConfig, number: int) -> Any:
        if block.kernel > min(x.shape[1:3]):
            raise ConfigError(
                "the pool is larger than the frame it reads",
                where=f"model.blocks[{number - 1}].kernel",
                expected=f"at most {min(x.shape[1:3])}, as {x.shape[1]} x {x.shape[2]} are left of a frame",
                received=block.kernel,
                fix="use a smaller kernel here, or smaller strides before",
            )
        return layer(block.kernel, strides=block.stride, padding="valid", name=f"pool{number}")(x)

    def _conv(
        self, x: Any, block: BlockConfig, name: str, *, kernel: int | None = None, stride: int | None = None
    ) -> Any:
        """Add the convolution of a block, or one of another kernel or stride."""
        options = self._linear("kernel", keras.initializers.HeNormal(seed=self._seed()))
        layer = qkeras.QConv2D if self.quantised else keras.layers.Conv2D
        strides = block.stride if stride is None else stride
        return layer(block.filters, kernel or block.kernel, strides=strides, padding="same", name=name, **options)(x)

    def _seed(self) -> int:
        """Return the seed of the next layer that multiplies."""
        self.linears += 1
        return self.seed + self.linears

    def _linear(self, kernel: str, initializer: Any, outputs: int = 1) -> dict[str, Any]:
        """Return how the weights called ``kernel`` of a layer start, are held, and are quantised."""
        options: dict[str, Any] = {f"{kernel}_initializer": initializer}
        if self.linears == 1:
            options[f"{kernel}_constraint"] = ZeroMean(outputs)
        if self.quantised:
            config = self.config
            options[f"{kernel}_quantizer"] = qkeras.quantized_bits(config.weight_bits, config.weight_integer, alpha=1)
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
