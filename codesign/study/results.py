# SPDX-License-Identifier: Apache-2.0
"""What a study found: a `Result` for every variant and seed, its mean and spread, and JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from codesign.errors import ConfigError
from codesign.outputs import write_text
from codesign.study.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One trained network on the test clips, first frame of each excluded.

    Attributes:
        variant: its name.
        seed: seed of data, weights and order of clips.
        accuracy: share of test clips classified correctly, exact arithmetic.
        operation_sparsity: share of the multiply-accumulates that are skipped, counted as the variant skips: where
            nothing changed, or in front of stateless layers where the code is 0.
        spatial_sparsity: share of the multiply-accumulates whose code is 0.
        cycles_per_frame: words that the events reach in the slowest layer of each frame, mean (an *estimate*).
        density: changed (in front of stateless layers: not 0) elements / elements, for each linear layer.
        simulated_cycles_per_frame: cycles per frame of the RTL on the same clips; None where it was not simulated.
        mismatches: values in which the RTL differs from the golden model; None where it was not simulated.
        rtl_density: events that the RTL counted / elements, for each linear layer; None where not simulated.
        rtl_operation_sparsity: operation sparsity of the deployed graph by the golden model; None where not simulated.
        events_per_frame: what is not skipped at the inputs of the linear layers, mean.
        values: output values compared with the golden model's; None where not simulated.
        training_s: wall time of the training.
        float_accuracy: accuracy of the float network that the variant started from.
        class_accuracy: share of the test clips of each class that is classified correctly; None in a class without
            clips, as below, and for all where an earlier version did not note it.
        class_sparsity: operation sparsity of the test clips of each class.
    """

    variant: str
    seed: int
    accuracy: float
    operation_sparsity: float
    spatial_sparsity: float
    cycles_per_frame: float | None
    events_per_frame: float
    density: dict[str, float]
    simulated_cycles_per_frame: float | None = None
    values: int | None = None
    mismatches: int | None = None
    rtl_density: dict[str, float] | None = None
    rtl_operation_sparsity: float | None = None
    training_s: float
    float_accuracy: float | None = None
    class_accuracy: dict[str, float | None] | None = None
    class_sparsity: dict[str, float | None] | None = None

    @property
    def active(self) -> float:
        """Share of the multiply-accumulates that are computed."""
        return 1.0 - self.operation_sparsity

    def as_trained(self) -> bool:
        """Whether the RTL counted, and the deployed graph has, exactly the sparsity that training reports."""
        return self.rtl_density == self.density and self.rtl_operation_sparsity == self.operation_sparsity

    def wrong(self) -> str | None:
        """Return in words what is wrong with the simulated RTL; None if nothing, or if it was not simulated."""
        if self.mismatches:
            return f"{self.mismatches} of {self.values} values differ from the golden model's"
        if self.rtl_density is not None and not self.as_trained():
            return "the sparsity counted by the RTL differs from that of training"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Mean and spread (standard deviation of the sample) of a figure over seeds; spread is None for one seed."""

    mean: float
    spread: float | None

    @classmethod
    def of(cls, values: list[float]) -> Summary:
        """Return the summary of at least one value."""
        return cls(mean=statistics.fmean(values), spread=statistics.stdev(values) if len(values) > 1 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """``[[target]]``: what a variant should reach against another one, in the mean over seeds.

    Attributes:
        variant: variant that should reach it.
        against: what it is compared with, seed by seed.
        figure: times fewer multiply-accumulates, events or (simulated) cycles, or percentage points of accuracy.
        at_least: limit.
        within: limit of points of accuracy in both directions, for what has to be equal. One of the two is given.
    """

    variant: str
    against: str
    figure: Literal["fewer MACs", "fewer events", "fewer cycles", "points of accuracy"]
    at_least: float | None = None
    within: float | None = None

    def __post_init__(self) -> None:
        where = f"target of {self.variant}"
        if (self.at_least is None) == (self.within is None):
            received = "neither" if self.within is None else "both"
            raise ConfigError("one limit is needed", where=where, expected="at_least or within", received=received)
        if self.within is not None and (self.figure != "points of accuracy" or not self.within >= 0):
            raise ConfigError(
                "this limit is for points of accuracy",
                where=where,
                expected='figure = "points of accuracy" and a limit of at least 0',
                received=f"{self.figure!r}, {self.within}",
                fix="use at_least",
            )

    @property
    def limit(self) -> str:
        """The limit in words."""
        return f"within {self.within:g} of equal" if self.within is not None else f"at least {self.at_least:g}"

    def reached(self, mean: float) -> bool:
        """Whether ``mean`` keeps to the limit."""
        return abs(mean) <= self.within if self.within is not None else mean >= (self.at_least or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All results of a study.

    Attributes:
        study: its name.
        command: command that made them.
        baseline: variant the others are compared with, seed by seed.
        results: one for each variant and seed, variants in the study's order; fewer where not all are trained yet.
        settings: settings of each variant, its design's sections as JSON.
        texts: what each variant is, in words.
        lengths: refinement epochs of the variants that are points of the curve.
        targets: what should be reached.
        origin: code, tools and machine; of the last run, if results of an earlier one were used again.
        jobs: trainings at a time.
    """

    study: str
    command: str
    baseline: str
    results: tuple[Result, ...]
    settings: dict[str, Any]
    texts: dict[str, str]
    lengths: dict[str, int]
    targets: tuple[Goal, ...] = ()
    origin: Origin
    jobs: int = 1

    def seeds(self) -> list[int]:
        """Return the seeds in order."""
        return list(dict.fromkeys(result.seed for result in self.results))

    def variants(self) -> list[str]:
        """Return the variants' names in order."""
        return list(dict.fromkeys(result.variant for result in self.results))

    def of(self, variant: str) -> list[Result]:
        """Return the results of ``variant``, one per seed.

        Raises:
            ConfigError: there is none.
        """
        found = [result for result in self.results if result.variant == variant]
        if not found:
            raise ConfigError("no such variant", where=self.study, expected=self.variants(), received=variant)
        return found

    def summary(self, variant: str, figure: Callable[[Result], float | None]) -> Summary | None:
        """Return the summary of a figure; None if it is unknown for a seed."""
        values = [figure(result) for result in self.of(variant)]
        known = [value for value in values if value is not None]
        return Summary.of(known) if len(known) == len(values) else None

    def fewer(self, variant: str) -> Summary:
        """Return how many times fewer multiply-accumulates than the baseline, seed by seed."""
        return Summary.of(self._ratios(variant, self.baseline, lambda result: result.active))

    def points(self, variant: str, against: str | None = None) -> Summary:
        """Return percentage points of accuracy above ``against`` (None: the baseline), seed by seed."""
        return Summary.of(self._points(variant, against or self.baseline))

    def each(self, target: Goal) -> list[float]:
        """Return what a target is about, for each seed.

        Raises:
            ConfigError: it is about cycles of a variant that was not simulated.
        """
        if target.figure == "points of accuracy":
            return self._points(target.variant, target.against)
        cost = {"fewer MACs": _active, "fewer events": _events, "fewer cycles": _cycles}[target.figure]
        return self._ratios(target.variant, target.against, cost)

    def figure(self, target: Goal) -> Summary:
        """Return what a target is about, over the seeds; raises as `each`."""
        return Summary.of(self.each(target))

    def met(self, target: Goal) -> bool:
        """Whether the mean over seeds keeps to the limit."""
        return target.reached(self.figure(target).mean)

    def known(self, target: Goal) -> bool:
        """Whether both variants of a target have been trained with a seed."""
        seeds = [
            {item.seed for item in self.results if item.variant == name} for name in (target.variant, target.against)
        ]
        return bool(set.intersection(*seeds))

    def failures(self) -> list[str]:
        """Return in words every target that is missed, and every deployed network that is not what was trained."""
        missed = [
            f"target missed: {item.variant}: {item.figure} against {item.against}, {item.limit}, measured "
            f"{self.figure(item).mean:.2f}"
            for item in self.targets
            if self.known(item) and not self.met(item)
        ]
        wrong = [f"{item.variant}, seed {item.seed}: {item.wrong()}" for item in self.results if item.wrong()]
        return missed + wrong

    def _points(self, variant: str, against: str) -> list[float]:
        return [100 * (own.accuracy - other.accuracy) for own, other in self._pairs(variant, against)]

    def _ratios(self, variant: str, against: str, cost: Callable[[Result], float]) -> list[float]:
        return [cost(other) / cost(own) for own, other in self._pairs(variant, against)]

    def _pairs(self, variant: str, against: str) -> list[tuple[Result, Result]]:
        """Return the results of two variants with each seed that both were trained with.

        Raises:
            ConfigError: there is none.
        """
        others = {result.seed: result for result in self.of(against)}
        pairs = [(result, others[result.seed]) for result in self.of(variant) if result.seed in others]
        if not pairs:
            raise ConfigError("no seed in common", where=f"{variant} and {against}", fix="train both with one seed")
        return pairs

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        write_text(path, json.dumps(asdict(self), indent=1, allow_nan=False) + "\n")


def _active(result: Result) -> float:
    return result.active


def _events(result: Result) -> float:
    return result.events_per_frame


def _cycles(result: Result) -> float:
    if result.simulated_cycles_per_frame is None:
        raise ConfigError(
            "cycles are not known", where=f"variant.{result.variant}", fix="set simulate = true for this variant"
        )
    return result.simulated_cycles_per_frame
