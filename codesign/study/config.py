# SPDX-License-Identifier: Apache-2.0
"""A study: one design and how its variants differ from it, in a TOML file; or several designs as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from codesign.errors import ConfigError
from codesign.flow.config import Design, load, read_toml
from codesign.flow.records import build, check, limited
from codesign.study.results import Goal
from codesign.suggest import did_you_mean

SECTIONS = ("data", "model", "training", "hardware")
"""Sections of a design that a variant may change."""
DEPLOYED = ("delta", "hold")
"""Methods whose sparsity is counted as hardware skips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to train the network.

    Attributes:
        name: of its folder and of its row in the tables.
        design: the whole design.
        text: what it is, in words.
        simulate: measure its cycles by simulating the RTL on test clips.
        length: refinement epochs, where the variant is a point of the curve of accuracy against length; else None.
    """

    name: str
    design: Design
    text: str = ""
    simulate: bool = False
    length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Variants and seeds.

    Attributes:
        name: of the build folder.
        seeds: each variant is trained once with each.
        baseline: variant that the others' multiply-accumulates are a multiple of; None: the first.
        variants: in the order of the tables.
        targets: what variants should reach.
    """

    name: str
    seeds: tuple[int, ...]
    variants: tuple[Variant, ...]
    baseline: str
    targets: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """``[study]``. ``length`` names a variant that is trained again for each number of ``epochs``."""

    name: str
    seeds: tuple[int, ...] = limited((1, 2, 3), at_least=0, at_most=2**31 - 1)
    baseline: str | None = None
    length: str | None = None
    epochs: tuple[int, ...] = limited((), at_least=1, at_most=10_000)

    def __post_init__(self) -> None:
        check(self, "study")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ConfigError(
                "seeds", where="study.seeds", expected="different ones, at least one", received=self.seeds
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """``[variant.<name>]``: what differs from the study's design."""

    text: str = ""
    simulate: bool = False
    data: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)


def open_study(paths: Sequence[Path], seeds: Sequence[int] | None = None) -> Study:
    """Return the study of one TOML file that has a ``[study]``, else of designs as they are.

    Args:
        paths: one study, or designs.
        seeds: instead of the study's; of designs 1, 2, 3 unless given.

    Raises:
        ConfigError: a file or a value is not valid.
    """
    if len(paths) == 1 and "study" in read_toml(paths[0]):
        study = load_study(paths[0])
        return replace(study, seeds=tuple(seeds)) if seeds else study
    return of_designs(paths, seeds or (1, 2, 3))


def load_study(path: Path) -> Study:
    """Read a study from a TOML file: ``[study]``, the sections of a design, and one ``[variant.<name>]`` each.

    Raises:
        ConfigError: no such file, not TOML, or a key or value that is not valid; says ``file:key``.
    """
    table = read_toml(path)
    try:
        return _study(dict(table), path.resolve().parent)
    except ConfigError as error:
        raise error.inside(f"{path}:") from None


def of_designs(paths: Sequence[Path], seeds: Sequence[int]) -> Study:
    """Return a study of whole designs, each a variant.

    Raises:
        ConfigError: a design is not valid, or two have one name.
    """
    designs = [load(path) for path in paths]
    names = [design.design.name for design in designs]
    if len(set(names)) != len(names):
        raise ConfigError("two designs have one name", where="design.name", received=", ".join(names))
    variants = tuple(Variant(name=name, design=design) for name, design in zip(names, designs, strict=True))
    return Study(name="compare_" + "_".join(names), seeds=tuple(seeds), variants=variants, baseline=names[0])


def _study(table: dict[str, Any], folder: Path) -> Study:
    own = {key: table.pop(key, {}) for key in ("study", "variant")}
    targets = [
        build(Goal, item, where=f"target[{place}]", folder=folder) for place, item in enumerate(table.pop("target", []))
    ]
    section = build(_Section, own["study"], where="study", folder=folder)
    if not own["variant"]:
        raise ConfigError("missing", where="variant", expected="[variant.<name>] tables", fix="add one")
    variants = []
    for name, changes in own["variant"].items():
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise ConfigError("not a name", where=f"variant.{name}", expected="letters, digits and _", received=name)
        change = build(_Change, changes, where=f"variant.{name}", folder=folder)
        variants.append(_variant(name, table, change, section.name, folder))
        if name == section.length:
            variants[-1] = replace(variants[-1], length=variants[-1].design.training.delta_epochs)
            variants += [
                _of_length(variants[-1], table, change, epochs, section.name, folder) for epochs in section.epochs
            ]
    names = [variant.name for variant in variants]
    for key in ("baseline", "length"):
        _known(names, f"study.{key}", getattr(section, key))
    for place, target in enumerate(targets):
        for key in ("variant", "against"):
            _known(names, f"target[{place}].{key}", getattr(target, key))
    _check_simulation(variants, targets)
    return Study(
        name=section.name,
        seeds=section.seeds,
        variants=tuple(variants),
        baseline=section.baseline or names[0],
        targets=tuple(targets),
    )


def _check_simulation(variants: Sequence[Variant], targets: Sequence[Goal]) -> None:
    """Refuse what would only fail when everything is trained: networks and cycles that cannot be simulated."""
    for variant in (variant for variant in variants if variant.simulate):
        model, training = variant.design.model, variant.design.training
        where, fix = f"variant.{variant.name}.simulate", "remove simulate from the variant"
        if training.method not in DEPLOYED:
            raise ConfigError(
                "hardware skips what does not change, so it has not the sparsity that this method counts",
                where=where,
                expected=f"training.method one of {', '.join(DEPLOYED)}",
                received=repr(training.method),
                fix=fix,
            )
        if model.activation_step == "real" and training.method != "hold":
            raise ConfigError(
                "real steps do not deploy",
                where=where,
                expected="model.activation_step 'po2' or 'fixed'",
                received="'real'",
                fix=f'use model.activation_step = "po2", or {fix}',
            )
    simulated = [variant.name for variant in variants if variant.simulate]
    for place, target in enumerate(targets):
        for key in ("variant", "against"):
            if target.figure == "fewer cycles" and getattr(target, key) not in simulated:
                raise ConfigError(
                    "cycles are counted by simulation",
                    where=f"target[{place}].{key}",
                    expected=f"a variant with simulate = true: {', '.join(simulated) or 'there is none'}",
                    received=getattr(target, key),
                    fix=f"set simulate = true in variant.{getattr(target, key)}",
                )


def _known(names: list[str], where: str, given: str | None) -> None:
    if given is not None and given not in names:
        raise ConfigError(
            "no such variant",
            where=where,
            expected=f"one of {', '.join(names)}",
            received=given,
            fix=did_you_mean(given, names),
        )


def _variant(name: str, base: Mapping[str, Any], change: _Change, study: str, folder: Path) -> Variant:
    merged = {**base, "design": {"name": f"{study}_{name}"}}
    for section in SECTIONS:
        merged[section] = {**base.get(section, {}), **getattr(change, section)}
    try:
        design = build(Design, merged, where="", folder=folder)
    except ConfigError as error:
        raise error.inside(f"variant.{name}: ") from None
    return Variant(name=name, design=design, text=change.text, simulate=change.simulate)


def _of_length(
    variant: Variant, base: Mapping[str, Any], change: _Change, epochs: int, study: str, folder: Path
) -> Variant:
    longer = _Change(
        text=f"{variant.name}, {epochs} refinement epochs",
        data=change.data,
        model=change.model,
        training={**change.training, "delta_epochs": epochs},
        hardware=change.hardware,
    )
    made = _variant(f"{variant.name}_{epochs}", base, longer, study, folder)
    return Variant(name=made.name, design=made.design, text=made.text, length=epochs)
