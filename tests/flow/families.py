# SPDX-License-Identifier: Apache-2.0
"""Commands that start a family of processes, for the tests that end them: ``families.py KIND FOLDER``."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from codesign import cli, tools
from codesign.commands import doctor


def tool(folder: Path, name: str) -> None:
    """Run a program that has a child, and say where it is."""
    script = f"sleep 611 & echo $$ > {name}.part; mv {name}.part {name}.pid; sleep 612"
    tools.run(["sh", "-c", script], folder, folder / f"{name}.log", 600)


def in_place(root: Path, place: str) -> None:
    tool(root, place)


def works_alone(job: object) -> None:
    tool(job.cache.parents[1], "stage")  # type: ignore[attr-defined]


def works_beside(job: object) -> None:
    tool(job.cache.parents[1], "beside")  # type: ignore[attr-defined]


def as_run(folder: Path) -> None:
    """As `codesign run`: a stage in this process, another beside it, each with a program."""
    from codesign.flow.config import Design, DesignSection
    from codesign.flow.console import Terminal
    from codesign.flow.runner import Options, Runner
    from codesign.flow.stage import Stage

    stages = (
        Stage(name="1_alone", body="families:works_alone"),
        Stage(name="2_beside", body="families:works_beside", beside=True),
    )
    design = Design(design=DesignSection(name="fake"))
    Runner(design=design, stages=stages, root=folder / "root", options=Options(), terminal=Terminal()).run()


def as_compare(folder: Path) -> None:
    """As `codesign compare`: two workers, each with a program."""
    families = import_module("families")  # as workers import it

    from codesign.executor import Workers, executor

    with executor(Workers(jobs=2), folder, families.in_place) as running:
        list(running.unordered(families.in_place, [(name, ()) for name in ("first", "second", "third")]))


def main(kind: str, folder: Path) -> int:
    """Run it as a command would."""

    def command(_: object) -> int:
        (as_run if kind == "run" else as_compare)(folder)
        return 0

    doctor.command = command
    return cli.main(["doctor"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
