# SPDX-License-Identifier: Apache-2.0
"""From what a user names, a build folder and a port, to an open `Board`, real or simulated."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.host.client import Board
from codesign.host.identity import open_graph
from codesign.paths import BuildFolder

if TYPE_CHECKING:
    from codesign.sim.board import SimulatedBoard, SimulatedCore

SIMULATED = "sim"
"""The port's name for a board that does not exist."""
SIMULATED_CORE = "sim-core"
"""The port's name for a core that does not exist, with the design in it."""


@contextlib.contextmanager
def connect(
    folder: Path,
    port: str,
    *,
    baud: int | None = None,
    check: bool = False,
    reconnect_s: float = 0.0,
    notice: Callable[[str], None],
) -> Iterator[Board]:
    """Open the board at ``port``; for a simulated one build and start its simulation, which ends with the context.

    Args:
        folder: build folder of the design.
        port: serial port, `SIMULATED`, or `SIMULATED_CORE`.
        baud: baud rate; None: that of the folder's bitstreams; a simulation has its own.
        check: as of `Board`.
        reconnect_s: as of `Board`.
        notice: called with a line about each event.

    Raises:
        StageError: the build folder has no finished graph.
        SimulationError: the simulation did not build, or the design broke an assertion.
        BoardError: see `Board`.
        ConfigError: see `Board`.
    """
    with contextlib.ExitStack() as stack:
        slowdown = 1.0
        if port in (SIMULATED, SIMULATED_CORE):
            notice("building the simulation of the whole board ...")
            simulated = stack.enter_context(_simulated(folder, port))
            port, baud, slowdown = simulated.port, simulated.baud, simulated.slowdown
        yield stack.enter_context(
            Board(
                port,
                folder,
                baud=baud,
                check=check,
                reconnect_s=reconnect_s,
                slowdown=slowdown,
                notice=notice,
            )
        )


def _simulated(folder: Path, port: str) -> SimulatedBoard | SimulatedCore:
    """Return the simulated board of a design, or a core that holds it."""
    from codesign.core import compile_graph
    from codesign.core.work import most_cycles
    from codesign.host.loading import load_network
    from codesign.sim import board

    graph, cache = open_graph(folder), folder / BuildFolder.CACHE / "board"
    if port == SIMULATED:
        return board.SimulatedBoard(graph, cache)
    patience = most_cycles(compile_graph(graph, board.CORE))
    core = board.SimulatedCore(board.CORE, cache, patience=patience)
    try:
        load_network(core.port, graph, baud=core.baud, slowdown=core.slowdown)
    except BaseException:
        core.close()
        raise
    return core
