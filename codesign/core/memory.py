# SPDX-License-Identifier: Apache-2.0
"""Rows of one memory of a core: equal blocks are kept once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.core.config import CHUNK_BITS, DEPTHS, WORD_BITS, CoreConfig
from codesign.core.program import Program
from codesign.core.records import row_bits
from codesign.errors import ConversionError

MEMORIES = {
    "sum_words": "words of sums",
    "code_rows": "rows of codes",
    "weight_lines": "lines of weights",
    "table_rows": "entries of tables",
    "param_rows": "rows of steps and thresholds",
    "step_words": "words of steps",
    "places": "readers' places",
    "walks": "readers' walks",
    "chunks": "chunks of marks",
}
"""What each depth of `CoreConfig` counts."""

MOST_STEPS = 255
"""Steps of a program: their number has 8 bits."""


class Rows:
    """Rows that blocks are added to; a block that is there already is not added again."""

    def __init__(self, *shape: int, dtype: type[Any] = np.int64) -> None:
        self.size = 0
        self._blocks: list[NDArray[Any]] = []
        self._empty = np.zeros((0, *shape), dtype)
        self._seen: dict[bytes, int] = {}

    def place(self, block: NDArray[Any]) -> int:
        """Return the address of the first row of ``block``, ``[N, *shape]``."""
        block = np.ascontiguousarray(block, self._empty.dtype)
        key = block.tobytes()
        if key not in self._seen:
            self._seen[key] = self.size
            self._blocks.append(block)
            self.size += len(block)
        return self._seen[key]

    def array(self) -> NDArray[Any]:
        """Return all rows."""
        return np.concatenate([self._empty, *self._blocks])


def stacked(sizes: Mapping[str, int], start: int) -> dict[str, int]:
    """Return addresses from ``start`` on for blocks of these sizes, the smallest first."""
    places = {}
    for name, size in sorted(sizes.items(), key=lambda item: item[1]):
        places[name] = start
        start += size
    return places


def built_bits(config: CoreConfig) -> dict[str, int]:
    """Return the bits of each memory that a core is built with, by the name of its depth; tables are there twice.

    Those of sums and weights hold what is kept of the external memory, too.
    """
    words = row_bits(config)
    bits = {
        "sum_words": config.lanes * config.sum_bits,
        "code_rows": config.quantisers * config.code_bits,
        "weight_lines": config.lanes * config.weight_bits,
        "table_rows": 2 * words["tables"],
        "param_rows": words["params"],
        "step_words": WORD_BITS,
        "places": words["places"],
        "walks": words["walks"],
        "chunks": CHUNK_BITS,
    }
    kept = {"sum_words": config.cached_words, "weight_lines": config.cached_lines}
    return {depth: (getattr(config, depth) + kept.get(depth, 0)) * bits[depth] for depth in DEPTHS}


def check_depths(program: Program, name: str) -> None:
    """Check that a program fits the memories of its core.

    Raises:
        ConversionError: it does not; names every memory that is too small, and the fields of `CoreConfig`.
    """
    config, needs = program.config, program.needs()
    if len(program.steps) > MOST_STEPS:
        raise ConversionError(
            "the network has more activations than a core has steps",
            where=name,
            expected=f"at most {MOST_STEPS - 1}, and the packet of the output",
            received=f"{len(program.steps)} steps",
            fix="use fewer layers",
        )
    over = {depth: needs[depth] for depth in DEPTHS if needs[depth] > most_of(config, depth)}
    if over:
        raise ConversionError(
            "the network does not fit the memories of the core",
            where=name,
            expected=", ".join(f"at most {most_of(config, depth)} {MEMORIES[depth]}" for depth in over),
            received=", ".join(f"{count} {MEMORIES[depth]}" for depth, count in over.items()),
            fix="build the core with " + ", ".join(f"{depth} = {count}" for depth, count in over.items()),
        )
    if config.memory_bits:
        _check_outside(program, name)


def most_of(config: CoreConfig, depth: str) -> int:
    """Return how many lines of a memory a program may have: those inside, or as many as addresses with one outside."""
    outside = config.memory_bits and depth in config.record_beats
    return 1 << config.index_bits if outside else int(getattr(config, depth))


def _check_outside(program: Program, name: str) -> None:
    """Check that the external memory is large enough, and that the biases lie inside."""
    config, beats = program.config, program.memory_beats
    if beats > config.memory_beats:
        kib = -(-beats * config.memory_bits // 8192)
        raise ConversionError(
            "the network does not fit the external memory of the core",
            where=name,
            expected=f"at most memory_kib = {config.memory_kib}",
            received=f"{kib} KiB",
            fix="use a larger memory, or a smaller network",
        )
    if len(program.sums) > config.sum_words:
        raise ConversionError(
            "the biases do not fit inside the core",
            where=name,
            expected=f"at most sum_words = {config.sum_words}",
            received=f"{len(program.sums)} words of biases",
            fix=f"build the core with sum_words = {len(program.sums)}",
        )
