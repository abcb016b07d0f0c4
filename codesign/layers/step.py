# SPDX-License-Identifier: Apache-2.0
"""The quantisation step of a `DeltaActivation`: fixed, or a weight that is trained.

A step knows its values as tensors (for the layer), as numbers (for conversion), and the factor ``slope`` of its
surrogate gradient, ``d r / d weight = slope * r``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import keras
import numpy as np
from keras import ops

from codesign.errors import ConfigError, ConversionError

Per = Literal["layer", "channel", "neuron"]
Steps: TypeAlias = "FixedStep | PowerOfTwoStep | RealStep"


@keras.saving.register_keras_serializable(package="codesign")
class Between(keras.constraints.Constraint):  # type: ignore[misc]
    """Keeps a weight in ``lo .. hi``; ``hi`` None for no upper bound."""

    def __init__(self, lo: float, hi: float | None = None) -> None:
        self.lo, self.hi = lo, hi

    def __call__(self, weight: Any) -> Any:
        """Return ``weight``, of any shape, clipped."""
        return ops.clip(weight, self.lo, math.inf if self.hi is None else self.hi)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"lo": self.lo, "hi": self.hi}


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedStep:
    """Steps that are given: powers of two, one for the layer or one per channel.

    Attributes:
        exponents: ``log2`` of the steps.
    """

    exponents: tuple[int, ...]

    @property
    def unit(self) -> float:
        """The smallest step: the value of a code."""
        return math.ldexp(1.0, min(self.exponents))

    def log2(self, weight: Any = None) -> tuple[int, ...]:
        """Return ``log2(step / unit)``; there is no ``weight``."""
        del weight
        return tuple(e - min(self.exponents) for e in self.exponents)

    def values(self, weight: Any, dtype: str) -> tuple[Any, Any]:
        """Return the steps and their inverses, numbers or ``[C]``; there is no ``weight``."""
        del weight
        steps = np.ldexp(1.0, self.exponents if len(self.exponents) > 1 else self.exponents[0])
        return ops.convert_to_tensor(steps, dtype=dtype), ops.convert_to_tensor(1 / steps, dtype=dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOfTwoStep:
    """Trained steps ``unit * 2**k``, k an integer in ``0 .. octaves - 1``: they deploy bit for bit.

    The weight is ``log2(step / unit)`` before rounding. Rounding is straight-through: the surrogate of the paper,
    ``d r / d step = -r / step``, becomes ``d r / d log2(step) = -ln(2) * r``.

    Attributes:
        unit: smallest step, a power of two, where training starts; the value of a code.
        octaves: number of step sizes.
        per: what has a step of its own.
    """

    unit: float
    octaves: int
    per: Per

    @property
    def initial(self) -> float:
        """Where the weight starts."""
        return 0.0

    @property
    def bounds(self) -> Between:
        """The constraint of the weight."""
        return Between(0.0, float(self.octaves - 1))

    def slope(self, weight: Any) -> Any:
        """Return ``d r / d weight / r``, a number."""
        del weight
        return -math.log(2.0)

    def log2(self, weight: Any) -> tuple[int, ...]:
        """Return ``k`` of every step; that of the start before there is a ``weight``."""
        return (0,) if weight is None else tuple(np.ravel(ops.convert_to_numpy(self._k(weight))).tolist())

    def values(self, weight: Any, dtype: str) -> tuple[Any, Any]:
        """Return the steps and their inverses, exact, of the shape of ``weight``."""
        steps = np.ldexp(self.unit, np.arange(self.octaves))  # a table, as a compiled power of two may be inexact
        tables = (ops.convert_to_tensor(table, dtype=dtype) for table in (steps, 1 / steps))
        k = self._k(weight)
        first, second = (ops.take(table, k) for table in tables)
        return first, second

    def _k(self, weight: Any) -> Any:
        return ops.cast(ops.round(self.bounds(weight)), "int32")


@dataclass(frozen=True, slots=True, kw_only=True)
class RealStep:
    """Trained steps of any size, as in the paper: for comparison, not for hardware.

    The weight is the step; ``d r / d step = -r / step``. It stays at ``unit / 2**bits`` or more.

    Attributes:
        unit: where training starts.
        bits: bits of a level.
        per: what has a step of its own.
    """

    unit: float
    bits: int
    per: Per

    @property
    def initial(self) -> float:
        """Where the weight starts."""
        return self.unit

    @property
    def bounds(self) -> Between:
        """The constraint of the weight."""
        return Between(math.ldexp(self.unit, -self.bits))

    def slope(self, weight: Any) -> Any:
        """Return ``d r / d weight / r``, of the shape of ``weight``."""
        return -1 / self.bounds(weight)

    def values(self, weight: Any, dtype: str) -> tuple[Any, Any]:
        """Return the steps and their inverses, of the shape of ``weight``."""
        steps = ops.cast(self.bounds(weight), dtype)
        return steps, 1 / steps


def make_step(step: float | str | Sequence[float], initial: float, per: str, bits: int, name: str) -> Steps:
    """Return the step that the arguments of the layer called ``name`` describe.

    Raises:
        ConfigError: an argument is not as `DeltaActivation` describes it.
    """
    if per not in ("layer", "channel", "neuron"):
        raise ConfigError(
            "unknown step granularity per=",
            where=name,
            expected="'layer', 'channel' or 'neuron'",
            received=repr(per),
        )
    if not isinstance(step, str):
        fixed = FixedStep(exponents=_exponents(step, name))
        if max(fixed.log2()) >= bits:
            raise ConfigError(
                "the largest step is outside the code range",
                where=name,
                expected=f"steps less than 2**{bits} apart for {bits} bits",
                received=f"2**{max(fixed.log2())} apart",
            )
        return fixed
    if step not in ("po2", "real"):
        raise ConfigError(
            "unknown step", where=name, expected="a power of two, one per channel, 'po2' or 'real'", received=repr(step)
        )
    if step == "real":
        return RealStep(unit=initial, bits=bits, per=cast(Per, per))
    _exponents(initial, name)
    return PowerOfTwoStep(unit=initial, octaves=bits, per=cast(Per, per))


def weight_shape(per: Per, input_shape: tuple[int | None, ...], name: str) -> tuple[int, ...]:
    """Return the shape of the weight of a trained step, for inputs of ``input_shape``, ``[N, ..., C]``.

    Raises:
        ConfigError: the sizes that it needs are not known.
    """
    shape = {"layer": (), "channel": input_shape[1:][-1:], "neuron": input_shape[1:]}[per]
    if None in shape or (per != "layer" and not shape):
        raise ConfigError(
            f"a step per {per} needs known sizes", where=name, expected="a frame of known shape", received=input_shape
        )
    return cast("tuple[int, ...]", shape)


def undeployable(name: str) -> ConversionError:
    """Return the error of a layer with a real step that is asked for its lattice."""
    return ConversionError(
        "a real step has no power-of-two lattice",
        where=name,
        expected="steps that are powers of two",
        received="step='real'",
        fix="train with step='po2'",
    )


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
