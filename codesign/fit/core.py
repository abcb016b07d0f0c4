# SPDX-License-Identifier: Apache-2.0
"""The other architecture: a network as a program of the core that a board is built with.

A core is one bitstream for all networks, so there is nothing to choose: it fits, and is fast enough, or not. Cells are
those of the core as it was built; its cycles are the model's, on frames of one clip.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from codesign.core.compiler import Compiled, compile_graph
from codesign.core.cycles import core_cycles
from codesign.core.timing import MemoryTiming
from codesign.errors import ConfigError, ConversionError
from codesign.fit.board import HEADROOM
from codesign.fit.result import Cycles, Fit, Minimise
from codesign.graph.ir import Graph
from codesign.synth.core_memory import memory_timing
from codesign.synth.record import Area, LayerArea
from codesign.synth.target import Target

FIRST, MOST = 3, 64
"""Frames of a clip that are counted at least, and at most."""
SECONDS = 8.0
"""Time that the cycles of more frames than `FIRST` may take."""
TAIL = 0.95


def on_core(
    graph: Graph,
    clip: NDArray[np.integer],
    target: Target,
    *,
    frames_per_second: float | None,
    clock_mhz: float | None,
    minimise: Minimise,
) -> Fit | None:
    """Return a network on the board's core; None: the board has none that was built, or not at this clock, or the
    network does not fit it.

    clip: codes of consecutive frames, ``[T, *shape]``, from the first one of a stream on.
    """
    cells = target.core_area()
    if target.core is None or cells is None or len(clip) < 2:
        return None
    own = target.clock.of_delta_core
    clock = own if clock_mhz is None else clock_mhz
    try:
        compiled = compile_graph(graph, target.core)
        timing = memory_timing(target, clock)
    except (ConfigError, ConversionError):
        return None
    cycles = _cycles(compiled, clip, timing)
    rate = clock * 1e6 / cycles.p95
    has = target.capacity
    slow = frames_per_second is not None and rate < frames_per_second
    return Fit(
        graph=graph,
        architecture="core",
        target=target.name,
        minimise=minimise,
        cycles=cycles,
        busy={},
        clock_mhz=clock,
        clock_origin="as asked for" if clock_mhz is not None else f"that of the core of {target.name}, docs/targets.md",
        wanted=frames_per_second,
        resources=cells,
        layers=(LayerArea(name="core", lut=cells.lut, ff=cells.ff, dsp=cells.dsp, bram_bits=cells.bram_bits),),
        available=has.area(),
        usable=Area(lut=int(HEADROOM * has.lut), ff=int(HEADROOM * has.ff), dsp=has.dsp, bram_bits=has.memory.bits),
        energy_nj=None,
        in_the_way=(f"{rate:,.0f} frames/s on the core, {frames_per_second:,.0f} were asked for",) if slow else (),
        resource_origin=f"those of the core of {target.name} as it was built, [built_core] of its file",
    )


def _cycles(compiled: Compiled, clip: NDArray[np.integer], memory: MemoryTiming) -> Cycles:
    """Return the cycles of frames of a clip but the first, as many as are counted in some seconds."""
    begin = time.monotonic()
    found = core_cycles(compiled, clip[:FIRST], memory=memory).frames
    each = (time.monotonic() - begin) / len(found)
    more = min(len(clip), MOST, int(SECONDS / max(each, 1e-6)))
    if more > FIRST:
        found = core_cycles(compiled, clip[:more], memory=memory).frames
    steady = found[1:].astype(np.float64)
    return Cycles(mean=float(steady.mean()), p95=float(np.quantile(steady, TAIL)))


def better(pipeline: Fit, core: Fit | None) -> Fit:
    """Return the one of two architectures that fits; of two that do, the cheaper at a rate, else the faster."""
    if core is None or not core.fits:
        return pipeline
    if not pipeline.fits:
        return replace(core, no_pipeline=pipeline.in_the_way)
    if pipeline.wanted is None:
        return max(pipeline, core, key=lambda found: found.frames_per_second)
    kind = "dsp" if pipeline.minimise == "dsp" else "lut"
    if pipeline.minimise == "energy":
        return pipeline
    return min(pipeline, core, key=lambda found: getattr(found.resources, kind))
