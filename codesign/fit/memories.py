# SPDX-License-Identifier: Apache-2.0
"""How Yosys maps the memories of a design to an ECP5: block RAMs, distributed RAM, or logic.

The rules are those of its pass ``memory_libmap`` with the ECP5's libraries: of every way to map a memory the cheapest,
where a block RAM costs 128, 16 x 4 bits of distributed RAM 4, a bit of a table in logic 1/16, and half for each bit of
a multiplexer behind parts of a memory that is deeper than one cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from codesign.fixed import IntArray
from codesign.graph.ir import Delta, Graph, Linear
from codesign.rtl.netlist import Instance, Parameters
from codesign.rtl.roms import delta_tables, linear_tables
from codesign.rtl.spec import word_lanes
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


def varying_bits(values: IntArray, bits: int) -> int:
    """Return the bits of a line of a table that are not the same in all lines: what Yosys keeps.

    values: ``[lines, lanes]``, ``bits`` of each.
    """
    differ = np.bitwise_or.reduce(values, axis=0) & ~np.bitwise_and.reduce(values, axis=0) & ((1 << bits) - 1)
    return sum(int(each).bit_count() for each in differ)


def widths_of(graph: Graph, name: str) -> dict[str, int]:
    """Return the bits of a line of each memory file of a node that vary."""
    node = graph[name]
    tables = {}
    if isinstance(node, Delta):
        tables = delta_tables(node, word_lanes(graph, node))
    elif isinstance(node, Linear) and isinstance(feed := graph[node.input], Delta):
        tables = linear_tables(node, feed)
    return {file: varying_bits(*table) for file, table in tables.items()}


def memories_of(instance: Instance, widths: Mapping[str, int]) -> Iterator[Mapped]:
    """Yield the cells of every memory of a leaf.

    widths: bits of a line that vary, by file, see `widths_of`; a file that is not in it has all that it has room for.
    """
    p = instance.parameters
    if instance.leaf == "box":
        yield mapped("queue", "memory", int(p["Beats"]), 8 * int(p["BeatBytes"]))
    unread = instance.leaf == "emit" and p.get("SendCodes") and not p.get("Hold")
    for kind, path, words, width in LEAVES.get(instance.leaf, _none)(p):
        if kind == "references" and unread:
            continue
        file = str(p.get(FILES.get(kind, ""), p.get("File", "") if kind == "steps" else ""))
        kept = min(width, widths.get(file, width))
        if kept:
            yield mapped(kind, path, words, kept)


def _none(_: Parameters) -> Iterator[tuple[str, str, int, int]]:
    return iter(())


FILES = {"weights": "WeightFile", "biases": "BiasFile", "steps": "StepFile"}
"""Parameter that names the contents of a memory, by its kind."""
