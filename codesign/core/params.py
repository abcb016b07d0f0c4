# SPDX-License-Identifier: Apache-2.0
"""Steps and thresholds of a delta activation as rows of parameters."""

from __future__ import annotations

import math

import numpy as np

from codesign.core.config import CoreConfig
from codesign.core.lattices import lattices_of
from codesign.core.layout import Layout
from codesign.core.plan import Plan
from codesign.core.records import PARAM
from codesign.errors import ConversionError
from codesign.fixed import IntArray
from codesign.graph.engines import Engine
from codesign.graph.ir import Delta, Source


def shift_of(plan: Plan, node: Delta) -> int:
    """Return the fraction bits that the sums of a core have over the codes of ``node``."""
    if isinstance(plan.graph[node.input], Source):
        return node.shift
    return node.shift - node.widen + plan.widen[node.input]


def param_rows(plan: Plan, node: Delta, config: CoreConfig, plane: int = 0) -> tuple[int, IntArray]:
    """Return after how many words of a plane parameters repeat, and the rows of so many, ``[N, quantisers, 5]``.

    Raises:
        ConversionError: a shift, a step or a threshold does not fit the core.
    """
    shift, steps = shift_of(plan, node), node.steps()
    most = config.sum_bits - 1
    if shift + int(steps.max()) > most:
        raise ConversionError(
            "a step is coarser than a sum has bits",
            where=node.name,
            expected=f"at most {most} bits",
            received=f"a shift of {shift} and a step of 2**{int(steps.max())}",
            fix="use a finer step, or a coarser lattice in the layer before",
        )
    values = np.zeros((len(PARAM.fields), node.size), np.int64)
    values[0], values[1] = 1, steps
    if node.hold is not None:
        largest = math.ceil(math.ldexp(node.hold, shift + int(steps.max())))
        fields = dict.fromkeys((field.name for field in PARAM.fields), 0)
        PARAM.check(config, {**fields, "valid": 1, "step": int(steps.max()), "threshold": largest}, node.name)
        thresholds = node.thresholds()
        assert thresholds is not None
        values[2] = thresholds << shift - node.shift
    if not isinstance(plan.graph[node.input], Source):
        values[3:] = _lattice(plan, node.input)
    return _rows(plan, node, values, config, plane)


def packet_rows(plan: Plan, node: Engine, config: CoreConfig) -> tuple[int, IntArray]:
    """Return the same of the sums of an engine, which leave as they are: only their lattice counts."""
    values = np.zeros((len(PARAM.fields), node.size), np.int64)
    values[3:] = _lattice(plan, node.name)
    return _rows(plan, node, values, config)


def _lattice(plan: Plan, name: str) -> IntArray:
    """Return the shift and the addend of each sum of an engine, ``[2, size]``."""
    engine = plan.graph[name]
    assert not isinstance(engine, Source | Delta)
    found = lattices_of(plan, engine)
    return np.array([np.resize(found.align, engine.size), np.resize(found.low, engine.size)])


def _rows(
    plan: Plan, node: Delta | Engine, values: IntArray, config: CoreConfig, plane: int = 0
) -> tuple[int, IntArray]:
    """Return ``values [fields, size]`` as rows of a plane, and after how many words they repeat."""
    largest = {field.name: int(row.max()) for field, row in zip(PARAM.fields, values, strict=True)}
    PARAM.check(config, largest, node.name)
    layout = plan.layouts[node.name]
    parts = layout.parts(config.quantisers)
    words = layout.spread(values, parts * config.quantisers)  # [fields, words, lanes]
    channels = node.channels if isinstance(node, Delta) else layout.channels
    if isinstance(node, Delta) and isinstance(plan.graph[node.input], Source):
        _pad_last(values, words, layout)
    elif isinstance(node, Delta):  # the lattice repeats with the channels of the engine, too
        channels = math.lcm(channels, layout.channels)
    rows = words.transpose(1, 2, 0)[plane * layout.plane_stride :][: layout.plane_words]
    period = _period(rows, _longest(channels, layout))
    return period, rows[:period].reshape(period * parts, config.quantisers, len(PARAM.fields))


def _pad_last(values: IntArray, words: IntArray, layout: Layout) -> None:
    """Give the lanes of the input after the last element any parameters: those that let rows repeat."""
    flat = words.reshape(len(words), -1)
    missing = np.arange(layout.size, flat.shape[1])
    flat[:, layout.size :] = np.take(values, missing % layout.size, axis=1)


def _longest(channels: int, layout: Layout) -> int:
    """Return words after which the parameters repeat at the latest, but for padding."""
    if layout.positions == 1:
        return channels // math.gcd(layout.used, channels)
    return layout.plane_groups * channels // math.gcd(layout.channels, channels)


def _period(rows: IntArray, longest: int) -> int:
    """Return the smallest period of ``rows`` that divides ``longest``; all of them if there is none."""
    for period in range(1, min(longest, len(rows) - 1) + 1):
        if longest % period == 0 and np.array_equal(rows[period:], rows[:-period]):
            return period
    return len(rows)
