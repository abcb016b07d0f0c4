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
from codesign.graph.cycles import FloatArray, Reached
from codesign.graph.ir import Dense, Graph
from codesign.graph.sparsity import LayerActivity
from codesign.report.energy import energy
from codesign.synth.record import Area

RESOURCES = "estimated by the resource model of codesign.fit, calibrated on Yosys for the ECP5"
CELLS = {"lut": "look-up tables", "ff": "flip-flops", "dsp": "multipliers", "bram_bits": "bits of block RAM"}


def finished(
    graph: Graph,
    model: ResourceModel,
    board: Board,
    *,
    cycles: FloatArray,
    reached: Mapping[str, Reached],
    frames: Measured,
    wanted: float | None,
    minimise: Minimise,
) -> Fit:
    """Return the record of a choice."""
    parts = model.nodes(graph)
    whole = sum(parts.values(), Cells())
    found = Cycles(mean=float(cycles.mean()), p95=float(np.quantile(cycles, TAIL)))
    made = Fit(
        graph=graph,
        target=board.target.name,
        minimise=minimise,
        cycles=found,
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
