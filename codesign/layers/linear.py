# SPDX-License-Identifier: Apache-2.0
"""Linear layers: what those of Keras and QKeras compute with, `ChannelBits` for their weights, and sums of windows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import qkeras
from keras import ops
from numpy.typing import NDArray
from qkeras.base_quantizer import BaseQuantizer

from codesign.errors import ConfigError

BATCHNORM = "Batchnorm"
"""How names of QKeras' layers end that fold a BatchNormalization and quantise what that gives, after what they are."""

_OF_LINEAR = (
    *("name", "units", "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation"),
    *("depth_multiplier", "kernel_quantizer", "depthwise_quantizer", "bias_quantizer"),
)


@keras.saving.register_keras_serializable(package="codesign")
class ChannelBits(BaseQuantizer):  # type: ignore[misc]
    """QKeras quantiser of weights or biases: two's complement codes, a power-of-two step for each output channel.

    ``q(x) = clip(round_half_even(x / 2**e), -2**(bits - 1), 2**(bits - 1) - 1) * 2**e`` with ``e`` of the channel. The
    gradient is straight through, as that of `qkeras.quantized_bits`.

    Exactness: float32 while ``bits`` is at most 24.

    Args:
        bits: bits of a code, sign included, 2 to 24.
        exponents: ``log2`` of the step of each channel.
        axis: axis of the weights that the channels are on, from the end: -1, for depthwise weights -2.

    Raises:
        ConfigError: an argument is out of range.
    """

    alpha = "fixed"  # to QKeras: leave initializers alone
    symmetric = False

    def __init__(self, bits: int, exponents: Sequence[int], axis: int = -1) -> None:
        super().__init__()
        if isinstance(bits, bool) or not isinstance(bits, int) or not 2 <= bits <= 24:
            raise ConfigError("bits is out of range", where="ChannelBits", expected="2 to 24", received=repr(bits))
        if axis not in (-1, -2) or not len(exponents):
            raise ConfigError(
                "not a step for each channel",
                where="ChannelBits",
                expected="exponents, and axis -1 or -2",
                received=f"{len(exponents)} exponents, axis {axis}",
            )
        self.bits, self.axis = bits, axis
        self.exponents = tuple(int(exponent) for exponent in exponents)

    def __call__(self, x: Any) -> Any:
        """Return the quantised ``x``, of its shape.

        Raises:
            ConfigError: ``x`` has another number of channels.
        """
        x = ops.cast(x, keras.config.floatx())
        if x.shape[self.axis] != len(self.exponents):
            raise ConfigError(
                "wrong number of steps",
                where="ChannelBits",
                expected=f"{x.shape[self.axis]} (channels of {tuple(x.shape)})",
                received=len(self.exponents),
            )
        shape = (-1,) if self.axis == -1 else (-1, 1)
        steps = ops.convert_to_tensor(np.ldexp(1.0, self.exponents).reshape(shape), x.dtype)
        top = 2.0 ** (self.bits - 1)
        codes = ops.clip(ops.round(x / steps), -top, top - 1)
        return x + ops.stop_gradient(codes * steps - x)

    def max(self) -> float:
        """Return a bound of what any channel holds; QKeras keeps weights within it as they train."""
        return float(2.0 ** (self.bits - 1 + max(self.exponents)))

    def min(self) -> float:
        """Return the lower bound."""
        return -self.max()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"bits": self.bits, "exponents": list(self.exponents), "axis": self.axis}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ChannelBits:
        """Return what `get_config` describes."""
        return cls(**config)

    def __str__(self) -> str:
        return f"ChannelBits({self.bits}, {list(self.exponents)}, axis={self.axis})"


def kernel_of(layer: Any) -> str:
    """Return what a linear layer calls its weights: ``'kernel'`` or ``'depthwise'``, as in ``<...>_quantizer``."""
    return "depthwise" if "Depthwise" in type(layer).__name__ else "kernel"


def affine(layer: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scale and shift of each channel of a trained BatchNormalization."""
    mean, variance = (np.asarray(weight, np.float64) for weight in (layer.moving_mean, layer.moving_variance))
    scale = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        scale = scale * np.asarray(layer.gamma, np.float64)
    shift = -mean * scale
    if layer.center:
        shift = shift + np.asarray(layer.beta, np.float64)
    return scale, shift


def weights_of(linear: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weights and biases that ``linear`` computes with, quantised if it quantises them."""
    quantizers = getattr(linear, "quantizers", None) or [None, None]
    weights = [*linear.weights] if linear.use_bias else [linear.weights[0], np.zeros(linear.output.shape[-1])]
    quantizers = [*quantizers] if linear.use_bias else [quantizers[0], None]
    kernel, bias = (
        np.asarray(quantizer(weight) if quantizer else weight, np.float64)
        for weight, quantizer in zip(weights, quantizers, strict=False)
    )
    return kernel, bias


def folded_weights(layer: Any) -> list[Any]:
    """Return weights and biases of a layer of `BATCHNORM` before they are quantised, as the layer itself folds them.

    It is called once: what its ``get_folded_weights`` returns can differ in the last bit, and so by a whole step once
    quantised.
    """
    kernel = kernel_of(layer)
    variable = layer.depthwise_kernel if kernel == "depthwise" else layer.kernel
    dilation = getattr(layer, "dilation_rate", ())
    sizes = [(size - 1) * step + 1 for size, step in zip(variable.shape[:-2], dilation, strict=True)]
    found: dict[str, Any] = {}

    def keep(name: str) -> Any:
        return lambda tensor: found.setdefault(name, tensor)

    attributes = vars(layer)
    hooks = {f"{what}_quantizer{end}": keep(what) for what in (kernel, "bias") for end in ("", "_internal")}
    before = {name: attributes[name] for name in hooks}
    attributes.update(hooks)
    try:
        layer.call(ops.zeros((1, *sizes, variable.shape[-2]), layer.compute_dtype), training=False)
    finally:
        attributes.update(before)
    return [found[kernel], found["bias"]]


def unfolded(layer: Any, **changes: Any) -> Any:
    """Return a layer, not built, that computes what a layer of `BATCHNORM` does once it has `folded_weights`."""
    kind = getattr(qkeras, type(layer).__name__.removesuffix(BATCHNORM))
    config = {key: value for key, value in layer.get_config().items() if key in _OF_LINEAR}
    return kind(**{**config, "use_bias": True, **changes})


def frozen(layer: Any) -> tuple[type[Any], dict[str, Any], list[Any]]:
    """Return class, configuration and weights of a layer that computes, in any float type, what ``layer`` does.

    What QKeras quantises and what a BatchNormalization scales with is evaluated now, in float32, as ``layer`` does it:
    quantised weights then have no quantizers any more. Any other layer is described as it is.
    """
    kind, config, weights = type(layer), layer.get_config(), layer.get_weights()
    if kind.__name__.endswith(BATCHNORM):
        new = unfolded(layer, **{f"{what}_quantizer": None for what in (kernel_of(layer), "bias")})
        kind, config = type(new), new.get_config()
        weights = [_quantized(*pair) for pair in zip(folded_weights(layer), layer.quantizers, strict=True)]
    elif kind.__name__ == "BatchNormalization":
        scale, shift = _affine_in_float32(layer)
        config |= {"epsilon": 0.0, "scale": True, "center": True}
        weights = [scale, shift, np.zeros_like(scale), np.ones_like(scale)]
    elif any(getattr(layer, "quantizers", None) or ()) and hasattr(layer, "use_bias"):
        weights = [_quantized(*pair) for pair in zip(layer.weights, layer.quantizers, strict=False)]
        config |= {key: None for key in config if key.endswith("_quantizer")}
    return kind, config, weights


def _quantized(weight: Any, quantizer: Any) -> NDArray[Any]:
    values: NDArray[Any] = keras.ops.convert_to_numpy(quantizer(weight) if quantizer else weight)
    return values


def _affine_in_float32(layer: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return scale and shift of a BatchNormalization as Keras computes them."""
    scale = keras.ops.rsqrt(layer.moving_variance + layer.epsilon)
    if layer.scale:
        scale = scale * layer.gamma
    shift = -layer.moving_mean * scale
    if layer.center:
        shift = layer.beta + shift
    return keras.ops.convert_to_numpy(scale), keras.ops.convert_to_numpy(shift)


def plain_like(linear: Any, name: str | None = None) -> Any:
    """Return a Keras layer like ``linear``, with a bias, without quantisers and constraints; ``name`` may differ."""
    kind = getattr(keras.layers, type(linear).__name__.removeprefix("Q"))
    theirs = ("quantizer", "range", "mask", "constraint")
    config = {key: value for key, value in linear.get_config().items() if not key.endswith(theirs)}
    return kind.from_config({**config, "name": name or linear.name, "use_bias": True, "activation": None})


class _Sums:
    """What both layers compute; mixed into the mean of Keras that has the same arguments."""

    def call(self, inputs: Any) -> Any:
        """Return the sum of every window, ``[N, *positions, C]``."""
        layer: Any = self
        if layer.padding != "valid" or layer.data_format != "channels_last":
            raise ConfigError(
                "windows of a sum lie inside the frame, channels last",
                where=layer.name,
                expected="padding='valid', data_format='channels_last'",
                received=f"padding={layer.padding!r}, data_format={layer.data_format!r}",
            )
        pool, strides = layer.pool_size, layer.strides
        counts = [(n - k) // s + 1 for n, k, s in zip(inputs.shape[1:-1], pool, strides, strict=True)]
        channels = inputs.shape[-1]
        if tuple(pool) == tuple(strides):
            ends = [slice(0, n * k) for n, k in zip(counts, pool, strict=True)]
            windows = [size for pair in zip(counts, pool, strict=True) for size in pair]
            parts = ops.reshape(inputs[(slice(None), *ends)], (-1, *windows, channels))
            return ops.sum(parts, axis=tuple(range(2, 2 + 2 * len(pool), 2)))
        total: Any = 0.0
        for at in itertools.product(*map(range, pool)):
            places = zip(at, counts, strides, strict=True)
            total = total + inputs[(slice(None), *(slice(i, i + (n - 1) * s + 1, s) for i, n, s in places))]
        return total


@keras.saving.register_keras_serializable(package="codesign")
class SumPooling1D(_Sums, keras.layers.AveragePooling1D):  # type: ignore[misc]
    """The sums of windows of ``[N, T, C]``; arguments as of `keras.layers.AveragePooling1D`, padding 'valid' only.

    Exactness: equal to the golden model while the codes of the sums fit the mantissa. `delta` puts it in the place of
    a mean over N elements that is no power of two, and 1/N into the weights after it.

    Raises:
        ConfigError: other padding, or channels first.
    """


@keras.saving.register_keras_serializable(package="codesign")
class SumPooling2D(_Sums, keras.layers.AveragePooling2D):  # type: ignore[misc]
    """The sums of windows of ``[N, H, W, C]``; see `SumPooling1D`."""
