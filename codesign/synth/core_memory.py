# SPDX-License-Identifier: Apache-2.0
"""The memories of a core on a device: in block RAM, or sums and codes in UltraRAM where that is not enough.

Both are written before they are read. The others could be UltraRAM, too, but a lane's weights are too narrow for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from codesign.core.config import CoreConfig
from codesign.core.memory import built_bits
from codesign.core.timing import DDR, MemoryTiming, sdram_timing
from codesign.errors import SynthesisError
from codesign.synth.memory import Memory, Plan, plan
from codesign.synth.resources import ULTRA_WIDTH, ULTRA_WORDS, DeviceMemory
from codesign.synth.target import SDRAM_KIB, Target, load_target, target_names
from codesign.synth.toolchains.registry import TOOLCHAINS
from codesign.synth.toolchains.toolchain import clock_of

BANK_ROWS = 2048
"""Rows of a bank of codes, as ``core_codes`` has them; where there are UltraRAMs, as many as one of those has words."""
_BANK = "BankRows = "
_STYLES = {
    "core_words.sv": ("(* no_rw_check *) logic [Bits-1:0] sums[Low];", "Low * Bits", '"auto"'),
    "core_codes.sv": ('(* no_rw_check, ram_style = "block" *)', "Rows * Quantisers * CodeBits", '"block"'),
}
"""Where a module has a memory that may be UltraRAM, its bits, and its style otherwise."""


def core_memories(config: CoreConfig, bank_rows: int = BANK_ROWS) -> tuple[Memory, ...]:
    """Return the memories of a core; those that may be UltraRAM one by one, each of the others as a whole.

    bank_rows: rows of a bank of codes.
    """
    bits = built_bits(config)
    words = config.sum_words + config.cached_words
    low = 1 << words.bit_length() - 1
    slices = [*_parts(config.lanes * config.sum_bits, ULTRA_WIDTH)]
    row = config.quantisers * config.code_bits
    banks = [*_parts(config.code_rows, bank_rows)]
    return (
        *(_memory("sum_words", "state", low, width, f"g_slice[{at}].sums") for at, width in enumerate(slices)),
        *(_memory("sum_words", "high", words - low, width, f"g_slice[{at}].high") for at, width in enumerate(slices)),
        *(_memory("code_rows", "references", rows, row, f"g_bank[{at}].codes") for at, rows in enumerate(banks)),
        *(_memory(depth, depth, 1, bits[depth], depth) for depth in bits if depth not in ("sum_words", "code_rows")),
    )


def _parts(whole: int, most: int) -> Iterator[int]:
    """Yield the sizes of parts of ``most``, the last of which may be smaller."""
    yield from (min(most, whole - start) for start in range(0, whole, most))


def _memory(depth: str, kind: str, words: int, width: int, path: str) -> Memory:
    return Memory(layer=depth, kind=kind, words=words, width=width, path=path)


def core_plan(config: CoreConfig, capacity: DeviceMemory) -> Plan | None:
    """Return how the memories of a core fit a device, as `codesign.synth.memory.plan` does; None: they do not."""
    made = plan(core_memories(config), capacity)
    return made if made is not None and made.least_bits is None else plan(core_memories(config, ULTRA_WORDS), capacity)


def core_with_ultra(files: Mapping[str, str], least_bits: int | None) -> dict[str, str]:
    """Return the sources with slices of sums and banks of codes that have ``least_bits`` or more as UltraRAM."""
    changed = dict(files)
    if least_bits is None:
        return changed
    changed["core_codes.sv"] = _replaced(files, "core_codes.sv", f"{_BANK}{BANK_ROWS}", f"{_BANK}{ULTRA_WORDS}")
    for name, (memory, bits, style) in _STYLES.items():
        ultra = f'(* no_rw_check, ram_style = {bits} >= {least_bits} ? "ultra" : {style} *)'
        changed[name] = _replaced(changed, name, memory, f"{ultra}{memory[memory.index('*)') + 2 :]}")
    return changed


def _replaced(files: Mapping[str, str], name: str, old: str, new: str) -> str:
    """Return a source with a text, of which it has one, replaced."""
    if files[name].count(old) != 1:
        raise SynthesisError(f"one {old!r} was expected", where=name, received=f"{files[name].count(old)}")
    return files[name].replace(old, new)


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
