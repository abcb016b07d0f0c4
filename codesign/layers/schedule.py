# SPDX-License-Identifier: Apache-2.0
"""Callbacks that move the factor of the sparsity loss while a clip model trains: `WarmUp` and `Target`."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from codesign.errors import ConfigError
from codesign.layers.meter import DeltaMeter, Ratio
from codesign.layers.sparsity_loss import Penalty

FACTOR = "sparsity_factor"
"""What the logs of an epoch call the factor."""
STEEPEST = 1.0
"""Largest error that `Target` acts on, in powers of e."""


class Schedule(keras.callbacks.Callback):  # type: ignore[misc]
    """What both callbacks share: the factor, and its value at the end of each epoch in the logs."""

    meter: DeltaMeter
    penalty: Penalty

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Find the factor.

        Raises:
            ConfigError: the model has no sparsity loss.
        """
        meter = find_meter(self.model)
        if meter is None or meter.penalty is None:
            raise ConfigError(
                "the model has no sparsity loss whose factor could be moved",
                where=type(self).__name__,
                expected="a clip model with one",
                received=self.model.name,
                fix="make it with over_time(frame_model, frames, sparsity=SparsityLoss(...))",
            )
        self.meter, self.penalty = meter, meter.penalty

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Note the factor."""
        if logs is not None:
            logs[FACTOR] = float(_read(self.penalty.factor))


class WarmUp(Schedule):
    """The factor of the sparsity loss grows from 0 to its full value, linearly and by epochs.

    Epoch ``n`` (from 0; a further call of `fit` needs ``initial_epoch``) trains with ``n / epochs`` of the factor
    that `SparsityLoss` names, and from epoch ``epochs`` on with all of it.

    Args:
        epochs: epochs until the full value, at least 1.

    Raises:
        ConfigError: an argument is out of range; or, when training begins, the model has no sparsity loss.
    """

    def __init__(self, epochs: int) -> None:
        super().__init__()
        if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
            raise ConfigError("not a positive integer", where="WarmUp.epochs", expected=">= 1", received=repr(epochs))
        self.epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Set the factor of the epoch."""
        self.penalty.factor.assign(self.penalty.loss.factor * min(1.0, epoch / self.epochs))


class Target(Schedule):
    """Moves the factor of the sparsity loss until what is computed is as little as wanted, and keeps it there.

    After each training step, with ``m`` a moving average of the measured cost (the share of the MACs that are computed,
    or cycles per frame), ``m*`` the wanted one, and ``e' = e`` at first::

        e = clip( log(m / m*), -1, 1 )
        factor <- clip( factor * exp( gain * e + damping * (e - e') ), *bounds ),    e' <- e

    So the factor grows while there is too much and falls while there is too little, in proportion to its size (gain),
    and less so the faster the cost comes nearer (damping); it rests where the cost is met. It starts where it is: at
    the factor that `SparsityLoss` names, unless training goes on. A target that cannot be met, for instance because
    the slowest layer is the first one and nothing before it trains, ends at a bound, as the factor in the logs shows.
    Not to be used beside `WarmUp`: both set the factor.

    Args:
        operation_sparsity: wanted share of MACs without an event, between 0 and 1.
        cycles_per_frame: wanted cycles per frame of the slowest layer, above 0. One of the two is given.
        gain: answer of a step to the error, above 0. Slow training wants a smaller one.
        damping: answer of a step to the change of the error since the last step, 0 or more.
        steps: training steps over which the moving average looks back, above 0.
        bounds: smallest and largest factor; default a thousandth and a thousand times that of `SparsityLoss`.

    Raises:
        ConfigError: an argument is out of range; or, when training begins, the model has no sparsity loss, or counts no
            cycles.
    """

    def __init__(
        self,
        *,
        operation_sparsity: float | None = None,
        cycles_per_frame: float | None = None,
        gain: float = 0.1,
        damping: float = 2.0,
        steps: float = 10.0,
        bounds: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        if (operation_sparsity is None) == (cycles_per_frame is None):
            raise ConfigError(
                "one target is needed",
                where="Target",
                expected="operation_sparsity or cycles_per_frame",
                received="none" if operation_sparsity is None else "both",
            )
        self.counts_cycles = operation_sparsity is None
        wanted = 1.0 - operation_sparsity if operation_sparsity is not None else cycles_per_frame
        limits = {
            "operation_sparsity": (operation_sparsity, 0.0, 1.0),
            "cycles_per_frame": (cycles_per_frame, 0.0, math.inf),
            "gain": (gain, 0.0, math.inf),
            "steps": (steps, 0.0, math.inf),
            "bounds": (bounds[0] if bounds else None, 0.0, bounds[1] if bounds else math.inf),
        }
        for name, (value, low, high) in limits.items():
            if value is not None and not low < value < high:
                raise ConfigError(
                    "out of range", where=f"Target.{name}", expected=f"above {low:g}, below {high:g}", received=value
                )
        if not 0.0 <= damping < math.inf:
            raise ConfigError("out of range", where="Target.damping", expected="0 or more", received=damping)
        self.wanted, self.gain, self.damping, self.bounds = float(wanted or 0.0), gain, damping, bounds
        self.kept = steps / (steps + 1.0)
        self.measured: float | None = None
        self.error: float | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Find the factor and the counts; see `Schedule`."""
        super().on_train_begin(logs)
        ratio = self.meter.cycles if self.counts_cycles else self.meter.operations
        if ratio is None:
            raise ConfigError(
                "the model counts no cycles",
                where="Target.cycles_per_frame",
                expected="a clip model that knows its engines",
                fix="make it with over_time(..., engines=Engines(pe=...))",
            )
        self.ratio: Ratio = ratio
        start = self.penalty.loss.factor
        self.smallest, self.largest = self.bounds or (start / 1000.0, start * 1000.0)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Note that the counts start again."""
        self.before = (0, 0)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Move the factor."""
        counts = int(_read(self.ratio.part)), int(_read(self.ratio.whole))
        now = (counts[0] - self.before[0]) / (counts[1] - self.before[1])
        self.before = counts
        self.measured = now if self.measured is None else self.kept * self.measured + (1.0 - self.kept) * now
        error = math.log(self.measured / self.wanted) if self.measured else -STEEPEST
        error = max(-STEEPEST, min(STEEPEST, error))
        turn = 0.0 if self.error is None else self.damping * (error - self.error)
        self.error = error
        factor = float(_read(self.penalty.factor)) * math.exp(self.gain * error + turn)
        self.penalty.factor.assign(max(self.smallest, min(self.largest, factor)))


def _read(variable: Any) -> Any:
    """Return the value of a scalar variable; of one that devices share, what they have together."""
    return np.asarray(ops.convert_to_tensor(variable))  # ops.convert_to_numpy of a variable: NumPy 2 warns


def find_meter(model: Any) -> DeltaMeter | None:
    """Return the meter of a clip model; None if it has none."""
    for layer in getattr(model, "layers", ()):
        found = layer if isinstance(layer, DeltaMeter) else find_meter(layer)
        if found is not None:
            return found
    return None
