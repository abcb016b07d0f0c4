# SPDX-License-Identifier: Apache-2.0
"""Stage 3_hls: write the HLS C++ project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.flow.convert import finished_model

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Write the project as hls4ml's own ``write()`` does."""
    finished_model(job, job.folder).write()
    return f"{sum(path.is_file() for path in job.folder.rglob('*'))} files"
