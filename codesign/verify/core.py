# SPDX-License-Identifier: Apache-2.0
"""Clips through the RTL of a core, from the files and the image that a stage wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.core.beside import write_network
from codesign.core.compiler import Compiled, compile_graph
from codesign.core.config import CoreConfig
from codesign.core.image import SUFFIX, image_of, read_image
from codesign.core.listing import listing
from codesign.errors import StageError
from codesign.fixed import IntArray
from codesign.graph.ir import Graph
from codesign.records import build, plain
from codesign.sim.clip import joined
from codesign.sim.core import CoreRun, CoreSimulator
from codesign.sim.memory import MemoryTiming
from codesign.sim.simulator import VERILATOR
from codesign.stored import integers, load_arrays, load_json, loaded
from codesign.verify.clips import Track, silently
from codesign.verify.hardware import RtlFigures, figures_of, run_clips

CONFIG, STEPS = "core.json", "steps.npz"
"""What the core is built with, beside its files; cycles of its steps, beside those of its frames."""
_MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreFigures:
    """What is measured of a core besides `RtlFigures`.

    Attributes:
        steps: cycles of each step of the program, ``[N, T]`` by name, in order, first frames still in.
        moved: bytes that went to and from the external memory, ``[N, T]``; None without one.
    """

    steps: dict[str, IntArray]
    moved: IntArray | None = None


def write_program(compiled: Compiled, folder: Path) -> None:
    """Write the image ``NAME.core``, its description, its listing ``NAME.core.txt``, and `CONFIG`, into the folder of a
    core's RTL.
    """
    path = folder / f"{compiled.graph.name}{SUFFIX}"
    write_network(compiled, path)
    path.with_name(f"{path.name}.txt").write_text(listing(compiled))
    (folder / CONFIG).write_text(json.dumps(plain(compiled.program.config), indent=1) + "\n")


def read_program(graph: Graph, folder: Path) -> Compiled:
    """Return the program that `write_program` wrote of ``graph``.

    Raises:
        StageError: a file is missing or damaged, or the image is of another network.
        ImageError: the image is damaged.
    """
    path = folder / CONFIG
    config = loaded(path, lambda: build(CoreConfig, load_json(path), where="", folder=folder))
    image = folder / f"{graph.name}{SUFFIX}"
    words, compiled = image_of(read_image(image, config)), compile_graph(graph, config)
    if not np.array_equal(words, image_of(compiled.program)):
        raise StageError(
            "the image is not that of the graph",
            where=str(image),
            expected=f"what the graph compiles to, design {compiled.program.design:08x}",
            received="other words",
            fix="`codesign run` the design again",
        )
    return compiled


def run_core(
    graph: Graph,
    clips: NDArray[np.integer],
    *,
    folder: Path,
    files: dict[str, str],
    cache: Path,
    memory: MemoryTiming | None = None,
    dense_frames: int = 0,
    track: Track = silently,
) -> tuple[IntArray, RtlFigures, CoreFigures]:
    """Run clips of codes ``[N, T, *shape]``, each a new stream, through a core with a network.

    Args:
        graph: the network.
        clips: clips of codes.
        folder: holds what `write_program` wrote; its image is loaded.
        files: the core's RTL, path -> text.
        cache: folder that the simulator is built in.
        memory: when the external memory answers; None: as `codesign.sim.memory.DDR`.
        dense_frames: frames of the first clip that are also simulated with skipping off.
        track: progress display.

    Returns:
        Output codes ``[N, T, ...]``, cycles of frames and engines, and of steps.
    """
    config = read_program(graph, folder).program.config
    image = np.fromfile(folder / f"{graph.name}{SUFFIX}", "<u4")

    def simulate(*, skip: bool = True) -> CoreSimulator:
        core = CoreSimulator(graph, cache / VERILATOR, config=config, files=files, skip=skip, memory=memory)
        core.load_image(image)
        return core

    runs, dense = run_clips(simulate, clips, _run_clip, dense_frames=dense_frames, track=track)
    steps = {name: np.stack([run.steps[name] for run in runs]) for name in runs[0].steps}
    traffic = [run.memory.bytes for run in runs if run.memory is not None]
    figures = CoreFigures(steps=steps, moved=np.stack(traffic) if traffic else None)
    return np.stack([run.outputs for run in runs]), figures_of(runs, dense), figures


def _run_clip(core: CoreSimulator, frames: NDArray[np.integer]) -> CoreRun:
    """Run a clip as a new stream whose first frame leaves before the second one enters (`codesign.sim.run_clip`)."""
    core.reset()
    first, rest = (core.run(part) for part in (frames[:1], frames[1:]))
    return CoreRun(
        outputs=np.concatenate([first.outputs, rest.outputs]),
        cycles=np.concatenate([first.cycles, rest.cycles]),
        latency=np.concatenate([first.latency, rest.latency]),
        engines={name: joined(engine, rest.engines[name]) for name, engine in first.engines.items()},
        steps={name: np.concatenate([cycles, rest.steps[name]]) for name, cycles in first.steps.items()},
        total_cycles=first.total_cycles + rest.total_cycles,
        memory=None if first.memory is None or rest.memory is None else first.memory.joined(rest.memory),
    )


def save_core(figures: CoreFigures, folder: Path) -> None:
    """Write `STEPS`."""
    arrays: dict[str, Any] = {f"{number}/{name}": cycles for number, (name, cycles) in enumerate(figures.steps.items())}
    if figures.moved is not None:
        arrays[_MOVED] = figures.moved
    np.savez_compressed(folder / STEPS, **arrays)


def load_core(folder: Path) -> CoreFigures | None:
    """Return what `save_core` wrote; None where it has not: the design is a pipeline.

    Raises:
        StageError: the file is damaged, or holds something else.
    """
    path = folder / STEPS
    if not path.is_file():
        return None
    data = load_arrays(path)

    def figures() -> CoreFigures:
        names = sorted((name for name in data if name != _MOVED), key=lambda name: int(name.partition("/")[0]))
        if not names or len({values.shape for values in data.values()}) != 1:
            raise ValueError("cycles of other frames")
        steps = {name.partition("/")[2]: integers(data, name, 2) for name in names}
        return CoreFigures(steps=steps, moved=integers(data, _MOVED, 2) if _MOVED in data else None)

    return loaded(path, figures)
