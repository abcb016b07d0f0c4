# SPDX-License-Identifier: Apache-2.0
"""Stage 3_rtl: write the SystemVerilog project of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.graph.file import load_graph
from codesign.paths import BuildFolder
from codesign.rtl.project import emit

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Write one file for each entry of ``emit(graph)``."""
    files = emit(load_graph(job.upstream[BuildFolder.GRAPH]))
    for name, text in files.items():
        path = job.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return f"{len(files)} files"
