# SPDX-License-Identifier: Apache-2.0
"""Stage 5_synth: what the design costs. A target whose tool is missing is skipped and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.errors import ToolNotFoundError
from codesign.flow.graph_file import load_graph
from codesign.rtl.emit import emit, top_spec
from codesign.synth import Resources, place_and_route, synthesise

if TYPE_CHECKING:
    from codesign.flow.stage import Job

VENDOR_TOOLS = {"vitis": "vitis-run", "vivado": "vivado"}


def run(job: Job) -> str:
    """Write ``resources.json``: one entry a target and tool."""
    graph = load_graph(job.upstream["2_graph"])
    files, top = emit(graph), top_spec(graph).module
    targets = job.design.synth.targets
    found: list[Resources] = []
    notes: list[str] = []
    missing: ToolNotFoundError | None = None
    for target in job.track(targets, len(targets), "target"):
        try:
            found += _target(target, files, top, job.folder / target, route=job.design.synth.route)
        except ToolNotFoundError as error:
            missing = error
            notes.append(f"{target} skipped: {error.program} not on PATH")
    if missing is not None and not found:
        raise missing
    (job.folder / "resources.json").write_text(json.dumps([item.to_json() for item in found], indent=1) + "\n")
    routed = [f"{item.target} {item.fmax_mhz:.0f} MHz" for item in found if item.fmax_mhz is not None]
    return ", ".join(routed + notes)


def _target(target: str, files: dict[str, str], top: str, folder: Path, *, route: bool) -> list[Resources]:
    if target in VENDOR_TOOLS:
        raise ToolNotFoundError(VENDOR_TOOLS[target], how="install it and source its settings64.sh")
    folder.mkdir()
    found = [synthesise(files, top, target=target, folder=folder)]
    if target == "ecp5" and route:
        found.append(place_and_route(folder))
    return found
