# SPDX-License-Identifier: Apache-2.0
"""Stage 1_model: train the network; an interrupted run goes on from its last epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.training import train

if TYPE_CHECKING:
    from codesign.flow.stage import Job
    from codesign.training.pretrained import Pretrained


def run(job: Job) -> str:
    """Write the trained model and its accuracies."""
    return trained(job)


def trained(job: Job, pretrained: type[Pretrained] | None = None) -> str:
    """Do what `run` does, of a model that others trained if ``pretrained`` makes its networks."""
    design = job.design
    results = train(
        design.data,
        design.model,
        design.training,
        job.folder,
        seed=design.design.seed,
        progress=job.bar,
        engines=design.hardware.engines() if design.training.sees_cycles else None,
        pretrained=pretrained,
    )
    accuracy, sparsity = results["accuracy"]["delta"], results["operation_sparsity"]["delta"]
    return f"accuracy {100 * accuracy:.1f} %, {1 / (1 - sparsity):.1f} x fewer MACs"
