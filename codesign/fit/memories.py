# SPDX-License-Identifier: Apache-2.0
"""How Yosys maps the memories of a design to an ECP5: block RAMs, distributed RAM, or logic.

The rules are those of its pass ``memory_libmap`` with the ECP5's libraries: of every way to map a memory the cheapest,
where a block RAM costs 128, 16 x 4 bits of distributed RAM 4, a bit of a table in logic 1/16, and half for each bit of
a multiplexer behind parts of a memory that is deeper than one cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codesign.rtl.netlist import Instance
from codesign.synth.memory import LEAVES, WITHOUT_CONTENTS

BLOCK, DISTRIBUTED = 128.0, 4.0
ROM_BIT = 1 / 16
SHAPES = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
"""Widths and words of a block RAM (DP16KD, PDPW16KD)."""
BYTE = 9
"""Bits that are written together at least."""
LUTS = 6
"""Of 16 x 4 bits of distributed RAM."""
FORCED_WORDS, FORCED_WIDTH = 16, 8
"""Above both, the leaves ask for block RAM (``delta_state``; ``delta_accumulate`` above the words alone)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Cells of a memory."""

    blocks: int = 0
    distributed: int = 0


def in_blocks(words: int, width: int, *, rom: bool) -> tuple[int, float]:
    """Return the block RAMs of a memory, and what they cost."""
    found = []
    for bits, depth in SHAPES:
        byte = 1 if rom else min(BYTE, bits)
        parts = -(-words // depth)
        cells = -(-parts * -(-width // byte) * byte // bits)
        found.append((BLOCK * cells + _split(parts, width, rom=rom), cells))
    cost, cells = min(found)
    return cells, cost


def _split(parts: int, width: int, *, rom: bool) -> float:
    """Return the cost of what stands around the parts of a memory that is deeper than one cell."""
    return 0.5 * (parts - 1) * width + (0.0 if rom or parts == 1 else 0.5 * parts)


def in_distributed(words: int, width: int) -> tuple[int, float]:
    """Return the cells of 16 x 4 bits of a memory, and what they cost."""
    parts = -(-words // 16)
    cells = parts * -(-width // 4)
    return cells, DISTRIBUTED * cells + _split(parts, width, rom=False)


def is_block_rom(lines: int, width: int) -> bool:
    """Return whether a table becomes block RAM."""
    return in_blocks(lines, width, rom=True)[1] < int(lines * width * ROM_BIT)


def mapped(kind: str, path: str, words: int, width: int) -> Mapped:
    """Return the cells of a memory of `codesign.synth.memory`, by its kind and its path in the leaf."""
    if kind in ("weights", "biases", "steps", "tables"):
        return Mapped(blocks=in_blocks(words, width, rom=True)[0]) if is_block_rom(words, width) else Mapped()
    blocks, cost = in_blocks(words, width, rom=False)
    if kind in WITHOUT_CONTENTS and words > FORCED_WORDS and (width > FORCED_WIDTH or "i_sums" in path):
        return Mapped(blocks=blocks)
    cells, other = in_distributed(words, width)
    if cost < other:
        return Mapped(blocks=blocks)
    return Mapped(distributed=cells) if other < words * width else Mapped()


def memories_of(instance: Instance) -> Iterator[Mapped]:
    """Yield the cells of every memory of a leaf."""
    for kind, path, words, width in LEAVES[instance.leaf](instance.parameters):
        yield mapped(kind, path, words, width)


def block_rams(instance: Instance) -> int:
    """Return the block RAMs of a leaf."""
    return sum(item.blocks for item in memories_of(instance))


def distributed_luts(instance: Instance) -> int:
    """Return the look-up tables that the distributed RAM of a leaf takes."""
    return LUTS * sum(item.distributed for item in memories_of(instance))
