# SPDX-License-Identifier: Apache-2.0
"""What all reports of Vivado have in common: they are text with a head, and may be missing or broken off."""

from __future__ import annotations

import re
from pathlib import Path

from codesign.errors import SynthesisError

_VERSION = re.compile(r"^\| Tool Version\s*: Vivado v\.(\S+)", re.MULTILINE)
_FIX = "read the log beside it: Vivado did not finish, or this version writes another format"


def read_version(report: Path) -> str | None:
    """Return the version of the Vivado that wrote ``report``, None if its head does not name it."""
    found = _VERSION.search(read_text(report))
    return found[1] if found else None


def read_text(report: Path) -> str:
    """Return a report. Raises: SynthesisError if it cannot be read."""
    try:
        return report.read_text(encoding="utf-8", errors="replace")
    except OSError as failure:
        raise unreadable(report, "a report", repr(failure)) from failure


def unreadable(report: Path, expected: str, received: str) -> SynthesisError:
    """Return the error of a report that has not what is ``expected``."""
    return SynthesisError(
        "Vivado reported no figures", where=str(report), expected=expected, received=received, fix=_FIX
    )
