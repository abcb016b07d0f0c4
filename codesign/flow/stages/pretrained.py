# SPDX-License-Identifier: Apache-2.0
"""Stage 1_model of a model that others trained, and that is trained further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.flow.stages.model import trained
from codesign.training.pretrained import Pretrained

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Write the trained model and its accuracies."""
    return trained(job, Pretrained)
