# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a build, by how much, in which layer, and what to change: one paragraph."""

from __future__ import annotations

import re
from collections.abc import Mapping

from codesign.graph.ir import Graph
from codesign.synth.record import BoardBuild

_NO_ROOM = re.compile(r"(?i)unable to (find|place|legal).*|no bels? (remaining|available).*|failed to place.*")
_CELLS = {"lut": "look-up tables", "ff": "flip-flops", "dsp": "multipliers", "bram_bits": "bits of block RAM"}
_SMALLER = {
    "lut": "fewer processing elements there ([hardware.layer.{layer}] pe), or narrower weights and activations",
    "ff": "fewer processing elements there ([hardware.layer.{layer}] pe), or narrower weights and activations",
    "dsp": "fewer processing elements there ([hardware.layer.{layer}] pe)",
    "bram_bits": "fewer channels or weight bits there, or fewer processing elements ([hardware.layer.{layer}] pe)",
}


def capacity_problem(record: BoardBuild, smaller: Mapping[str, str] = _SMALLER) -> str | None:
    """Return why a mapped design does not fit its device; None if it may. smaller: what to change, by kind of cell."""
    for kind, cells in _CELLS.items():
        need, capacity = getattr(record.used, kind), getattr(record.available, kind)
        if need is None or capacity is None or need <= capacity:
            continue
        largest = max(record.layers, key=lambda layer: getattr(layer, kind) or 0)
        share = "it has none" if not capacity else f"{100 * need / capacity:.0f} % of them"
        return (
            f"does not fit {record.target}: needs {need:,} {cells} of {capacity:,} ({share}). "
            f"Most are in {largest.name} ({getattr(largest, kind):,}). "
            f"Next step: {smaller[kind].format(layer=largest.name)}, or a larger board."
        )
    return None


def placing_problem(record: BoardBuild, output: str) -> str | None:
    """Return why the placer gave up, if it was for lack of capacity; None if its output names another reason."""
    found = _NO_ROOM.search(output)
    if found is None:
        return None
    full = sorted(_CELLS, key=lambda kind: -_share(record, kind))[0]
    return (
        f"does not fit {record.target}: the placer found no place ({found.group().strip()}); "
        f"{100 * _share(record, full):.0f} % of the {_CELLS[full]} are in use. "
        "Next step: fewer processing elements ([hardware] pe), or a larger board."
    )


def _share(record: BoardBuild, kind: str) -> float:
    need, capacity = getattr(record.used, kind), getattr(record.available, kind)
    return (need or 0) / capacity if capacity else 0.0


def clock_problem(record: BoardBuild, graph: Graph | None, *, slower_mhz: float | None) -> str | None:
    """Return by how much a routed design misses its clock, where, and what to do; None if it meets it.

    graph: the design; None: of a core. slower_mhz: a clock that the board can make and it meets; None: there is none.
    """
    if record.met or record.clock_mhz is None:
        return None
    if record.fmax_mhz is None:
        return "the router found no clock to time. Next step: read nextpnr.log"
    if record.fmax_mhz >= record.clock_mhz and record.sdram_mhz is not None:
        return (
            f"misses the SDRAM's clock on {record.target}: {record.sdram_mhz:.4g} MHz asked for, "
            f"{record.sdram_fmax_mhz or 0.0:.1f} MHz routed. Next step: another --seed, or less mhz in its [sdram]."
        )
    path = record.critical_path
    late_ns = 1000 / record.fmax_mhz - 1000 / record.clock_mhz
    where = "" if path is None else f" The slowest path goes from {path.from_layer} to {path.to_layer}."
    layer = None if path is None else path.to_layer
    fewer = graph is not None and layer in {node.name for node in graph.engines}
    steps = ["another --seed"] if slower_mhz is None else [f"--clock {slower_mhz:.6g}", "another --seed"]
    steps += [f"fewer processing elements in {layer} ([hardware.layer.{layer}] pe)"] if fewer else []
    none = "" if slower_mhz is not None else f" {record.target} can make no clock that is slow enough."
    return (
        f"misses its clock on {record.target}: {record.clock_mhz:.4g} MHz asked for, {record.fmax_mhz:.1f} MHz routed, "
        f"{late_ns:.2f} ns too slow.{where}{none} Next step: {', or '.join(steps)}."
    )
