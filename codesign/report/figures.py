# SPDX-License-Identifier: Apache-2.0
"""From the runs to the figures of the report: golden traces give sparsity, RTL runs give cycles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codesign.graph.channels import stored_bits
from codesign.graph.cycles import CycleEstimate, Reached, dense_cycles, estimate
from codesign.graph.ir import Delta, Engine, Graph, Linear, Pool
from codesign.report.model import Layer, Throughput
from codesign.report.network import kind
from codesign.report.percentiles import Percentiles
from codesign.verify.golden_run import GoldenRun
from codesign.verify.hardware import RtlFigures, steady
from codesign.verify.software import HlsFigures


def layer_figures(
    graph: Graph,
    golden: GoldenRun,
    rtl: RtlFigures | None,
    estimates: Sequence[CycleEstimate],
    hls: HlsFigures | None = None,
) -> tuple[Layer, ...]:
    """Return the report's layers."""
    found = []
    for node, seen in zip(graph.engines, golden.layers, strict=True):
        cycles = None if rtl is None else float(steady(rtl.busy[node.name]).mean())
        found.append(
            Layer(
                name=node.name,
                kind=kind(node),
                macs_per_frame=node.macs,
                density=Percentiles.of(seen.density),
                operation_sparsity=seen.operation_sparsity,
                spatial_sparsity=seen.spatial_sparsity,
                events_per_frame=float(seen.events.mean()),
                cycles_per_frame=cycles,
                ideal_cycles_per_frame=float(seen.ideal_cycles.mean()),
                state_bits=state_bits(graph, node),
                weight_bits=node.weight.size * stored_bits(graph, node)[0] if isinstance(node, Linear) else 0,
                estimated_cycles_per_frame=float(np.mean([clip.layers[node.name] for clip in estimates])),
                hls_cycles_per_frame=None if hls is None else float(steady(hls.layers[node.name]).mean()),
            )
        )
    return tuple(found)


def state_bits(graph: Graph, node: Engine) -> int:
    """Return the bits a layer keeps from frame to frame: its sums (a maximum: its windows) and its inputs' references.

    The references of an input that several layers read count in the first of them.
    """
    own = (
        node.size * stored_bits(graph, node)[1] * (node.window if isinstance(node, Pool) and node.kind == "max" else 1)
    )
    first = [graph[name] for name in dict.fromkeys(node.inputs) if graph.readers(name)[0] == node.name]
    return own + sum(delta.size * delta.fmt.width for delta in first if isinstance(delta, Delta))


def estimated(golden: GoldenRun, graph: Graph) -> list[CycleEstimate]:
    """Return what the cycle model predicts for each clip, first frame left out."""
    found = []
    for frames in np.split(np.arange(golden.ideal.size), len(golden.outputs)):
        events = {layer.name: layer.events[frames] for layer in golden.layers}
        reached = {
            layer.name: Reached(cycles=layer.ideal_cycles[frames], words=layer.words[frames]) for layer in golden.layers
        }
        found.append(estimate(graph, events, reached))
    return found


def throughput_figures(
    graph: Graph, golden: GoldenRun, rtl: RtlFigures, clock_mhz: float | None, estimates: Sequence[CycleEstimate]
) -> Throughput:
    """Return the report's throughput; frames per second only with a clock."""
    cycles = steady(rtl.cycles)
    mean, ideal, dense = float(cycles.mean()), float(golden.ideal.mean()), float(rtl.dense_cycles.mean())
    bound = int(golden.least.sum())
    busy = {name: float(steady(values).mean()) for name, values in rtl.busy.items()}
    return Throughput(
        cycles_per_frame=Percentiles.of(cycles),
        dense_cycles_per_frame=dense,
        speedup=dense / mean,
        ideal_cycles_per_frame=ideal,
        skip_efficiency=ideal / mean,
        bottleneck_layer=max(busy, key=lambda name: busy[name]),
        latency_cycles=float(steady(rtl.latency).mean()),
        clock_mhz=clock_mhz,
        frames_per_second=None if clock_mhz is None else clock_mhz * 1e6 / mean,
        estimated_cycles_per_frame=float(np.mean([clip.cycles for clip in estimates])),
        estimated_dense_cycles_per_frame=dense_cycles(graph),
        dense_cycles_spread=Percentiles.of(rtl.dense_cycles),
        bound_cycles_per_frame=bound / cycles.size,
        bound_efficiency=bound / float(cycles.sum()),
    )
