# SPDX-License-Identifier: Apache-2.0
"""How many multipliers each engine gets: PE and unroll of every layer from a target in cycles, or from a total.

A frame costs an engine the longer of two: accumulating what its events reach (`Engine.reach`), and sending the words
that were touched, one a cycle. More PE and unroll shorten both, but an event always takes one cycle.
Multipliers are counted first; among equal ones the option with fewer weights and adders is chosen, as each position
that is reached at once has weights of its own, and each bank of words an adder for every lane.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from codesign.errors import ConfigError
from codesign.graph.ir import Conv, Dense, Engine, Graph, Linear

Activity: TypeAlias = Mapping[str, float] | float
"""Share of the inputs of each engine that change in a frame, 0 to 1, by its name, or one for all of them."""
Unroll: TypeAlias = tuple[int, int]

QUANTIZER_LUT = 120
"""LUTs of a lane of the activation behind an engine, about."""
BITS_PER_LUT = 32
"""Bits of weights that weigh as much as a LUT: block RAM is there, but not without end."""

HEADROOM = 2.0
"""How much faster than the slowest engine others are made while there are multipliers left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a frame costs an engine.

    Attributes:
        layer: its name.
        accumulating: cycles in which it adds what events reach.
        sending: cycles in which words leave: those that were touched.
        events: events of the frame; no engine takes more than one in a cycle.
        multipliers: multipliers that it has.
    """

    layer: str
    accumulating: float
    sending: float
    events: float
    multipliers: int

    @property
    def cycles(self) -> float:
        """Cycles of a frame."""
        return max(self.accumulating, self.sending)


def multipliers(node: Engine) -> int:
    """Return the multipliers of an engine: one for each PE and position of a cycle; channel by channel PE share one."""
    if isinstance(node, Dense):
        return node.pe
    return (1 if node.channelwise else node.pe) * node.unroll[0] * node.unroll[1] if isinstance(node, Conv) else 0


def loads(graph: Graph, activity: Activity = 1.0) -> tuple[Load, ...]:
    """Return the load of every engine, in order."""
    return tuple(_load(node, _share(activity, node.name)) for node in graph.engines)


def balance(
    graph: Graph,
    *,
    cycles: float | None = None,
    most: int | None = None,
    activity: Activity = 1.0,
    fixed: Mapping[str, Collection[str]] | None = None,
) -> Graph:
    """Return the network with the PE and unroll that take fewest multipliers.

    Args:
        graph: the network.
        cycles: no engine is to take more than so many cycles a frame. Where one always does, no other need be faster
            than that. None: the fewest cycles that ``most`` multipliers can reach; others are up to `HEADROOM` times as
            fast as the slowest then, as frames differ, and which layer has most to do.
        most: multipliers of all engines together; None: as many as ``graph`` has, if ``cycles`` is None.
        activity: share of each engine's inputs that change in a frame. 1: everything does.
        fixed: what stays as it is, ``pe`` or ``unroll``, by the names of engines.

    Raises:
        ConfigError: ``most`` multipliers are too few for what is asked.
    """
    kept = fixed or {}
    choices = {
        node.name: _choices(node, _share(activity, node.name), frozenset(kept.get(node.name, ())))
        for node in graph.engines
    }
    slowest = max(min(option.cycles for option in options) for options in choices.values())
    if cycles is None:
        spent = most if most is not None else sum(map(multipliers, graph.engines))
        cycles = _reachable(choices, slowest / HEADROOM, spent)
    else:
        cycles = max(cycles, slowest)
    chosen = {name: _cheapest(options, cycles) for name, options in choices.items()}
    total = sum(map(multipliers, chosen.values()))
    if most is not None and total > most:
        raise ConfigError(
            "the target of cycles needs more multipliers than there may be",
            where=graph.name,
            expected=f"at most {most} multipliers",
            received=f"{total} for {cycles:,.0f} cycles a frame",
            fix="allow more multipliers or more cycles",
        )
    nodes = tuple(chosen.get(node.name, node) for node in graph.nodes)
    return replace(graph, nodes=nodes)


def summary(graph: Graph, activity: Activity = 1.0) -> str:
    """Return the multipliers of all engines, and which one is the slowest and what would help it, in a line."""
    found = loads(graph, activity)
    slowest, beats = max(found, key=lambda load: (load.cycles, load.events)), graph.source.beats
    if beats > slowest.cycles:
        took = f"the input takes {beats:,} cycles a frame: {wider_input(graph.source.lanes)}"
    else:
        node = graph[slowest.layer]
        assert isinstance(node, Engine)
        took = f"{slowest.layer} takes {slowest.cycles:,.0f} cycles a frame: {_cure_of(node, slowest)}"
    return f"{sum(load.multipliers for load in found)} multipliers; {took}"


def wider_input(lanes: int) -> str:
    """Return what makes the input faster that has so many codes in a beat, in words."""
    return f"raise P above {lanes} codes a beat"


def cure(*, pe: int, outputs: int, unroll: Unroll, most: Unroll, channelwise: bool, sends: bool = False) -> str:
    """Return what makes an engine faster, in words.

    Args:
        pe: its PE.
        outputs: output channels.
        unroll: output rows and columns that an event reaches in one cycle.
        most: output rows and columns that it reaches at all.
        channelwise: whether an event reaches one channel only.
        sends: whether it takes longer to send words than to accumulate.
    """
    if pe < outputs and (sends or not channelwise):
        return f"raise its PE above {pe}: {outputs} is all of its outputs at once"
    if unroll != most and not sends:
        return f"raise its unroll above {unroll[0]}x{unroll[1]}: {most[0]}x{most[1]} takes one cycle an event"
    work = "a word that is touched" if sends else "an event"
    return f"{work} takes one cycle already: fewer changes in front of it (a hold, a larger step), or fewer channels"


def _cure_of(node: Engine, load: Load) -> str:
    sends, outputs = load.sending > load.accumulating, node.n_out if isinstance(node, Dense) else node.channels_out
    unroll, channelwise = ((1, 1), False) if isinstance(node, Dense) else (node.unroll, node.channelwise)
    return cure(pe=node.pe, outputs=outputs, unroll=unroll, most=_most(node), channelwise=channelwise, sends=sends)


def _share(activity: Activity, name: str) -> float:
    return float(activity.get(name, 1.0)) if isinstance(activity, Mapping) else float(activity)


def _load(node: Engine, share: float) -> Load:
    """Return the load when ``share`` of the inputs change, anywhere."""
    once = node if isinstance(node, Dense) else replace(node, unroll=(1, 1))
    untouched = (1.0 - share) ** (_visits(once) / node.words)  # none of the elements that reach a word changes
    return Load(
        layer=node.name,
        accumulating=share * _visits(node),
        sending=0.0 if isinstance(node, Dense) else node.words * (1.0 - untouched),
        events=share * node.n_in,
        multipliers=multipliers(node),
    )


def _visits(node: Engine) -> float:
    """Return the sum of `Engine.reach`: the cycles of a frame in which everything changes."""
    if isinstance(node, Dense):
        return node.n_in * node.words
    rows, columns = (
        int((-(-axis.counts() // unroll)).sum()) for axis, unroll in zip((node.y, node.x), node.unroll, strict=True)
    )
    channels = sum(node.channels_in(at) for at in range(len(node.inputs)))
    return rows * columns * channels * (1 if node.channelwise else node.groups)


def _most(node: Engine) -> Unroll:
    """Return how many output rows and columns an element reaches at most."""
    return (1, 1) if isinstance(node, Dense) else (int(node.y.counts().max()), int(node.x.counts().max()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """An engine with some PE and unroll; ``cost``: its multipliers, and its area to compare equal ones by."""

    node: Engine
    cycles: float
    cost: tuple[int, float]


def _choices(node: Engine, share: float, fixed: Collection[str]) -> list[_Choice]:
    """Return everything that an engine may have, the cheapest first."""
    outputs, most = (node.n_out, (1, 1)) if isinstance(node, Dense) else (node.channels_out, _most(node))
    pes = [node.pe] if "pe" in fixed else [pe for pe in range(1, outputs + 1) if outputs % pe == 0]
    unrolls = [(rows, columns) for rows in range(1, most[0] + 1) for columns in range(1, most[1] + 1)]
    if not isinstance(node, Dense) and "unroll" in fixed:
        unrolls = [node.unroll]
    found = []
    for pe in pes:
        for unroll in unrolls:
            made = replace(node, pe=pe) if isinstance(node, Dense) else replace(node, pe=pe, unroll=unroll)
            cost = (multipliers(made), _area(made))
            found.append(_Choice(node=made, cycles=_load(made, share).cycles, cost=cost))
    return sorted(found, key=lambda choice: choice.cost)


def _area(node: Engine) -> float:
    """Return what an engine takes beside multipliers, roughly in LUTs: adders, copies of weights, quantizers behind."""
    slots, banks = 1, 1
    if not isinstance(node, Dense):
        rows, columns = node.unroll
        slots = rows * columns
        banks = (1 << rows.bit_length()) * (1 << (columns - 1).bit_length()) if slots > 1 else 1
    copies = slots * node.weight.size * node.weight_fmt.width if isinstance(node, Linear) else 0
    return node.pe * (banks * node.fmt.width + QUANTIZER_LUT) + copies / BITS_PER_LUT


def _cheapest(options: list[_Choice], cycles: float) -> Engine:
    """Return the cheapest engine that takes at most ``cycles``, or as few as it can."""
    least = max(cycles, min(option.cycles for option in options))
    return next(option.node for option in options if option.cycles <= least)


def _reachable(choices: Mapping[str, list[_Choice]], floor: float, most: int) -> float:
    """Return the fewest cycles, not below ``floor``, to which all engines that can come with ``most`` multipliers."""
    targets = sorted({max(floor, option.cycles) for options in choices.values() for option in options})
    return targets[
        bisect_left(
            targets[:-1],
            True,
            key=lambda cycles: sum(multipliers(_cheapest(options, cycles)) for options in choices.values()) <= most,
        )
    ]
