# SPDX-License-Identifier: Apache-2.0
"""The bitstream of a delta core for a board: one for every network that fits."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace

from codesign.core.config import CoreConfig
from codesign.core.memory import built_bits
from codesign.core.uart import UART_TOP, core_uart_files
from codesign.errors import ConfigError
from codesign.rtl.host.sdram import sdram_files
from codesign.synth.advice import capacity_problem, clock_problem
from codesign.synth.board_top import Memory
from codesign.synth.build import BoardBuilder
from codesign.synth.layers import LINK, PADS, REGISTERS, UART
from codesign.synth.order import BoardOrder, slower_clock
from codesign.synth.resources import Resources
from codesign.synth.sdram import chip_phase
from codesign.synth.target import SDRAM_KIB, core_of
from codesign.synth.toolchains.ecp5 import shifted_pll
from codesign.synth.toolchains.toolchain import clock_of
from codesign.synth.yosys import synthesise

NAME = UART_TOP.removesuffix("_uart")
PLL = "pll_cell.sv"
"""File that declares the device's PLL to slang, which knows no vendor's cells."""
UNITS = (
    *("load", "sequence", "marks", "fetch", "beats", "codes", "send", "gather", "queues", "place", "walk"),
    *("order", "outside", "lanes", "memory"),
)
"""What the cells of a core are counted by, beside the registers, the link and the board top."""
_PLL_OUTPUTS = ("CLKOP", "CLKOS", "CLKOUT", "PLLOUTGLOBAL", "LOCK")
_SMALLER = dict.fromkeys(("lut", "ff", "dsp"), "fewer lanes or quantisers in [core] of its file") | {
    "bram_bits": "smaller depths or widths in [core] of its file"
}
_CORE, _REGISTERS = "i_core", "i_registers"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreOrder(BoardOrder):
    """A core on a board, with the lanes, widths and depths of the board's file.

    Raises:
        ConfigError: the board has no core, no serial port on pins of its device, or not the memory of its core, or that
            is slower than the clock.
    """

    def __post_init__(self) -> None:
        BoardOrder.__post_init__(self)
        core_of(self.board)
        if self.toolchain is None or self.serial_baud is None:
            raise ConfigError(
                "a core is built with the open tools, for a board with a serial port",
                where="--target",
                received=self.board.name,
            )
        self._check_memory()
        if self.memory == "sdram":
            chip_phase(self.core_mhz)

    def _check_memory(self) -> None:
        """Check that the board has the memory that its core wants."""
        config, most = self.config, SDRAM_KIB
        if config.memory_bits and (self.board.sdram is None or config.memory_bits != 32 or config.memory_kib != most):
            raise ConfigError(
                "the board has no such memory for its core",
                where=f"{self.board.name}: core.memory_bits, core.memory_kib",
                expected="no memory" if self.board.sdram is None else f"32 and {most}, as its SDRAM has",
                received=f"{config.memory_bits} and {config.memory_kib}",
            )

    @property
    def memory(self) -> Memory:
        """What the core's AXI4 master sees."""
        return "sdram" if self.config.memory_bits else "absent"

    @property
    def name(self) -> str:
        """Name of the core's top."""
        return NAME

    @property
    def config(self) -> CoreConfig:
        """What the core is built with."""
        return core_of(self.board)

    def files(self) -> dict[str, str]:
        """Return every source: the core, the board top, the constraints."""
        assert self.toolchain is not None
        pll = clock_of(self.board, self.toolchain.limits, self.clock_mhz)
        instance = None if pll is None else shifted_pll(pll, 0) if self.memory == "sdram" else self.toolchain.pll(pll)
        cell = {} if instance is None else {PLL: black_box(instance)}
        sdram = sdram_files() if self.memory == "sdram" else {}
        return core_uart_files(self.config) | sdram | cell | self.board_files()


def black_box(instance: str) -> str:
    """Return a declaration of the PLL that a text has one instance of."""
    found = re.search(r"(\w+) #\((.*?)\n\s*\) \w+ \((.*?)\);", instance, re.DOTALL)
    assert found is not None, instance
    module, parameters, ports = found.groups()
    named = [f"parameter {name} = 0" for name in re.findall(r"\.(\w+)\(", parameters)]
    lines = [f"{'output' if name in _PLL_OUTPUTS else 'input'} wire {name}" for name in re.findall(r"\.(\w+)\(", ports)]
    head = "// SPDX-License-Identifier: Apache-2.0\n(* blackbox *)\n"
    return f"{head}module {module} #({', '.join(named)}) ({', '.join(lines)});\nendmodule\n"


@dataclass(frozen=True, slots=True)
class CoreOwners:
    """Finds the unit of a core that a cell belongs to (see `codesign.synth.layers.Owners`)."""

    rows: tuple[str, ...] = (*UNITS, REGISTERS, LINK, PADS)

    def of(self, cell: str) -> str:
        """Return the owner of the cell of this hierarchical name."""
        scope = [part.split("[")[0] for part in cell.split(".")]
        if _CORE in scope:
            inside = (part for part in scope[scope.index(_CORE) + 1 :] if part.startswith("i_"))
            below = [part.removeprefix("i_").split("_")[0] for part in inside]
            return next((unit for unit in below if unit in UNITS), "queues")
        if _REGISTERS in scope:
            return REGISTERS
        return LINK if UART in scope else PADS


@dataclass(slots=True, kw_only=True)
class CoreBuilder(BoardBuilder):
    """Builds a core (`CoreOrder`)."""

    @property
    def _config(self) -> CoreConfig:
        assert isinstance(self.order, CoreOrder)
        return self.order.config

    def _memories(self) -> None:
        start, capacity = time.monotonic(), self.order.board.capacity.memory.block_bits
        need = memory_bits(self._config)
        text = f"{need:,} of {capacity:,} bits of block RAM"
        if need > capacity:
            problem = f"does not fit {self.order.board.name}: {text}. Next step: smaller depths in [core] of its file."
            self.record = replace(self.record, problem=problem)
            return
        self.finished("memories", time.monotonic() - start, text)

    def _mapped(self) -> Resources:
        order = self.order
        return synthesise(order.files(), order.module, target=order.board.family, folder=self.folder, slang=True)

    def _capacity_problem(self) -> str | None:
        return capacity_problem(self.record, _SMALLER)

    def _clock_problem(self) -> str | None:
        fmax = self.record.fmax_mhz
        slower = None if self.record.met or fmax is None else slower_clock(self.order, fmax)
        return clock_problem(self.record, None, slower_mhz=slower)

    def _owners(self) -> CoreOwners:
        return CoreOwners()


def memory_bits(config: CoreConfig) -> int:
    """Return the bits of a core's memories; block RAMs hold fewer, as their shapes are given."""
    return sum(built_bits(config).values())
