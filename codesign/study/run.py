# SPDX-License-Identifier: Apache-2.0
"""`run_study`: train every variant with every seed, several at a time; what is done stays done."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from codesign.errors import ConfigError, StageError
from codesign.flow.children import unordered
from codesign.flow.console import captured
from codesign.records import build, plain
from codesign.sources import file_hash
from codesign.stored import DAMAGED
from codesign.study.config import SECTIONS, Study, Variant
from codesign.study.origin import Origin, find_origin
from codesign.study.results import Result, Results
from codesign.trust import check_no_links

RESULT = "result.json"
"""The result of one variant and seed, with the settings, sources and versions that it belongs to."""


Progress = Callable[[Result, int, int, bool], None]
"""Called with a result, how many are done, of how many, and whether it was there before."""


def run_study(
    study: Study,
    root: Path,
    *,
    command: str,
    jobs: int = 1,
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
        jobs: trainings at a time, each a process with one thread.
        progress: called for each result.
        trained: train nothing, return what is there.

    Raises:
        ConfigError: ``trained``, and nothing is.
        ConfigError, VideoError: the data of a variant are not there, or too short.
        TrustError: there is a link below ``root``.
        StageError: a training failed; names it and its log. What the others found is kept.
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
    calls = [(variant, seed, origin, root) for variant, seed in missing]
    with contextlib.closing(unordered(_train, calls, jobs=jobs, begin=_begin_worker)) as outcomes:
        for place, outcome in outcomes:
            variant, seed = missing[place]
            made = _finished(outcome, _folder(root, variant, seed))
            found[variant.name, seed] = made
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
        settings={variant.name: _told(_settings(variant)) for variant in study.variants},
        texts={variant.name: variant.text for variant in study.variants},
        lengths={variant.name: variant.length for variant in study.variants if variant.length is not None},
        targets=study.targets,
        origin=origin,
        jobs=jobs,
    )


def _folder(root: Path, variant: Variant, seed: int) -> Path:
    return root / variant.name / f"seed{seed}"


def _settings(variant: Variant) -> dict[str, Any]:
    return {section: plain(getattr(variant.design, section)) for section in SECTIONS}


def _told(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings without where this machine keeps files and videos: only the last part of a path."""
    names = {name: {"path": Path(settings[name]["path"]).name} for name in ("data", "model") if settings[name]["path"]}
    return {name: {**section, **names.get(name, {})} for name, section in settings.items()}


def _key(variant: Variant, seed: int, origin: Origin) -> dict[str, Any]:
    """Return all that a result follows from, as JSON holds it."""
    model = variant.design.model.path
    content = file_hash(model) if model is not None and model.is_file() else None
    key = {"settings": _settings(variant), "seed": seed, "simulate": variant.simulate, "model": content, **origin.key}
    return dict(json.loads(json.dumps(key)))


def _cached(variant: Variant, seed: int, origin: Origin, root: Path) -> Result | None:
    """Return the result of an earlier run that follows from the same, or None."""
    try:
        record = json.loads((_folder(root, variant, seed) / RESULT).read_text(encoding="utf-8"))
        if record["key"] != _key(variant, seed, origin):
            return None
        return build(Result, record["result"], where="", folder=root)
    except (*DAMAGED, ConfigError):
        return None


def _begin_worker() -> None:
    """Give a worker one thread, as many small networks train faster side by side."""
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


def _train(variant: Variant, seed: int, origin: Origin, root: Path) -> Result:
    """Train and measure one variant with one seed; everything that is printed goes to its log."""
    folder = _folder(root, variant, seed)
    folder.mkdir(parents=True, exist_ok=True)
    with captured(folder / "log.txt"):
        result = _measured(variant, seed, folder, root / "shared")
    record = {"key": _key(variant, seed, origin), "result": asdict(result)}
    part = folder / f"{RESULT}.part"
    part.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    part.replace(folder / RESULT)
    return result


def _measured(variant: Variant, seed: int, folder: Path, shared: Path) -> Result:
    from codesign.study.deploy import deploy
    from codesign.training import train
    from codesign.training.pretrained import Pretrained

    design = variant.design
    start = time.monotonic()
    trained = train(
        design.data,
        design.model,
        design.training,
        folder,
        seed=seed,
        engines=design.hardware.engines(),
        shared=shared,
        pretrained=Pretrained if design.model.kind == "keras" else None,
    )
    seconds = time.monotonic() - start
    deployed = deploy(design, folder, seed, folder / "rtl") if variant.simulate else None
    test = trained["test"]
    counts = [(row[place], sum(row)) for place, row in enumerate(test["confusion"])]
    shares = [right / clips if clips else None for right, clips in counts]
    figures = ("accuracy", "operation_sparsity", "spatial_sparsity", "cycles_per_frame", "density", "events_per_frame")
    return Result(
        variant=variant.name,
        seed=seed,
        **{figure: trained[figure]["delta"] for figure in figures},
        float_accuracy=trained["accuracy"]["float"],
        class_accuracy=dict(zip(test["classes"], shares, strict=True)),
        class_sparsity=dict(zip(test["classes"], test["operation_sparsity"], strict=True)),
        simulated_cycles_per_frame=deployed.cycles_per_frame if deployed else None,
        values=deployed.values if deployed else None,
        mismatches=deployed.mismatches if deployed else None,
        rtl_density=deployed.density if deployed else None,
        rtl_operation_sparsity=deployed.operation_sparsity if deployed else None,
        training_s=seconds,
    )


def _finished(outcome: Result | Exception, folder: Path) -> Result:
    if isinstance(outcome, Exception):
        raise StageError(
            f"the training failed: {outcome}", where=str(folder), fix=f"see {folder / 'log.txt'}, then run it again"
        ) from outcome
    return outcome
