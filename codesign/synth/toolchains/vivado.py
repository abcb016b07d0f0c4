# SPDX-License-Identifier: Apache-2.0
"""Vivado's part of `codesign build`: the project for a board with a processor, and what it found out, on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

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
_SOC, _CORE = "i_soc", "i_core"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a design is divided into.

    Attributes:
        names: of the parts, in order.
        of: the part that an instance with everything inside it belongs to, by its name; None: no one part.
        rest: name of what the core has outside of them; None: it counts as registers.
    """

    names: tuple[str, ...]
    of: Callable[[str], str | None]
    rest: str | None = None


def parts_of(graph: Graph) -> Parts:
    """Return the parts of a pipeline: the nodes of its graph."""
    names = tuple(node.name for node in graph.nodes)
    return Parts(names=names, of=lambda instance: layer_of(instance, names))


def part_of(board: Target) -> Part:
    """Return what Vivado has to know of a board."""
    part = board.part
    return Part(target=board.name, part=part.vivado, processor=part.processor, board_files=part.board_files)


def project_of(graph: Graph, board: Target, *, clock_mhz: float, skip: bool) -> Project:
    """Return the project that makes the bitstream of ``graph`` for ``board``; see `codesign.synth.vendor.pynq`."""
    return overlay(graph, part=part_of(board), clock_mhz=clock_mhz, skip=skip)


def recorded(record: BoardBuild, made: VivadoBuild, parts: Parts) -> BoardBuild:
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
        layers=layers_of(made.instances, parts),
        critical_path=None if path is None else _critical(path, parts),
        bitstream=None if made.bitstream is None else f"{FOLDER}/{BITSTREAM}",
        seconds=replace(record.seconds, route=round(made.seconds, 1)),
        problem=_hold_problem(record, made),
    )


def layers_of(instances: Iterable[Instance], parts: Parts) -> tuple[LayerArea, ...]:
    """Return what each part takes, then the registers around the core, then the system around the design.

    Vivado counts a look-up table that two instances share in both of them, so a remainder can come out below 0: it is
    unknown then.
    Raises: SynthesisError if the design is not in the report.
    """
    every = tuple(instances)
    soc, *core = _instance(every, _SOC), *([_instance(every, _CORE)] if parts.rest else [])
    inside = by_layer([item for item in every if _SOC in item.path], parts.of)
    found = [_area(name, inside[name]) for name in parts.names if name in inside]
    if parts.rest:
        found.append(_rest(parts.rest, core[0], inside.values()))
    return (*found, _rest(REGISTERS, soc, core or inside.values()), _rest(SYSTEM, every[0], [soc]))


def _instance(every: tuple[Instance, ...], name: str) -> Instance:
    found = next((item for item in every if item.path[-1] == name), None)
    if found is None:
        raise SynthesisError(
            "Vivado's report has no such instance", expected=name, received=", ".join(item.path[-1] for item in every)
        )
    return found


def _area(name: str, item: Instance) -> LayerArea:
    return LayerArea(name=name, lut=item.lut, ff=item.ff, dsp=item.dsp, bram_bits=item.bram_bits)


def _rest(name: str, whole: Instance, parts: Iterable[Instance]) -> LayerArea:
    each = tuple(parts)
    left = {
        key: getattr(whole, key) - sum(getattr(item, key) for item in each) for key in ("lut", "ff", "dsp", "bram_bits")
    }
    return LayerArea(name=name, **{key: number if number >= 0 else None for key, number in left.items()})


def _critical(path: SlowestPath, parts: Parts) -> CriticalPath:
    return CriticalPath(
        from_layer=_owner(path.source, parts),
        to_layer=_owner(path.destination, parts),
        delay_ns=path.delay_ns,
        hops=path.hops,
    )


def _owner(pin: str, parts: Parts) -> str:
    """Return the owner of a pin, by the instances in its name."""
    scope = pin.split("/")
    if _SOC not in scope:
        return SYSTEM
    found = next((part for name in scope[scope.index(_SOC) :] if (part := parts.of(name))), None)
    return found or (parts.rest if parts.rest and _CORE in scope else REGISTERS)


def _hold_problem(record: BoardBuild, made: VivadoBuild) -> str | None:
    timing = made.timing
    if not timing.hold_failing:
        return record.problem
    worst = "" if timing.whs_ns is None else f", the worst by {-timing.whs_ns:.3f} ns"
    return (
        f"{timing.hold_failing} paths are too fast on {record.target} (hold){worst}. "
        f"Next step: look at them in {FOLDER}/route_timing.rpt, or try another clock."
    )
