# SPDX-License-Identifier: Apache-2.0
"""A part of a graph, computed on codes of its own, and on frames no larger than its kernels need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from codesign.fixed import IntArray
from codesign.graph.axis import AnyAxis, Axis
from codesign.graph.golden import compute, send
from codesign.graph.ir import Conv, Delta, Dense, Engine, Graph, Source

Part = tuple[Delta | Engine, ...]
"""Nodes in topological order; the last one makes the result."""


def part_of(graph: Graph, name: str, given: Collection[str]) -> Part | None:
    """Return the nodes that make node ``name`` of those ``given``; None if that takes more than these."""
    needed, found = {name} - set(given), []
    for node in reversed(graph.nodes):
        if node.name in needed:
            if isinstance(node, Source):
                return None
            needed |= set(node.inputs) - set(given)
            found.append(node)
    return tuple(found[::-1])


def run_part(part: Part, codes: Mapping[str, IntArray]) -> IntArray:
    """Return what the last node makes of ``codes`` of the nodes before, ``[T, size]`` each, as a new stream."""
    made = dict(codes)
    for node in part:
        inputs = [made[name] for name in node.inputs]
        if isinstance(node, Delta):
            made[node.name] = send(node, inputs[0], np.zeros(node.size, np.int64))
        else:
            made[node.name] = compute(node, inputs)
    return made[part[-1].name]


def smallest(part: Part) -> tuple[int, int] | None:
    """Return the height and width of the smallest frames on which the first engine of ``part`` does all that it does.

    It has the same padding there on all sides, and outputs that read the padding before, none, and that after. None
    if there is no such engine, or if the ones after it do not work on single positions, so that their sizes matter.
    """
    engines = [node for node in part if not isinstance(node, Delta)]
    if not engines or isinstance(engines[0], Dense) or not all(_is_point(node) for node in engines[1:]):
        return None
    return _least(engines[0].y), _least(engines[0].x)


def _is_point(node: Engine) -> bool:
    plain = (1, 1, 0, 0)
    axes = (node.y, node.x) if isinstance(node, Conv) else ()
    return bool(axes) and all((axis.kernel, axis.stride, axis.before, axis.after) == plain for axis in axes)


def _least(axis: AnyAxis) -> int:
    if not isinstance(axis, Axis):
        return min(axis.size, 2)
    least = axis.kernel + axis.stride
    return min(axis.size, least + (axis.size - least) % axis.stride)  # padding 'same' depends on the remainder


def resized(part: Part, sizes: tuple[int, int]) -> Part:
    """Return ``part``, of which `smallest` is not None, for frames of ``sizes``, height and width."""
    made: list[Delta | Engine] = []
    for node in part:
        if isinstance(node, Delta):
            made.append(replace(node, shape=(*sizes, node.channels)))
        elif not isinstance(node, Dense):
            y, x = (replace(axis, size=size) for axis, size in zip((node.y, node.x), sizes, strict=True))
            made.append(replace(node, y=y, x=x, unroll=(1, 1)))  # type: ignore[arg-type]
            sizes = y.outputs, x.outputs
    return tuple(made)


def widest(part: Sequence[Delta | Engine]) -> int:
    """Return the bits of the widest sum in ``part``."""
    return max((node.fmt.width for node in part if not isinstance(node, Delta)), default=1)
