# SPDX-License-Identifier: Apache-2.0
"""Memory files for ``$readmemh``: weights, biases, and steps and thresholds that differ by channel."""

from __future__ import annotations

import numpy as np

from codesign.fixed import Fixed, IntArray
from codesign.graph.ir import Delta, Dense


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


def signed_width(fmt: Fixed) -> int:
    """Bits of a two's-complement code of ``fmt``."""
    return fmt.width + int(not fmt.signed)


def dense_memories(node: Dense) -> dict[str, str]:
    """Return the weight and bias files of a `Dense`."""
    weight = node.weight.reshape(node.n_in * node.words, node.pe)
    bias = node.bias.reshape(node.words, node.pe)
    return {
        f"{node.name}_weight.mem": memory_text(weight, signed_width(node.weight_fmt)),
        f"{node.name}_bias.mem": memory_text(bias, node.fmt.width),
    }


def delta_memories(node: Delta, lanes: int) -> dict[str, str]:
    """Return the step and threshold files of a `Delta` whose channels differ; none if they do not."""
    steps, thresholds = node.steps(), node.thresholds()
    files = {}
    if len(set(steps.tolist())) > 1:
        files[f"{node.name}_step.mem"] = memory_text(_words(steps, lanes), max(1, int(steps.max()).bit_length()))
        if thresholds is not None:
            bits = int(thresholds.max()).bit_length()
            files[f"{node.name}_threshold.mem"] = memory_text(_words(thresholds, lanes), bits)
    return files


def _words(values: IntArray, lanes: int) -> IntArray:
    """Return ``values`` ``[size]`` as ``[words, lanes]``, padded with 0."""
    padded = np.zeros(-(-len(values) // lanes) * lanes, np.int64)
    padded[: len(values)] = values
    return padded.reshape(-1, lanes)
