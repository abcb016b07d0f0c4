# SPDX-License-Identifier: Apache-2.0
"""`codesign search`: from clips and a board to the best designs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console

from codesign.endings import FAILED, OK
from codesign.errors import ConfigError
from codesign.executor import Workers
from codesign.flow.console import Terminal
from codesign.flow.steps import SIMULATES
from codesign.flow.validate import check_machine
from codesign.outputs import check_folder, write_text
from codesign.provenance import cores
from codesign.records import plain
from codesign.search.best import COMPARED, Checked, check_best, design_text
from codesign.search.config import load_search, with_budget
from codesign.search.live import Progress, checked_table, table
from codesign.search.page import page
from codesign.search.run import Found, importances, known, run_search
from codesign.search.space import meant
from codesign.tools import require

PAGE = "search.html"
RESULTS = "search.json"


def command(arguments: argparse.Namespace) -> int:
    """Search, bring the best designs through the flow, and write the page."""
    search = with_budget(load_search(arguments.search), arguments.trials, arguments.minutes)
    root = (arguments.build_dir / search.section.name).resolve()
    if arguments.design is not None:
        print(_design(known(search, root), arguments.design, root), end="")
        return OK
    check_folder(root, "--build-dir")
    check_machine(search.space.design({}, search.section.name), deploys=False)
    for program in SIMULATES if search.section.best else ():
        require(program)
    terminal, console = Terminal(), Console(highlight=False)
    workers = Workers(jobs=arguments.jobs or cores(), dask=arguments.dask)
    progress = Progress(terminal)
    with progress.shown():
        found = run_search(search, root, workers=workers, show=progress.show)
    console.print(table(found))
    found.importances = importances(search, root)
    line = f"codesign search {arguments.search}"
    _write(found, [], root, line)  # the flow of the best takes minutes
    checked = check_best(found, root, terminal)
    _write(found, checked, root, line)
    if checked:
        console.print(checked_table(checked, COMPARED))
    if found.exhausted:
        console.print(f"no further design was found in the space after {len(found.tried)} trials", markup=False)
    for said in found.unmet():
        console.print(said, style="red", markup=False)
    console.print(str(root / PAGE), markup=False)
    return FAILED if found.unmet() else OK


def _write(found: Found, checked: list[Checked], root: Path, line: str) -> None:
    """Write the page, and the same as JSON."""
    write_text(root / PAGE, page(found, checked, line))
    figures = {
        "search": found.search.section.name,
        "command": line,
        "seed": found.search.section.seed,
        "minutes": found.seconds / 60,
        "trials": [
            {"number": item.number, "choice": {key: meant(value) for key, value in item.choice.items()}}
            | {"outcome": plain(item.outcome)}
            for item in found.tried
        ],
        "front": [item.number for item in found.front()],
        "hand_made": plain(found.hand_made),
        "best": plain(checked),
    }
    write_text(root / RESULTS, json.dumps(figures, indent=1, allow_nan=False) + "\n")


def _design(found: Found, number: int, root: Path) -> str:
    for item in found.tried:
        if item.number == number:
            return design_text(found, item)
    numbers = [item.number for item in found.tried]
    raise ConfigError(
        "there is no such trial",
        where="--design",
        expected=f"one of the {len(numbers)} in {root}, 0 to {max(numbers)}" if numbers else f"trials in {root}",
        received=number,
        fix="see search.html" if numbers else "search first",
    )
