# SPDX-License-Identifier: Apache-2.0
"""`SparsityLoss`: what the meter of a clip model adds to the loss, and how it weighs the layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from codesign.errors import ConfigError
from codesign.layers.arguments import is_number
from codesign.layers.probe import Engines, Probe

REMEMBERED = 0.9
"""Share of the measured cycles of a layer that the moving average keeps at each training step."""


@dataclass(frozen=True, slots=True)
class SparsityLoss:
    """A penalty on what travels between layers, each weighted by what it costs.

    With ``x_e`` the change of element ``e`` from one frame to the next (``of='temporal'``) or its value
    (``of='spatial'``, and everywhere after a stateless activation), in the finest steps of its activation, and the
    mean taken over clips and frames (for changes: over frames but the first)::

        loss = factor * sum over layers l of share_l * mean( sum over elements e of |x_e| * cost_e )

    ================  =======================================  ====================================================
    ``weights``       ``cost_e``                               ``share_l``
    ================  =======================================  ====================================================
    ``'macs'``        ``fanout_e / MACs``                      1: lambda is proportional to the fan-out (the paper)
    ``{layer: w}``    ``fanout_e / MACs_l``                    ``w``; 0 for linear layers that are not named
    ``'cycles'``      ``cycles_e / dense cycles of a frame``   ``softmax(sharpness * c_l / max c)``
    ================  =======================================  ====================================================

    ``fanout_e`` are the multiply-accumulates (MACs) an element takes part in, ``MACs`` those of a whole dense frame,
    ``MACs_l`` those of one layer. ``cycles_e`` are the cycles that an event takes in its engine, relative to those of
    the slowest layer when every element is an event; ``c_l`` the cycles of a layer measured so far (a moving average
    over training steps of its mean over frames), and no gradient goes through the shares. A pipeline is as fast as its
    slowest layer: that one is pushed hardest, and when it is no longer the slowest the share moves on. If nothing
    before it trains, little is pushed at all, as the others do not set the rate.

    ``'cycles'`` also weighs poolings and upsamplings that read codes; a sum or concatenation of accumulators has no
    share, since what arrives there follows from the layers before it.

    Args:
        factor: factor of the loss, above 0; a weight of the clip model that callbacks can move.
        of: what is made small, ``'temporal'`` or ``'spatial'`` (the baseline that knows no time).
        weights: see above.
        sharpness: sharpness of the softmax; with 8 a layer at half the cycles of the slowest has 0.02 of its share.

    Source: Yousefzadeh & Sifalakis 2021, for 'macs'.

    Raises:
        ConfigError: an argument is not as described.
    """

    factor: float
    of: Literal["temporal", "spatial"] = "temporal"
    weights: Literal["macs", "cycles"] | Mapping[str, float] = "macs"
    sharpness: float = 8.0

    def __post_init__(self) -> None:
        for name, value in (("factor", self.factor), ("sharpness", self.sharpness)):
            if not is_number(value):
                raise ConfigError(
                    f"{name} is not a number", where="SparsityLoss", expected="such as 1.0", received=repr(value)
                )
        if not 0.0 < self.factor < math.inf:
            raise ConfigError("factor is out of range", where="SparsityLoss", expected="> 0", received=self.factor)
        if not 0.0 <= self.sharpness < math.inf:
            raise ConfigError("sharpness is negative", where="SparsityLoss", expected=">= 0", received=self.sharpness)
        if self.of not in ("temporal", "spatial"):
            raise ConfigError(
                "unknown sparsity", where="SparsityLoss.of", expected="'temporal' or 'spatial'", received=repr(self.of)
            )
        if isinstance(self.weights, Mapping):
            if not all(is_number(weight) and 0.0 <= weight < math.inf for weight in self.weights.values()):
                raise ConfigError(
                    "a weight is negative or no number",
                    where="SparsityLoss.weights",
                    expected=">= 0",
                    received=self.weights,
                )
        elif self.weights not in ("macs", "cycles"):
            raise ConfigError(
                "unknown weights",
                where="SparsityLoss.weights",
                expected="'macs', 'cycles', or a weight for each of some linear layers",
                received=repr(self.weights),
            )

    def costs(self, probes: Sequence[Probe], engines: Engines) -> list[NDArray[np.float64] | None]:
        """Return ``cost_e`` for each position of each probe, ``[*positions]``; None where there is no term.

        The weight of a named layer is part of its cost.

        Raises:
            ConfigError: a weight names no linear layer.
        """
        if self.weights == "cycles":
            cycles = [item.cycles(engines) for item in probes]
            dense: dict[str, int] = {}
            for item, each in zip(probes, cycles, strict=True):
                dense[item.name] = dense.get(item.name, 0) + item.whole(each)
            slowest = max(dense.values())
            return [None if item.unit is None else each / slowest for item, each in zip(probes, cycles, strict=True)]
        macs = {item.name: item.whole(item.fanout()) for item in probes if item.products}
        shares = self._named(list(macs)) if isinstance(self.weights, Mapping) else None
        if shares is None:
            return [item.fanout() / sum(macs.values()) if item.products else None for item in probes]
        return [shares[item.name] * item.fanout() / macs[item.name] if item.name in shares else None for item in probes]

    def _named(self, linear: Sequence[str]) -> dict[str, float]:
        """Return the weights that were given, without zeros."""
        assert isinstance(self.weights, Mapping)
        unknown = sorted(set(self.weights) - set(linear))
        if unknown:
            raise ConfigError(
                "a weight names no linear layer",
                where="SparsityLoss.weights",
                expected=f"some of {', '.join(linear)}",
                received=", ".join(unknown),
            )
        return {name: weight for name, weight in self.weights.items() if weight}


class Penalty:
    """A `SparsityLoss` at work on the probes of a meter; its state are weights of that meter.

    Attributes:
        factor: factor of the loss.
        cycles: moving average of the cycles per frame of each layer with a share, ``[L]``; 0 before the first training
            step; None unless layers are weighed by them.
    """

    def __init__(
        self, loss: SparsityLoss, probes: Sequence[Probe], engines: Engines, add_weight: Callable[..., Any]
    ) -> None:
        self.loss, self.probes = loss, probes
        self.costs = loss.costs(probes, engines)
        pairs = zip(probes, self.costs, strict=True)
        self.layers = list(dict.fromkeys(item.name for item, cost in pairs if cost is not None))
        self.factor = add_weight((), keras.initializers.Constant(loss.factor), trainable=False, name="factor")
        self.cycles: Any = None
        if loss.weights == "cycles":
            self.cycles = add_weight((len(self.layers),), "zeros", trainable=False, name="cycles")

    def __call__(self, clips: Sequence[Any], cycles: Mapping[str, Any], *, training: bool) -> Any:
        """Return the loss.

        Args:
            clips: values that each probe sees, ``[B, T, elements]``.
            cycles: cycles of each layer in each frame, if the loss weighs by them.
            training: follow these cycles.
        """
        shares = {} if self.cycles is None else self._shares(cycles, training=training)
        loss = 0.0
        for item, cost, values in zip(self.probes, self.costs, clips, strict=True):
            if cost is not None and item.unit is not None:
                each = ops.convert_to_tensor((cost / item.unit).reshape(-1), dtype=values.dtype)
                changes = self.loss.of == "temporal" and not item.stateless
                size = mean_size(values, ops.repeat(each, item.shape[-1]), changes=changes)
                loss = loss + shares.get(item.name, 1.0) * size
        return self.factor * loss

    def _shares(self, cycles: Mapping[str, Any], *, training: bool) -> dict[str, Any]:
        now = ops.stack([ops.mean(ops.cast(cycles[name], self.cycles.dtype)) for name in self.layers])
        followed = REMEMBERED * self.cycles + (1 - REMEMBERED) * now if training else self.cycles
        measured = ops.where(ops.any(self.cycles > 0), followed, now)
        if training:
            self.cycles.assign(measured)
        relative = measured / ops.maximum(ops.max(measured), keras.config.epsilon())
        shares = ops.stop_gradient(ops.softmax(self.loss.sharpness * relative))
        return dict(zip(self.layers, ops.unstack(shares), strict=True))


def mean_size(clips: Any, weights: Any, *, changes: bool) -> Any:
    """Return the mean over clips and frames of ``sum(|x| * weights)``, with its gradient written out.

    What differentiation makes of it by itself costs ten times as much, most of a training step.

    Args:
        clips: values, ``[B, T, elements]``.
        weights: weight of each element, ``[elements]``; gets no gradient.
        changes: ``x`` are the changes from frame to frame; False: the values.
    """

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def size(values: Any) -> Any:
        x = values[:, 1:] - values[:, :-1] if changes else values
        rows = ops.reshape(ops.abs(x), (-1, x.shape[2]))
        count = ops.cast(ops.shape(rows)[0], values.dtype)

        def gradient(*args: Any, upstream: Any = None) -> Any:
            pull = ops.sign(x) * (weights * ((args[0] if upstream is None else upstream) / count))
            if not changes:
                return pull
            return ops.pad(pull, ((0, 0), (1, 0), (0, 0))) - ops.pad(pull, ((0, 0), (0, 1), (0, 0)))

        return ops.sum(ops.matmul(rows, weights[:, None])) / count, gradient

    return size(clips)
