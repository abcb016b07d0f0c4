# SPDX-License-Identifier: Apache-2.0
"""`codesign compare`: variants over several seeds."""

from __future__ import annotations

import argparse

from rich.console import Console

from codesign.endings import FAILED, OK
from codesign.executor import Workers
from codesign.flow.console import Terminal
from codesign.outputs import check_folder, check_outputs
from codesign.provenance import cores
from codesign.report.document import check_marks, fill, marked
from codesign.study import Result, check_here, open_study, run_study
from codesign.study.plot import plot
from codesign.study.tables import OPTIONAL, markdown, parts_of, terminal


def command(arguments: argparse.Namespace) -> int:
    """Train variants over several seeds, compare them, and write the tables."""
    study = open_study(arguments.files, arguments.seeds, model=arguments.model, clips=arguments.clips)
    outputs = {"--json": arguments.json, "--plot": arguments.plot, "--markdown": arguments.markdown}
    check_outputs(outputs, arguments.files)
    if arguments.markdown:
        marks = marked(arguments.markdown, (f"{name} of {study.name}" for name in OPTIONAL))
        needed = [f"{name} of {study.name}" for name in parts_of(study) if name not in OPTIONAL]
        check_marks(arguments.markdown, needed)
    check_folder(arguments.build_dir / study.name, "--build-dir")
    check_here(study)
    console, progress = Console(highlight=False), Terminal()
    root = (arguments.build_dir / study.name).resolve()
    given = {"--model": arguments.model, "--clips": arguments.clips}
    paths = [f" {option} {path.name}" for option, path in given.items() if path is not None]
    line = "codesign compare " + " ".join(map(str, arguments.files)) + "".join(paths)

    def show(result: Result, count: int, total: int, cached: bool) -> None:
        how = "cached" if cached else f"{result.training_s:.0f} s"
        skipped = f"accuracy {100 * result.accuracy:.1f} %, {100 * result.operation_sparsity:.1f} % of MACs skipped"
        progress.text(f"[{count}/{total}] {result.variant}, seed {result.seed}: {skipped} ({how})")
        progress.advance(count / total, f"{count} of {total} trainings")

    with progress.bar(f"[{study.name}]"):
        workers = Workers(jobs=arguments.jobs or cores(), dask=arguments.dask)
        results = run_study(study, root, command=line, workers=workers, progress=show, trained=arguments.trained)
    console.print(terminal(results))
    if arguments.json:
        results.write(arguments.json)
    if arguments.plot:
        plot(results, arguments.plot)
    if arguments.markdown:
        parts = {f"{name} of {study.name}": part for name, part in markdown(results).items()}
        fill(arguments.markdown, {name: parts[name] for name in (*needed, *marks) if name in parts})
    for failure in results.failures():
        console.print(failure, style="red", markup=False)
    return FAILED if results.failures() else OK
