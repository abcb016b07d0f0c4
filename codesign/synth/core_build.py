# SPDX-License-Identifier: Apache-2.0
"""The bitstream of a delta core for a board: one for every network that fits."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import Literal

from codesign.core.config import CoreConfig
from codesign.core.soc import SUM_BYTES, check_streams, core_soc_files
from codesign.core.uart import UART_TOP, core_uart_files
from codesign.errors import ConfigError
from codesign.rtl.host.sdram import sdram_files
from codesign.synth.advice import capacity_problem, clock_problem
from codesign.synth.board_top import Memory
from codesign.synth.build import BoardBuilder
from codesign.synth.core_memory import core_memories, core_plan, core_with_ultra
from codesign.synth.layers import LINK, PADS, REGISTERS, UART
from codesign.synth.order import BoardOrder, slower_clock
from codesign.synth.resources import Resources
from codesign.synth.sdram import chip_phase
from codesign.synth.target import SDRAM_KIB, core_of
from codesign.synth.toolchains import vivado as amd
from codesign.synth.toolchains.ecp5 import shifted_pll, two_clocks
from codesign.synth.vendor.pynq_core import core_overlay
from codesign.synth.vendor.vivado import WIDEST_DMA_BYTES, Project
from codesign.synth.yosys import synthesise

NAME = UART_TOP.removesuffix("_uart")
PLL = "pll_cell.sv"
"""File that declares the device's PLL to slang, which knows no vendor's cells."""
QUEUES = "queues"
"""What is in no other unit of the core, too."""
UNITS = (
    *("load", "sequence", "marks", "fetch", "beats", "codes", "send", "gather", QUEUES, "place", "walk"),
    *("order", "outside", "lanes", "memory"),
)
"""What the cells of a core are counted by, beside the registers, the link and the board top."""
_PLL_OUTPUTS = ("CLKOP", "CLKOS", "CLKOS2", "CLKOUT", "PLLOUTGLOBAL", "LOCK")
_SMALLER = dict.fromkeys(("lut", "ff", "dsp"), "fewer lanes or quantisers in [core] of its file") | {
    "bram_bits": "smaller depths or widths in [core] of its file"
}
_CORE, _REGISTERS = "i_core", "i_registers"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreOrder(BoardOrder):
    """A core on a board, with the lanes, widths and depths of the board's file.

    On a board with a processor it has AXI4-Streams and registers in place of a serial port, and its memory is a region
    of the processor's.

    Raises:
        ConfigError: the board has no core, or not the memory of its core, or that is slower than the clock; the core is
            too wide for its streams or their DMAs.
    """

    def __post_init__(self) -> None:
        BoardOrder.__post_init__(self)
        core_of(self.board)
        if self.board.top == "soc":
            check_streams(self.config)
            self._check_dma()
            return
        self._check_link()
        self._check_memory()
        if self.memory == "sdram":
            chip_phase(self.core_mhz if self.sdram_mhz is None else self.sdram_mhz)

    def _check_dma(self) -> None:
        """Check that a DMA carries a beat of the packets."""
        most = WIDEST_DMA_BYTES // SUM_BYTES
        if self.config.quantisers > most:
            raise ConfigError(
                "a beat of a packet is too wide for AXI DMA",
                where=f"{self.board.name}: core.quantisers",
                expected=f"at most {most}, sums of {SUM_BYTES} bytes",
                received=self.config.quantisers,
            )

    def _check_link(self) -> None:
        """Check that the buffer of the serial link takes beats of so many codes."""
        if self.config.quantisers < 2:
            raise ConfigError(
                "a serial link brings two codes or more at a time",
                where=f"{self.board.name}: core.quantisers",
                expected="at least 2",
                received=self.config.quantisers,
            )

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
        """What the core's AXI4 master sees in a board top."""
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
        """Return every source: the core, and the board top and the constraints of a board with a serial port."""
        if self.board.top == "soc":
            return core_soc_files(self.config)
        assert self.toolchain is not None
        several = shifted_pll if self.sdram_mhz is None else two_clocks
        pll = self.pll
        instance = None if pll is None else several(pll, 0) if self.memory == "sdram" else self.toolchain.pll(pll)
        cell = {} if instance is None else {PLL: black_box(instance)}
        sdram = sdram_files() if self.memory == "sdram" else {}
        return core_uart_files(self.config) | sdram | cell | self.board_files()

    def project(self, least_ultra_bits: int | None = None) -> Project:
        """Return Vivado's project."""
        return core_overlay(
            self.config,
            part=amd.part_of(self.board),
            clock_mhz=self.clock_mhz,
            skip=self.skip,
            least_ultra_bits=least_ultra_bits,
        )


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

    top: Literal["uart", "soc"] = "uart"

    @property
    def rows(self) -> tuple[str, ...]:
        """Every name that can own cells, in order."""
        return (*UNITS, REGISTERS, *((LINK, PADS) if self.top == "uart" else ()))

    def of(self, cell: str) -> str:
        """Return the owner of the cell of this hierarchical name."""
        scope = [part.split("[")[0] for part in cell.split(".")]
        if _CORE in scope:
            return next((unit for name in scope[scope.index(_CORE) + 1 :] if (unit := unit_of(name))), QUEUES)
        if self.top == "soc" or _REGISTERS in scope:
            return REGISTERS
        return LINK if UART in scope else PADS


def unit_of(instance: str) -> str | None:
    """Return the unit of a core that an instance is, by its name; None: it is none."""
    name = instance.split(".")[-1]  # below a generate block, as Vivado names it
    unit = name.removeprefix("i_").split("_")[0]
    return unit if name.startswith("i_") and unit in UNITS else None


@dataclass(slots=True, kw_only=True)
class CoreBuilder(BoardBuilder):
    """Builds a core (`CoreOrder`)."""

    @property
    def _config(self) -> CoreConfig:
        assert isinstance(self.order, CoreOrder)
        return self.order.config

    _least_ultra_bits: int | None = field(init=False, default=None)

    def _memories(self) -> None:
        start, capacity = time.monotonic(), self.order.board.capacity.memory
        plan = core_plan(self._config, capacity)
        if plan is None:
            text = f"{memory_bits(self._config):,} of {capacity.block_bits:,} bits of block RAM"
            if capacity.ultra_rams:
                text += f" and {capacity.ultra_rams} UltraRAMs, which sums and codes may take"
            problem = f"does not fit {self.order.board.name}: {text}. Next step: smaller depths in [core] of its file."
            self.record = replace(self.record, problem=problem)
            return
        text = f"{plan.block_bits:,} of {capacity.block_bits:,} bits of block RAM"
        if plan.least_bits is not None:
            self._least_ultra_bits = plan.least_bits
            self.record = replace(self.record, available=replace(self.record.available, bram_bits=capacity.bits))
            text += f", {plan.ultra_rams} of {capacity.ultra_rams} UltraRAMs"
        self.finished("memories", time.monotonic() - start, text)

    def _mapped(self) -> Resources:
        order = self.order
        files = core_with_ultra(order.files(), self._least_ultra_bits)
        skip = order.skip or order.board.top == "uart"  # the board top passes it to the core
        return synthesise(files, order.module, target=order.board.family, folder=self.folder, skip=skip, slang=True)

    def _project(self) -> Project:
        assert isinstance(self.order, CoreOrder)
        return self.order.project(self._least_ultra_bits)

    def _parts(self) -> amd.Parts:
        return amd.Parts(names=tuple(unit for unit in UNITS if unit != QUEUES), of=unit_of, rest=QUEUES)

    def _capacity_problem(self) -> str | None:
        return capacity_problem(self.record, _SMALLER)

    def _clock_problem(self) -> str | None:
        fmax = self.record.fmax_mhz
        slower = None if self.record.met or fmax is None else slower_clock(self.order, fmax)
        return clock_problem(self.record, None, slower_mhz=slower)

    def _owners(self) -> CoreOwners:
        return CoreOwners(top=self.order.board.top)


def memory_bits(config: CoreConfig) -> int:
    """Return the bits of a core's memories; block RAMs hold fewer, as their shapes are given."""
    return sum(memory.bits for memory in core_memories(config))
