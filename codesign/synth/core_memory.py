# SPDX-License-Identifier: Apache-2.0
"""The memories of a core on a device: in block RAM, or sums and codes in UltraRAM where that is not enough.

Both are written before they are read. The others could be UltraRAM, too, but a lane's weights are too narrow for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from codesign.core.config import CoreConfig
from codesign.core.memory import built_bits
from codesign.core.timing import DDR, MemoryTiming, sdram_timing
from codesign.errors import SynthesisError
from codesign.synth.memory import Memory, Plan, plan
from codesign.synth.resources import DeviceMemory
from codesign.synth.target import SDRAM_KIB, Target, load_target, target_names
from codesign.synth.toolchains.registry import TOOLCHAINS
from codesign.synth.toolchains.toolchain import clock_of

BANK_ROWS = 2048
"""Rows of a bank of codes, as ``core_codes`` has them."""
_STYLES = {
    "core_lane.sv": ("(* no_rw_check *) logic [SumBits-1:0] sums[Low];", "Low * SumBits", '"auto"'),
    "core_codes.sv": ('(* no_rw_check, ram_style = "block" *)', "Rows * Quantisers * CodeBits", '"block"'),
}
"""Where a module has a memory that may be UltraRAM, its bits, and its style otherwise."""


def core_memories(config: CoreConfig) -> tuple[Memory, ...]:
    """Return the memories of a core; those that may be UltraRAM one by one, each of the others as a whole."""
    bits = built_bits(config)
    words = config.sum_words + config.cached_words
    low = 1 << words.bit_length() - 1
    row = config.quantisers * config.code_bits
    banks = [min(BANK_ROWS, config.code_rows - start) for start in range(0, config.code_rows, BANK_ROWS)]
    lanes = range(config.lanes)
    return (
        *(_memory("sum_words", "state", low, config.sum_bits, f"i_lane[{lane}].sums") for lane in lanes),
        *(_memory("sum_words", "high", words - low, config.sum_bits, f"i_lane[{lane}].high") for lane in lanes),
        *(_memory("code_rows", "references", rows, row, f"i_codes[{at}].codes") for at, rows in enumerate(banks)),
        *(_memory(depth, depth, 1, bits[depth], depth) for depth in bits if depth not in ("sum_words", "code_rows")),
    )


def _memory(depth: str, kind: str, words: int, width: int, path: str) -> Memory:
    return Memory(layer=depth, kind=kind, words=words, width=width, path=path)


def core_plan(config: CoreConfig, capacity: DeviceMemory) -> Plan | None:
    """Return how the memories of a core fit a device, as `codesign.synth.memory.plan` does; None: they do not."""
    return plan(core_memories(config), capacity)


def core_with_ultra(files: Mapping[str, str], least_bits: int | None) -> dict[str, str]:
    """Return the sources with the sums of a lane and banks of codes that have ``least_bits`` or more as UltraRAM."""
    changed = dict(files)
    for name, (memory, bits, style) in _STYLES.items() if least_bits is not None else ():
        before = changed[name]
        if before.count(memory) != 1:
            raise SynthesisError("one memory was expected", where=name, received=f"{before.count(memory)}")
        ultra = f'(* no_rw_check, ram_style = {bits} >= {least_bits} ? "ultra" : {style} *)'
        changed[name] = before.replace(memory, f"{ultra}{memory[memory.index('*)') + 2 :]}")
    return changed


def boards_for(config: CoreConfig) -> tuple[Target, ...]:
    """Return the known boards whose memory holds a core, and that have its external memory if it needs one, from the
    smallest on; cells are not looked at.

    Boards whose device has processors (those of Vivado) have a DDR memory on an AXI port.
    """
    known = (load_target(name) for name in target_names())
    boards = [board for board in known if core_plan(config, board.capacity.memory) is not None]
    if config.memory_bits:
        boards = [board for board in boards if board.toolchain == "vivado" or _has_sdram(board, config)]
    return tuple(sorted(boards, key=lambda board: (board.capacity.memory.bits, board.capacity.lut)))


def sdram_clock(board: Target, core_mhz: float) -> float | None:
    """Return the clock [MHz] that the PLL makes for a board's SDRAM beside that of a core; None: the SDRAM has the
    core's, or there is none.

    Raises:
        ConfigError: the PLL cannot make them.
    """
    if board.sdram is None or board.sdram.mhz is None:
        return None
    pll = clock_of(board, TOOLCHAINS[board.toolchain].limits, core_mhz, board.sdram.mhz)
    return None if pll is None else pll.second_mhz


def memory_timing(board: Target, core_mhz: float) -> MemoryTiming:
    """Return when the external memory of a board's core answers at a clock of the core.

    Raises:
        ConfigError: the PLL cannot make the clocks.
    """
    return DDR if board.sdram is None else sdram_timing(core_mhz, sdram_clock(board, core_mhz))


def _has_sdram(board: Target, config: CoreConfig) -> bool:
    return board.sdram is not None and config.memory_bits == 32 and config.memory_kib <= SDRAM_KIB
