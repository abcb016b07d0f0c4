# SPDX-License-Identifier: Apache-2.0
"""Where a measured figure comes from: the commit of the sources, installed packages, the processor and its cores."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from codesign.paths import PACKAGE

CPU_INFO = Path("/proc/cpuinfo")


def commit(package: Path = PACKAGE) -> str | None:
    """Return the commit of the checkout that the package lies in, with ``-dirty`` after it if files of the package
    differ from it; None if it lies in none, or only in the folder of another project's.
    """
    short = _git(package, "rev-parse", "--short=12", "HEAD")
    if not short or _git(package, "ls-files", "__init__.py") != "__init__.py":
        return None
    return short + ("-dirty" if _git(package, "status", "--porcelain", ".") else "")


def processor() -> str | None:
    """Return the model of the processor, None if it is unknown."""
    text = CPU_INFO.read_text(encoding="utf-8") if CPU_INFO.is_file() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or None


def installed(distribution: str) -> str | None:
    """Return the installed version of a Python distribution, None if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def cores() -> int:
    """Return the logical cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
