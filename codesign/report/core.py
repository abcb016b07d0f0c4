# SPDX-License-Identifier: Apache-2.0
"""What a report says of a design for a core: one engine, whose memories and cycles are those of a program."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codesign.core.compiler import Compiled
from codesign.core.cycles import core_cycles
from codesign.core.memory import built_bits
from codesign.core.timing import DDR, MemoryTiming
from codesign.fixed import IntArray
from codesign.report.core_use import CoreUse
from codesign.report.model import Layer, MemoryUse, Report, Throughput
from codesign.report.network import Unit
from codesign.verify.hardware import RtlFigures, steady

CORE = "core"
"""What the memories of a core belong to: they are shared by all layers."""
KINDS = {
    "sum_words": "state",
    "code_rows": "references",
    "weight_lines": "weights",
    "table_rows": "tables",
    "param_rows": "steps",
    "step_words": "program",
    "places": "program",
    "walks": "program",
    "chunks": "marks",
}
"""What a report calls the memories of a core, by their depths."""
ESTIMATED_FRAMES = 512
"""Most frames that the cycle model is asked about: it takes some hundredths of a second for each."""
ESTIMATED_CYCLES = 20_000_000
"""Most cycles of all of them: with an external memory it takes one to two minutes for so many."""
UNKNOWN = ("layers.ideal_cycles_per_frame", "throughput.bound_cycles_per_frame", "energy")
"""Figures of a pipeline that a core does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCore:
    """A network on a core.

    Attributes:
        compiled: its program, and the core in its ``config``.
        estimated: cycles that the model gives for the frames of all clips, ``[N, T]``; None: it was not asked.
        moved: bytes to and from the external memory, as simulated, ``[N, T]``; None: there is none.
        estimated_moved: those that the model gives; None: there is none, or it was not asked.
    """

    compiled: Compiled
    estimated: IntArray | None = None
    moved: IntArray | None = None
    estimated_moved: IntArray | None = None

    @classmethod
    def of(
        cls,
        compiled: Compiled,
        clips: NDArray[np.integer],
        cycles: IntArray,
        moved: IntArray | None = None,
        memory: MemoryTiming = DDR,
    ) -> OnCore:
        """Return a network on a core, with the estimate for ``clips``, ``[N, T, *shape]``, if it takes not too long.

        cycles: as simulated, ``[N, T]``. memory: when the external memory answered, if there is one.
        """
        if cycles.size > ESTIMATED_FRAMES or cycles.sum() > ESTIMATED_CYCLES:
            return cls(compiled=compiled, moved=moved)
        found = [core_cycles(compiled, clip, memory=memory) for clip in clips]
        traffic = [item.bytes.sum(axis=1) for item in found if item.bytes is not None]
        return cls(
            compiled=compiled,
            estimated=np.stack([item.frames for item in found]),
            moved=moved,
            estimated_moved=np.stack(traffic) if traffic else None,
        )


def on_core(report: Report, core: OnCore, rtl: RtlFigures) -> Report:
    """Return the report of a design whose RTL is a core; what only a pipeline has is unknown."""
    return dataclasses.replace(
        report,
        architecture="core",
        core=core_use(core, rtl),
        network=tuple(_unit(unit, core.compiled) for unit in report.network),
        layers=tuple(_layer(layer, core.compiled) for layer in report.layers),
        throughput=_throughput(report.throughput, core, rtl),
        memories=memory_uses(core.compiled),
        energy=None,
        origins={key: origin for key, origin in report.origins.items() if key not in UNKNOWN},
    )


def core_use(core: OnCore, rtl: RtlFigures) -> CoreUse:
    """Return how much of its time the core adds, operations over cycles, and what it moves, of mean frames."""
    compiled = core.compiled
    cycles = float(steady(rtl.cycles).mean())
    operations = sum(float(steady(rtl.busy[name]).mean()) for name in compiled.engines if name in rtl.busy)
    return CoreUse(
        lanes=compiled.program.config.lanes,
        cycles_per_frame=cycles,
        bytes_per_frame=None if core.moved is None else float(steady(core.moved).mean()),
        estimated_bytes_per_frame=None if core.estimated_moved is None else float(steady(core.estimated_moved).mean()),
        busy=operations / cycles,
    )


def memory_uses(compiled: Compiled) -> tuple[MemoryUse, ...]:
    """Return the bits that the core is built with, by kind."""
    bits: dict[str, int] = {}
    for depth, count in built_bits(compiled.program.config).items():
        bits[KINDS[depth]] = bits.get(KINDS[depth], 0) + count
    return tuple(MemoryUse(layer=CORE, kind=kind, bits=count) for kind, count in bits.items())


def _unit(unit: Unit, compiled: Compiled) -> Unit:
    """Return a node without what its engine of a pipeline would have; an input beat is the core's."""
    lanes = compiled.program.config.quantisers if unit.kind == "source" else None
    return dataclasses.replace(unit, lanes=lanes, pe=None, unroll=None)


def _layer(layer: Layer, compiled: Compiled) -> Layer:
    """Return a layer with the bits that it takes in the memories of the core, filled lanes and all."""
    config, number = compiled.program.config, compiled.engines.index(layer.name)
    steps = list(zip(compiled.sends, compiled.program.steps, strict=True))
    words = sum(step.sweep_words for _, step in steps if step.engine == number)
    inputs = dict.fromkeys(compiled.graph[layer.name].inputs)
    first = [name for name in inputs if compiled.graph.readers(name)[0] == layer.name]
    rows = sum(step.words * step.parts for name, step in steps if name in first)
    lines = sum(reader.lines for reader in compiled.readers if reader.engine == layer.name)
    return dataclasses.replace(
        layer,
        ideal_cycles_per_frame=None,
        estimated_cycles_per_frame=None,
        state_bits=words * config.lanes * config.sum_bits + rows * config.quantisers * config.code_bits,
        weight_bits=lines * config.lanes * config.weight_bits if layer.weight_bits else 0,
    )


def _throughput(found: Throughput, core: OnCore, rtl: RtlFigures) -> Throughput:
    """Return the throughput without the figures that engines side by side have."""
    engines = {name: float(steady(rtl.busy[name]).mean()) for name in core.compiled.engines if name in rtl.busy}
    return dataclasses.replace(
        found,
        ideal_cycles_per_frame=None,
        skip_efficiency=None,
        bottleneck_layer=max(engines, key=lambda name: engines[name]),
        estimated_cycles_per_frame=None if core.estimated is None else float(steady(core.estimated).mean()),
        estimated_dense_cycles_per_frame=None,
        bound_cycles_per_frame=None,
        bound_efficiency=None,
    )
