# SPDX-License-Identifier: Apache-2.0
"""Which frames are in planes, so that weights that lie outside are fetched once in a frame.

A convolution adds a changed channel to all groups of its output, with a line of weights for each. Position after
position, it needs all its lines again and again; where they are more than the core keeps, they are fetched for every
position. If the frame that it reads is in planes, it needs the lines of one plane at a time, and these can be kept.
What it costs: each plane adds to the words of all positions that changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from codesign.core.config import CoreConfig
from codesign.core.plan import Plan, lane_for_lane, way
from codesign.graph.engines import Conv, Dense, Engine, Pool

CHANGED = 8
"""Of the channels of a position that changed, one in so many is taken to have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gain:
    """Planes for the frame of an engine.

    Attributes:
        engine: its name.
        sent: its activations.
        planes: how many.
        saved: beats of the external memory that a position with a change costs less, about.
    """

    engine: str
    sent: tuple[str, ...]
    planes: int
    saved: float


def in_planes(plan: Plan, config: CoreConfig) -> Iterator[Plan]:
    """Yield a plan with all those frames in planes for which it pays, then without the one that saves least, and so on:
    planes make a program longer, and it may not fit the core.
    """
    outside = _outside(plan, config) if config.memory_bits else {}
    gains = [gain for engine in plan.engines if (gain := _gain(plan, engine, outside, config)) is not None]
    gains.sort(key=lambda gain: -gain.saved)
    for count in range(len(gains), 0, -1):
        layouts = dict(plan.layouts)
        for gain in gains[:count]:
            layout = replace(layouts[gain.engine], planes=gain.planes)
            layouts |= dict.fromkeys([gain.engine, *gain.sent], layout)
        yield replace(plan, layouts=layouts)


def _outside(plan: Plan, config: CoreConfig) -> dict[tuple[str, int], int]:
    """Return the lines of weights of each input of an engine, by its name and number, that are too many to be kept."""
    inputs = [(engine, at) for engine in plan.engines for at in range(len(engine.inputs))]
    lines = {(engine.name, at): _lines(plan, engine, at) for engine, at in inputs}
    order = sorted(lines, key=lambda key: lines[key])  # in which they are placed
    ends = accumulate(lines[key] for key in order)
    outside = {key: lines[key] for key, end in zip(order, ends, strict=True) if end > config.weight_lines}
    return {key: count for key, count in outside.items() if count > config.cached_lines}


def _lines(plan: Plan, engine: Engine, at: int) -> int:
    """Return the lines of weights of an input of an engine."""
    node, read, made = way(plan.through, engine, at), plan.layouts[engine.inputs[at]], plan.layouts[engine.name]
    if isinstance(node, Dense):
        return read.words * read.used * made.groups
    taps = node.y.kernel * node.x.kernel if isinstance(node, Conv) else 1
    if lane_for_lane(node, at, read, made):
        return taps * made.groups if isinstance(node, Conv) else 1
    return taps * read.padded * made.groups


def _gain(plan: Plan, engine: Engine, outside: dict[tuple[str, int], int], config: CoreConfig) -> _Gain | None:
    """Return planes for the frame of an engine, and what they save; None if it cannot be in planes, or nothing does."""
    layout, sent = plan.layouts[engine.name], plan.activations(engine.name)
    inputs = [(reader, at) for reader in plan.engines for at, name in enumerate(reader.inputs) if name in sent]
    found = {(reader.name, at): outside[reader.name, at] for reader, at in inputs if (reader.name, at) in outside}
    if not found or not _can(plan, engine) or not all(_by_words(plan, reader, at) for reader, at in inputs):
        return None
    planes = next(
        count
        for count in range(2, layout.groups + 1)
        if layout.groups % count == 0 and (max(found.values()) <= count * config.cached_lines or count == layout.groups)
    )
    saved = 0.0
    for (name, _), lines in found.items():
        made = plan.layouts[name]
        again = 2 * (planes - 1) * made.groups if made.words > config.cached_words else 0
        beats = config.record_beats
        saved += lines / CHANGED * beats["weight_lines"] - again * beats["sum_words"]
    if saved <= 0:
        return None
    return _Gain(engine=engine.name, sent=sent, planes=planes, saved=saved)


def _can(plan: Plan, engine: Engine) -> bool:
    """Return whether the words of an engine may lie in any order: everything reaches them by tables, lane for lane."""
    layout = plan.layouts[engine.name]
    reached = (
        lane_for_lane(way(plan.through, engine, at), at, plan.layouts[name], layout)
        for at, name in enumerate(engine.inputs)
    )
    largest = isinstance(engine, Pool) and engine.kind == "max"
    output = plan.graph.output.name in (engine.name, *plan.activations(engine.name))
    return min(layout.groups, layout.positions) > 1 and not output and not largest and all(reached)


def _by_words(plan: Plan, reader: Engine, at: int) -> bool:
    """Return whether a reader takes the positions of a frame as they are, word for word."""
    node = way(plan.through, reader, at)
    return not isinstance(node, Dense) and node.channels_in(at) == plan.layouts[reader.inputs[at]].channels
