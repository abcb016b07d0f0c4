# SPDX-License-Identifier: Apache-2.0
"""How well a network does what the float model does on the same frames."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.keras_model.kinds import ending_of

FLOOR = 0.1
"""Weight of a frame whose answer is far ahead; 1 is that of one in which two are equal."""
TOLERANCE = 0.1
"""Of a regressor: largest difference of an output, as a share of the range of all, that counts as the same."""

SPARE = 0.15
"""Share of a tolerance that is left for frames that were not seen: their errors are larger by a tenth or so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatAgreement:
    """A delta network beside the float model.

    Attributes:
        decisions: share of frames with the same largest output; of a regressor, with all outputs within the tolerance.
        mean_abs_difference: of outputs (probabilities, of a network that ends in a softmax).
        frames: number of frames.
    """

    decisions: float
    mean_abs_difference: float
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judge:
    """Compares outputs with those of the float model.

    Attributes:
        wanted: outputs of the float model, ``[..., outputs]``.
        decides: the largest output is the answer.
        tolerance: of a regressor, see `TOLERANCE`.
    """

    wanted: NDArray[Any]
    decides: bool
    tolerance: float = TOLERANCE

    def on(self, places: NDArray[np.integer]) -> Judge:
        """Return the same of some clips."""
        return replace(self, wanted=self.wanted[places])

    def same(self, outputs: NDArray[Any], spare: float = 0.0) -> NDArray[np.bool_]:
        """Return whether each frame has the same answer, with a share of the tolerance to ``spare``."""
        if self.decides:
            return np.asarray(outputs.argmax(-1) == self.wanted.argmax(-1))
        axes = tuple(range(2, self.wanted.ndim))
        most = (1 - spare) * self.tolerance * float(np.ptp(self.wanted))
        return np.asarray((np.abs(outputs - self.wanted) <= most).all(axes))

    @property
    def probabilities(self) -> bool:
        """Whether the outputs of a network that decides are probabilities already."""
        return bool(self.wanted.min() >= 0 and np.abs(self.wanted.sum(-1) - 1).max() <= 1e-3)

    @property
    def leads(self) -> NDArray[np.float64]:
        """How far the answer of the float model is ahead of any other in each frame, in log-probability, ``[N, T]``."""
        return _ahead(_probabilities(self.wanted), self.wanted).reshape(self.wanted.shape[:2])

    @property
    def weights(self) -> NDArray[np.float64]:
        """How much each frame says of answers that turn, ``[N, T]``: those in which little is ahead, most."""
        if not self.decides:
            return np.ones(self.wanted.shape[:2])
        sure = 1 / (1 + np.exp(-self.leads))
        return np.asarray(4 * sure * (1 - sure) + FLOOR)

    def room(self, goal: float) -> float:
        """Return the `error` that a ``goal`` allows.

        As if it were normal, and the same in each frame.
        """
        if not self.decides:
            sigma = self.tolerance * float(np.ptp(self.wanted)) / 3
            return sigma**2 * math.prod(self.wanted.shape[2:])
        low, high, leads = 1e-3, 1e2, self.leads.ravel()
        for _ in range(40):
            sigma = math.sqrt(low * high)
            turned = float(np.mean([math.erfc(lead / sigma / math.sqrt(2)) / 2 for lead in leads]))
            low, high = (sigma, high) if turned <= 1 - goal else (low, sigma)
        return low**2

    def error(self, outputs: NDArray[Any]) -> float:
        """Return the mean square of what ``outputs`` change of `leads`, or, of a regressor, of the sum of the outputs.

        Frames count by their `weights`; outputs of a regressor as if their errors were independent.
        """
        if not self.decides:
            return float(np.square(outputs - self.wanted).sum(tuple(range(2, self.wanted.ndim))).mean())
        ahead, now = (_ahead(_probabilities(values), self.wanted) for values in (self.wanted, outputs))
        return float(np.average(np.square(now - ahead), weights=self.weights.ravel()))

    def expected(self, outputs: NDArray[Any]) -> float:
        """Return the share of frames like these in which the answer can be expected to be the same.

        Of decisions: how far the largest output is ahead of the others in the float model, and how much a network
        changes that, is taken of any two frames, as if one had nothing to do with the other; changes count by their
        `weights`. So many pairs say more of frames that were not seen than the few of these on which a decision turns.
        At most the share that is the same. Of a regressor, that share with `SPARE`.
        """
        same = float(self.same(outputs, SPARE).mean())
        if not self.decides:
            return same
        ahead, now = (_ahead(_probabilities(values), self.wanted) for values in (self.wanted, outputs))
        order = np.argsort(now - ahead)
        counted = np.concatenate([[0.0], np.cumsum(self.weights.ravel()[order])])
        turned = counted[np.searchsorted((now - ahead)[order], -ahead, side="left")].mean() / counted[-1]
        return min(same, 1 - float(turned))

    def loss(self, outputs: NDArray[Any]) -> float:
        """Return how far ``outputs`` are off: of decisions the mean divergence of probabilities, else a mean square."""
        if not self.decides:
            return float(np.square(outputs - self.wanted).mean() / max(float(np.var(self.wanted)), 1e-12))
        wanted, got = (_probabilities(values) for values in (self.wanted, outputs))
        return float((wanted * (np.log(wanted) - np.log(got))).sum(-1).mean())

    def judge(self, outputs: NDArray[Any]) -> FloatAgreement:
        """Return the agreement of ``outputs``."""
        same = self.same(outputs)
        wanted, got = self.wanted, outputs
        return FloatAgreement(
            decisions=float(same.mean()),
            mean_abs_difference=float(np.abs(got - wanted).mean()),
            frames=int(same.size),
        )


def decides(model: Any) -> bool:
    """Return whether the largest of a model's outputs is its answer: two or more, not those that it reads.

    Or its only output says yes, see `is_binary`.
    """
    outputs, inputs = model.outputs[0].shape[1:], model.inputs[0].shape[1:]
    return is_binary(model) or (len(outputs) == 1 and outputs[0] >= 2 and tuple(outputs) != tuple(inputs))


def is_binary(model: Any) -> bool:
    """Return whether a model ends in one sigmoid, a probability p: it is compared as two outputs, 1 - p and p."""
    last = model.outputs[0]._keras_history.operation
    return tuple(model.outputs[0].shape[1:]) == (1,) and ending_of(last) == "sigmoid"


def _ahead(probabilities: NDArray[np.float64], wanted: NDArray[Any]) -> NDArray[np.float64]:
    """Return, flat, by how much the log-probability of the answer in ``wanted`` is larger than any other."""
    logs = np.log(probabilities).reshape(-1, wanted.shape[-1])
    answers = wanted.reshape(logs.shape).argmax(-1)[:, None]
    others = logs.copy()
    np.put_along_axis(others, answers, -np.inf, axis=-1)
    return np.asarray(np.take_along_axis(logs, answers, axis=-1)[:, 0] - others.max(-1))


def _probabilities(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return ``values`` if they are probabilities already, else their softmax; none of them 0."""
    found = np.asarray(values, np.float64)
    if found.min() < 0 or np.abs(found.sum(-1) - 1).max() > 1e-3:
        found = np.exp(found - found.max(-1, keepdims=True))
        found /= found.sum(-1, keepdims=True)
    return np.clip(found, 1e-6, 1.0)
