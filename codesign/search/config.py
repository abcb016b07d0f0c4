# SPDX-License-Identifier: Apache-2.0
"""`Search`: a TOML file with ``[search]``, and besides the sections of the design that it starts from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from codesign.errors import ConfigError
from codesign.flow.config import Design
from codesign.names import check_design
from codesign.records import Problems, build, check, limited, plain, read_toml
from codesign.search.objectives import Constraint, Objective, constraint_of, objective_of
from codesign.search.space import Space, dimensions_of
from codesign.synth.target import Target, load_target

EXAMPLE = "flows/searches/demo.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSection:
    """``[search]``.

    Attributes:
        name: name of the build folder.
        objectives: figures to improve, the most important one last: the best designs are those that are best in it.
        constraints: what every design has to keep to, such as ``accuracy >= 0.9``.
        fits: board that it has to fit, by name or file, and whose cells count.
        clock_mhz: clock for frames per second. Unset: the board's.
        trials: designs to train.
        minutes: time after which no further one begins, earlier runs of the search included. Unset: none.
        seed: seed of the choices; the designs' own is ``design.seed``.
        sampler: ``tpe``: learns which values good designs have; ``nsga2``: a genetic algorithm.
        best: designs of the front that go through the whole flow.
        margin: a training is given up when its network, without sparsity loss yet, is this far below the accuracy that
            a constraint asks for.
        clips: validation clips that cycles are predicted from.
        space: keys of the design that are chosen, each with a list of values or a range.
    """

    name: str
    objectives: tuple[str, ...] = ("accuracy", "frames_per_second_per_lut")
    constraints: tuple[str, ...] = ()
    fits: str = "ulx3s-85f"
    clock_mhz: float | None = limited(None, at_least=0.001, at_most=10_000)
    trials: int = limited(100, at_least=1, at_most=1_000_000)
    minutes: float | None = limited(None, at_least=0.01, at_most=1e6)
    seed: int = limited(1, at_least=0, at_most=2**31 - 1)
    sampler: Literal["tpe", "nsga2"] = "tpe"
    best: int = limited(3, at_least=0, at_most=100)
    margin: float = limited(0.05, at_least=0, at_most=1)
    clips: int = limited(32, at_least=1, at_most=10_000)
    space: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check(self, "search")
        check_design(self.name, where="search.name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search that can begin.

    Attributes:
        section: what the file says.
        objectives: figures to improve.
        constraints: what designs keep to.
        space: what is chosen.
        target: the board.
    """

    section: SearchSection
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    space: Space
    target: Target

    @property
    def clock_mhz(self) -> float:
        """Clock that frames per second of pipelines are counted with."""
        return self.section.clock_mhz or self.target.clock.core_mhz

    def clock_of(self, design: Design) -> float:
        """Return the clock that frames per second of a design are counted with: that of its architecture."""
        if design.hardware.architecture == "pipeline":
            return self.clock_mhz
        return self.section.clock_mhz or self.target.clock.of_delta_core

    @property
    def least_accuracy(self) -> float | None:
        """Accuracy that a constraint asks for; None if none does."""
        limits = [item.limit for item in self.constraints if item.name == "accuracy" and item.at_least]
        return max(limits, default=None)

    @property
    def identity(self) -> dict[str, Any]:
        """What trials of it have in common; those of another identity are of another search."""
        section = plain(self.section)
        for name in ("trials", "minutes", "best"):
            del section[name]
        return dict(json.loads(json.dumps({**section, "design": self.space.base}, default=str)))


def load_search(path: Path) -> Search:
    """Read a search.

    Raises:
        ConfigError: no such file, or a key or value that is not valid; names ``file:key``.
    """
    table = read_toml(path, EXAMPLE)
    try:
        return _search(table, path.resolve().parent)
    except ConfigError as error:
        raise error.inside(f"{path}:") from None


def with_budget(search: Search, trials: int | None, minutes: float | None) -> Search:
    """Return the search with another budget; None: its own."""
    section = search.section
    changed = replace(section, trials=trials or section.trials, minutes=minutes or section.minutes)
    return replace(search, section=changed)


def _search(table: dict[str, Any], folder: Path) -> Search:
    if "search" not in table:
        raise ConfigError("missing", where="search", expected="[search]", fix=f"add it; {EXAMPLE} shows the form")
    base = {name: value for name, value in table.items() if name != "search"}
    section = build(SearchSection, table["search"], where="search", folder=folder)
    wrong = Problems()
    objectives, constraints = list[Objective](), list[Constraint]()
    for name in section.objectives:
        with wrong.collected():
            objectives.append(objective_of(name, "search.objectives"))
    for text in section.constraints:
        with wrong.collected():
            constraints.append(constraint_of(text, "search.constraints"))
    with wrong.collected():
        dimensions = dimensions_of(section.space)
    with wrong.collected():
        target = load_target(section.fits)
    wrong.check()
    if len({item.name for item in objectives}) != len(section.objectives) or not objectives:
        raise ConfigError("objectives differ", where="search.objectives", received=list(section.objectives))
    _check_constraints(constraints)
    space = Space(dimensions=dimensions, base=base, folder=folder)
    design = space.design({}, section.name)
    if not design.model.trained or design.training.method not in ("delta", "hold"):
        raise ConfigError(
            "a search trains networks that skip what does not change",
            where="model.kind" if not design.model.trained else "training.method",
            expected='a network that is trained, with method "delta" or "hold"',
            received=repr(design.model.kind if not design.model.trained else design.training.method),
        )
    space.check()
    if _may_be_core(space, design):
        _check_core(target, [*section.objectives, *(each.name for each in constraints)])
    return Search(
        section=section, objectives=tuple(objectives), constraints=tuple(constraints), space=space, target=target
    )


def _may_be_core(space: Space, design: Design) -> bool:
    """Whether designs of the space are programs of a core."""
    chosen = [item for item in space.dimensions if item.key == "hardware.architecture"]
    return "core" in chosen[0].choices if chosen else design.hardware.architecture == "core"


def _check_core(target: Target, names: Sequence[str]) -> None:
    """Check that cells and figures of the board's core are known."""
    if target.core_area() is None:
        raise ConfigError(
            "the cells of this board's core are not known",
            where="search.fits",
            expected="a board with [core] and, of that core, [built_core] in its file, such as ulx3s-85f",
            received=target.name,
            fix='leave "core" out of hardware.architecture, or build the core and add [built_core] (docs/targets.md)',
        )
    if "energy" in names:
        raise ConfigError(
            "the energy of a core is not known",
            where="search.objectives",
            expected="other figures",
            received="energy",
            fix='leave it out, or "core" of hardware.architecture',
        )


def _check_constraints(constraints: list[Constraint]) -> None:
    """Refuse constraints that contradict each other."""
    for low in (item for item in constraints if item.at_least):
        for high in (item for item in constraints if not item.at_least and item.name == low.name):
            if low.limit > high.limit:
                raise ConfigError(
                    "no design can keep to both", where="search.constraints", received=f"{low} and {high}"
                )
