# SPDX-License-Identifier: Apache-2.0
"""Which design a board holds: a number that the RTL's text decides, so that two builds of one design agree."""

from __future__ import annotations

import hashlib
from pathlib import Path

from codesign.errors import CodesignError, DesignMismatchError
from codesign.flow.graph_file import load_graph
from codesign.graph.ir import Graph
from codesign.rtl import emit

GRAPH = "2_graph"


def design_id(graph: Graph) -> int:
    """Return the first 32 bits of the SHA-256 of the RTL project of ``graph``: its paths, sorted, and texts."""
    files = emit(graph)
    text = "".join(f"{path}\0{files[path]}" for path in sorted(files))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def check_design(graph: Graph, found: int, *, port: str, folder: Path | None) -> None:
    """Check that a board with design id ``found`` holds ``graph``.

    Args:
        graph: what it should hold.
        found: what the board says.
        port: of the board.
        folder: build folder of ``graph``, whose neighbours are searched for the design on the board.

    Raises:
        DesignMismatchError: it does not; names both designs as far as they are known.
    """
    expected = design_id(graph)
    if found == expected:
        return
    other = _neighbour(found, folder) if folder else None
    name = f"design {other.name}" if other else "a design that is not beside it"
    raise DesignMismatchError(
        "the board holds another design",
        where=port,
        expected=f"{graph.name}, id {expected:08x}",
        received=f"{name}, id {found:08x}",
        fix=f"load the bitstream of {folder or graph.name}" + (f", or stream {other}" if other else ""),
    )


def _neighbour(found: int, folder: Path) -> Path | None:
    """Return the build folder beside ``folder`` whose design has the id ``found``."""
    builds = (graph.parent for graph in sorted(folder.resolve().parent.glob(f"*/{GRAPH}")))
    return next((build for build in builds if _id_of(build) == found), None)


def _id_of(build: Path) -> int | None:
    """Return the design id of a build folder; None if it is not finished or of another version."""
    try:
        return design_id(load_graph(build / GRAPH))
    except (CodesignError, OSError, KeyError, ValueError):
        return None
