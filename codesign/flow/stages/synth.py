# SPDX-License-Identifier: Apache-2.0
"""Stage 5_synth: what the design costs. A target whose tool is missing is skipped and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.errors import ToolNotFoundError
from codesign.flow.children import each
from codesign.graph.file import load_graph
from codesign.graph.ir import Graph
from codesign.paths import BuildFolder
from codesign.synth import Resources, place_and_route, synthesise_graph

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Write ``resources.json``: one entry per target and tool. All targets at the same time."""
    graph = load_graph(job.upstream[BuildFolder.GRAPH])
    synth = job.design.synth
    results = each(_measure, [(graph, target, job.folder / target, synth.route) for target in synth.targets])
    found = [item.to_json() for items, _ in results for item in items]
    (job.folder / "resources.json").write_text(json.dumps(found, indent=1) + "\n")
    return ", ".join(note for _, note in results if note)


def _measure(graph: Graph, target: str, folder: Path, route: bool) -> tuple[list[Resources], str]:
    """Return the figures of one target and a note."""
    folder.mkdir()
    found = [synthesise_graph(graph, target=target, folder=folder)]
    return routed(found, folder) if target == "ecp5" and route else (found, "")


def routed(found: list[Resources], folder: Path) -> tuple[list[Resources], str]:
    """Place and route; without the tool, Fmax stays unknown and the note reports it."""
    try:
        routed = place_and_route(folder)
    except ToolNotFoundError as error:
        return found, f"place and route skipped: {error.program} not on PATH"
    return [*found, routed], f"{routed.target} {routed.fmax_mhz:.0f} MHz" if routed.fmax_mhz is not None else ""
