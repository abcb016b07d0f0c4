# SPDX-License-Identifier: Apache-2.0
"""What a `DeltaActivation` computes, exact, and the gradients that training sees instead of its own.

The forward value is piecewise constant, so every gradient here is a surrogate:

==============  ================================================================================================
with regard to  d r / d ... of an element
==============  ================================================================================================
input z         1 where ``f`` and the clip pass it (relu: ``0 < z <= high``), else 0; hold does not change it
step            ``slope * r``: ``-r / step``, or ``-ln(2) * r`` for ``log2(step)``; 0 where that of ``z`` is 0
hold            ``(reference - q(z))`` where ``| |f(z) - reference| / step - hold | < 1/2``, else 0
==============  ================================================================================================

The paper has no clip. Where one acts, ``r`` is an end of the range: for steps in powers of two a constant, so 0 is the
derivative. With real steps it is ``hi * step``, which grows with the step, and ``-r / step`` has the wrong sign: a task
that asks for larger outputs would make the step, and with it every output, smaller, until nothing is left. The true
``+hi`` would make a step follow its largest inputs whatever the loss on changes is, so 0 stands there, too.

Hold sends where ``u = |f(z) - reference| / step - hold`` is at least 0: ``r = reference + (q(z) - reference) * H(u)``.
The derivative of the jump ``H`` is taken to be a box, 1 in ``|u| < 1/2``; that of ``u`` with regard to hold is -1.
The reference, what was last sent, is a constant to all gradients: there is none through time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantizer:
    """Activation, step and clip, all fields but the first tensors that broadcast over ``[N, ..., C]``.

    Attributes:
        relu: whether the activation is relu; else it is the identity.
        steps: steps of the quantiser.
        inverse: ``1 / steps``. TensorFlow folds a division by a constant vector into a product with approximate
            reciprocals, and ties then round wrongly in compiled graphs; powers of two have an exact one.
        low: smallest output; 0 for relu, which is then all that relu does.
        high: largest output.
    """

    relu: bool
    steps: Any
    inverse: Any
    low: Any
    high: Any

    def __call__(self, z: Any) -> Any:
        """Return ``q(z)``."""
        return ops.clip(ops.round(z * self.inverse) * self.steps, self.low, self.high)

    def activate(self, z: Any) -> Any:
        """Return ``f(z)``."""
        return ops.relu(z) if self.relu else z

    def passes(self, z: Any) -> Any:
        """Return where activation and clip pass a gradient."""
        above = z > self.low if self.relu else z >= self.low
        return ops.logical_and(above, z <= self.high)

    def distance(self, z: Any, reference: Any) -> Any:
        """Return ``|f(z) - reference|``."""
        return ops.abs(self.activate(z) - reference)


def send(quantizer: Quantizer, z: Any, hold: Any, frames: int | None) -> Any:
    """Return ``r`` for ``z``, ``[N, ...]``.

    Args:
        quantizer: ``q``.
        z: inputs.
        hold: threshold in steps; None for memoryless.
        frames: consecutive samples that are one clip; None if each sample is the first of its own stream.
    """
    if hold is None:
        return quantizer(z)
    threshold = hold * quantizer.steps

    def step(reference: Any, frame: Any) -> tuple[Any, Any]:
        sent = ops.where(quantizer.distance(frame, reference) >= threshold, quantizer(frame), reference)
        return sent, sent

    if frames is None:
        return step(ops.zeros_like(z), z)[0]
    shape = ops.shape(z)
    clips = ops.swapaxes(ops.reshape(z, (-1, frames, *shape[1:])), 0, 1)
    _, sent = ops.scan(step, ops.zeros_like(clips[0]), clips, length=frames)
    return ops.reshape(ops.swapaxes(sent, 0, 1), shape)


def input_gradient(quantizer: Quantizer, z: Any, upstream: Any) -> Any:
    """Return the gradient with regard to ``z``."""
    return ops.where(quantizer.passes(z), upstream, ops.zeros_like(upstream))


def step_gradient(slope: Any, r: Any, passed: Any, weight: Any) -> Any:
    """Return the gradient with regard to the ``weight`` of the step; its shape is how a frame ends, or ``()``.

    ``passed`` is the gradient with regard to the input: what is clipped has none, and masking again would cost.
    """
    axes = tuple(range(len(r.shape) - len(weight.shape)))
    return slope * ops.cast(ops.sum(passed * r, axis=axes), weight.dtype)


def hold_gradient(quantizer: Quantizer, z: Any, r: Any, hold: Any, upstream: Any, frames: int | None) -> Any:
    """Return the gradient with regard to ``hold``, a number."""
    reference = _before(r, frames)
    beyond = quantizer.distance(z, reference) * quantizer.inverse - hold
    slope = ops.where(ops.abs(beyond) < 0.5, reference - quantizer(z), ops.zeros_like(z))
    return ops.sum(upstream * slope)


def _before(r: Any, frames: int | None) -> Any:
    """Return what was last sent before each sample of ``r``."""
    if frames is None:
        return ops.zeros_like(r)
    shape = ops.shape(r)
    clips = ops.reshape(r, (-1, frames, *shape[1:]))
    return ops.reshape(ops.concatenate([ops.zeros_like(clips[:, :1]), clips[:, :-1]], axis=1), shape)
