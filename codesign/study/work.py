# SPDX-License-Identifier: Apache-2.0
"""What a worker does for a study: train one variant with one seed, measure it, and keep the result."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from codesign.flow.console import captured
from codesign.records import plain
from codesign.sources import file_hash
from codesign.study.config import SECTIONS, Variant
from codesign.study.origin import Origin
from codesign.study.results import Result

RESULT = "result.json"
"""The result of one variant and seed, with the settings, sources and versions that it belongs to."""


def settings(variant: Variant) -> dict[str, Any]:
    """Return the sections of a variant that a result follows from."""
    return {section: plain(getattr(variant.design, section)) for section in SECTIONS}


def key_of(variant: Variant, seed: int, origin: Origin) -> dict[str, Any]:
    """Return all that a result follows from, as JSON holds it."""
    model = variant.design.model.path
    content = file_hash(model) if model is not None and model.is_file() else None
    found = {"settings": settings(variant), "seed": seed, "simulate": variant.simulate, "model": content, **origin.key}
    return dict(json.loads(json.dumps(found)))


def train_one(root: Path, place: str, variant: Variant, seed: int, origin: Origin) -> Result:
    """Train and measure one variant with one seed; everything that is printed goes to its log."""
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    with captured(folder / "log.txt"):
        result = _measured(variant, seed, folder, root / "shared")
    record = {"key": key_of(variant, seed, origin), "result": asdict(result)}
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
