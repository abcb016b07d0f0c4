# SPDX-License-Identifier: Apache-2.0
"""Stage 3_rtl of a design for a core: the SystemVerilog project of the core, and the program of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.core.files import core_files
from codesign.core.section import compile_fitted
from codesign.graph.file import load_graph
from codesign.paths import BuildFolder
from codesign.verify.core import write_program

if TYPE_CHECKING:
    from codesign.flow.stage import Job


def run(job: Job) -> str:
    """Write one file for each entry of ``core_files(config)``, and the image of the program with its listing."""
    compiled = compile_fitted(load_graph(job.upstream[BuildFolder.GRAPH]), job.design.core)
    program = compiled.program
    for name, text in core_files(program.config).items():
        path = job.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_program(compiled, job.folder)
    return f"core of {program.config.lanes} lanes, {len(program.steps)} steps, design {program.design:08x}"
