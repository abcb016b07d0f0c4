# SPDX-License-Identifier: Apache-2.0
"""`run_study`: train every variant with every seed, several at a time; what is done stays done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codesign.errors import ConfigError, StageError
from codesign.executor import Workers, executor
from codesign.records import build
from codesign.stored import DAMAGED
from codesign.study.config import Study, Variant
from codesign.study.origin import Origin, find_origin
from codesign.study.results import Result, Results
from codesign.study.work import RESULT, key_of, settings, train_one
from codesign.trust import check_no_links

Progress = Callable[[Result, int, int, bool], None]
"""Called with a result, how many are done, of how many, and whether it was there before."""


def run_study(
    study: Study,
    root: Path,
    *,
    command: str,
    workers: Workers | None = None,
    progress: Progress | None = None,
    trained: bool = False,
) -> Results:
    """Train and measure what is missing below ``root``, all variants with one seed after the other; return everything.

    Each variant and seed has a folder of its own with its model, log and `RESULT`. A result of the same settings,
    sources of the package and versions of what it uses is used again, an interrupted training of them goes on from its
    last epoch. Trainings that run when this ends, by an error, an interrupt or a signal, are ended with it.

    Args:
        study: what to run.
        root: the study's build folder; made if missing.
        command: command that is recorded with the results.
        workers: where trainings run, each with one thread; None: in this process.
        progress: called for each result.
        trained: train nothing, return what is there.

    Raises:
        ConfigError: ``trained``, and nothing is.
        ConfigError, VideoError: the data of a variant are not there, or too short.
        TrustError: there is a link below ``root``.
        StageError: a training failed; names it and its log; or no worker is left. What the others found is kept.
    """
    check_no_links(root)
    for data in dict.fromkeys(variant.design.data for variant in study.variants):
        data.verify(study.seeds[0], clips=0, frames=data.frames)
    show = progress or (lambda *_: None)
    origin = find_origin()
    pairs = [(variant, seed) for seed in study.seeds for variant in study.variants]
    found = {(variant.name, seed): _cached(variant, seed, origin, root) for variant, seed in pairs}
    for count, earlier in enumerate(filter(None, found.values()), start=1):
        show(earlier, count, len(pairs), True)
    if trained and not any(found.values()):
        raise ConfigError(
            "nothing is trained yet", where="--trained", expected=f"results in {root}", fix="leave it out"
        )
    missing = [] if trained else [(variant, seed) for variant, seed in pairs if found[variant.name, seed] is None]
    at_a_time = 1
    if missing:
        root.mkdir(parents=True, exist_ok=True)
        calls = [(_place(variant, seed), (variant, seed, origin)) for variant, seed in missing]
        with executor(workers or Workers(), root, train_one, _needs(study)) as running:
            for number, outcome in running.unordered(train_one, calls):
                variant, seed = missing[number]
                made = _finished(outcome, root / _place(variant, seed))
                found[variant.name, seed], at_a_time = made, running.slots
                show(made, sum(item is not None for item in found.values()), len(pairs), False)
    return Results(
        study=study.name,
        command=command,
        baseline=study.baseline,
        results=tuple(
            result
            for variant in study.variants
            for seed in study.seeds
            if (result := found[variant.name, seed]) is not None
        ),
        settings={variant.name: _told(settings(variant)) for variant in study.variants},
        texts={variant.name: variant.text for variant in study.variants},
        lengths={variant.name: variant.length for variant in study.variants if variant.length is not None},
        targets=study.targets,
        origin=origin,
        jobs=at_a_time,
    )


def _place(variant: Variant, seed: int) -> str:
    return f"{variant.name}/seed{seed}"


def _needs(study: Study) -> list[Path]:
    """Return the files and folders that the trainings read."""
    designs = [variant.design for variant in study.variants]
    paths = [path for design in designs for path in (design.data.path, design.model.path) if path is not None]
    return list(dict.fromkeys(paths))


def _told(given: dict[str, Any]) -> dict[str, Any]:
    """Return settings without where this machine keeps files and videos: only the last part of a path."""
    names = {name: {"path": Path(given[name]["path"]).name} for name in ("data", "model") if given[name]["path"]}
    return {name: {**section, **names.get(name, {})} for name, section in given.items()}


def _cached(variant: Variant, seed: int, origin: Origin, root: Path) -> Result | None:
    """Return the result of an earlier run that follows from the same, or None."""
    try:
        record = json.loads((root / _place(variant, seed) / RESULT).read_text(encoding="utf-8"))
        if record["key"] != key_of(variant, seed, origin):
            return None
        return build(Result, record["result"], where="", folder=root)
    except (*DAMAGED, ConfigError):
        return None


def _finished(outcome: Result | Exception, folder: Path) -> Result:
    if isinstance(outcome, Exception):
        raise StageError(
            f"the training failed: {outcome}", where=str(folder), fix=f"see {folder / 'log.txt'}, then run it again"
        ) from outcome
    return outcome
