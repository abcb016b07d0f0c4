# SPDX-License-Identifier: Apache-2.0
"""Codes that try a network: what a conversion is compared with Keras on. The same ones every time."""

from __future__ import annotations

import numpy as np

from codesign.fixed import IntArray
from codesign.graph.ir import Delta, Graph
from codesign.graph.wide import FLOAT32_BITS

FRAMES = 4
"""Frames that are drawn for a layer at most."""
LEAST = 2
WORK = 4_000_000
"""MACs, and codes, that the frames of one layer may cost, before there are fewer of them."""
INPUTS = 512
"""Inputs that an activation is tried on at least."""
INPUT_FRAMES = 6


def sample_codes(lo: int, hi: int, shape: tuple[int, int], random: np.random.Generator) -> IntArray:
    """Return codes of consecutive frames, ``shape = (T, size)``, in ``lo .. hi``.

    They hold frames at one end everywhere, elements that change by one code, and many that do not change.
    """
    return _moving(random.integers(lo, hi + 1, shape), lo, hi, random)


def sample_inputs(node: Delta, frames: int = INPUT_FRAMES) -> IntArray:
    """Return inputs ``z`` of an activation, ``[streams, frames, size]``, that reach both ends of its clip range.

    They go a little beyond the ends, and about half of them are multiples of half a step, so many lie halfway between
    two codes. With a hold they move by up to two steps from frame to frame; without one as `sample_codes` do. Float32
    computes the activation of them exactly.
    """
    random = np.random.default_rng(1)
    peak = 1 << max(0, FLOAT32_BITS - 2 - node.widen)
    lo, hi = (int(np.clip(end, -peak, peak)) for end in input_range(node))
    half = 1 << max(0, node.shift + node.step_log2[0] - 1)
    shape = frames, -(-INPUTS // (frames * node.size)), node.size
    drawn = random.integers(lo, hi + 1, shape)
    drawn = np.where(random.random(shape) < 1 / 2, drawn, drawn // half * half)
    if node.hold is None:
        drawn = _moving(drawn, lo, hi, random)
    else:
        reach = 2 << node.shift + max(node.step_log2)
        drawn[1:] = random.integers(-reach, reach + 1, drawn[1:].shape)
        drawn = drawn.cumsum(axis=0)
    return np.clip(drawn, max(node.in_fmt.lo, -peak), min(node.in_fmt.hi, peak)).swapaxes(0, 1)


def input_range(node: Delta) -> tuple[int, int]:
    """Return the smallest and the largest input of ``node`` to draw: its clip range and a quarter more."""
    lo, hi = (int(np.ldexp(float(end), node.shift - node.widen)) for end in (node.lo, node.hi))
    margin = 1 + (hi - lo) // 4
    return max(node.in_fmt.lo, lo - margin), min(node.in_fmt.hi, hi + margin)


def narrowed(lo: int, hi: int, width: int) -> tuple[int, int]:
    """Return the part of ``lo .. hi`` on which sums of up to ``width`` bits fit float32, if there is one."""
    peak = max(1, min(max(-lo, hi) >> max(0, width - FLOAT32_BITS + 1), 1 << FLOAT32_BITS - 2))
    return (max(lo, -peak), min(hi, peak)) if width > FLOAT32_BITS else (lo, hi)


def is_narrow(graph: Graph) -> bool:
    """Return whether float32 computes every sum exactly, whatever the frames."""
    return all(node.fmt.width <= FLOAT32_BITS for node in graph.engines)


def _moving(drawn: IntArray, lo: int, hi: int, random: np.random.Generator) -> IntArray:
    """Let most of ``drawn``, ``[T, ...]``, not change in frame 1, be at one end in frames 2 and 3, and in frame 5 be at
    most one code away from frame 4.
    """
    drawn[1] = np.where(random.random(drawn[0].shape) < 3 / 4, drawn[0], drawn[1])
    drawn[2:3], drawn[3:4] = hi, lo
    near = drawn[4:5][: len(drawn) - 5]
    drawn[5:6] = np.clip(near + random.integers(-1, 2, near.shape), lo, hi)
    return drawn
