# SPDX-License-Identifier: Apache-2.0
"""`SimulatedBoard` and `SimulatedCore`: the Verilated RTL of a whole board on a serial port for any program."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TypeVar

from codesign.core.config import CoreConfig
from codesign.core.uart import UART_TOP, core_uart_files
from codesign.errors import SimulationError
from codesign.graph.cycles import most_cycles
from codesign.graph.ir import Graph
from codesign.rtl.uart import emit_uart
from codesign.sim.line import SimulatedLine, Wire, perfect
from codesign.sim.uart import UartModel

BAUD = 1_000_000
CORE = CoreConfig()
"""The core that is simulated where no other is asked for."""
_SAFETY = 3.0
"""How much slower the simulation may become, when the computer has other things to do, before the client repeats."""

S = TypeVar("S", bound="_Simulated")


class _Simulated:
    """A board top, simulated cycle by cycle in a thread of this process, as a serial port.

    Simulated time stands still while nothing is under way. Faults of the line are for tests: ``to_board`` and
    ``to_host`` may be replaced at any time, see `codesign.sim.line`.

    Args:
        model: the board, which ends with this.
        to_board, to_host: the line, both ways.

    Attributes:
        port: name of the port to open.
        baud: baud rate of the line, in simulated time.
        slowdown: real time over simulated time, measured at the start.
    """

    def __init__(self, model: UartModel, *, to_board: Wire, to_host: Wire) -> None:
        self._model = model
        self.baud = BAUD
        self.slowdown = max(1.0, _SAFETY * self._model.clock_hz / self._model.cycles_per_second())
        self.line = SimulatedLine(self._model, to_board=to_board, to_host=to_host)
        self.port = self.line.port

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def power_cycle(self) -> None:
        """Reset the whole board, as its button does. For a `Wire` of the line: no other thread may use the model."""
        self._model.power_cycle()

    def close(self) -> None:
        """End the simulation; the port disappears.

        Raises:
            SimulationError: the design had stopped the simulation, which is why its port was lost.
        """
        self.line.close()
        self._model.close()
        if self.line.failure is not None:
            raise SimulationError(f"the simulated board stopped: {self.line.failure}") from self.line.failure


class SimulatedBoard(_Simulated):
    """The board top of a graph as a serial port, see `codesign.host.Board` for what it answers.

    Args:
        graph: graph of the design.
        folder: cache folder for builds.
        to_board, to_host: faults of the line, for tests; they may be replaced at any time (`codesign.sim.line`).
        seed: seed of what the design leaves uninitialised.

    Attributes:
        port: name of the port to open.
        baud: baud rate of the line, in simulated time.
        slowdown: real time over simulated time, measured at the start.

    Raises:
        ToolNotFoundError: Verilator, g++, make or perl is missing.
        SimulationError: the build failed.
    """

    def __init__(
        self, graph: Graph, folder: Path, *, to_board: Wire = perfect, to_host: Wire = perfect, seed: int = 1
    ) -> None:
        model = UartModel(
            emit_uart(graph), f"{graph.name}_uart", folder, baud=BAUD, patience=most_cycles(graph), seed=seed
        )
        super().__init__(model, to_board=to_board, to_host=to_host)


class SimulatedCore(_Simulated):
    """A core with a serial port, without a network; one build for all networks.

    Args:
        config: lanes, widths and depths.
        folder: cache folder for builds.
        patience: cycles that it may take for a frame (`codesign.core.work.most_cycles`).
        to_board, to_host, seed: as of `SimulatedBoard`, attributes and errors, too.
    """

    def __init__(
        self,
        config: CoreConfig,
        folder: Path,
        *,
        patience: int = 1_000_000,
        to_board: Wire = perfect,
        to_host: Wire = perfect,
        seed: int = 1,
    ) -> None:
        model = UartModel(core_uart_files(config), UART_TOP, folder, baud=BAUD, patience=patience, seed=seed)
        super().__init__(model, to_board=to_board, to_host=to_host)
