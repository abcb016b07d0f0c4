# SPDX-License-Identifier: Apache-2.0
"""Put a `Report` and its `Detail` together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from codesign.calibration.agreement import FloatAgreement
from codesign.graph.golden import Golden
from codesign.graph.ir import Graph
from codesign.graph.sparsity import activity, ideal_cycles, least_cycles
from codesign.report.core import OnCore, memory_uses, on_core
from codesign.report.energy import energy
from codesign.report.figures import estimated, layer_figures, throughput_figures
from codesign.report.hls import hls_figures
from codesign.report.model import (
    SCHEMA,
    Accuracy,
    Agreement,
    Clips,
    Detail,
    Epoch,
    Made,
    MemoryUse,
    Mismatches,
    Origin,
    Report,
    Still,
    with_builds,
)
from codesign.report.network import units
from codesign.rtl.top import top_of
from codesign.synth.core_memory import boards_for
from codesign.synth.memory import boards_that_fit, memories
from codesign.synth.record import BoardBuild
from codesign.synth.resources import Resources
from codesign.synth.target import Target
from codesign.verify.compare import Comparison
from codesign.verify.compiled import Compiled
from codesign.verify.golden_run import GoldenRun
from codesign.verify.hardware import RtlFigures, steady
from codesign.verify.software import HlsFigures

RESOURCE_ORIGINS: dict[str, Origin] = {"synth": "synthesised", "route": "routed", "estimate": "estimated"}


def make_report(
    *,
    design: str,
    graph: Graph,
    golden: GoldenRun,
    rtl: RtlFigures,
    accuracy: Accuracy,
    comparisons: Sequence[Comparison],
    resources: tuple[Resources, ...],
    clock_mhz: float | None,
    tool_versions: dict[str, str | None],
    clips: Clips | None = None,
    builds: Sequence[BoardBuild] = (),
    made: Made | None = None,
    float_agreement: FloatAgreement | None = None,
    hls: HlsFigures | None = None,
    compiled: Compiled | None = None,
    core: OnCore | None = None,
) -> Report:
    """Return the report. The clock is the one given, else the routed Fmax, else unknown. core: None: a pipeline."""
    routed = [item.fmax_mhz for item in resources if item.kind == "route" and item.fmax_mhz is not None]
    clock = clock_mhz if clock_mhz is not None else max(routed, default=None)
    origins: dict[str, Origin] = {
        "accuracy": "simulated",
        "agreement": "simulated",
        "layers.macs_per_frame": "counted",
        "layers.density": "simulated",
        "layers.cycles_per_frame": "simulated",
        "layers.ideal_cycles_per_frame": "counted",
        "throughput.cycles_per_frame": "simulated",
        "throughput.latency_cycles": "simulated",
        "network": "counted",
        "throughput.bound_cycles_per_frame": "counted",
        "throughput.estimated_cycles_per_frame": "estimated",
        "memories": "counted",
        "fits": "counted",
        "energy": "estimated",
    }
    if clock is not None:
        origins["throughput.clock_mhz"] = "given" if clock_mhz is not None else "routed"
    if hls is not None:
        origins |= {"hls.cycles_per_frame": "estimated", "layers.hls_cycles_per_frame": "estimated"}
    if compiled is not None:
        origins["hls.cycles_per_frame"] = "simulated"
    origins |= {f"resources.{item.kind}": RESOURCE_ORIGINS[item.kind] for item in resources}
    estimates = estimated(golden, graph)
    report = Report(
        design=design,
        schema=SCHEMA,
        architecture="pipeline",
        made=made or Made(),
        network=units(graph),
        tool_versions=tool_versions,
        accuracy=accuracy,
        agreement=agreement(comparisons),
        float_agreement=float_agreement,
        layers=layer_figures(graph, golden, rtl, estimates, hls),
        throughput=throughput_figures(graph, golden, rtl, clock, estimates),
        resources=resources,
        memories=memory_figures(graph) if core is None else memory_uses(core.compiled),
        origins=origins,
        clips=clips,
        energy=energy(graph, golden.layers),
        hls=hls_figures(hls, compiled),
        fits=tuple(board.name for board in _boards(graph, core)),
    )
    return with_builds(report, builds) if core is None else on_core(report, core, rtl)


def _boards(graph: Graph, core: OnCore | None) -> tuple[Target, ...]:
    """Return the boards whose memory the design fits."""
    return boards_that_fit(memories(top_of(graph))) if core is None else boards_for(core.compiled.program.config)


def memory_figures(graph: Graph) -> tuple[MemoryUse, ...]:
    """Return the bits of every kind of memory of each node, in the order of the design."""
    bits: dict[tuple[str, str], int] = {}
    for memory in memories(top_of(graph)):
        key = (memory.layer, memory.kind)
        bits[key] = bits.get(key, 0) + memory.bits
    return tuple(MemoryUse(layer=layer, kind=kind, bits=count) for (layer, kind), count in bits.items())


def agreement(comparisons: Sequence[Comparison]) -> Agreement:
    """Return the comparisons as the report has them: frames and values that every pair covers."""
    return Agreement(
        frames=min(item.frames for item in comparisons),
        values=min(item.values for item in comparisons),
        mismatches=Mismatches(**{item.pair: item.mismatches for item in comparisons}),
    )


def make_detail(
    graph: Graph,
    clips: NDArray[np.integer],
    rtl: RtlFigures,
    *,
    stills: int,
    clip: str,
    sparsity_quantized: float | None = None,
    sparsity_delta: float | None = None,
    epochs: Sequence[Epoch] = (),
    core: OnCore | None = None,
) -> Detail:
    """Return what the pictures show of the first of ``clips`` (input codes ``[N, T, *shape]``)."""
    trace = Golden(graph).run(clips[0])
    seen = activity(graph, trace)
    scan = rtl.busy.get(graph.nodes[1].name) if core is None else None
    return Detail(
        clip=clip,
        cycles=tuple(rtl.cycles[0, 1:].tolist()),
        ideal=tuple(ideal_cycles(graph, seen).tolist()) if core is None else (),
        bound=least_cycles(graph, seen) if core is None else None,
        encode_cycles=None if scan is None else float(steady(scan).mean()),
        input_beats=graph.source.beats if core is None else core.compiled.program.beats,
        stills=_stills(graph, trace.codes, trace.deltas, stills),
        sparsity_quantized=sparsity_quantized,
        sparsity_delta=sparsity_delta,
        epochs=tuple(epochs),
    )


def _stills(
    graph: Graph, codes: dict[str, NDArray[np.int64]], deltas: dict[str, NDArray[np.int64]], count: int
) -> tuple[Still, ...]:
    """Return ``count`` frames spread over the clip; none if the input is not a picture."""
    shape, first = graph.source.shape, graph.deltas[0]
    if not count or len(shape) not in (2, 3):
        return ()
    height, width = shape[:2]
    grey = codes[first.name].reshape(-1, height, width, first.size // (height * width)).mean(axis=-1)
    signs = np.sign(deltas[first.name]).reshape(-1, height, width, first.size // (height * width))
    changed = np.sign(signs.sum(axis=-1))
    level = np.round(255 * (grey - first.lo) / (first.hi - first.lo)).astype(int)
    frames = np.unique(np.linspace(1, len(grey) - 1, count).astype(int))
    return tuple(
        Still(
            frame=int(frame),
            height=height,
            width=width,
            codes=tuple(level[frame].ravel().tolist()),
            changes=tuple(changed[frame].ravel().tolist()),
        )
        for frame in frames
    )
