# SPDX-License-Identifier: Apache-2.0
"""Dense layers fully unrolled by da4ml against the event engine of one layer.

Both sides get the same weights, biases and input codes, are compared with the golden model, and are mapped to an ECP5
by the same Yosys command. Unrolled, a layer takes one frame per cycle whatever changes, as long as the device holds it
and a whole frame arrives in each cycle; the event engine takes 16 codes per beat and cycles that follow the changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import dense
from benchmarks.da4ml import FRAMES, Limits, Unrolled, unroll
from benchmarks.layers import CODE_BITS, WEIGHT_BITS, Layer, square, trained
from codesign import provenance
from codesign.errors import SimulationError
from codesign.graph.golden import Golden
from codesign.graph.ir import Dense
from codesign.paths import BuildFolder
from codesign.sim import RtlSimulator
from codesign.synth import Resources, synthesise_graph

DEVICE, DEVICE_LUT = "LFE5U-85F", 83640
"""The largest ECP5 and its look-up tables."""
SIZES = (16, 32, 64, 128)
DENSITIES = (0.05, 0.1, 0.2)
"""Shares of the inputs that change in a frame, as far as whole inputs allow; at least one does."""
DESIGN = Path("build/moving_digits_conv")
"""A trained design whose dense layers are measured, too, where it was built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Mean cycles per frame where this share of the inputs changes in a frame."""

    density: float
    cycles: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """One layer both ways.

    Attributes:
        name: name of the layer.
        inputs: input elements.
        outputs: output elements.
        code_bits: bits of an input code.
        weight_bits: bits of a weight.
        pe: multiply-accumulates per cycle of the event engine.
        unrolled: the layer unrolled by da4ml; takes one frame per cycle.
        skipping: the event engine, with its input and output.
        dense: the same with skipping off.
        dense_cycles: cycles per frame of `dense`.
        at: cycles per frame of `skipping`, by density.
    """

    name: str
    inputs: int
    outputs: int
    code_bits: int
    weight_bits: int
    pe: int
    unrolled: Unrolled
    skipping: Resources
    dense: Resources
    dense_cycles: float
    at: tuple[At, ...]


def measure_all(
    folder: Path,
    *,
    seed: int,
    sizes: Sequence[int] = SIZES,
    design: Path = DESIGN,
    limits: Limits | None = None,
) -> tuple[Versus, ...]:
    """Measure random square layers, and the dense layers of a trained design if it was built.

    Args:
        folder: folder for what is built.
        seed: seed of weights, biases and streams.
        sizes: sizes of the square layers.
        design: build folder ``build/<design>``.
        limits: limits of each step of unrolling.
    """
    layers = [square(size, seed) for size in sizes]
    if (design / BuildFolder.GRAPH / "graph.json").is_file():
        layers += trained(design)
    with ThreadPoolExecutor(provenance.cores()) as pool:  # almost all of the time is spent in other programs
        largest_first = sorted(layers, key=lambda layer: -layer.shape[0] * layer.shape[1])
        waiting = {layer.name: pool.submit(measure, layer, folder, limits or Limits(), seed) for layer in largest_first}
        return tuple(waiting[layer.name].result() for layer in layers)


def measure(layer: Layer, folder: Path, limits: Limits, seed: int) -> Versus:
    """Measure one layer.

    Raises:
        SimulationError: an output of either side differs from the golden model.
    """
    graph, node = layer.graph, layer.graph.nodes[-1]
    assert isinstance(node, Dense)
    work = folder / "unrolled" / graph.name
    frames = dense.stream(graph, FRAMES, 0.5, seed) if layer.clip is None else layer.clip[:FRAMES]
    return Versus(
        name=layer.name,
        inputs=node.n_in,
        outputs=node.n_out,
        code_bits=graph.source.fmt.width,
        weight_bits=node.weight_fmt.width,
        pe=node.pe,
        unrolled=unroll(graph, frames, work, limits, most_lut=DEVICE_LUT),
        skipping=synthesise_graph(graph, target="ecp5", folder=work / "skipping"),
        dense=synthesise_graph(graph, target="ecp5", folder=work / "dense", skip=False),
        dense_cycles=dense.dense_cycles(graph, folder),
        at=_cycles(layer, folder),
    )


def _cycles(layer: Layer, folder: Path) -> tuple[At, ...]:
    """Return the cycles of the event engine: on the layer's clip, or on streams of given density."""
    with RtlSimulator(layer.graph, folder) as simulator:
        if layer.clip is not None:
            return (_on_clip(layer, simulator),)
        size = layer.graph.source.size
        shares = [max(1, round(density * size)) / size for density in DENSITIES]
        return tuple(At(density=share, cycles=dense.measure(simulator, 1.0, share).cycles) for share in shares)


def _on_clip(layer: Layer, simulator: RtlSimulator) -> At:
    """Measure a clip; its first frame leaves before the second enters, and is left out."""
    graph, clip = layer.graph, layer.clip
    assert clip is not None
    simulator.reset()
    simulator.run(clip[:1])
    run, trace = simulator.run(clip[1:]), Golden(graph).run(clip)
    wrong = int((run.outputs != trace.outputs[1:]).sum())
    if wrong:
        raise SimulationError("the RTL differs from the golden model", where=graph.name, received=f"{wrong} values")
    changed = trace.deltas[graph.deltas[0].name][1:] != 0
    return At(density=float(changed.mean()), cycles=float(run.cycles.mean()))


def settings() -> dict[str, object]:
    """Return what the random layers have in common."""
    return {"code_bits": CODE_BITS, "weight_bits": WEIGHT_BITS, "device": DEVICE, "device_lut": DEVICE_LUT}
