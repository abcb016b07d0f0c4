# SPDX-License-Identifier: Apache-2.0
"""The ``codesign`` command. Heavy imports wait until a command really needs them."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codesign import __version__, provenance
from codesign.endings import FAILED, OK, SIGNALED, end, flush, leave
from codesign.errors import ConfigError
from codesign.outputs import check_folder, check_outputs, write_text

if TYPE_CHECKING:
    from codesign.flow.console import Terminal
    from codesign.report.sheet import Sheet


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done; 1 a stage, tool or comparison failed; 2 wrong usage or configuration; 3 a fault of this program;
        128 + signal if ended by one (SIGINT 130, SIGTERM 143, SIGHUP 129), which also ends the tools that run, or
        because what reads the output has ended (SIGPIPE 141).
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        arguments = parser().parse_args(argv)
    except SystemExit:  # after its help, or what is wrong with the usage
        flush()
        raise
    code = end(lambda: int(arguments.command(arguments)), debug=arguments.debug)
    if argv is None and code > SIGNALED:
        leave(code)
    return code


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
    run.add_argument("--dry-run", action="store_true", help="only say what would be done")
    run.add_argument("-v", "--verbose", action="store_true", help="say why a stage runs")
    run.set_defaults(command=_run)

    stages = commands.add_parser("stages", parents=[common], help="list the stages and their state")
    _design_arguments(stages)
    stages.set_defaults(command=_stages)

    build = commands.add_parser("build", parents=[common], help="make a bitstream of a design for a board")
    build.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="build folder, e.g. build/moving_digits")
    build.add_argument("--target", metavar="BOARD", help="a board of --targets, or a file that describes one")
    build.add_argument("--targets", action="store_true", help="list the boards")
    build.add_argument("--hls", action="store_true", help="the HLS project, through Vitis HLS, instead of the RTL")
    build.add_argument("--dense", action="store_true", help="the dense baseline: the same engine with skipping off")
    build.add_argument("--clock", type=float, metavar="MHZ", help="of the design; default: the board's")
    build.add_argument("--baud", type=int, metavar="N", help="of the serial port; default: the board's")
    build.add_argument("--seed", type=int, metavar="N", help="of the placer; default: 1, and 2 if 1 is too slow")
    build.add_argument("--force", action="store_true", help="build again even if nothing changed")
    build.set_defaults(command=_build)

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
    report.set_defaults(command=_report)

    measure = commands.add_parser("measure", parents=[common], help="stream a video through csim and RTL")
    measure.add_argument("folder", type=Path, metavar="FOLDER", help="build folder, e.g. build/moving_digits")
    measure.add_argument("--video", type=Path, required=True, metavar="FILE", help="any video file")
    measure.add_argument("--frames", type=_at_least_two, metavar="N", help="only the first N frames")
    _video_arguments(measure)
    measure.add_argument("--json", type=Path, metavar="OUT", help="write the figures as report.json does")
    measure.set_defaults(command=_measure)

    stream = commands.add_parser("stream", parents=[common], help="send a video or a camera to a board, live")
    stream.add_argument("folder", type=Path, metavar="FOLDER", help="build folder, e.g. build/moving_digits")
    stream.add_argument("--port", required=True, metavar="PORT", help="e.g. /dev/ttyUSB0, or sim for a simulated board")
    stream.add_argument("--video", required=True, metavar="FILE|camera", help="video file, camera or camera:DEVICE")
    stream.add_argument("--frames", type=_at_least_one, metavar="N", help="only the first N frames")
    _video_arguments(stream)
    stream.add_argument("--baud", type=_at_least_one, metavar="N", help="of the bitstream; default: its build's")
    stream.add_argument("--check", action="store_true", help="compare every result with the golden model")
    stream.add_argument(
        "--reconnect", type=_seconds, default=30.0, metavar="S", help="wait for a lost port; default: 30 s, 0: do not"
    )
    stream.add_argument("--json", type=Path, metavar="OUT", help="write the figures")
    stream.set_defaults(command=_stream)

    compare = commands.add_parser("compare", parents=[common], help="train variants over several seeds, compare them")
    compare.add_argument(
        "files", nargs="+", type=Path, metavar="FILE.toml", help="one study, or designs that are compared as they are"
    )
    compare.add_argument("--seeds", type=int, nargs="+", metavar="SEED", help="default: the study's, or 1 2 3")
    compare.add_argument(
        "--jobs", type=_at_least_one, default=provenance.cores(), metavar="N", help="trainings at a time"
    )
    compare.add_argument("--build-dir", type=Path, default=Path("build"), metavar="DIR", help="default: ./build")
    compare.add_argument("--json", type=Path, metavar="OUT", help="write every figure")
    compare.add_argument("--markdown", type=Path, metavar="DOC", help="put the tables between the marks of a document")
    compare.add_argument("--plot", type=Path, metavar="SVG", help="draw the fronts")
    compare.set_defaults(command=_compare)

    doctor = commands.add_parser("doctor", parents=[common], help="list the tools, and how to get what is missing")
    doctor.set_defaults(command=_doctor)
    return top


def _design_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("design", type=Path, metavar="DESIGN.toml", help="e.g. flows/moving_digits.toml")
    command.add_argument("--build-dir", type=Path, default=Path("build"), metavar="DIR", help="default: ./build")


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


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds, at least 0, received {text!r}")
    return value


def _run(arguments: argparse.Namespace) -> int:
    from codesign.flow.config import load
    from codesign.flow.console import Terminal
    from codesign.flow.runner import Options, Runner
    from codesign.flow.steps import STAGES
    from codesign.flow.validate import check_run

    design = load(arguments.design)
    root = arguments.build_dir / design.design.name
    check_folder(root, "--build-dir")
    check_run(design, arguments.design, deploys=arguments.last != STAGES[0].name)
    options = Options(
        first=arguments.first,
        last=arguments.last,
        force=arguments.force,
        dry_run=arguments.dry_run,
        verbose=arguments.verbose,
    )
    terminal = Terminal()
    command = f"codesign run {shlex.quote(str(arguments.design))}"
    Runner(design=design, stages=STAGES, root=root.resolve(), options=options, terminal=terminal, command=command).run()
    if not options.dry_run and options.last in (None, STAGES[-1].name):
        _show_run(root, terminal)
    return OK


def _show_run(root: Path, terminal: Terminal) -> None:
    """Print the report of a design that has just run, brought up to date with its builds for boards."""
    from codesign.flow.again import render_again
    from codesign.report.model import REPORT
    from codesign.report.terminal import show, show_notes

    found = render_again(root)
    show(found.report, terminal.console)
    show_notes(found.warnings(), terminal.console)
    terminal.text(f"{found.page.with_name(REPORT)}\n{found.page}")


def _stages(arguments: argparse.Namespace) -> int:
    from codesign.flow.config import load
    from codesign.flow.console import Terminal
    from codesign.flow.runner import Options, Runner
    from codesign.flow.steps import STAGES

    design = load(arguments.design)
    root = (arguments.build_dir / design.design.name).resolve()
    Runner(design=design, stages=STAGES, root=root, options=Options(dry_run=True), terminal=Terminal()).run()
    return OK


def _build(arguments: argparse.Namespace) -> int:
    from codesign.flow.console import Terminal
    from codesign.flow.hls_on_board import build_hls
    from codesign.flow.on_board import Choice, build_on_board, summary
    from codesign.synth.board import board_names, load_board

    terminal = Terminal()
    if arguments.targets:
        if arguments.folder is not None or arguments.target is not None:
            raise ConfigError("--targets only lists the boards", fix="leave it out to build, or leave out the rest")
        for board in map(load_board, board_names()):
            made = "with Vivado" if board.chain == "vivado" else "bitstream"
            terminal.text(f"{board.name:18} {board.clock.core_mhz:5.0f} MHz  {made:15} {board.title}")
        return OK
    if arguments.folder is None or arguments.target is None:
        raise ConfigError(
            "what to build is missing", expected="codesign build build/DESIGN --target BOARD (or --targets)"
        )
    if arguments.hls:
        if arguments.baud is not None:
            raise ConfigError("the HLS project has no serial port", where="--baud", fix="leave out --baud, or --hls")
        figures = build_hls(arguments.folder, load_board(arguments.target), terminal, clock_mhz=arguments.clock)
        if figures is not None:
            terminal.text(str(figures))
        return OK
    choice = Choice(
        board=load_board(arguments.target),
        clock_mhz=arguments.clock,
        baud=arguments.baud,
        seed=arguments.seed,
        skip=not arguments.dense,
        force=arguments.force,
    )
    record, folder = build_on_board(arguments.folder, choice, terminal)
    for line in summary(record, choice.board, folder):
        terminal.text(line)
    return OK if record.problem is None else FAILED


def _report(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from codesign.flow.again import render_again
    from codesign.report import against, compare
    from codesign.report.sheet import terminal
    from codesign.report.terminal import show, show_notes

    outputs = {"--markdown": arguments.markdown, "--html": arguments.html, "--latex": arguments.latex}
    check_outputs(outputs, _kept(arguments.folders))
    console = Console(highlight=False)
    found = [render_again(folder) for folder in arguments.folders]
    reports = [item.report for item in found]
    if len(reports) == 1:
        sheet = against.sheet(reports[0])
        show(reports[0], console)
    else:
        sheet = compare.sheet(reports)
        console.print(terminal(sheet))
        show_notes(sheet.notes, console)
    _write_sheet(sheet, arguments)
    for item in found:
        show_notes(item.warnings(), console)
        print(item.page)
    return OK


def _write_sheet(sheet: Sheet, arguments: argparse.Namespace) -> None:
    """Write a table in every format that was asked for."""
    from codesign.report.html import render_sheet
    from codesign.report.sheet import latex, markdown

    for path, render in (
        (arguments.markdown, markdown),
        (arguments.html, render_sheet),
        (arguments.latex, latex),
    ):
        if path is not None:
            write_text(path, render(sheet))
            print(path)


def _kept(folders: Sequence[Path]) -> list[Path]:
    """Return the files that the stages and builds in build folders made: no output may take their place."""
    from codesign.flow.manifest import files_of

    return [path for folder in folders for path in files_of(folder)]


def _measure(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from codesign.flow.console import Terminal
    from codesign.flow.measure import measure
    from codesign.report.model import write_json
    from codesign.report.terminal import show

    check_outputs({"--json": arguments.json}, [*_kept([arguments.folder]), arguments.video])
    with Terminal().bar("measuring"):
        report = measure(
            arguments.folder,
            video=arguments.video,
            frames=arguments.frames,
            fit=arguments.fit,
            strict=arguments.strict,
        )
    show(report, Console(highlight=False))
    if arguments.json is not None:
        write_json(report, arguments.json)
        print(arguments.json)
    return FAILED if report.agreement.mismatches.total() else OK


def _stream(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from codesign.board.identity import open_graph
    from codesign.board.live import display, last_words
    from codesign.board.session import connect
    from codesign.board.stream import Stream, pictures
    from codesign.flow.measure import fit_of
    from codesign.report.model import write_json

    console = Console(highlight=False, soft_wrap=True)
    check_outputs({"--json": arguments.json}, [*_kept([arguments.folder]), Path(arguments.video)])
    source = pictures(
        open_graph(arguments.folder),
        arguments.video,
        arguments.frames,
        fit=arguments.fit or fit_of(arguments.folder),
        strict=arguments.strict,
    )
    with (
        connect(
            arguments.folder,
            arguments.port,
            baud=arguments.baud,
            check=arguments.check,
            reconnect_s=arguments.reconnect,
            notice=lambda text: console.print(text, markup=False),
        ) as board,
        display(console, board.graph.name) as show,
    ):
        summary = Stream(board, show).run(source, arguments.video)
    console.print(last_words(summary), markup=False)
    if arguments.json is not None:
        write_json(summary, arguments.json)
        print(arguments.json)
    return FAILED if summary.mismatches else OK


def _compare(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from codesign.flow.console import Terminal
    from codesign.report.document import check_marks, fill
    from codesign.study import Result, check_here, open_study, run_study
    from codesign.study.plot import plot
    from codesign.study.tables import markdown, parts_of, terminal

    study = open_study(arguments.files, arguments.seeds)
    outputs = {"--json": arguments.json, "--plot": arguments.plot, "--markdown": arguments.markdown}
    check_outputs(outputs, arguments.files)
    if arguments.markdown:
        check_marks(arguments.markdown, parts_of(study))
    check_folder(arguments.build_dir / study.name, "--build-dir")
    check_here(study)
    console, progress = Console(highlight=False), Terminal()
    root = (arguments.build_dir / study.name).resolve()
    command = "codesign compare " + " ".join(map(str, arguments.files))

    def tell(result: Result, count: int, total: int, cached: bool) -> None:
        how = "cached" if cached else f"{result.training_s:.0f} s"
        skipped = f"accuracy {100 * result.accuracy:.1f} %, {100 * result.operation_sparsity:.1f} % of MACs skipped"
        progress.text(f"[{count}/{total}] {result.variant}, seed {result.seed}: {skipped} ({how})")
        progress.advance(count / total, f"{count} of {total} trainings")

    with progress.bar(f"[{study.name}]"):
        results = run_study(study, root, command=command, jobs=arguments.jobs, progress=tell)
    console.print(terminal(results))
    if arguments.json:
        results.write(arguments.json)
    if arguments.plot:
        plot(results, arguments.plot)
    if arguments.markdown:
        fill(arguments.markdown, markdown(results))
    for failure in results.failures():
        console.print(failure, style="red", markup=False)
    return FAILED if results.failures() else OK


def _doctor(_: argparse.Namespace) -> int:
    from codesign import health
    from codesign.flow.console import Terminal
    from codesign.tools import doctor

    terminal = Terminal()
    with terminal.bar("trying the tools"):
        found = doctor()
    for tool, text in zip(found, health.paragraphs(found, min(terminal.console.width, 100)), strict=True):
        terminal.text(text, style="" if tool.ok else "red" if tool.required else "dim")
    return OK if all(tool.ok for tool in found if tool.required) else FAILED


if __name__ == "__main__":
    sys.exit(main())
