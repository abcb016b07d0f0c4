# SPDX-License-Identifier: Apache-2.0
"""The ``$readmemh`` files of the leaves: weights, biases, steps, and where a convolution's events go."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from codesign.fixed import IntArray
from codesign.graph.axis import AnyAxis
from codesign.graph.channels import channel_lattices
from codesign.graph.ir import Conv, Delta, Linear, Spatial
from codesign.rtl.parameters import align_lines, align_parameters, spatial_bits, step_lines, weight_lines


def memory_text(values: IntArray, bits: int) -> str:
    """Return ``values`` ``[lines, lanes]`` as ``$readmemh`` text, ``bits`` each, lane 0 in the low bits."""
    digits = -(-values.shape[1] * bits // 4)
    mask = (1 << bits) - 1
    lines = []
    for row in values.tolist():
        word = 0
        for value in reversed(row):
            word = (word << bits) | (value & mask)
        lines.append(f"{word:0{digits}x}\n")
    return "".join(lines)


Table: TypeAlias = tuple[IntArray, int]
"""Values of a memory, ``[lines, lanes]``, and the bits of each."""


def linear_tables(node: Linear, delta: Delta) -> dict[str, Table]:
    """Return the weights and biases of a linear layer after ``delta`` by file, and its shifts if there are any."""
    lattices = channel_lattices(node, delta)
    weight = lattices.weight[..., 0] if isinstance(node, Conv) and node.depthwise else lattices.weight
    found = {
        f"{node.name}_weight.mem": (weight.reshape(-1, node.pe), lattices.weight_bits),
        f"{node.name}_bias.mem": (lattices.bias.reshape(-1, node.pe), lattices.sum_bits),
    }
    if lattices.narrow:
        parameters, lines = align_parameters(node, lattices), align_lines(node, lattices)
        shift, low = parameters["ShiftWidth"], parameters["LowWidth"]
        assert isinstance(shift, int)
        assert isinstance(low, int)
        entries = np.resize(lattices.low << shift | lattices.shifts, (lines, node.pe))
        found[f"{node.name}_shift.mem"] = entries, shift + low
    return found


def linear_memories(node: Linear, delta: Delta) -> dict[str, str]:
    """Return the weight and bias files of a linear layer after ``delta``, and that of the shifts if there are any."""
    return {name: memory_text(*table) for name, table in linear_tables(node, delta).items()}


def spatial_memories(node: Spatial) -> dict[str, str]:
    """Return for each input row and column: {count, first output, its line in the weights}."""
    bits, (row_lines, column_lines, _) = spatial_bits(node), weight_lines(node)
    rows, columns = _table(node.y, row_lines), _table(node.x, column_lines)
    return {
        f"{node.name}_row.mem": _lines(rows, (bits["RowBits"], bits["RowBits"], bits["WeightBits"])),
        f"{node.name}_column.mem": _lines(columns, (bits["ColumnBits"], bits["ColumnBits"], bits["WeightBits"])),
    }


def _table(axis: AnyAxis, line_scale: int) -> list[tuple[int, int, int]]:
    """Return (outputs reached, first one, its weight line) for each position of an axis; zeros if none."""
    table = []
    for position, count in enumerate(axis.counts().tolist()):
        first = axis.first(position)
        line = axis.tap(position, first) * line_scale
        table.append((count, first, line) if count else (0, 0, 0))
    return table


def _lines(rows: list[tuple[int, int, int]], bits: tuple[int, int, int]) -> str:
    """Return ``$readmemh`` text with the fields of each row packed, first field in the high bits."""
    text = []
    for row in rows:
        word = 0
        for value, width in zip(row, bits, strict=True):
            word = word << width | value
        text.append(f"{word:0{-(-sum(bits) // 4)}x}\n")
    return "".join(text)


def delta_tables(node: Delta, lanes: int) -> dict[str, Table]:
    """Return the steps of a `Delta` whose channels differ by file; none if they do not."""
    steps = node.steps()
    if len(set(steps.tolist())) == 1:
        return {}
    lines = _words(steps, lanes)[: step_lines(node, lanes)]
    return {f"{node.name}_step.mem": (lines, max(1, int(steps.max()).bit_length()))}


def delta_memories(node: Delta, lanes: int) -> dict[str, str]:
    """Return the step file of a `Delta` whose channels differ; none if they do not."""
    return {name: memory_text(*table) for name, table in delta_tables(node, lanes).items()}


def _words(values: IntArray, lanes: int) -> IntArray:
    """Return ``values`` ``[size]`` as ``[words, lanes]``, padded with 0."""
    padded = np.zeros(-(-len(values) // lanes) * lanes, np.int64)
    padded[: len(values)] = values
    return padded.reshape(-1, lanes)
