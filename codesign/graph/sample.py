# SPDX-License-Identifier: Apache-2.0
"""Values that try a network: what a conversion is compared with Keras on. The same ones every time."""

from __future__ import annotations

import numpy as np

from codesign.fixed import IntArray
from codesign.graph.ir import Delta, Graph
from codesign.graph.wide import FLOAT32_BITS

MOST = 6
"""Frames that are drawn at most."""
LEAST = 2
WORK = 50_000_000
"""MACs that all frames together may cost, before there are fewer of them."""
INPUTS = 512
"""Inputs that an activation is tried on at least."""


def sample_frames(graph: Graph, dtype: str = "float32") -> IntArray:
    """Return consecutive frames of codes of the input, ``[T, size]``.

    They hold the ends of the range that the quantiser after the input clips to and a little more, values halfway
    between two codes, frames at one end everywhere, elements that change by one code, and many that do not change.
    Where a sum may be wider than float32 computes exactly, the range is cut down until the first sums fit, which makes
    most networks exact in float32 on these frames.

    Args:
        graph: the network.
        dtype: of the model's input: integers are whole numbers of its range.
    """
    macs = max(1, sum(node.macs for node in graph.linears))
    count = int(np.clip(WORK // macs, LEAST, MOST))
    random, size = np.random.default_rng(0), graph.source.size
    encoder = graph.nodes[1]
    assert isinstance(encoder, Delta)
    lo, hi = _narrowed(graph, encoder, *_range(encoder))
    step = 1
    if np.issubdtype(dtype, np.integer):
        step, ends = 1 << max(0, graph.source.fmt.frac), np.iinfo(dtype)
        lo, hi = max(lo, int(ends.min) * step), min(hi, int(ends.max) * step)
    frames = [_drawn(encoder, lo, hi, random)]
    for kind in range(1, count):
        if kind == 1:
            frames.append(np.where(random.random(size) < 1 / 4, _drawn(encoder, lo, hi, random), frames[-1]))
        elif kind in (2, 3):
            frames.append(np.full(size, hi if kind == 2 else lo))
        elif kind == 4:
            frames.append(_drawn(encoder, lo, hi, random))
        else:
            frames.append(frames[-1] + random.integers(-1, 2, size))
    return np.clip(np.stack(frames) // step * step, -(-lo // step) * step, hi // step * step).astype(np.int64)


def sample_inputs(node: Delta, frames: int) -> IntArray:
    """Return inputs ``z`` of an activation, ``[streams, frames, size]``, that reach both ends of its clip range.

    With a hold they move by up to two steps from frame to frame. Float32 computes the activation of them exactly.
    """
    random = np.random.default_rng(1)
    peak = 1 << max(0, FLOAT32_BITS - 2 - node.widen)
    lo, hi = (int(np.clip(end, -peak, peak)) for end in _range(node))
    streams = -(-INPUTS // (frames * node.size))
    drawn = np.stack([_drawn(node, lo, hi, random) for _ in range(streams * frames)]).reshape(streams, frames, -1)
    if node.hold is not None:
        reach = 2 << node.shift + max(node.step_log2)
        drawn[:, 1:] = random.integers(-reach, reach + 1, drawn[:, 1:].shape)
        drawn = drawn.cumsum(axis=1)
    return np.clip(drawn, max(node.in_fmt.lo, -peak), min(node.in_fmt.hi, peak))


def is_narrow(graph: Graph) -> bool:
    """Say whether float32 computes every sum exactly, whatever the frames."""
    return all(node.fmt.width <= FLOAT32_BITS for node in graph.engines)


def _drawn(node: Delta, lo: int, hi: int, random: np.random.Generator) -> IntArray:
    """Return one frame of inputs of ``node`` in ``lo .. hi``; about half of them are multiples of half a step."""
    half = 1 << max(0, node.shift + node.step_log2[0] - 1)
    drawn = random.integers(lo, hi + 1, node.size)
    return np.where(random.random(node.size) < 1 / 2, drawn, drawn // half * half)


def _range(node: Delta) -> tuple[int, int]:
    """Return the smallest and the largest input of ``node`` to draw: its clip range and a quarter more."""
    lo, hi = (int(np.ldexp(float(end), node.shift - node.widen)) for end in (node.lo, node.hi))
    margin = 1 + (hi - lo) // 4
    return max(node.in_fmt.lo, lo - margin), min(node.in_fmt.hi, hi + margin)


def _narrowed(graph: Graph, encoder: Delta, lo: int, hi: int) -> tuple[int, int]:
    peak = max(-lo, hi)
    for node in graph.linears:
        if node.input == encoder.name and node.fmt.width > FLOAT32_BITS:
            peak = min(peak, max(1, peak >> (node.fmt.width - FLOAT32_BITS + 1)))
    return max(lo, -peak), min(hi, peak)
