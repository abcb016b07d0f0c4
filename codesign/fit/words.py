# SPDX-License-Identifier: Apache-2.0
"""From a choice to its record, and to words: what it takes and reaches, and what is in the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from codesign.fit.board import Board
from codesign.fit.measured import Measured
from codesign.fit.options import TAIL
from codesign.fit.resources import Cells, ResourceModel
from codesign.fit.result import Cycles, Fit, Minimise, unroll_of
from codesign.graph.balance import cure, wider_input
from codesign.graph.cycles import CycleEstimate, FloatArray, Reached
from codesign.graph.ir import Dense, Graph
from codesign.graph.sparsity import LayerActivity
from codesign.report.energy import energy
from codesign.synth.layers import area_of
from codesign.synth.record import Area, LayerArea

RESOURCES = "estimated by the resource model of codesign.fit, calibrated on Yosys for the ECP5"
OBJECTIVES = {"lut": "look-up tables", "dsp": "multipliers", "energy": "energy"}
CELLS = {"lut": "look-up tables", "ff": "flip-flops", "dsp": "multipliers", "bram_bits": "bits of block RAM"}


def finished(
    graph: Graph,
    model: ResourceModel,
    board: Board,
    *,
    cycles: CycleEstimate,
    reached: Mapping[str, Reached],
    frames: Measured,
    wanted: float | None,
    minimise: Minimise,
) -> Fit:
    """Return the record of a choice."""
    parts = model.nodes(graph)
    whole = sum(parts.values(), Cells())
    made = Fit(
        graph=graph,
        target=board.target.name,
        minimise=minimise,
        cycles=_percentiles(cycles.cycles),
        busy={name: _percentiles(values) for name, values in cycles.layers.items()},
        clock_mhz=board.clock_mhz,
        clock_origin=board.clock_origin,
        wanted=wanted,
        resources=_area(whole),
        layers=tuple(cells.area(name) for name, cells in parts.items()),
        available=board.available,
        usable=board.usable,
        energy_nj=energy(graph, _activity(graph, frames, reached)).skipping.total,
        in_the_way=(),
        resource_origin=RESOURCES,
    )
    return replace(made, in_the_way=(*_too_large(made, board, whole), *_too_slow(made, reached)))


def _percentiles(cycles: FloatArray) -> Cycles:
    return Cycles(mean=float(cycles.mean()), p95=float(np.quantile(cycles, TAIL)))


def lines(found: Fit) -> Iterator[str]:
    """Yield what a person reads of a choice."""
    aim = (
        "the most frames/s that fit"
        if found.wanted is None
        else f"least {OBJECTIVES[found.minimise]} for {found.wanted:,.6g} frames/s"
    )
    yield f"{found.graph.name} on {found.target}, {found.architecture}: {aim}"
    yield (
        f"{found.frames_per_second:,.0f} frames/s at the 95th percentile of the cycles ({found.cycles.p95:,.0f}), "
        f"{found.frames_per_second_mean:,.0f} at the mean ({found.cycles.mean:,.0f})"
    )
    yield f"at {found.clock_mhz:g} MHz: {found.clock_origin}"
    if found.architecture == "pipeline":
        yield f"P = {found.graph.source.lanes}, {found.graph.source.beats:,} input beats a frame"
    yield from _aligned(_table(found))
    yield f"cells are {found.resource_origin}"
    if found.energy_nj is not None:
        yield f"{found.energy_nj:,.1f} nJ a mean frame: the estimate of the report, see docs/report.md"
    yield from (f"no pipeline: {reason}" for reason in found.no_pipeline)
    yield from (f"DOES NOT FIT: {reason}" for reason in found.in_the_way)


def _table(found: Fit) -> list[tuple[str, ...]]:
    """Return the rows of layers, of the whole, and of the board."""
    area = {layer.name: layer for layer in found.layers}
    rows: list[tuple[str, ...]] = [("layer", "PE", "unroll", "cycles", "LUT", "FF", "DSP", "BRAM kbit")]
    rows += [
        (node.name, str(node.pe), _by(unroll_of(node)), f"{found.busy[node.name].p95:,.0f}", *_row(area[node.name]))
        for node in found.graph.engines
        if node.name in found.busy
    ]
    if found.busy:
        others = area_of(layer for name, layer in area.items() if name not in found.busy)
        rows.append(("activations, input, output", "", "", "", *_row(others)))
    boards = (("whole", found.resources), ("may be used", found.usable), ("device", found.available))
    return rows + [(name, "", "", "", *_row(cells)) for name, cells in boards]


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        yield "  ".join([name.ljust(widths[0]), *(text.rjust(w) for text, w in zip(cells, widths[1:], strict=True))])


def _by(unroll: tuple[int, int]) -> str:
    return f"{unroll[0]}x{unroll[1]}"


def _row(area: LayerArea | Area) -> tuple[str, ...]:
    return f"{area.lut or 0:,}", f"{area.ff or 0:,}", f"{area.dsp or 0:,}", f"{(area.bram_bits or 0) // 1024:,}"


def _area(cells: Cells) -> Area:
    layer = cells.area()
    return Area(lut=layer.lut, ff=layer.ff, dsp=layer.dsp, bram_bits=layer.bram_bits)


def _too_large(made: Fit, board: Board, cells: Cells) -> Iterator[str]:
    for kind, share in board.shares(cells).items():
        if share > 1.0:
            need, usable = getattr(made.resources, kind), getattr(made.usable, kind)
            largest = max(made.layers, key=lambda layer: getattr(layer, kind) or 0)
            yield (
                f"{made.target} has too few {CELLS[kind]}: {need:,} are needed and {usable:,} may be used, "
                f"{need - usable:,} too few; most are in {largest.name} ({getattr(largest, kind):,})"
            )


def _too_slow(made: Fit, reached: Mapping[str, Reached]) -> Iterator[str]:
    if made.wanted is None or made.frames_per_second >= made.wanted * (1 - 1e-9):
        return
    yield (
        f"{made.frames_per_second:,.0f} frames/s at most, {made.wanted:,.0f} were asked for: "
        f"{_slowest(made.graph, reached)}"
    )


def _slowest(graph: Graph, reached: Mapping[str, Reached]) -> str:
    """Return which part takes longest, and what would help it."""
    busy = {node.name: float(np.quantile(np.asarray(reached[node.name].cycles), TAIL)) for node in graph.engines}
    sends = {
        node.name: 0.0 if isinstance(node, Dense) else float(np.quantile(np.asarray(reached[node.name].words), TAIL))
        for node in graph.engines
    }
    name = max(busy, key=lambda name: max(busy[name], sends[name]))
    most = max(busy[name], sends[name])
    if graph.source.beats > most:
        return f"the input takes {graph.source.beats:,} cycles a frame: {wider_input(graph.source.lanes)}"
    node = next(node for node in graph.engines if node.name == name)
    reach = (1, 1) if isinstance(node, Dense) else (int(node.y.counts().max()), int(node.x.counts().max()))
    help_ = cure(
        pe=node.pe,
        outputs=node.shape[-1],
        unroll=unroll_of(node),
        most=reach,
        channelwise=not isinstance(node, Dense) and node.channelwise,
        sends=sends[name] > busy[name],
    )
    return f"{name} takes {most:,.0f} cycles a frame: {help_}"


def _activity(graph: Graph, frames: Measured, reached: Mapping[str, Reached]) -> list[LayerActivity]:
    """Return the activity that the energy is counted on; operations as those of the mean element."""
    found = []
    for node in graph.engines:
        events = np.asarray(frames.events[node.name], np.float64)
        operations = np.rint(events * node.macs / node.n_in).astype(np.int64)
        found.append(
            LayerActivity(
                name=node.name,
                elements=node.n_in,
                macs=node.macs,
                events=events.astype(np.int64),
                active_macs=operations,
                spatial_macs=operations,
                ideal_cycles=np.rint(np.asarray(reached[node.name].cycles)).astype(np.int64),
                words=np.rint(np.asarray(reached[node.name].words)).astype(np.int64),
            )
        )
    return found
