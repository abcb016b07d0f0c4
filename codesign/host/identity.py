# SPDX-License-Identifier: Apache-2.0
"""What a build folder records about a board: which design it holds, and how fast its line is.

A design is a number that the RTL's text decides, so that two builds of one design agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from codesign.errors import CodesignError, ConfigError, DesignMismatchError
from codesign.flow.manifest import check_unedited
from codesign.graph.file import load_graph
from codesign.graph.ir import Graph
from codesign.paths import BuildFolder
from codesign.rtl.identity import design_id
from codesign.rtl.project import emit
from codesign.stored import DAMAGED, read_text
from codesign.synth.record import BUILD
from codesign.trust import check_no_links

BAUD = 1_000_000
"""Default baud rate when no ``build.json`` gives another."""
CORE = "core_"
"""Begins the name of the folder of a core's bitstream."""


def open_graph(folder: Path) -> Graph:
    """Return the graph of a build folder.

    Raises:
        StageError: there is none that is finished, or it was edited.
    """
    check_no_links(folder)
    check_unedited(folder / BuildFolder.GRAPH)
    return load_graph(folder / BuildFolder.GRAPH)


def check_design(graph: Graph, found: int, *, port: str, folder: Path | None) -> None:
    """Check that a board with design id ``found`` holds ``graph``.

    Args:
        graph: graph that it should hold.
        found: what the board reports.
        port: port of the board.
        folder: build folder of ``graph``, whose neighbours are searched for the design on the board.

    Raises:
        DesignMismatchError: it does not; names both designs as far as they are known.
    """
    expected = design_id(emit(graph))
    if found == expected:
        return
    other = neighbor(found, folder, lambda graph: design_id(emit(graph))) if folder else None
    name = f"design {other.name}" if other else "a design that is not beside it"
    raise DesignMismatchError(
        "the board holds another design",
        where=port,
        expected=f"{graph.name}, id {expected:08x}",
        received=f"{name}, id {found:08x}",
        fix=f"load the bitstream of {folder or graph.name}" + (f", or stream {other}" if other else ""),
    )


def built_baud(folder: Path, graph: Graph) -> int:
    """Return the baud rate of the bitstreams in a build folder: those of ``graph``, or else any, or else of a core's.

    Raises:
        ConfigError: they were built for several rates, or a ``build.json`` cannot be read.
    """
    builds = {path.parent.name: _record(path) for path in sorted(folder.glob(f"{BuildFolder.BOARDS}/*/{BUILD}"))}
    serial = {name: record for name, record in builds.items() if record["bitstream"] and record["baud"]}
    if not serial:
        return _core_baud(folder)
    ours = f"{design_id(emit(graph)):08x}"
    current = {name: record for name, record in serial.items() if record["design_id"] == ours} or serial
    return _one_rate(current, folder / BuildFolder.BOARDS)


def _core_baud(folder: Path) -> int:
    builds = {path.parent.name: _record(path) for path in sorted(folder.resolve().parent.glob(f"{CORE}*/{BUILD}"))}
    return _one_rate({name: record for name, record in builds.items() if record["bitstream"]}, folder.parent)


def _one_rate(builds: Mapping[str, Mapping[str, object]], where: Path) -> int:
    rates = {name: int(str(record["baud"])) for name, record in builds.items() if record["baud"]}
    if len(set(rates.values())) > 1:
        raise ConfigError(
            "the bitstreams were built for several baud rates",
            where=str(where),
            expected="--baud, to choose one",
            received=", ".join(f"{name} {rate}" for name, rate in rates.items()),
        )
    return next(iter(rates.values()), BAUD)


def _record(path: Path) -> dict[str, object]:
    """Return what matters of a ``build.json``; one from before there was a choice has no ``baud``."""
    try:
        found = json.loads(read_text(path))
        record = {"bitstream": found["bitstream"], "design_id": found["design_id"], "baud": None}
        if found["top"] == "uart":
            record["baud"] = found.get("baud", BAUD)
        int(record["baud"] or 0)
    except DAMAGED as error:
        raise ConfigError(
            f"cannot be read ({error!r})", where=str(path), fix="run `codesign build` again, or give --baud"
        ) from None
    return record


def neighbor(found: int, folder: Path, id_of: Callable[[Graph], int]) -> Path | None:
    """Return the build folder beside ``folder`` whose design has the id ``found``; None: there is none."""
    builds = (graph.parent for graph in sorted(folder.resolve().parent.glob(f"*/{BuildFolder.GRAPH}")))
    return next((build for build in builds if _id_of(build, id_of) == found), None)


def _id_of(build: Path, id_of: Callable[[Graph], int]) -> int | None:
    """Return the design id of a build folder; None if it is not finished, of another version, or has none."""
    try:
        return id_of(load_graph(build / BuildFolder.GRAPH))
    except (CodesignError, *DAMAGED):
        return None
