# SPDX-License-Identifier: Apache-2.0
"""What a report is made with, now."""

from __future__ import annotations

from datetime import datetime, timezone

from codesign import __version__
from codesign.provenance import commit
from codesign.report.model import Made


def made_now(command: str | None, seed: int | None) -> Made:
    """Return the record of a report that this process makes.

    Args:
        command: command that makes it; None if it is not known.
        seed: seed of the design.
    """
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Made(seed=seed, commit=commit(), date=date, command=command, version=__version__)
