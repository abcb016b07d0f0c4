# SPDX-License-Identifier: Apache-2.0
"""Stage 5_synth of a design for a core: what the core costs, whose memories are as deep as the network needs.

A target that is too small for the memories is left out and named: its figures are unknown.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.core.config import CoreConfig
from codesign.core.files import MODULE
from codesign.core.memory import built_bits
from codesign.flow.children import each
from codesign.flow.stages.rtlsim import project
from codesign.flow.stages.synth import routed
from codesign.graph.file import load_graph
from codesign.paths import BuildFolder
from codesign.synth.memory import CAPACITY_BITS
from codesign.synth.resources import Resources
from codesign.synth.yosys import synthesise
from codesign.verify.core import read_program

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Write ``resources.json``: one entry per target and tool. All targets at the same time."""
    config = read_program(load_graph(job.upstream[BuildFolder.GRAPH]), job.upstream[BuildFolder.RTL]).program.config
    files, synth = project(job), job.design.synth
    sources = {name: files[name] for name in files["filelist.f"].split() if name in files}
    results = each(_measure, [(config, sources, target, job.folder / target, synth.route) for target in synth.targets])
    found = [item.to_json() for items, _ in results for item in items]
    (job.folder / "resources.json").write_text(json.dumps(found, indent=1) + "\n")
    return ", ".join(note for _, note in results if note)


def _measure(
    config: CoreConfig, files: dict[str, str], target: str, folder: Path, route: bool
) -> tuple[list[Resources], str]:
    """Return the figures of one target and a note."""
    need, there = sum(built_bits(config).values()), CAPACITY_BITS[target]
    if need > there:
        return [], f"{target} left out: memories of {need:,} bits, block RAM of {there:,} in its largest device"
    folder.mkdir()
    found = [synthesise(files, MODULE, target=target, folder=folder, slang=True)]
    return routed(found, folder) if target == "ecp5" and route else (found, "")
