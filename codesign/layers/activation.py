# SPDX-License-Identifier: Apache-2.0
"""`DeltaActivation`: the activation layer whose output changes little from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from codesign.errors import ConfigError
from codesign.fixed import Fixed

MAX_BITS = 24
"""Widest code: float32 holds every one of them exactly."""

_ALIASES = {"relu": "relu", "identity": "identity", "linear": "identity"}


@keras.saving.register_keras_serializable(package="codesign")
class DeltaActivation(keras.layers.Layer):  # type: ignore[misc]
    """Activation, quantiser and change detector in one layer.

    Outputs are values of integer codes ``r`` on the lattice of the smallest step, ``value = code * min(step)``. For
    input ``z``, activation ``f``, step ``s`` of the channel and clip range ``[lo, hi]`` (in codes)::

        q(z) = clip(round_half_even(f(z) / s) * s, lo * min(step), hi * min(step))
        r_t  = q(z_t)                                                       without hold (memoryless)
        r_t  = q(z_t) if |f(z_t) - r_{t-1}| >= hold * s else r_{t-1}        with hold; r_{-1} = 0

    Shapes: any ``[N, ..., C]``, output the same. Without ``hold`` each sample is independent, so time can simply be
    batch. With ``hold``, ``layer(x, frames=T)`` reads the batch as ``N / T`` clips of ``T`` consecutive frames and
    recurs over each; ``layer(x)`` takes each sample as the first frame of its own stream.

    Gradient: straight-through. Rounding and hold pass the gradient of ``clip(f(z))`` unchanged, so it is 0 where relu
    or the clip is; there is no gradient through time.

    Exactness: for inputs on a power-of-two lattice whose codes fit the mantissa (24 bits in float32, 53 in float64)
    the output equals the golden model's codes bit for bit.

    Source: Yousefzadeh & Sifalakis, "Delta Activation Layer exploits temporal sparsity", 2021, section 3; the hold
    compares with what was last sent, so it cannot drift.

    Args:
        activation: ``'relu'``, or ``'identity'`` (also called ``'linear'``).
        bits: of a code, 1 to 24. Relu codes are ``0 .. 2**bits - 1``, identity codes two's complement.
        step: quantisation step, a power of two; or one a channel (last axis).
        hold: threshold in steps, at least 0.5, rounded to float32; None for the memoryless layer.

    Attributes:
        fmt: `Fixed` format of the codes.
        step_log2: ``log2(step / min(step))`` of each channel, or of the whole layer.
        lo: smallest code.
        hi: largest code.

    Raises:
        ConfigError: an argument is not as described, or the input has another number of channels.
    """

    def __init__(
        self,
        activation: str = "relu",
        bits: int = 8,
        step: float | Sequence[float] = 2.0**-4,
        hold: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = _activation(activation, self.name)
        self.bits = _bits(bits, self.name)
        exponents = _exponents(step, self.name)
        self.step = step if isinstance(step, (int, float)) else tuple(float(s) for s in step)
        self.hold = _hold(hold, self.name)
        self.step_log2 = tuple(e - min(exponents) for e in exponents)
        if max(self.step_log2) >= self.bits:
            raise ConfigError(
                "the largest step is outside the code range",
                where=self.name,
                expected=f"steps less than 2**{self.bits} apart for {self.bits} bits",
                received=f"2**{max(self.step_log2)} apart",
            )
        self.fmt = Fixed(width=self.bits, frac=-min(exponents), signed=self.activation == "identity")
        self.lo, self.hi = self.fmt.lo, self.fmt.hi
        self._steps = np.ldexp(1.0, np.array(exponents if len(exponents) > 1 else exponents[0]))
        if self.compute_dtype not in ("float32", "float64"):
            raise ConfigError(
                "this dtype cannot hold the codes exactly",
                where=self.name,
                expected="float32 or float64",
                received=self.compute_dtype,
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the number of channels of ``input_shape``."""
        channels = input_shape[-1] if len(input_shape) > 1 else 1
        if len(self.step_log2) not in (1, channels):
            raise ConfigError(
                "wrong number of per-channel steps",
                where=self.name,
                expected=f"1 or {channels} (channels of input {tuple(input_shape)})",
                received=len(self.step_log2),
            )
        self.built = True

    def call(self, inputs: Any, frames: int | None = None) -> Any:
        """Return ``r``; ``frames`` consecutive samples of the batch are one clip (matters only with ``hold``)."""
        f = ops.cast(inputs, self.compute_dtype)
        if self.activation == "relu":
            f = ops.relu(f)
        passed = self._clip(f)
        sent = self._quantise(f) if self.hold is None else self._recur(ops.stop_gradient(f), frames)
        # x - x is exactly 0, so the value is exactly `sent` and the gradient that of `passed`.
        return ops.stop_gradient(sent) + (passed - ops.stop_gradient(passed))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return ``input_shape``."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        step = self.step if isinstance(self.step, (int, float)) else list(self.step)
        own = {"activation": self.activation, "bits": self.bits, "step": step, "hold": self.hold}
        return {**super().get_config(), **own}

    def _clip(self, x: Any) -> Any:
        return ops.clip(x, self.lo * self.fmt.scale, self.hi * self.fmt.scale)

    def _quantise(self, f: Any) -> Any:
        # Multiply by the inverse, exact for powers of two: TensorFlow folds a division by a constant vector into a
        # product with approximate reciprocals, and ties then round wrongly in compiled graphs.
        steps, inverse = (ops.convert_to_tensor(s, dtype=self.compute_dtype) for s in (self._steps, 1 / self._steps))
        return self._clip(ops.round(f * inverse) * steps)

    def _send(self, reference: Any, f: Any) -> Any:
        threshold = ops.convert_to_tensor(self.hold * self._steps, dtype=self.compute_dtype)
        return ops.where(ops.abs(f - reference) >= threshold, self._quantise(f), reference)

    def _recur(self, f: Any, frames: int | None) -> Any:
        if frames is None:
            return self._send(ops.zeros_like(f), f)
        shape = ops.shape(f)
        clips = ops.swapaxes(ops.reshape(f, (-1, frames, *shape[1:])), 0, 1)

        def step(reference: Any, frame: Any) -> tuple[Any, Any]:
            sent = self._send(reference, frame)
            return sent, sent

        _, sent = ops.scan(step, ops.zeros_like(clips[0]), clips, length=frames)
        return ops.reshape(ops.swapaxes(sent, 0, 1), shape)


def _activation(activation: str, name: str) -> str:
    if activation not in _ALIASES:
        raise ConfigError("unknown activation", where=name, expected="'relu' or 'identity'", received=repr(activation))
    return _ALIASES[activation]


def _bits(bits: int, name: str) -> int:
    if not isinstance(bits, (int, np.integer)) or isinstance(bits, bool) or not 1 <= bits <= MAX_BITS:
        raise ConfigError(
            "bits is out of range", where=name, expected=f"an integer, 1 to {MAX_BITS}", received=repr(bits)
        )
    return int(bits)


def _exponents(step: float | Sequence[float], name: str) -> tuple[int, ...]:
    steps = np.atleast_1d(np.asarray(step, dtype=np.float64))
    good = steps.size > 0 and steps.ndim == 1 and bool(np.all(np.isfinite(steps) & (steps > 0)))
    if not good or any(math.frexp(s)[0] != 0.5 for s in steps):
        raise ConfigError(
            "a step is not a power of two",
            where=name,
            expected="a positive power of two such as 0.0625, or one for each channel",
            received=step,
        )
    return tuple(math.frexp(s)[1] - 1 for s in steps)


def _hold(hold: float | None, name: str) -> float | None:
    if hold is None:
        return None
    if not isinstance(hold, (int, float, np.number)) or isinstance(hold, bool) or not 0.5 <= hold < math.inf:
        raise ConfigError(
            "hold is out of range", where=name, expected="at least 0.5 steps, or None", received=repr(hold)
        )
    return float(np.float32(hold))
