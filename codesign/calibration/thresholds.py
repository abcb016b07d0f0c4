# SPDX-License-Identifier: Apache-2.0
"""Thresholds of every channel of every activation: what a change in the answer costs, and what it saves.

A value that is held is off by less than its threshold. To first order that changes the answer (how far the largest
output is ahead) by the error times a slope, the derivative of the answer; the errors of channels and layers add up
nearly as if they were independent: on VWW the sum of their variances predicts that of the answer to a tenth. So one
pass over clips measures, for each channel, the variance that its threshold adds, and the events that it leaves, at
half, once and twice its threshold: two power laws. The thresholds with the least work for a variance in all then have a
closed form, which is measured again a few times, as events of a layer depend on what those before it send.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from codesign.calibration.agreement import Judge
from codesign.calibration.forward import Forward, signal_of, thresholds_of
from codesign.calibration.holding import Floats, changes
from codesign.layers.arguments import LEAST_HOLD
from codesign.layers.equalize import FULL

Array = NDArray[np.float64]
Show = Callable[[float, str], None]

ROUNDS = 5
"""Times that thresholds are measured and chosen."""
FIRST = 1.5
"""Where they start, in steps."""
WAYS = (0.5, 1.0, 2.0)
"""What they are measured at, as a factor."""
FARTHEST = 2.5
"""Largest factor of a round."""
SMOOTH = 0.2
"""How far each channel is taken to be like the mean of its layer: few events and frames say little of one."""
EVENT = 16.0
"""Multiply-accumulates that an event costs beside its own: engines work at the same time, each takes one in a cycle."""
FINE = 2.0
"""Fewest steps in the threshold of a channel that is scaled: rounding then adds little to what holding does."""
ECHO = 1.4
"""Factor of a threshold with which it is measured what layers after it save, too."""
ECHO_FRAMES = 48
"""Frames on which that is measured."""
MOST_ECHO = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What thresholds of one activation come to, at each of `WAYS`.

    Attributes:
        events: changed elements of a frame, ``[3, C]``.
        variance: of the answer, ``[3, C]``.
        top: largest value, ``[C]``.
    """

    events: Array
    variance: Array
    top: Array


def find_thresholds(
    forward: Forward, judge: Judge, *, variance: float, own: Collection[str], show: Show
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the thresholds, in steps, with the least work that add ``variance`` to the answer; and largest values.

    Args:
        forward: a memoryless network of fixed steps on clips.
        judge: its outputs of the float model.
        variance: as of `Judge.room`.
        own: activations whose channels may have thresholds of their own.
        show: called with the share that is done, and a few words.

    Returns:
        By the name of each activation: thresholds ``[C]`` (equal ones if not in ``own``), and the largest values
        ``[C]``.
    """
    slopes = _slopes(forward, judge)
    holds = {name: np.full(values.shape[-1], FIRST) for name, values in slopes[0].items()}
    echoes, measured = dict.fromkeys(holds, 1.0), dict[str, Measured]()
    for number in range(ROUNDS):
        show(number / ROUNDS, "thresholds of every channel")
        if number == ROUNDS // 2:
            echoes = _echoes(forward, holds)
        measured = _measure(forward, judge, slopes, holds)
        least = {name: _least(forward, name, found.top, name in own) for name, found in measured.items()}
        laws = {
            name: _Law.of(found, echoes[name] * (forward.prices[name] + EVENT), name in own)
            for name, found in measured.items()
        }
        factors = _cheapest(laws, variance)
        holds = {name: np.maximum(hold * factors[name], least[name]) for name, hold in holds.items()}
    return holds, {name: found.top for name, found in measured.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Law:
    """Work and variance of channels as powers of a factor of their thresholds, ``[C]``; ``[1]`` if they are equal."""

    work: Array
    variance: Array
    falls: Array
    rises: Array

    @classmethod
    def of(cls, found: Measured, price: float, own: bool) -> _Law:
        work, variance = found.events * price + 1e-9, found.variance + 1e-12
        work, variance = (_smooth(values) if own else values.sum(1, keepdims=True) for values in (work, variance))
        span = math.log(WAYS[-1] / WAYS[0])
        return cls(
            work=work[1],
            variance=variance[1],
            falls=np.clip(np.log(work[0] / work[-1]) / span, 0.3, 3.0),
            rises=np.clip(np.log(variance[-1] / variance[0]) / span, 1.0, 3.0),
        )

    def factors(self, price: float) -> Array:
        """Return the factors with the least work plus ``price`` times variance."""
        best = self.falls * self.work / (price * self.rises * self.variance)
        return np.asarray(np.clip(best ** (1 / (self.falls + self.rises)), 1 / FARTHEST, FARTHEST))


def _smooth(values: Array) -> Array:
    return np.asarray((1 - SMOOTH) * values + SMOOTH * values.mean(1, keepdims=True))


def _cheapest(laws: Mapping[str, _Law], variance: float) -> dict[str, Array]:
    """Return the factors of all thresholds with the least work for a ``variance`` in all."""
    low, high = 1e-9, 1e18
    for _ in range(100):
        price = math.sqrt(low * high)
        factors = {name: law.factors(price) for name, law in laws.items()}
        total = sum(float((law.variance * factors[name] ** law.rises).sum()) for name, law in laws.items())
        low, high = (price, high) if total > variance else (low, price)
    return {name: law.factors(high) for name, law in laws.items()}


def _least(forward: Forward, name: str, top: Array, own: bool) -> Array:
    """Return the smallest thresholds, in steps.

    Channels with thresholds of their own are scaled until these are equal, and `FINE` steps or more; the largest value
    of each has to be a code then, too.
    """
    layer = forward.layers[name]
    return np.maximum(FINE * top / (FULL * layer.hi * layer.unit), 1e-3) if own else np.full(1, LEAST_HOLD)


def _places(forward: Forward) -> list[tuple[NDArray[np.float32], slice]]:
    """Return the clips that are computed together, and where they are."""
    found, first = [], 0
    for part in forward.parts():
        found.append((part, slice(first, first + len(part))))
        first += len(part)
    return found


def _slopes(forward: Forward, judge: Judge) -> list[dict[str, Floats]]:
    """Return the derivatives of the answer by what each activation sends, ``[N, T, P, C]`` by its name.

    As a graph, which leaves out those by weights: TensorFlow computes them otherwise, and not of every convolution.
    """

    @tf.function  # type: ignore[untyped-decorator]
    def slopes(values: Any, wanted: Any) -> dict[str, Any]:
        sent: dict[str, Any] = {}

        def send(name: str, z: Any, clips: int) -> Any:
            del clips
            sent[name] = forward.layers[name](z)
            tape.watch(sent[name])
            return sent[name]

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            outputs = forward.last(tf.reshape(values, (-1, *values.shape[2:])), values.shape[0], send)
            answer = tf.reduce_sum(_answer(judge, outputs, wanted))
        return dict(tape.gradient(answer, sent, unconnected_gradients="zero"))

    found = []
    for part, at in _places(forward):
        wanted = judge.wanted[at].reshape(-1, *judge.wanted.shape[2:])
        made = slopes(tf.constant(part), tf.constant(wanted))
        found.append(
            {name: np.asarray(each).reshape(*part.shape[:2], -1, each.shape[-1]) for name, each in made.items()}
        )
    return found


def _answer(judge: Judge, outputs: Any, wanted: Any) -> Any:
    """Return how far the answer is ahead of the next one; of a regressor, a sum of its outputs with random signs."""
    if not judge.decides:
        return outputs * np.random.default_rng(0).choice([-1, 1], wanted.shape).astype(np.float32)
    logs = tf.math.log(tf.maximum(outputs, 1e-30)) if judge.probabilities else outputs
    best = tf.math.top_k(wanted, 2).indices
    first, second = (tf.gather(logs, best[:, place], batch_dims=1) for place in (0, 1))
    return first - second


def _measure(
    forward: Forward, judge: Judge, slopes: list[dict[str, Floats]], holds: Mapping[str, Array]
) -> dict[str, Measured]:
    """Return what thresholds come to; each activation reads what those before it send."""
    events: dict[str, Any] = dict.fromkeys(holds, 0.0)
    variance, top = dict(events), dict(events)
    total = judge.weights.sum()
    for (part, at), slope in zip(_places(forward), slopes, strict=True):
        weights = judge.weights[at]

        def send(name: str, z: Any, clips: int, slope: dict[str, Floats] = slope, weights: Array = weights) -> Floats:
            layer = forward.layers[name]
            signal, thresholds = signal_of(layer, z, clips), thresholds_of(layer, holds[name], z.shape[-1])
            tried = [signal.sent((way * thresholds).astype(np.float32)) for way in WAYS]
            errors = [signal.off(each, slope[name]).astype(np.float64) for each in tried]
            top[name] = np.maximum(top[name], signal.active.max((0, 1, 2)))
            events[name] += np.stack([changes(each).sum(0) for each in tried])
            variance[name] += np.stack([np.einsum("nt,ntc->c", weights, error**2) for error in errors]) / total
            return tried[1]

        forward.through(part, send)
    frames = len(forward.clips) * (forward.clips.shape[1] - 1)
    return {
        name: Measured(
            events=np.asarray(events[name]) / frames, variance=np.asarray(variance[name]), top=np.asarray(top[name])
        )
        for name in holds
    }


def _echoes(forward: Forward, holds: Mapping[str, Array]) -> dict[str, float]:
    """Return how often a larger threshold saves, in all layers, what it saves in those that read the activation."""
    few = forward.on(max(1, ECHO_FRAMES // forward.clips.shape[1]))
    base, found = few.run(holds), {}
    for name in holds:
        other = few.run({**holds, name: ECHO * holds[name]})
        own = sum(base.macs[reader] - other.macs[reader] for reader in few.reads[name]) + base.work / 500
        found[name] = min(max((base.work - other.work + base.work / 500) / own, 1.0), MOST_ECHO) if own > 0 else 1.0
    return found
