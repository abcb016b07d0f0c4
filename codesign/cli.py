# SPDX-License-Identifier: Apache-2.0
"""The ``codesign`` command. Heavy imports wait until a command really needs them."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from codesign import __version__
from codesign.endings import SIGNALED, end, flush, leave


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done; 1 a stage, tool or comparison failed; 2 wrong usage or configuration; 3 a fault of this program;
        128 + signal if ended by one (SIGINT 130, SIGTERM 143, SIGHUP 129), which also ends the tools that run, or
        because the reader of its output has exited (SIGPIPE 141).
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        arguments = parser().parse_args(argv)
    except SystemExit:  # after printing its help or a usage error
        flush()
        raise
    code = end(lambda: _command(arguments.command)(arguments), debug=arguments.debug)
    if argv is None and code > SIGNALED:
        leave(code)
    return code


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    """Return what a command does; imported only now, as it may need TensorFlow."""
    found: Callable[[argparse.Namespace], int] = import_module(f"codesign.commands.{name}").command
    return found


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    top = argparse.ArgumentParser(prog="codesign", description="Hardware codesign for neural networks on streams.")
    top.add_argument("--version", action="version", version=f"codesign {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", parents=[common], help="run the stages of a design")
    _design_arguments(run)
    run.add_argument("--from", dest="first", metavar="STAGE", help="run STAGE again and go on from it")
    run.add_argument("--to", dest="last", metavar="STAGE", help="stop after STAGE")
    run.add_argument("--force", action="store_true", help="run the stages again even if nothing changed")
    run.add_argument("--dry-run", action="store_true", help="only print what would be done")
    run.add_argument("-v", "--verbose", action="store_true", help="print why a stage runs")
    run.set_defaults(command="run")

    take = commands.add_parser(
        "import", parents=[common], help="make a design of a Keras model that others trained, and run it"
    )
    take.add_argument("model", type=Path, metavar="MODEL", help="a model file of Keras: .keras or .h5")
    take.add_argument("--clips", type=Path, required=True, metavar="FOLDER", help="of videos or .npy recordings")
    take.add_argument(
        "--input-range",
        choices=("0:1", "0:255", "-1:1"),
        help="what the model reads for pixels of 0 and 255; default: as its first layers or statistics show, else 0:1",
    )
    take.add_argument(
        "--agreement", type=_share, default=0.99, metavar="SHARE", help="of the float model's answers; default: 0.99"
    )
    take.add_argument(
        "--multipliers", type=_count, metavar="N", help="of all layers; default: as PE 16, or as --target has"
    )
    take.add_argument("--target", metavar="BOARD", help="then make a bitstream for this board, as codesign build does")
    take.add_argument("--no-labels", action="store_true", help="the folders are not the model's classes")
    take.add_argument("--output", type=Path, metavar="FOLDER", help="build folder; default: build/<name of the model>")
    take.add_argument("--to", dest="last", metavar="STAGE", help="stop after STAGE")
    take._negative_number_matcher = re.compile(r"-1:1$")  # a value, and no option
    take.set_defaults(command="import_")

    stages = commands.add_parser("stages", parents=[common], help="list the stages and their state")
    _design_arguments(stages)
    stages.set_defaults(command="stages")

    build = commands.add_parser("build", parents=[common], help="make a bitstream of a design for a board")
    build.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="build folder, e.g. build/moving_digits")
    build.add_argument("--target", metavar="BOARD", help="a board of --targets, or a file that describes one")
    build.add_argument("--targets", action="store_true", help="list the boards")
    build.add_argument("--hls", action="store_true", help="the HLS C++, through an HLS compiler, instead of the RTL")
    build.add_argument("--hls-tool", metavar="TOOL", help="vitis or bambu; default: the one on PATH, Vitis HLS first")
    build.add_argument(
        "--core", dest="command", action="store_const", const="core_bitstream", help="a delta core, for any network"
    )
    build.add_argument("--dense", action="store_true", help="the dense baseline: the same engine with skipping off")
    build.add_argument("--clock", type=float, metavar="MHZ", help="clock of the design; default: the board's")
    build.add_argument("--baud", type=int, metavar="N", help="rate of the serial port; default: the board's")
    build.add_argument("--seed", type=int, metavar="N", help="placer seed; default: 1, and 2 if 1 misses the clock")
    build.add_argument("--force", action="store_true", help="build again even if nothing changed")
    build.set_defaults(command="build")

    fit = commands.add_parser(
        "fit", parents=[common], help="choose PE, unroll and P of a trained design for a board, without synthesis"
    )
    fit.add_argument("folder", type=Path, metavar="FOLDER", help="build folder, e.g. build/moving_digits")
    fit.add_argument("--target", required=True, metavar="BOARD", help="a board of codesign build --targets, or a file")
    fit.add_argument(
        "--fps", type=_rate, metavar="N", help="frames per second to reach with the least; default: the most that fit"
    )
    fit.add_argument("--clock", type=float, metavar="MHZ", help="clock of the design; default: the board's")
    fit.add_argument(
        "--minimise", choices=("lut", "dsp", "energy"), default="lut", help="what the least is; default: lut"
    )
    fit.add_argument("--write", type=Path, metavar="FILE", help="the design's TOML, or a new one, to write it into")
    fit.set_defaults(command="fit")

    load = commands.add_parser("load", parents=[common], help="load a network into the core on a board")
    load.add_argument("design", type=Path, metavar="FOLDER|FILE.core", help="build folder, or an image of a network")
    load.add_argument("--port", required=True, metavar="PORT", help="e.g. /dev/ttyUSB0, or sim for a simulated core")
    load.add_argument("--baud", type=_at_least_one, metavar="N", help="rate of the bitstream; default: its build's")
    load.add_argument("--target", metavar="BOARD", help="with --port sim: the core of this board; default: a large one")
    load.add_argument("--json", type=Path, metavar="OUT", help="write the figures")
    load.set_defaults(command="load")

    core = commands.add_parser(
        "core", parents=[common], help="print a design as a program of the delta core, with cycles of each step"
    )
    core.add_argument("folder", type=Path, metavar="FOLDER", help="build folder, e.g. build/moving_digits")
    core.add_argument("--target", metavar="BOARD", help="with --output: for the core of this board")
    core.add_argument("--output", type=Path, metavar="FILE.core", help="write its image instead, for a board to load")
    core.set_defaults(command="core")

    report = commands.add_parser(
        "report", parents=[common], help="bring reports up to date with the builds for boards; compare several designs"
    )
    report.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="build folder, e.g. build/moving_digits"
    )
    report.add_argument(
        "--markdown", type=Path, metavar="OUT", help="write the table, dense beside skipping or designs"
    )
    report.add_argument("--html", type=Path, metavar="OUT", help="write the same as a page")
    report.add_argument("--latex", type=Path, metavar="OUT", help="write the same for a paper")
    report.set_defaults(command="report")

    measure = commands.add_parser("measure", parents=[common], help="stream a video through csim and RTL")
    measure.add_argument("folder", type=Path, metavar="FOLDER", help="build folder, e.g. build/moving_digits")
    measure.add_argument("--video", type=Path, required=True, metavar="FILE", help="any video file")
    measure.add_argument("--frames", type=_at_least_two, metavar="N", help="only the first N frames")
    _video_arguments(measure)
    measure.add_argument("--json", type=Path, metavar="OUT", help="write the figures as report.json does")
    measure.set_defaults(command="measure")

    stream = commands.add_parser("stream", parents=[common], help="send a video or a camera to a board, live")
    stream.add_argument("folder", type=Path, metavar="FOLDER", help="build folder, e.g. build/moving_digits")
    stream.add_argument("--port", required=True, metavar="PORT", help="e.g. /dev/ttyUSB0; simulated: sim, sim-core")
    stream.add_argument("--video", required=True, metavar="FILE|camera", help="video file, camera or camera:DEVICE")
    stream.add_argument("--frames", type=_at_least_one, metavar="N", help="only the first N frames")
    _video_arguments(stream)
    stream.add_argument("--baud", type=_at_least_one, metavar="N", help="rate of the bitstream; default: its build's")
    stream.add_argument("--check", action="store_true", help="compare every result with the golden model")
    stream.add_argument(
        "--reconnect", type=_seconds, default=30.0, metavar="S", help="wait for a lost port; default: 30 s, 0: do not"
    )
    stream.add_argument("--json", type=Path, metavar="OUT", help="write the figures")
    stream.set_defaults(command="stream")

    compare = commands.add_parser("compare", parents=[common], help="train variants over several seeds, compare them")
    compare.add_argument(
        "files", nargs="+", type=Path, metavar="FILE.toml", help="one study, or designs that are compared as they are"
    )
    compare.add_argument("--seeds", type=int, nargs="+", metavar="SEED", help="default: the study's, or 1 2 3")
    compare.add_argument("--model", type=Path, metavar="FILE", help="model file, instead of the study's")
    compare.add_argument("--clips", type=Path, metavar="FOLDER", help="folder of videos, instead of the study's")
    compare.add_argument("--trained", action="store_true", help="train nothing: tables of what is trained so far")
    _worker_arguments(compare, "trainings")
    compare.add_argument("--build-dir", type=Path, default=Path("build"), metavar="DIR", help="default: ./build")
    compare.add_argument("--json", type=Path, metavar="OUT", help="write every figure")
    compare.add_argument("--markdown", type=Path, metavar="DOC", help="put the tables between the marks of a document")
    compare.add_argument("--plot", type=Path, metavar="SVG", help="draw the fronts")
    compare.set_defaults(command="compare")

    search = commands.add_parser("search", parents=[common], help="search the best designs for clips and a board")
    search.add_argument("search", type=Path, metavar="SEARCH.toml", help="e.g. flows/searches/demo.toml")
    search.add_argument("--trials", type=_at_least_one, metavar="N", help="designs to train; default: the file's")
    search.add_argument("--minutes", type=_minutes, metavar="N", help="begin none after this; default: the file's")
    search.add_argument("--design", type=_number, metavar="N", help="only print the design of trial N as TOML")
    _worker_arguments(search, "trials")
    search.add_argument("--build-dir", type=Path, default=Path("build"), metavar="DIR", help="default: ./build")
    search.set_defaults(command="search")

    doctor = commands.add_parser("doctor", parents=[common], help="list the tools, and how to get what is missing")
    doctor.set_defaults(command="doctor")
    return top


def _design_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("design", type=Path, metavar="DESIGN.toml", help="e.g. flows/moving_digits.toml")
    command.add_argument("--build-dir", type=Path, default=Path("build"), metavar="DIR", help="default: ./build")


def _worker_arguments(command: argparse.ArgumentParser, what: str) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=_at_least_one, metavar="N", help=f"{what} at a time; default: one per core")
    where.add_argument(
        "--dask", metavar="ADDRESS", help=f"{what} on the Dask cluster with this scheduler, e.g. tcp://host:8786"
    )


def _video_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--fit",
        choices=("crop", "pad", "stretch"),
        help="what to do with pictures of another shape; default: as the design was trained, else crop",
    )
    command.add_argument("--strict", action="store_true", help="refuse a damaged video; default: use what decodes")


def _at_least_two(text: str) -> int:
    if not text.isdigit() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 2 frames, received {text!r}")
    return int(text)


def _at_least_one(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, received {text!r}")
    return int(text)


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected frames per second, above 0, received {text!r}")
    return value


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"expected the number of a trial, received {text!r}")
    return int(text)


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.01 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"expected minutes, from 0.01 on, received {text!r}")
    return value


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, received {text!r}")
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, received {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds, at least 0, received {text!r}")
    return value


if __name__ == "__main__":
    sys.exit(main())
