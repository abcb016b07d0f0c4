# SPDX-License-Identifier: Apache-2.0
"""`codesign compare`: variants over several seeds."""

from __future__ import annotations

import argparse

from rich.console import Console

from codesign.endings import FAILED, OK
from codesign.flow.console import Terminal
from codesign.outputs import check_folder, check_outputs
from codesign.report.document import check_marks, fill
from codesign.study import Result, check_here, open_study, run_study
from codesign.study.plot import plot
from codesign.study.tables import markdown, parts_of, terminal


def command(arguments: argparse.Namespace) -> int:
    """Train variants over several seeds, compare them, and write the tables."""
    study = open_study(arguments.files, arguments.seeds)
    outputs = {"--json": arguments.json, "--plot": arguments.plot, "--markdown": arguments.markdown}
    check_outputs(outputs, arguments.files)
    if arguments.markdown:
        check_marks(arguments.markdown, parts_of(study))
    check_folder(arguments.build_dir / study.name, "--build-dir")
    check_here(study)
    console, progress = Console(highlight=False), Terminal()
    root = (arguments.build_dir / study.name).resolve()
    line = "codesign compare " + " ".join(map(str, arguments.files))

    def show(result: Result, count: int, total: int, cached: bool) -> None:
        how = "cached" if cached else f"{result.training_s:.0f} s"
        skipped = f"accuracy {100 * result.accuracy:.1f} %, {100 * result.operation_sparsity:.1f} % of MACs skipped"
        progress.text(f"[{count}/{total}] {result.variant}, seed {result.seed}: {skipped} ({how})")
        progress.advance(count / total, f"{count} of {total} trainings")

    with progress.bar(f"[{study.name}]"):
        results = run_study(study, root, command=line, jobs=arguments.jobs, progress=show)
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
