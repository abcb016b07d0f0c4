# SPDX-License-Identifier: Apache-2.0
"""What is to be built on a board: which sources, at which clock and baud rate, from which seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor

from codesign.errors import ConfigError
from codesign.graph.ir import Graph
from codesign.rtl.soc import emit_soc
from codesign.rtl.uart import emit_uart
from codesign.synth.board_top import Memory, board_top_module, board_top_text
from codesign.synth.pll import Pll
from codesign.synth.serial import check_baud
from codesign.synth.target import Target, check_clock
from codesign.synth.toolchains.registry import TOOLCHAINS
from codesign.synth.toolchains.toolchain import CONSTRAINTS, Toolchain, clock_of, ports, sdram_ports

_LAST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardOrder:
    """What is to be built on a board: a design (`Order`), or a core.

    Attributes:
        board: where it is to run.
        clock_mhz: clock frequency of the core; the PLL makes the nearest that it can.
        seed: seed of the placer.
        attempts: seeds that may be tried, from this one on (see `codesign.synth.nextpnr.route`).
        skip: False: the dense baseline.
        baud: baud rate of the serial port; None: the board's.

    Raises:
        ConfigError: no such clock, seed or baud rate on this board.
    """

    board: Target
    clock_mhz: float
    seed: int = 1
    attempts: int = 1
    skip: bool = True
    baud: int | None = None

    def __post_init__(self) -> None:
        check_clock(self.clock_mhz)
        if not 0 <= self.seed <= _LAST_SEED:
            raise ConfigError(
                "no such seed", where="--seed", expected=f"0 to {_LAST_SEED}", received=self.seed, fix="such as 1"
            )
        if self.baud is not None and self.board.uart is None:
            raise ConfigError(
                "this board has no serial port on pins of its device",
                where="--baud",
                expected="a board with a uart in its file",
                received=self.board.name,
                fix="leave --baud out",
            )
        core_mhz = self.core_mhz
        if self.serial_baud is not None:
            check_baud(self.serial_baud, core_mhz)

    @property
    def serial_baud(self) -> int | None:
        """Baud rate that is built; None where there is no serial port on pins."""
        uart = self.board.uart
        return None if uart is None else uart.baud if self.baud is None else self.baud

    @property
    def toolchain(self) -> Toolchain | None:
        """The tools that make a bitstream here, None if there are none."""
        return TOOLCHAINS.get(self.board.toolchain)

    @property
    def core_mhz(self) -> float:
        """Clock that the PLL makes."""
        return self.clock_mhz if self.pll is None else self.pll.output_mhz

    @property
    def pll(self) -> Pll | None:
        """Setting of the PLL; None if there is none, or the tools choose it."""
        if self.toolchain is None:
            return None
        sdram = self.board.sdram if self.memory == "sdram" else None
        return clock_of(self.board, self.toolchain.limits, self.clock_mhz, sdram.mhz if sdram else None)

    @property
    def sdram_mhz(self) -> float | None:
        """Clock that the PLL makes for an SDRAM beside the core's; None: it has the core's, or there is none."""
        return None if self.pll is None else self.pll.second_mhz

    @property
    def name(self) -> str:
        """Name of what is built, without ``_uart``."""
        raise NotImplementedError

    @property
    def memory(self) -> Memory:
        """What the AXI4 master of the top sees; None where it has none."""
        return None

    @property
    def module(self) -> str:
        """Name of the outermost module."""
        return board_top_module(self.name, self.board) if self.board.top == "uart" else f"{self.name}_soc"

    def files(self) -> dict[str, str]:
        """Return every source, pure text."""
        raise NotImplementedError

    def board_files(self) -> dict[str, str]:
        """Return the board top and the constraints of the board."""
        assert self.toolchain is not None
        assert self.serial_baud is not None
        top = board_top_text(
            self.name,
            self.board,
            self.toolchain,
            core_mhz=self.clock_mhz,
            baud=self.serial_baud,
            skip=self.skip,
            memory=self.memory,
            sdram_mhz=self.board.sdram.mhz if self.board.sdram and self.memory == "sdram" else None,
        )
        pins = ports(self.board) | (sdram_ports(self.board) if self.memory == "sdram" else {})
        constraints = self.toolchain.constraints(self.board, pins)
        return {f"{self.module}.sv": top, f"{CONSTRAINTS}.{self.toolchain.suffix}": constraints}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(BoardOrder):
    """A design on a board.

    Attributes:
        graph: the design.
    """

    graph: Graph

    @property
    def name(self) -> str:
        """Name of the design."""
        return self.graph.name

    def files(self) -> dict[str, str]:
        """Return every source, pure text: the design, and the board top and constraints of the board."""
        if self.toolchain is None or self.serial_baud is None:
            return emit_soc(self.graph)
        return emit_uart(self.graph) | self.board_files()


def slower_clock(order: BoardOrder, fmax_mhz: float) -> float | None:
    """Return the fastest clock [MHz] to ask for that the board can make and a design of this Fmax meets; None: none.

    Whole numbers and the oscillator's own clock are tried; what counts is the clock that the PLL makes of one.
    """
    oscillator = order.board.clock.oscillator_mhz
    wanted = {float(mhz) for mhz in range(1, floor(fmax_mhz) + 1)} | ({oscillator} if oscillator else set())
    made = ((mhz, _made(order, mhz)) for mhz in sorted(wanted, reverse=True))
    return next((mhz for mhz, core_mhz in made if core_mhz is not None and core_mhz <= fmax_mhz), None)


def _made(order: BoardOrder, clock_mhz: float) -> float | None:
    """Return the core clock that the board makes of one asked for; None if PLL or serial port cannot have it."""
    try:
        return replace(order, clock_mhz=clock_mhz).core_mhz
    except ConfigError:
        return None
