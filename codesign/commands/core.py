# SPDX-License-Identifier: Apache-2.0
"""`codesign core`: a design as a program of the delta core, and what frames of its first clip cost, step by step.

Or its image for the core of a board.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from codesign.commands.kept import kept
from codesign.core.beside import BESIDE, SUFFIX, write_network
from codesign.core.compiler import Compiled, compile_graph
from codesign.core.cycles import FRAME, CoreCycles, core_cycles
from codesign.core.listing import listing
from codesign.core.section import CoreSection, compile_fitted
from codesign.core.timing import MemoryTiming, timing_of
from codesign.endings import OK
from codesign.errors import ConfigError
from codesign.fixed import IntArray
from codesign.flow import manifest as manifests
from codesign.graph.file import load_graph
from codesign.outputs import check_outputs
from codesign.paths import BuildFolder
from codesign.synth.target import Target, core_of, load_target
from codesign.trust import check_no_links
from codesign.verify.clips import load_clips
from codesign.verify.core import CONFIG, CoreFigures, load_core, read_program

FRAMES = 64
"""Most frames of the first clip that are counted."""
MEMORY, CLOCKS, DEFAULT = "core.memory", "core.clocks_mhz", "ddr"
"""Key of a design that names its external memory, and what is assumed where it is not known."""


def describe(build: Path) -> str:
    """Return the listing of a design, with means per frame of its first clip, the first frame left out.

    Cycles are those of stage 4_rtlsim if the design is for a core and was simulated, else those of the model; bytes to
    and from an external memory are the model's. A pipeline is compiled for a core of 32 lanes that is as deep as it
    needs.

    Raises:
        StageError: its graph is not finished, or a stage was edited.
        ConversionError: a pipeline does not fit such a core.
    """
    check_no_links(build)
    manifests.check_unedited(build / BuildFolder.GRAPH)
    graph, clip = load_graph(build / BuildFolder.GRAPH), load_clips(build / BuildFolder.GRAPH)[0, :FRAMES]
    if is_core(build):
        manifests.check_unedited(build / BuildFolder.RTL)
        compiled = read_program(graph, build / BuildFolder.RTL)
    else:
        compiled = compile_fitted(graph, CoreSection())
    model, found = core_cycles(compiled, clip, memory=_memory(build)), _simulated(build, compiled)
    measured = None if found is None else np.stack([cycles[0, : len(clip)] for cycles in found.steps.values()], axis=1)
    steps = model.steps if measured is None else measured
    lines = [_cycles(steps, model, simulated=measured is not None), *_bytes(found, model, len(clip))]
    return "\n".join([listing(compiled, model.counts, steps, model.bytes), *lines])


def is_core(build: Path) -> bool:
    """Return whether what stage 3_rtl wrote is a core."""
    return (build / BuildFolder.RTL / CONFIG).is_file()


def check_pipeline(build: Path, fix: str) -> None:
    """Check that a design is a pipeline.

    Raises:
        ConfigError: it is for a core.
    """
    if is_core(build):
        raise ConfigError(
            "the design is for a core",
            where=str(build),
            expected='hardware.architecture = "pipeline"',
            received='"core"',
            fix=fix,
        )


def _memory(build: Path) -> MemoryTiming:
    """Return when the external memory answers, as the design has it."""
    done = manifests.read(build / BuildFolder.RTLSIM) or manifests.read(build / BuildFolder.RTL)
    config = done.inputs.config if done else {}
    return timing_of(config.get(MEMORY, DEFAULT), config.get(CLOCKS, ()))


def _simulated(build: Path, compiled: Compiled) -> CoreFigures | None:
    """Return what stage 4_rtlsim measured; None if that was no core, or has not run."""
    folder = build / BuildFolder.RTLSIM
    if not is_core(build) or manifests.read(folder) is None:
        return None
    manifests.check_unedited(folder)
    found = load_core(folder)
    return found if found is not None and tuple(found.steps) == compiled.steps else None


def _cycles(steps: IntArray, model: CoreCycles, *, simulated: bool) -> str:
    """Return the sum of the cycles, and how they were got."""
    mean, estimate = float(steps[1:].sum(axis=1).mean()) + FRAME, float(model.frames[1:].mean())
    how = f"simulated; the model gives {estimate:,.0f}" if simulated else "estimated by the model, not simulated"
    return f"{mean:,.0f} cycles per frame, mean of frames 2 to {len(steps)} of the first clip: {how}"


def _bytes(found: CoreFigures | None, model: CoreCycles, frames: int) -> Iterator[str]:
    """Yield the sum of the bytes, if there is an external memory, and how they were got."""
    if model.bytes is None:
        return
    estimate = float(model.bytes[1:].sum(axis=1).mean())
    if found is None or found.moved is None:
        yield f"{estimate:,.0f} bytes per frame to and from the external memory: estimated by the model"
    else:
        mean = float(found.moved[0, 1:frames].mean())
        yield f"{mean:,.0f} bytes per frame to and from the external memory: simulated; the model gives {estimate:,.0f}"


def write(build: Path, board: Target, path: Path) -> Compiled:
    """Write the image of a design for the core of a board, ``NAME.core``, with its description beside it.

    Raises:
        ConfigError: the board has no core, or the file cannot be written.
        StageError: the graph is not finished, or was edited.
        ConversionError: the network does not fit the core.
    """
    if path.suffix != SUFFIX:
        raise ConfigError("not the name of an image", where="--output", expected=f"NAME{SUFFIX}", received=path.name)
    config = core_of(board)
    outputs = {"--output": path, "--output, its description": path.with_name(f"{path.name}{BESIDE}")}
    check_outputs(outputs, kept([build]))
    check_no_links(build)
    manifests.check_unedited(build / BuildFolder.GRAPH)
    compiled = compile_graph(load_graph(build / BuildFolder.GRAPH), config)
    write_network(compiled, path)
    return compiled


def command(arguments: argparse.Namespace) -> int:
    """Print a design as a program, or write its image."""
    if (arguments.target is None) != (arguments.output is None):
        raise ConfigError(
            "an image is of a design for the core of a board",
            expected=f"--target BOARD --output NAME{SUFFIX}, or neither",
            fix="without them the design is printed",
        )
    if arguments.output is None:
        print(describe(arguments.folder))
        return OK
    compiled = write(arguments.folder, load_target(arguments.target), arguments.output)
    size = arguments.output.stat().st_size
    print(f"{compiled.graph.name}: design {compiled.program.design:08x}, {size:,} bytes for {arguments.target}")
    print(f"{arguments.output}, {arguments.output}{BESIDE}")
    return OK
