# SPDX-License-Identifier: Apache-2.0
"""From what a user names, a build folder and a port, to an open `Board`, real or simulated."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from codesign.host.client import Board
from codesign.host.identity import open_graph
from codesign.paths import BuildFolder

SIMULATED = "sim"
"""The port's name for a board that does not exist."""


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
    """Open the board at ``port``; for `SIMULATED` build and start its simulation, which ends with the context.

    Args:
        folder: build folder of the design.
        port: serial port, or `SIMULATED`.
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
        if port == SIMULATED:
            from codesign.sim.board import SimulatedBoard

            notice("building the simulation of the whole board ...")
            simulated = stack.enter_context(SimulatedBoard(open_graph(folder), folder / BuildFolder.CACHE / "board"))
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
