# SPDX-License-Identifier: Apache-2.0
"""The network as a picture: a box for each engine, from top to bottom, with the events that travel between them."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from codesign.report.drawing import Box, Drawing, Mark, Path, text
from codesign.report.model import Report
from codesign.report.network import Unit
from codesign.report.words import INPUT_SCAN, TIMES, count, percent

_LETTER = 6.9
"""Pixels of a letter in a box, about."""
_LINE = 17.0
_PAD = 9.0
_GAP = 26.0
"""Pixels between two rows of boxes."""
_WIDEST = 330.0
_PASSING = 0.14
"""Width of an edge that passes a row, of that of a box."""
_KINDS = {
    "conv": "convolution",
    "depthwise": "depthwise convolution",
    "dense": "dense layer",
    "max": "maximum of windows",
    "sum": "sum of windows",
    "upsample": "upsampling",
    "add": "sum of its inputs",
    "concat": "concatenation",
}


@dataclass(slots=True, kw_only=True)
class _Place:
    """A box, or (without a name) an edge on its way through a row.

    Attributes:
        name: name of the unit; "" for an edge.
        above: places of the row above that it is connected to.
        x: its middle.
        width: width in pixels.
        top: y of its upper edge.
        bottom: y of its lower edge.
    """

    name: str
    above: list[_Place] = field(default_factory=list)
    x: float = 0.0
    width: float = 0.0
    top: float = 0.0
    bottom: float = 0.0


def diagram(width: int, report: Report) -> Drawing:
    """Return the diagram, ``width`` pixels wide; the report has a network."""
    units = {unit.name: unit for unit in report.network}
    sent: dict[str, list[Unit]] = {}
    for unit in report.network:
        if unit.kind == "delta":
            sent.setdefault(unit.inputs[0], []).append(unit)
    boxes = [unit for unit in report.network if unit.kind != "delta"]
    changed = {layer.name: layer.density.mean for layer in report.layers}
    marks: list[Mark] = []
    y = 6.0
    for row in _rows(boxes, units):
        _spread(row, width)
        heights = []
        for place in row:
            if place.name:
                unit = units[place.name]
                drawn, height = _box(place, y, unit, sent.get(unit.name, []), changed.get(unit.name))
                marks += drawn
                heights.append(height)
        tall = max(heights)
        for place in row:
            place.top, place.bottom = y, y + tall
            if not place.name:
                marks.append(Path(points=((place.x, y), (place.x, y + tall)), style="edge"))
        for place, height in zip((place for place in row if place.name), heights, strict=True):
            place.bottom = y + height
        marks += [mark for place in row for above in place.above for mark in _edge(above, place)]
        y += tall + _GAP
    return Drawing(width=width, height=y - _GAP + 8, title="The network and its engines", marks=tuple(marks))


def _rows(boxes: Sequence[Unit], units: Mapping[str, Unit]) -> list[list[_Place]]:
    """Return the boxes by their distance from the input; an edge over several rows passes each on its way.

    Places stand below what they are connected to, as far as the order in a row allows it.
    """
    rank: dict[str, int] = {}
    places: dict[tuple[str, int], _Place] = {}
    rows: list[list[_Place]] = []
    for unit in boxes:
        feeding = list(dict.fromkeys(_owner(name, units) for name in unit.inputs))
        rank[unit.name] = 1 + max((rank[name] for name in feeding), default=-1)
        place = _Place(name=unit.name)
        for name in feeding:
            above = places[name, rank[name]]
            for row in range(rank[name] + 1, rank[unit.name]):
                passing = places.get((name, row)) or _Place(name="", above=[above])
                if (name, row) not in places:
                    places[name, row] = passing
                    rows[row].append(passing)
                above = passing
            place.above.append(above)
        places[unit.name, rank[unit.name]] = place
        while len(rows) <= rank[unit.name]:
            rows.append([])
        rows[rank[unit.name]].append(place)
    for before, after in itertools.pairwise(rows):
        order = {id(place): index for index, place in enumerate(before)}
        after.sort(key=lambda place: sum(order[id(above)] for above in place.above) / max(1, len(place.above)))
    return rows


def _owner(name: str, units: Mapping[str, Unit]) -> str:
    """Return the box that sends what is called ``name``: a delta layer belongs to what feeds it."""
    return units[name].inputs[0] if units[name].kind == "delta" else name


def _spread(row: Sequence[_Place], width: float) -> None:
    """Give the places of a row their middles and widths."""
    shares = [1.0 if place.name else _PASSING for place in row]
    each = min(_WIDEST + 16, (width - 4) / sum(shares))
    x = (width - each * sum(shares)) / 2
    for place, share in zip(row, shares, strict=True):
        place.x, place.width = x + each * share / 2, each * share - 12
        x += each * share


def _box(place: _Place, y: float, unit: Unit, sent: Sequence[Unit], changed: float | None) -> tuple[list[Mark], float]:
    """Return the marks of a box whose upper edge is at ``y``, and its height."""
    left, letters = place.x - place.width / 2, int((place.width - 2 * _PAD) / _LETTER)
    lines = [line for part in _about(unit, changed) for line in textwrap.wrap(part, letters) or [""]]
    strip = [line for delta in sent for line in textwrap.wrap(_sends(delta, first=unit.kind == "source"), letters)]
    head = (textwrap.wrap(unit.name, max(4, int(letters * 0.92))) or [""])[0]
    inner = _PAD + _LINE * (1 + len(lines)) + _PAD / 2
    height = inner + (_LINE * len(strip) + _PAD if strip else 0.0)
    marks: list[Mark] = [Box(x=left, y=y, width=place.width, height=height, style="box", round=6)]
    if strip:
        marks.append(
            Box(x=left + 1, y=y + inner, width=place.width - 2, height=height - inner - 1, style="strip", round=5)
        )
    marks.append(text(left + _PAD, y + _PAD + 11, head, "label plain"))
    for index, line in enumerate(lines):
        marks.append(text(left + _PAD, y + _PAD + 11 + _LINE * (1 + index), line, "small plain soft"))
    for index, line in enumerate(strip):
        marks.append(text(left + _PAD, y + inner + 15 + _LINE * index, line, "small plain delta-text"))
    return marks, height


def _about(unit: Unit, changed: float | None) -> list[str]:
    """Return the description of a unit, in short lines."""
    shape = _product(unit.shape)
    if unit.kind == "source":
        return [f"{shape} frames of {unit.bits} bits", f"{unit.lanes} codes in an input beat"]
    what = _KINDS.get(unit.kind, unit.kind)
    if unit.kernel and unit.stride:
        stride = unit.stride[0] if len(set(unit.stride)) == 1 else _product(unit.stride)
        what += f" {_product(unit.kernel)}" + (f", stride {stride}" if max(unit.stride) > 1 else "")
    found = [what, f"to {shape} ({unit.bits} bits)"]
    engine = "" if unit.pe is None else f"PE {unit.pe}"
    if unit.unroll and max(unit.unroll) > 1:
        engine += f", unroll {_product(unit.unroll)}"
    weights = f"{count(unit.weights)} weights of {unit.weight_bits} bits" if unit.weights else ""
    found += ["; ".join(part for part in (engine, weights) if part)] if engine or weights else []
    if changed is not None:
        found.append(f"{percent(changed)} of its inputs change")
    return found


def _sends(delta: Unit, *, first: bool) -> str:
    hold = "" if delta.hold is None else f", hold {delta.hold:g}"
    return f"{INPUT_SCAN if first else delta.name}: changes of {delta.bits}-bit codes{hold}"


def _product(sizes: Sequence[int]) -> str:
    return f" {TIMES} ".join(map(str, sizes))


def _edge(above: _Place, place: _Place) -> list[Mark]:
    """Return the line from one place down to the next, with an arrow into a box."""
    turn = place.top - _GAP * 0.55
    points = ((above.x, above.bottom), (above.x, turn), (place.x, turn), (place.x, place.top))
    marks: list[Mark] = [Path(points=points, style="edge")]
    if place.name:
        tip = ((place.x - 4, place.top - 6), (place.x, place.top - 0.5), (place.x + 4, place.top - 6))
        marks.append(Path(points=tip, style="edge"))
    return marks
