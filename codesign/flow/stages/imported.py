# SPDX-License-Identifier: Apache-2.0
"""Stage 1_model of a model that others trained: calibrate it on clips; nothing is trained."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from codesign.calibration.checks import check_model
from codesign.calibration.evaluate import evaluate
from codesign.calibration.search import calibrate
from codesign.keras_model.calls import calls_of
from codesign.layers.load import load_model
from codesign.training.config import MODEL, RESULTS

if TYPE_CHECKING:
    from codesign.flow.stage import Job

CALIBRATION_CLIPS = 48
"""Most clips to calibrate on, and as many others to measure on."""
FEWEST_CLIPS = 2
"""As many are taken of the largest networks."""
COPIES = 3
"""Values of each layer that are in memory for each frame, about."""


def run(job: Job) -> str:
    """Write the calibrated network, and how it agrees with the float model on clips it was not calibrated on."""
    design, model = job.design, load_model(job.design.model.path)
    data, low_high = design.data, (design.model.input_range[0], design.model.input_range[1])
    seed = design.design.seed
    labeled = design.model.labels and not data.plain
    classes = data.class_names(seed) if labeled else None
    check_model(model, frame=data.frame, classes=classes, input_range=low_high)
    count = clips_that_fit(model, data.frames)
    clips = data.labeled_clips(seed, clips=count, test=False)
    found = calibrate(
        model,
        clips.frames,
        input_range=low_high,
        agreement=design.model.agreement,
        tolerance=design.model.tolerance,
        show=job.bar,
    )
    found.network.save(job.folder / MODEL)
    unseen = data.labeled_clips(seed, clips=count, test=True)
    measured = evaluate(model, found.network, unseen.frames, input_range=low_high, tolerance=design.model.tolerance)
    results: dict[str, Any] = {
        "accuracy": {},
        "operation_sparsity": {"quantized": found.memoryless_sparsity, "delta": found.operation_sparsity},
        "float_agreement": asdict(measured.agreement),
        "calibration": {
            "agreement": asdict(found.agreement),
            "memoryless": asdict(found.memoryless),
            "weight_bits": found.weight_bits,
            "activation_bits": found.activation_bits,
            "unseen_operation_sparsity": measured.operation_sparsity,
            "activations": [asdict(item) for item in found.activations],
            "layers": [asdict(item) for item in found.layers],
        },
        "seed": seed,
    }
    if classes is not None:
        results |= _accuracies(measured.float_outputs, measured.outputs, unseen.labels, classes)
    (job.folder / RESULTS).write_text(json.dumps(results, indent=1) + "\n")
    return (
        f"{100 * measured.agreement.decisions:.1f} % of the answers of the float model on {measured.agreement.frames} "
        f"unseen frames, {100 * measured.operation_sparsity:.1f} % of the MACs skipped"
    )


def clips_that_fit(model: Any, frames: int) -> int:
    """Return how many clips of ``frames`` frames can be held layer by layer in half of this machine's memory.

    At least `FEWEST_CLIPS` and at most `CALIBRATION_CLIPS`.
    """
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    values = sum(
        math.prod(n or 1 for n in tensor.shape[1:]) for call in calls_of(model).calls for tensor in call.outputs
    )
    return int(min(CALIBRATION_CLIPS, max(FEWEST_CLIPS, half // (values * 4 * COPIES * frames))))


def _accuracies(wanted: Any, got: Any, labels: Any, classes: tuple[str, ...]) -> dict[str, Any]:
    """Return the shares of clips that are classified correctly by their mean output, and the table of the network."""
    chosen = {name: outputs.mean(1).argmax(-1) for name, outputs in (("float", wanted), ("delta", got))}
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (labels, chosen["delta"]), 1)
    return {
        "accuracy": {name: float((answers == labels).mean()) for name, answers in chosen.items()},
        "test": {"classes": list(classes), "confusion": counts.tolist()},
    }
