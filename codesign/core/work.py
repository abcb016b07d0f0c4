# SPDX-License-Identifier: Apache-2.0
"""How much a frame costs a core when everything changes."""

from __future__ import annotations

import numpy as np

from codesign.core.compiler import Compiled
from codesign.core.program import EVENTS, Place, Step, Walk
from codesign.fixed import IntArray

_PASS = 256
"""Cycles around the words of a step: its record, and what is under way at its ends."""
_RECORD, _BEAT = 64, 4
"""Cycles of a record of an external memory that is slow, and of each of its beats."""


def operations(compiled: Compiled) -> dict[str, int]:
    """Return the operations of each engine, by name, in a frame in which every element changes."""
    program = compiled.program
    made = dict.fromkeys(compiled.engines, 0)
    for step in program.steps:
        lanes = _lanes(compiled, step) if step.packet == EVENTS else np.zeros(0, np.int64)
        for reader in range(step.reader_base, step.reader_base + step.readers):
            place, walk = program.places[reader], program.walks[reader]
            made[compiled.engines[walk.engine]] += _of_reader(program.tables, place, walk, lanes)
    return made


def most_cycles(compiled: Compiled) -> int:
    """Return cycles that no frame exceeds: everything changes, and each operation waits for the one before.

    With a memory outside: each word of sums, row of codes and line of weights goes both ways for each reader, and every
    one takes as long as `_RECORD` and `_BEAT` say. A memory may be slower.
    """
    visited = sum(step.words * (step.parts * step.taps + step.taps) for step in compiled.program.steps)
    swept = sum(step.sweep_words for step in compiled.program.steps)
    events = sum(step.words * step.parts * compiled.program.config.quantisers for step in compiled.program.steps)
    readers = 1 + max(step.readers for step in compiled.program.steps)
    waiting = 8 * sum(operations(compiled).values())
    outside = sum(_RECORD + _BEAT * beats for beats in compiled.program.config.record_beats.values() if beats)
    moved = 2 * readers * visited * outside
    return waiting + moved + 4 * visited + swept + 4 * events * readers + _PASS * (2 * len(compiled.program.steps) + 1)


def _lanes(compiled: Compiled, step: Step) -> IntArray:
    """Return how many lanes of each word may change, ``[words]``."""
    program, quantisers = compiled.program, compiled.program.config.quantisers
    rows = program.params[step.param_base : step.param_base + step.groups * step.parts, :, 0]
    groups = rows.reshape(step.groups, step.parts * quantisers).sum(axis=1)
    lanes: IntArray = groups[np.arange(step.words) % step.groups]
    return lanes


def _of_reader(tables: IntArray, place: Place, walk: Walk, lanes: IntArray) -> int:
    """Return the operations of one reader of a step."""
    if place.element:
        elements = [word * place.used + lane for word, count in enumerate(lanes.tolist()) for lane in range(count)]
        index, each = np.array(elements, np.int64), np.ones(len(elements), np.int64)
    else:
        index, each = np.arange(len(lanes)), np.ones_like(lanes) if walk.channelwise else lanes
    position = index // place.divisor
    row, column = np.divmod(position, place.columns)
    reached = tables[place.row_table + row, 2] * tables[place.column_table + column, 2]
    return int((reached * each).sum()) * walk.groups
