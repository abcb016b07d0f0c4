# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.cores``: networks that were imported, as programs of simulated cores."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.moving import NETWORKS as MOVING
from benchmarks.networks import TABLE, Row, Table, number, rows_of_cores
from codesign.core.compiler import compile_graph
from codesign.core.config import WORD_BITS, CoreConfig
from codesign.core.image import image_of
from codesign.core.memory import built_bits
from codesign.core.timing import sdram_timing
from codesign.errors import CodesignError, ConversionError
from codesign.graph.file import load_graph
from codesign.graph.golden import Golden
from codesign.graph.ir import Graph
from codesign.outputs import write_text
from codesign.paths import BuildFolder
from codesign.records import build, read_toml
from codesign.report.document import check_marks, fill, table
from codesign.sim.core import CoreRun, CoreSimulator
from codesign.sim.memory import DDR, MemoryTiming
from codesign.synth.core_memory import memory_timing
from codesign.synth.target import core_of, load_target
from codesign.verify.clips import load_clips

MARK = "cores"
LARGE = tuple(moving.network for moving in MOVING)
BOARD = "ulx3s-85f"
RESNET = "resnet50_224"
HEAD = ("network", "core", "cycles", "dense", "bytes per frame", "frames / s", "load", "mismatches")
BITS_PER_BYTE = 10
"""On a serial line, with its start and stop bit."""
LARGEST = 60_000_000
"""Multiply-accumulates of a frame from which the dense baseline is not simulated: it would take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """A core that networks are run on.

    Attributes:
        name: its name in the table.
        config: what it is built with.
        timing: when its external memory answers.
        clock_mhz: clock that frames per second are computed for.
        baud: of the line that loads it; None: it is not loaded by one.
    """

    name: str
    config: CoreConfig
    timing: MemoryTiming
    clock_mhz: float
    baud: int | None = None


LARGE_CLOCK, LARGE_SDRAM = 75.0, 120.0
"""Clocks [MHz] of the core of 16 lanes, which nobody routed, and of its SDRAM."""
LARGE_FRAMES = {"mobilenet_224": 3, RESNET: 2}
"""Frames that a large network is simulated on: the first one takes 100 million cycles, ResNet-50's 262 million."""


def cores(clock_mhz: float | None = None) -> tuple[Core, ...]:
    """Return the core of the ULX3S at a clock, by default its own, and one of 32 lanes beside a DDR at 200 MHz."""
    board = load_target(BOARD)
    wide = CoreConfig(
        sum_words=4096,
        code_rows=16384,
        weight_lines=8192,
        param_rows=4096,
        chunks=8192,
        memory_bits=128,
        memory_kib=1 << 18,
        cached_words=2048,
        cached_lines=2048,
    )
    assert board.uart is not None
    return (
        Core(
            name=BOARD,
            config=core_of(board),
            timing=memory_timing(board, clock_mhz or board.clock.of_delta_core),
            clock_mhz=clock_mhz or board.clock.of_delta_core,
            baud=board.uart.baud,
        ),
        Core(name="32 lanes, DDR", config=wide, timing=DDR, clock_mhz=200.0),
    )


def large_cores(clock_mhz: float) -> tuple[Core, ...]:
    """Return cores for networks of ImageNet: one whose memories fit a ULX3S-85F at a clock, with its 32 MB of SDRAM;
    one of 64 lanes with those of a KV260, beside its DDR memory at 200 MHz: sums and codes take 62 of 64 UltraRAMs.
    """
    common = {"sum_bits": 24, "weight_bits": 8, "step_words": 1024}
    small = CoreConfig(
        **common,
        lanes=16,
        quantisers=8,
        sum_words=64,
        code_rows=512,
        weight_lines=64,
        table_rows=4096,
        param_rows=640,
        places=128,
        walks=128,
        chunks=9984,
        memory_bits=32,
        memory_kib=1 << 15,
        cached_words=4096,
        cached_lines=4096,
    )
    wide = CoreConfig(
        **common,
        lanes=64,
        quantisers=16,
        sum_words=4096,
        code_rows=20480,
        weight_lines=2048,
        table_rows=2048,
        param_rows=512,
        places=64,
        walks=64,
        chunks=3072,
        memory_bits=128,
        memory_kib=1 << 16,
        cached_words=4096,
        cached_lines=4096,
    )
    return (
        Core(name="16 lanes, SDRAM", config=small, timing=sdram_timing(clock_mhz, LARGE_SDRAM), clock_mhz=clock_mhz),
        Core(name="64 lanes, DDR", config=wide, timing=DDR, clock_mhz=200.0),
    )


def cores_for(network: str, clock_mhz: float | None) -> tuple[Core, ...]:
    """Return the cores of a large network: `large_cores`, or that of a KV260's board file where only that holds it."""
    if network != RESNET:
        return large_cores(clock_mhz or LARGE_CLOCK)
    board = load_target("kv260")
    return (Core(name="kv260", config=core_of(board), timing=DDR, clock_mhz=board.clock.of_delta_core),)


def main(argv: list[str] | None = None) -> int:
    """Run every network whose graph is there on every core; exit status 1 if a value differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cores", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/networks"), help="build folders of the designs")
    parser.add_argument("--table", type=Path, default=TABLE, help="the networks (default: benchmarks/networks.toml)")
    parser.add_argument("--only", nargs="*", help="names of networks (default: all but the large ones)")
    parser.add_argument("--designs", type=Path, nargs="*", default=[], help="build folders to run, too")
    parser.add_argument("--frames", type=int, default=64, help="most of the first clip; the first is not in the means")
    parser.add_argument("--clock", type=float, help="MHz of the ULX3S' core (default: that of its board's file)")
    parser.add_argument("--json", type=Path, required=True, help="put the rows among those that are here")
    parser.add_argument("--markdown", type=Path, required=True, help="put the table into this document")
    options = parser.parse_args(argv)
    try:
        networks = build(Table, read_toml(options.table), where="", folder=options.table.parent).network
        check_marks(options.markdown, (MARK,))
        chosen = [network for network in networks if not options.only or network.name in options.only]
        folders = {network.name: options.folder / network.name for network in chosen}
        folders |= {folder.name: folder for folder in options.designs}
        rows = measure(folders, cores(options.clock), options.frames)
        for network in (network for network in LARGE if network.name in (options.only or ())):
            folder, most = {network.name: options.folder / network.name}, LARGE_FRAMES[network.name]
            rows += measure(folder, cores_for(network.name, options.clock), min(most, options.frames))
        documents = [*_others(options.json, {row.network for row in rows}), *map(dataclasses.asdict, rows)]
        write_text(options.json, json.dumps(documents, indent=1) + "\n")
        fill(
            options.markdown,
            {
                MARK: words(
                    [build(Row, row, where="", folder=options.json.parent) for row in rows_of_cores(options.json)]
                )
            },
        )
    except CodesignError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return int(any(row.mismatches for row in rows))


def measure(folders: Mapping[str, Path], chosen: Sequence[Core], frames: int) -> list[Row]:
    """Return a row for each build folder, by its network's name, with a graph, and each core that it fits."""
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        for name, folder in folders.items():
            path = folder / BuildFolder.GRAPH
            if not (path / "graph.json").is_file():
                print(f"{name}: no graph in {path}", flush=True)
                continue
            graph, clip = load_graph(path), load_clips(path)[0][:frames]
            found = (_tried(name, graph, clip, core, Path(cache)) for core in chosen)
            rows += [row for row in found if row is not None]
    return rows


def _tried(name: str, graph: Graph, clip: np.ndarray, core: Core, cache: Path) -> Row | None:
    """Return the row of a network on a core, None if it does not fit; say which."""
    try:
        row = run(name, graph, clip, core, cache)
    except ConversionError as error:
        print(f"{name} on {core.name}: {error}", flush=True)
        return None
    print(f"{name} on {core.name}: {row}", flush=True)
    return row


def run(name: str, graph: Graph, clip: np.ndarray, core: Core, cache: Path) -> Row:
    """Return what a core does with frames ``[T, *shape]``; means are without the first one.

    Raises:
        ConversionError: the network does not fit the core.
    """
    program = compile_graph(graph, core.config).program
    expected = Golden(graph).run(clip).outputs
    found = _simulated(graph, clip, core, cache)
    small = sum(node.macs for node in graph.linears) < LARGEST
    dense = _simulated(graph, clip[:2], core, cache, skip=False) if small else None
    cycles = float(found.cycles[1:].mean())
    seconds = None if core.baud is None else len(image_of(program)) * (WORD_BITS // 8) * BITS_PER_BYTE / core.baud
    return Row(
        network=name,
        architecture="core",
        clips=f"{len(clip) - 1} frames of the first clip",
        cycles_per_frame=cycles,
        dense_cycles_per_frame=None if dense is None else float(dense.cycles[1:].mean()),
        memory_bits=sum(built_bits(core.config).values()),
        target=core.name,
        clock_mhz=core.clock_mhz,
        frames_per_second=core.clock_mhz * 1e6 / cycles,
        values=expected.size,
        mismatches=int(np.count_nonzero(found.outputs != expected)),
        bytes_per_frame=None if found.memory is None else float(found.memory.bytes[1:].mean()),
        load_seconds=seconds,
    )


def _simulated(graph: Graph, clip: np.ndarray, core: Core, cache: Path, *, skip: bool = True) -> CoreRun:
    with CoreSimulator(graph, cache, config=core.config, memory=core.timing, skip=skip) as simulator:
        return simulator.run(clip)


def words(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    return table(
        HEAD,
        [
            (
                row.network,
                row.target or "",
                number(row.cycles_per_frame),
                number(row.dense_cycles_per_frame),
                number(row.bytes_per_frame),
                f"{number(row.frames_per_second)} at {row.clock_mhz:g} MHz",
                "-" if row.load_seconds is None else f"{row.load_seconds:.1f} s",
                f"{row.mismatches:,} of {row.values:,}",
            )
            for row in rows
        ],
    )


def _others(path: Path, measured: set[str]) -> list[dict[str, object]]:
    """Return the rows of a file but those of cores that were measured again."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return [row for row in rows if row["architecture"] != "core" or row["network"] not in measured]


if __name__ == "__main__":
    sys.exit(main())
