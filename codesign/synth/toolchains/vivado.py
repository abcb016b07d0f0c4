# SPDX-License-Identifier: Apache-2.0
"""Vivado's part of `codesign build`: the project for a board with a processor, and what it found out, on record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from codesign.errors import SynthesisError
from codesign.graph.ir import Graph
from codesign.synth.layers import REGISTERS
from codesign.synth.record import Area, BoardBuild, CriticalPath, LayerArea
from codesign.synth.target import Target
from codesign.synth.vendor.pynq import overlay
from codesign.synth.vendor.vivado import BITSTREAM, Part, Project, VivadoBuild
from codesign.synth.vendor.vivado_timing import SlowestPath
from codesign.synth.vendor.vivado_utilisation import Instance, by_layer, layer_of

FOLDER = "vivado"
SYSTEM = "system"
"""What stands around the design: DMA, buses, reset."""
_SOC = "i_soc"


def part_of(board: Target) -> Part:
    """Return what Vivado has to know of a board."""
    part = board.part
    return Part(target=board.name, part=part.vivado, processor=part.processor, board_files=part.board_files)


def project_of(graph: Graph, board: Target, *, clock_mhz: float, skip: bool) -> Project:
    """Return the project that makes the bitstream of ``graph`` for ``board``; see `codesign.synth.vendor.pynq`."""
    return overlay(graph, part=part_of(board), clock_mhz=clock_mhz, skip=skip)


def recorded(record: BoardBuild, made: VivadoBuild, graph: Graph) -> BoardBuild:
    """Return ``record`` with the routed figures in place of the estimated ones.

    clock_mhz is what the processor's clock generator makes. A design that misses its clock has no ``problem`` yet; one
    with paths that are too fast has.
    """
    timing, path, routed = made.timing, made.timing.critical, made.routed
    return replace(
        record,
        clock_mhz=record.clock_mhz if path is None else round(1000 / path.requirement_ns, 3),
        fmax_mhz=timing.fmax_mhz,
        met=timing.met,
        tools=record.tools | ({routed.tool: routed.tool_version} if routed.tool_version else {}),
        used=Area(lut=routed.lut, ff=routed.ff, dsp=routed.dsp, bram_bits=routed.bram_bits),
        layers=layers_of(made.instances, graph),
        critical_path=None if path is None else _critical(path, graph),
        bitstream=None if made.bitstream is None else f"{FOLDER}/{BITSTREAM}",
        seconds=replace(record.seconds, route=round(made.seconds, 1)),
        problem=_hold_problem(record, made),
    )


def layers_of(instances: Iterable[Instance], graph: Graph) -> tuple[LayerArea, ...]:
    """Return what each node takes, then the registers around the core, then the system around the design.

    Vivado counts a look-up table that two instances share in both of them, so a remainder can come out below 0: it is
    unknown then.
    Raises: SynthesisError if the design is not in the report.
    """
    every = tuple(instances)
    soc = next((item for item in every if item.path[-1] == _SOC), None)
    if soc is None:
        raise SynthesisError(
            "Vivado's report has no such instance", expected=_SOC, received=", ".join(item.path[-1] for item in every)
        )
    nodes = [node.name for node in graph.nodes]
    inside = by_layer(every, lambda name: layer_of(name, nodes))
    return (
        *(_area(name, inside[name]) for name in nodes if name in inside),
        _rest(REGISTERS, soc, inside.values()),
        _rest(SYSTEM, every[0], [soc]),
    )


def _area(name: str, item: Instance) -> LayerArea:
    return LayerArea(name=name, lut=item.lut, ff=item.ff, dsp=item.dsp, bram_bits=item.bram_bits)


def _rest(name: str, whole: Instance, parts: Iterable[Instance]) -> LayerArea:
    each = tuple(parts)
    left = {
        key: getattr(whole, key) - sum(getattr(item, key) for item in each) for key in ("lut", "ff", "dsp", "bram_bits")
    }
    return LayerArea(name=name, **{key: number if number >= 0 else None for key, number in left.items()})


def _critical(path: SlowestPath, graph: Graph) -> CriticalPath:
    return CriticalPath(
        from_layer=_owner(path.source, graph),
        to_layer=_owner(path.destination, graph),
        delay_ns=path.delay_ns,
        hops=path.hops,
    )


def _owner(pin: str, graph: Graph) -> str:
    """Return the owner of a pin, by the instances in its name."""
    nodes, scope = [node.name for node in graph.nodes], pin.split("/")
    found = next((layer for name in scope if (layer := layer_of(name, nodes))), None)
    return found or (REGISTERS if _SOC in scope else SYSTEM)


def _hold_problem(record: BoardBuild, made: VivadoBuild) -> str | None:
    timing = made.timing
    if not timing.hold_failing:
        return record.problem
    worst = "" if timing.whs_ns is None else f", the worst by {-timing.whs_ns:.3f} ns"
    return (
        f"{timing.hold_failing} paths are too fast on {record.target} (hold){worst}. "
        f"Next step: look at them in {FOLDER}/route_timing.rpt, or try another clock."
    )
