# SPDX-License-Identifier: Apache-2.0
"""`Figures`: what is known of a design; objectives and constraints are about its fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from codesign.errors import ConfigError
from codesign.suggest import did_you_mean

Origin = Literal["predicted", "measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a design does on clips and costs on a board; None is unknown.

    Attributes:
        origin: ``predicted`` by the models of cycles and resources on validation clips; ``measured``: RTL cycles on
            test clips, cells of synthesis.
        accuracy: share of clips classified correctly, exact arithmetic.
        cycles_per_frame: mean cycles of a frame, first frame of each clip left out.
        cycles_p95: those of nineteen frames in twenty.
        frames_per_second: at the mean, with the search's clock.
        frames_per_second_per_lut: that divided by the LUTs.
        lut: look-up tables.
        ff: flip-flops.
        dsp: multiplier blocks.
        bram: block RAMs.
        energy: nanojoules of arithmetic and memory accesses of a mean frame (`codesign.report.energy`), an estimate.
        state_bits: bits that are kept from frame to frame.
        weight_bits: bits of all weights.
        fits: whether the board has that much.
    """

    origin: Origin
    accuracy: float
    cycles_per_frame: float
    cycles_p95: float | None = None
    frames_per_second: float
    frames_per_second_per_lut: float
    lut: int
    ff: int | None = None
    dsp: int | None = None
    bram: int | None = None
    energy: float | None = None
    state_bits: int | None = None
    weight_bits: int | None = None
    fits: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A figure and which way is better. words: what it is, with its unit."""

    name: str
    larger: bool
    words: str

    def better(self, one: Figures, other: Figures) -> bool:
        """Whether ``one`` is better than ``other``."""
        a, b = self.of(one), self.of(other)
        return a > b if self.larger else a < b

    def of(self, figures: Figures) -> float:
        """Return the figure."""
        return float(getattr(figures, self.name))


OBJECTIVES = {
    item.name: item
    for item in (
        Objective(name="accuracy", larger=True, words="share of clips classified correctly"),
        Objective(name="frames_per_second", larger=True, words="frames a second"),
        Objective(name="frames_per_second_per_lut", larger=True, words="frames a second per LUT"),
        Objective(name="cycles_per_frame", larger=False, words="cycles of a mean frame"),
        Objective(name="lut", larger=False, words="LUTs"),
        Objective(name="ff", larger=False, words="flip-flops"),
        Objective(name="dsp", larger=False, words="multiplier blocks"),
        Objective(name="bram", larger=False, words="block RAMs"),
        Objective(name="energy", larger=False, words="nanojoules a frame, an estimate"),
        Objective(name="state_bits", larger=False, words="bits kept from frame to frame"),
        Objective(name="weight_bits", larger=False, words="bits of weights"),
    )
}
"""Everything that can be an objective, or be in a constraint."""
_CONSTRAINT = re.compile(r"\s*(\w+)\s*(>=|<=)\s*([-+.\deE]+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """``name >= limit``, or ``<=``."""

    name: str
    at_least: bool
    limit: float

    def __str__(self) -> str:
        return f"{self.name} {'>=' if self.at_least else '<='} {self.limit:g}"

    def missed_by(self, figures: Figures) -> float:
        """Return how far a design is from it as a share of the limit; 0 or less if it is met."""
        value = OBJECTIVES[self.name].of(figures)
        missing = self.limit - value if self.at_least else value - self.limit
        return missing / (abs(self.limit) or 1.0)


def objective_of(name: str, where: str) -> Objective:
    """Return an objective by its name.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in OBJECTIVES:
        raise ConfigError(
            "no such objective",
            where=where,
            expected=f"one of {', '.join(OBJECTIVES)}",
            received=repr(name),
            fix=did_you_mean(name, OBJECTIVES),
        )
    return OBJECTIVES[name]


def constraint_of(text: str, where: str) -> Constraint:
    """Return the constraint that a text such as ``accuracy >= 0.9`` names.

    Raises:
        ConfigError: it is of another form, or about no objective.
    """
    found = _CONSTRAINT.fullmatch(text)
    try:
        limit = float(found[3]) if found else None
    except ValueError:
        limit = None
    if found is None or limit is None:
        raise ConfigError(
            "not a constraint", where=where, expected='such as "accuracy >= 0.9" or "lut <= 4000"', received=repr(text)
        )
    return Constraint(name=objective_of(found[1], where).name, at_least=found[2] == ">=", limit=limit)


def front(found: list[Figures], objectives: tuple[Objective, ...]) -> list[int]:
    """Return the places of the designs that no other one beats: none is as good in all objectives and better in one."""
    return [
        place
        for place, one in enumerate(found)
        if not any(_beats(other, one, objectives) for other in found if other is not one)
    ]


def _beats(one: Figures, other: Figures, objectives: tuple[Objective, ...]) -> bool:
    return any(item.better(one, other) for item in objectives) and not any(
        item.better(other, one) for item in objectives
    )
