# SPDX-License-Identifier: Apache-2.0
"""Stage 5_synth: what the design costs. A target whose tool is missing is skipped and named."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
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
    """Write ``resources.json``: one entry a target and tool. Two targets at a time."""
    graph = load_graph(job.upstream["2_graph"])
    files, top = emit(graph), top_spec(graph).module
    synth = job.design.synth

    def attempt(target: str) -> list[Resources] | ToolNotFoundError:
        try:
            return _target(target, files, top, job.folder / target, route=synth.route)
        except ToolNotFoundError as error:
            return error

    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(job.track(pool.map(attempt, synth.targets), len(synth.targets), "target"))
    found = [item for result in results if isinstance(result, list) for item in result]
    missing = {
        target: result
        for target, result in zip(synth.targets, results, strict=True)
        if isinstance(result, ToolNotFoundError)
    }
    if missing and not found:
        raise next(iter(missing.values()))
    (job.folder / "resources.json").write_text(json.dumps([item.to_json() for item in found], indent=1) + "\n")
    notes = [f"{item.target} {item.fmax_mhz:.0f} MHz" for item in found if item.fmax_mhz is not None]
    notes += [f"{target} skipped: {error.program} not on PATH" for target, error in missing.items()]
    return ", ".join(notes)


def _target(target: str, files: dict[str, str], top: str, folder: Path, *, route: bool) -> list[Resources]:
    if target in VENDOR_TOOLS:
        raise ToolNotFoundError(VENDOR_TOOLS[target], how="install it and source its settings64.sh")
    folder.mkdir()
    found = [synthesise(files, top, target=target, folder=folder)]
    if target == "ecp5" and route:
        found.append(place_and_route(folder))
    return found
