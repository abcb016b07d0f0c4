# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks``: measure, print the tables, write them. Exit status 1 if a target is missed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import dense
from benchmarks.clips import Clip, made_clips, video_clips
from benchmarks.conv import HOLDS, ConvRun, calibration, measure
from benchmarks.origin import origin
from benchmarks.record import Measured, write_json
from benchmarks.speed import speed
from benchmarks.still import unchanged_cycles
from benchmarks.tables import tables
from benchmarks.unrolled import measure_all
from benchmarks.unrolled_tables import unrolled_tables
from codesign.errors import CodesignError
from codesign.report.document import fill
from codesign.sim import RtlSimulator

SEED = 1
MADE_CLIPS = 10


def main(argv: list[str] | None = None) -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--clips", type=Path, help="folder of fixed-camera videos (default: made ones)")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--markdown", type=Path, help="put the tables into this document")
    parser.add_argument("--only", choices=["unrolled"], help="measure and write this part only")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"), help="build cache (default build/bench)")
    options = parser.parse_args(argv)
    try:
        if options.only:
            return _unrolled(options.folder, options.markdown)
        measured = run(options.clips, options.folder)
        for name, part in tables(measured).items():
            print(f"\n== {name}\n{part}")
        if options.json:
            write_json(measured, options.json)
        if options.markdown:
            fill(options.markdown, tables(measured))
    except CodesignError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return int(not measured.met())


def _unrolled(folder: Path, document: Path | None) -> int:
    """Measure da4ml's unrolled layers alone."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = unrolled_tables(measure_all(folder, seed=SEED))
    print("\n\n".join(parts.values()))
    if document:
        fill(document, parts)
    return 0


def run(folder_of_clips: Path | None, folder: Path) -> Measured:
    """Measure both networks; ``folder`` keeps what is built.

    Raises:
        VideoError: a clip cannot be used.
        ToolNotFoundError, SimulationError: a simulation cannot be built or fails.
    """
    place = origin()
    clips = video_clips(folder_of_clips) if folder_of_clips else made_clips(MADE_CLIPS, SEED)
    folder.mkdir(parents=True, exist_ok=True)
    graph = dense.network()
    with RtlSimulator(graph, folder) as simulator:
        unchanged = unchanged_cycles(simulator, dense.stream(graph, 1, 0.0))
    return Measured(
        command="python -m benchmarks" + (f" --clips {folder_of_clips.name}" if folder_of_clips else ""),
        origin=place,
        video=_words(folder_of_clips, clips),
        seed=SEED,
        rows=dense.table(graph, folder),
        beats=graph.source.beats,
        unchanged=unchanged,
        speed=speed(graph, folder),
        conv=_conv(clips, folder),
        unrolled=measure_all(folder, seed=SEED),
    )


def _conv(clips: tuple[Clip, ...], folder: Path) -> tuple[ConvRun, ...]:
    from benchmarks.conv_network import conv_network

    runs = []
    for hold in HOLDS:
        network = conv_network(calibration(clips), hold=hold, seed=SEED, folder=folder)
        runs.append(measure(network, clips, folder, seed=SEED))
    return tuple(runs)


def _words(folder: Path | None, clips: tuple[Clip, ...]) -> str:
    frames = sum(len(clip.frames) for clip in clips)
    made = "made clips of a digit that moves in front of a fixed camera"
    return f"{len(clips)} {f'videos of the folder {folder.name}' if folder else made}, {frames} frames in all"


if __name__ == "__main__":
    sys.exit(main())
