# SPDX-License-Identifier: Apache-2.0
"""Stage 3_hls: write the HLS C++ project, and the RTL project in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.flow.convert import finished_model
from codesign.rtl import project  # noqa: F401  (written, too: this stage depends on it)

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Write the project as hls4ml's own ``write()`` does."""
    finished_model(job, job.folder).write()
    return f"{sum(path.is_file() for path in job.folder.rglob('*'))} files"
