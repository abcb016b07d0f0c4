# SPDX-License-Identifier: Apache-2.0
"""`DeltaActivation`: the activation layer whose output changes little from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from codesign.errors import ConfigError
from codesign.fixed import PIXEL, Fixed, IntArray
from codesign.layers import arguments, surrogate
from codesign.layers.arguments import LEAST_HOLD
from codesign.layers.step import Between, FixedStep, RealStep, make_step, undeployable, weight_shape
from codesign.layers.surrogate import Quantizer

_PLAIN = ("per", "initial_step", "max_value", "train_hold", "step_rate", "stateless")
"""Arguments that are attributes as they were given."""


@keras.saving.register_keras_serializable(package="codesign")
class DeltaActivation(keras.layers.Layer):  # type: ignore[misc]
    """Activation, quantiser and change detector in one layer.

    Outputs are values of integer codes ``r`` on the lattice of the smallest step, ``value = code * unit``. For
    input ``z``, activation ``f``, step ``s`` of the channel and clip range ``[lo, hi]`` (in codes)::

        q(z) = clip(round_half_even(f(z) / s) * s, lo * unit, hi * unit)
        r_t  = q(z_t)                                                       without hold (memoryless)
        r_t  = q(z_t) if |f(z_t) - r_{t-1}| >= hold * s else r_{t-1}        with hold; r_{-1} = 0

    Shapes: any ``[N, ..., C]``, output the same. Without ``hold`` each sample is independent, so time can simply be
    batch. With ``hold``, ``layer(x, frames=T)`` reads the batch as ``N / T`` clips of ``T`` consecutive frames and
    recurs over each; ``layer(x)`` takes each sample as the first frame of its own stream.

    Trained steps: ``'po2'`` keeps to ``s = initial_step * 2**k``, k in ``0 .. bits - 1``. Codes and their range stay
    those of ``initial_step``, so a coarser step never widens anything, and the layer deploys bit for bit. ``'real'``
    is the paper's: any step, with ``lo .. hi`` counting levels, ``clip(round(f(z) / s), lo, hi) * s``; it trains and
    evaluates, and is refused at conversion.

    Gradient: straight-through for ``z``, and surrogates for step and hold; `codesign.layers.surrogate` has them all.
    There is none through time. The one of the step is negative for whatever is sent, so an L1 loss on changes makes
    steps larger; it is 0 for what is clipped.

    Exactness: for inputs on a power-of-two lattice whose codes fit the mantissa (24 bits in float32, 53 in float64)
    the output equals the golden model's codes bit for bit (not for ``'real'``, which has no golden model).

    Source: Yousefzadeh & Sifalakis, "Training for temporal sparsity in deep neural networks", 2021, section 3; the
    hold compares with what was last sent, so it cannot drift.

    Args:
        activation: ``'relu'``, or ``'identity'`` (also called ``'linear'``).
        bits: bits of a code, 1 to 24. Relu codes are ``0 .. 2**bits - 1``, identity codes two's complement.
        step: quantisation step, a power of two; or one per channel (last axis); or trained, ``'po2'`` or ``'real'``.
        hold: send-on-delta threshold (hysteresis, dead band) in steps, at least 0.5, rounded to float32; None for the
            memoryless layer.
        per: what has a trained step of its own: the ``'layer'``, a ``'channel'`` or a ``'neuron'``.
        initial_step: where a trained step starts; for ``'po2'`` also the finest, a power of two.
        max_value: largest output, such as 6 for relu6; rounded down to the lattice.
        train_hold: whether ``hold`` is trained, one for the layer, from the value given.
        step_rate: how many times as fast as by an optimiser's learning rate alone trained step and hold move. Their
            weights are those values divided by it. Adam moves a weight by about its learning rate in an update, so at
            0.001 and a rate of 1 a ``'po2'`` step needs 500 updates to its first doubling: give 16 or so. With SGD,
            whose updates follow the gradient, it acts twice (squared), and 1 is right.
        stateless: a mark for `over_time`, and only for it: loss and counts take what reads this layer as computed
            anew in every frame, so values that are not 0 count and not changes. Hardware ignores it: it keeps state
            and skips what does not change in any case, which is exact either way.

    Attributes:
        unit: value in which a change is measured: the smallest step, or for ``'real'`` the initial one.
        lo: smallest code, or level.
        hi: largest code, or level (which `max_value` may bound further).

    Raises:
        ConfigError: an argument is not as described, or the input has another number of channels.
    """

    def __init__(
        self,
        activation: str = "relu",
        bits: int = 8,
        step: float | str | Sequence[float] = 2.0**-4,
        hold: float | None = None,
        *,
        per: str = "channel",
        initial_step: float = 2.0**-4,
        max_value: float | None = None,
        train_hold: bool = False,
        step_rate: float = 1.0,
        stateless: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = arguments.check_activation(activation, self.name)
        self.bits = arguments.check_bits(bits, self.name)
        self.step: float | str | tuple[float, ...] = step if isinstance(step, str) else _numbers(step)
        self.per, self.initial_step = per, arguments.check_positive("initial_step", initial_step, self.name)
        self._step = make_step(step, self.initial_step, per, self.bits, self.name)
        self._hold = arguments.check_hold(hold, self.name)
        self.train_hold = arguments.check_flag("train_hold", train_hold, self.name)
        self.stateless = arguments.check_flag("stateless", stateless, self.name)
        self.step_rate = arguments.check_positive("step_rate", step_rate, self.name)
        if train_hold and hold is None:
            raise ConfigError(
                "there is no hold to train", where=self.name, expected="hold=1.0, where training starts", received=hold
            )
        whole = Fixed(width=self.bits, frac=0, signed=self.activation == "identity")
        self.max_value = None if max_value is None else arguments.check_positive("max_value", max_value, self.name)
        top = arguments.check_levels(self.max_value, self.unit, self.name)
        self.lo, self.hi = whole.lo, whole.hi if isinstance(self._step, RealStep) else min(whole.hi, top)
        self._step_weight: Any = None
        self._hold_weight: Any = None
        if self.compute_dtype not in ("float32", "float64"):
            raise ConfigError(
                "this dtype cannot hold the codes exactly",
                where=self.name,
                expected="float32 or float64",
                received=self.compute_dtype,
            )

    @property
    def unit(self) -> float:
        """Value in which a change is measured, never trained."""
        return self._step.unit

    @property
    def fmt(self) -> Fixed:
        """`Fixed` format of the codes.

        Raises:
            ConversionError: the step is ``'real'``.
        """
        if isinstance(self._step, RealStep):
            raise undeployable(self.name)
        return Fixed(width=self.bits, frac=1 - math.frexp(self.unit)[1], signed=self.activation == "identity")

    @property
    def step_log2(self) -> tuple[int, ...]:
        """``log2(step / unit)`` now: of the whole layer, of each channel, or of each neuron in C order.

        Raises:
            ConversionError: the step is ``'real'``.
        """
        if isinstance(self._step, RealStep):
            raise undeployable(self.name)
        return self._step.log2(self._value(self._step_weight))

    @property
    def hold(self) -> float | None:
        """Threshold in steps now; None for the memoryless layer."""
        if self._hold_weight is None:
            return self._hold
        return float(ops.convert_to_numpy(_at_least(self._value(self._hold_weight))))

    def to_codes(self, outputs: ArrayLike) -> IntArray:
        """Return the codes of ``outputs``; with ``'real'`` steps the levels, multiples of each one's own step.

        Raises:
            LatticeError: they are not outputs of this layer.
        """
        if not isinstance(self._step, RealStep):
            return self.fmt.to_codes(outputs)
        steps = ops.convert_to_numpy(self._step.values(self._value(self._step_weight), "float64")[0])
        return Fixed(width=self.bits + 1, frac=0, signed=True).to_codes(np.asarray(outputs, np.float64) / steps)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the number of channels of ``input_shape``; add what is trained, in float32 whatever the dtype."""
        if isinstance(self._step, FixedStep):
            channels = input_shape[-1] if len(input_shape) > 1 else 1
            if len(self._step.exponents) not in (1, channels):
                raise ConfigError(
                    "wrong number of per-channel steps",
                    where=self.name,
                    expected=f"1 or {channels} (channels of input {tuple(input_shape)})",
                    received=len(self._step.exponents),
                )
        else:
            shape = weight_shape(self._step.per, input_shape, self.name)
            self._step_weight = self._trained("step", shape, self._step.initial, self._step.bounds)
        if self.train_hold:
            self._hold_weight = self._trained("hold", (), self._hold, Between(LEAST_HOLD))
        self.built = True

    def call(self, inputs: Any, frames: int | None = None) -> Any:
        """Return ``r``; ``frames`` consecutive samples of the batch are one clip (matters only with ``hold``)."""
        trained = [self._value(w) for w in (self._step_weight, self._hold_weight) if w is not None]

        @ops.custom_gradient  # type: ignore[untyped-decorator]
        def forward(z: Any, *weights: Any) -> tuple[Any, Any]:
            step = weights[0] if self._step_weight is not None else None
            hold = ops.cast(_at_least(weights[-1]), z.dtype) if self._hold_weight is not None else self._hold
            quantizer = self._quantizer(step)
            r = surrogate.send(quantizer, z, hold, frames)

            def backward(*args: Any, upstream: Any = None) -> tuple[Any, ...]:
                up = args[-1] if upstream is None else upstream
                passed = surrogate.input_gradient(quantizer, z, up)
                gradients = [passed]
                if not isinstance(self._step, FixedStep):
                    gradients.append(surrogate.step_gradient(self._step.slope(step), r, passed, step))
                if self._hold_weight is not None:
                    gradient = surrogate.hold_gradient(quantizer, z, r, hold, up, frames)
                    gradients.append(ops.cast(gradient, weights[-1].dtype))
                return tuple(gradients)

            return r, backward

        return forward(ops.cast(inputs, self.compute_dtype), *trained)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return ``input_shape``."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {
            "activation": self.activation,
            "bits": self.bits,
            "step": list(self.step) if isinstance(self.step, tuple) else self.step,
            "hold": self._hold,
            **{name: getattr(self, name) for name in _PLAIN},
        }
        return {**super().get_config(), **own}

    def _trained(self, name: str, shape: tuple[int, ...], initial: Any, bounds: Between) -> Any:
        rate = self.step_rate
        start = keras.initializers.Constant(initial / rate)
        bounds = Between(bounds.lo / rate, None if bounds.hi is None else bounds.hi / rate)
        return self.add_weight(shape, start, "float32", name=name, constraint=bounds, autocast=False)

    def _value(self, weight: Any) -> Any:
        """Return what a weight stands for, float32: ``log2(step / unit)``, step or hold; None if there is none."""
        return None if weight is None else ops.convert_to_tensor(weight) * self.step_rate

    def _quantizer(self, weight: Any) -> Quantizer:
        """Return ``q`` for the ``weight`` of the step, which is None if that is fixed."""
        relu, dtype = self.activation == "relu", self.compute_dtype
        steps, inverse = self._step.values(weight, dtype)
        if not isinstance(self._step, RealStep):
            low, high = self.lo * self.unit, self.hi * self.unit
            return Quantizer(relu=relu, steps=steps, inverse=inverse, low=low, high=high)
        low = 0.0 if relu else self.lo * steps
        top = self.hi if self.max_value is None else ops.minimum(float(self.hi), ops.floor(self.max_value * inverse))
        return Quantizer(relu=relu, steps=steps, inverse=inverse, low=low, high=top * steps)


def _at_least(hold: Any) -> Any:
    return ops.maximum(hold, LEAST_HOLD)


def _numbers(step: Any) -> float | tuple[float, ...]:
    """Return a step, or steps, of any number type as Python's."""
    return float(step) if np.ndim(step) == 0 else tuple(map(float, step))


def input_format(network: Any) -> Fixed:
    """Return the format of the pixels that a delta network of one frame reads, as its first activation shows.

    The 8 bits of a pixel span the range of its codes: below zero, too, if it is an identity.
    """
    first = next((layer for layer in network.layers if isinstance(layer, DeltaActivation)), None)
    if first is None:
        return PIXEL
    return Fixed(width=8, frac=8 - first.bits - round(math.log2(first.unit)), signed=first.activation == "identity")
