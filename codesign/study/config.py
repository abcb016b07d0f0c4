# SPDX-License-Identifier: Apache-2.0
"""A study: one design and how its variants differ from it, in a TOML file; or several designs as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from codesign.data.config import DataConfig
from codesign.errors import ConfigError, VideoError
from codesign.flow.config import Design, load
from codesign.flow.steps import SIMULATES
from codesign.flow.validate import check_deployed, check_machine
from codesign.names import LONGEST, check_design, check_folder
from codesign.records import Problems, build, check, limited, read_toml
from codesign.study.results import Goal
from codesign.suggest import did_you_mean
from codesign.tools import require
from codesign.training.config import DEPLOYED

LAST_SEED = 2**31 - 1
SECTIONS = ("data", "model", "training", "hardware")
"""Sections of a design that a variant may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to train the network.

    Attributes:
        name: name of its folder and of its row in the tables.
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
        name: name of the build folder.
        seeds: each variant is trained once with each.
        baseline: variant that the others' multiply-accumulates are a multiple of; None: the first.
        variants: variants in the order of the tables.
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
    seeds: tuple[int, ...] = (1, 2, 3)
    baseline: str | None = None
    length: str | None = None
    epochs: tuple[int, ...] = limited((), at_least=1, at_most=10_000)

    def __post_init__(self) -> None:
        check(self, "study")
        check_design(self.name, where="study.name")
        check_seeds(self.seeds, "study.seeds")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """``[variant.<name>]``: what differs from the study's design."""

    text: str = ""
    simulate: bool = False
    data: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What a study file has besides the sections of a design."""

    study: _Section
    variant: dict[str, _Change] = field(default_factory=dict)
    target: tuple[Goal, ...] = ()


def open_study(
    paths: Sequence[Path], seeds: Sequence[int] | None = None, *, model: Path | None = None, clips: Path | None = None
) -> Study:
    """Return the study of one TOML file that has a ``[study]``, else of designs as they are.

    Args:
        paths: one study, or designs.
        seeds: instead of the study's; of designs 1, 2, 3 unless given.
        model: model file, instead of the study's ``model.path``.
        clips: folder, instead of its ``data.path``.

    Raises:
        ConfigError: a file or a value is not valid.
    """
    if seeds is not None:
        check_seeds(seeds, "--seeds")
    if len(paths) == 1 and "study" in read_toml(paths[0]):
        study = load_study(paths[0], model=model, clips=clips)
        return replace(study, seeds=tuple(seeds)) if seeds else study
    for option, given in (("--model", model), ("--clips", clips)):
        if given is not None:
            raise ConfigError(
                "this option is for a study",
                where=option,
                expected="one TOML file with a [study]",
                received=", ".join(map(str, paths)),
                fix="set the paths in the designs",
            )
    return of_designs(paths, seeds or (1, 2, 3))


def check_here(study: Study) -> None:
    """Check that every variant finds its data, devices, packages and programs on this machine.

    Raises:
        ConfigError: something is not here; lists each problem.
        VideoError: a list or a video of the data cannot be used.
        ToolNotFoundError: a program that a simulation needs is not here.
    """
    wrong, surveyed = Problems(), list[DataConfig]()
    for variant in study.variants:
        try:
            with wrong.collected():
                check_machine(variant.design, deploys=False, surveyed=variant.design.data in surveyed)
        except VideoError as error:
            raise VideoError(f"variant.{variant.name}: {error}") from None
        surveyed.append(variant.design.data)
    wrong.found = list(dict.fromkeys(wrong.found))
    wrong.check()
    if any(variant.simulate for variant in study.variants):
        for program in SIMULATES:
            require(program)


def check_seeds(seeds: Sequence[int], where: str) -> None:
    """Check the seeds of a study.

    Raises:
        ConfigError: there are none, one is listed twice, or one is out of range.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise ConfigError(
            "seeds must be distinct", where=where, expected="different ones, at least one", received=list(seeds)
        )
    if not all(0 <= seed <= LAST_SEED for seed in seeds):
        raise ConfigError("out of range", where=where, expected=f"0 to {LAST_SEED}", received=list(seeds))


def load_study(path: Path, *, model: Path | None = None, clips: Path | None = None) -> Study:
    """Read a study from a TOML file: ``[study]``, the sections of a design, and one ``[variant.<name>]`` each.

    Args:
        path: the file.
        model: instead of ``model.path``.
        clips: instead of ``data.path``.

    Raises:
        ConfigError: no such file, not TOML, or a key or value that is not valid; names ``file:key``.
    """
    table = read_toml(path)
    for section, given in (("model", model), ("data", clips)):
        if given is not None and isinstance(table.setdefault(section, {}), dict):
            table[section]["path"] = str(given.resolve())
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
    return Study(name=_together(names), seeds=tuple(seeds), variants=variants, baseline=names[0])


def _together(names: Sequence[str]) -> str:
    """Return a name for a comparison of designs, which keeps to the limit however many there are."""
    name = "compare_" + "_".join(names)
    return name if len(name) <= LONGEST else f"compare_{sha256(name.encode()).hexdigest()[:16]}"


def _study(table: dict[str, Any], folder: Path) -> Study:
    own = build(
        _File, {key: table.pop(key) for key in ("study", "variant", "target") if key in table}, where="", folder=folder
    )
    if not own.variant:
        raise ConfigError("missing", where="variant", expected="[variant.<name>] tables", fix="add one")
    for name in SECTIONS:
        if not isinstance(table.get(name, {}), Mapping):
            raise ConfigError("not a table", where=name, expected=f"[{name}]", received=repr(table[name]))
    section, targets, variants, wrong = own.study, own.target, list[Variant](), Problems()
    for name, change in own.variant.items():
        with wrong.collected():
            variants += _variants(name, table, change, section, folder)
    wrong.check()
    names = [variant.name for variant in variants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            "two variants have one name, as study.epochs makes more of them",
            where=f"variant.{twice[0]}",
            fix="rename it",
        )
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
        targets=targets,
    )


def _variants(
    name: str, table: Mapping[str, Any], change: _Change, section: _Section, folder: Path
) -> Iterator[Variant]:
    """Yield the variant of a table, and those of other lengths if it is the one that has them."""
    check_folder(name, where=f"variant.{name}")
    variant = _variant(name, table, change, section.name, folder)
    if name != section.length:
        yield variant
        return
    yield replace(variant, length=variant.design.training.delta_epochs)
    for epochs in section.epochs:
        yield _of_length(variant, table, change, epochs, section.name, folder)


def _check_simulation(variants: Sequence[Variant], targets: Sequence[Goal]) -> None:
    """Refuse what would only fail once everything is trained: networks and cycles that cannot be simulated."""
    for variant in (variant for variant in variants if variant.simulate):
        training = variant.design.training
        where, fix = f"variant.{variant.name}.simulate", "remove simulate from the variant"
        if training.method not in DEPLOYED:
            raise ConfigError(
                "this method counts zero-skipping; the hardware skips unchanged inputs",
                where=where,
                expected=f"training.method one of {', '.join(DEPLOYED)}",
                received=repr(training.method),
                fix=fix,
            )
        if variant.design.hardware.architecture == "core":
            raise ConfigError(
                "a study simulates pipelines",
                where=where,
                expected='hardware.architecture = "pipeline"',
                received="'core'",
                fix=fix,
            )
        check_deployed(variant.design, where, fix)
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
