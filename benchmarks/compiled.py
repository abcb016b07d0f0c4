# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.compiled``: kernels and small networks through the HLS compiler on PATH.

Each is compiled, simulated on random frames, compared with the golden model value by value, and mapped for an ECP5.
Exit status 1 if a value differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.origin import origin
from codesign.errors import CodesignError, SimulationError, SynthesisError
from codesign.fixed import Fixed, IntArray
from codesign.graph.golden import Golden
from codesign.hls.compilers import Compiler, compile_source, find
from codesign.hls.core import Core, Source
from codesign.hls.simulate import simulator
from codesign.hls4ml_plugin.writer.streaming import stream_source
from codesign.outputs import write_text
from codesign.report.document import fill, table
from codesign.synth.yosys import synthesise
from codesign.verify.software import HlsFigures

FRAMES, SEED, CLOCK_MHZ, TARGET = 200, 1, 100.0, "ecp5"
CHANGE = 0.1
"""Probability that an input element changes from one frame to the next; every 20th frame all do, every 7th none."""
LIMIT = 1.3
"""Measured cycles over the estimate at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One network through a compiler; cycles are means per frame, without the first one.

    Attributes:
        name: what it is.
        problem: why it was not compiled or did not run; None if it did.
        values: output values compared.
        mismatches: those that differ.
        measured: cycles of what the compiler made.
        estimated: csim's trips at II = 1.
        per_trip: cycles for each trip in the frame with the most trips: the II of the loops, as none is pipelined.
        lut, ff, dsp, bram_bits: cells on an ECP5, not routed; None if Yosys failed.
    """

    name: str
    problem: str | None = None
    values: int = 0
    mismatches: int = 0
    measured: float | None = None
    estimated: float | None = None
    per_trip: float | None = None
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram_bits: int | None = None


def networks() -> Iterator[tuple[str, tuple[int, ...], Callable[[Any], Any]]]:
    """Yield every network: its name, the shape of a frame, and a function that makes it of the input tensor; 4 bits."""
    import keras
    from qkeras import QConv1D, QConv2D, QDense, QDepthwiseConv2D, quantized_bits

    from codesign.layers import DeltaActivation

    def quantizer() -> Any:
        return quantized_bits(4, 0, alpha=1)

    def delta(name: str, hold: float | None = None) -> Any:
        return DeltaActivation("relu", 4, 2.0**-4 if name == "encode" else 2.0**-2, hold=hold, name=name)

    def dense(units: int, name: str) -> Any:
        return QDense(units, kernel_quantizer=quantizer(), bias_quantizer=quantizer(), name=name)

    def conv(filters: int, name: str, **given: Any) -> Any:
        return QConv2D(filters, 3, kernel_quantizer=quantizer(), bias_quantizer=quantizer(), name=name, **given)

    def depthwise(name: str) -> Any:
        return QDepthwiseConv2D(
            3, depthwise_quantizer=quantizer(), bias_quantizer=quantizer(), padding="same", name=name
        )

    def conv1d(name: str) -> Any:
        return QConv1D(4, 3, kernel_quantizer=quantizer(), bias_quantizer=quantizer(), padding="same", name=name)

    def residual(x: Any) -> Any:
        x = delta("encode")(x)
        return delta("out")(keras.layers.Add(name="add")([conv(2, "conv", padding="same")(x), x]))

    def chain(*layers: Any) -> Callable[[Any], Any]:
        def build(x: Any) -> Any:
            for layer in layers:
                x = layer(x)
            return x

        return build

    flat = keras.layers.Flatten
    yield "Dense 32 to 8", (32,), chain(delta("encode"), dense(8, "dense"))
    yield "Conv2D 3x3, 8x8x1 to 8x8x4", (8, 8, 1), chain(delta("encode"), conv(4, "conv", padding="same"))
    yield (
        "Conv2D 3x3 stride 2, 8x8x2 to 4x4x4",
        (8, 8, 2),
        chain(delta("encode"), conv(4, "conv", padding="same", strides=2)),
    )
    yield "Conv1D 3, 16x2 to 16x4", (16, 2), chain(delta("encode"), conv1d("conv"))
    yield "depthwise 3x3, 8x8x4", (8, 8, 4), chain(delta("encode"), depthwise("depthwise"))
    yield (
        "activation with hold behind Dense 16 to 8",
        (16,),
        chain(delta("encode"), dense(8, "dense"), delta("out", 1.0)),
    )
    yield (
        "maximum pool 2x2, 8x8x2",
        (8, 8, 2),
        chain(delta("encode"), keras.layers.MaxPooling2D(2, name="pool"), delta("out")),
    )
    yield (
        "average pool 2x2, 8x8x2",
        (8, 8, 2),
        chain(delta("encode"), keras.layers.AveragePooling2D(2, name="pool"), delta("out")),
    )
    yield (
        "upsampling 2x2, 4x4x2",
        (4, 4, 2),
        chain(delta("encode"), keras.layers.UpSampling2D(2, name="up"), delta("out")),
    )
    yield "add: convolution and shortcut, 6x6x2", (6, 6, 2), residual
    yield (
        "two layers: Dense 32 to 16 to 10",
        (32,),
        chain(delta("encode"), dense(16, "dense1"), delta("delta1"), dense(10, "dense2")),
    )
    yield (
        "two layers: Conv2D 8x8x1 to 8x8x4, Dense to 10",
        (8, 8, 1),
        chain(
            delta("encode"), conv(4, "conv", padding="same"), delta("delta1"), flat(name="flat"), dense(10, "dense2")
        ),
    )


def convert(shape: tuple[int, ...], build: Callable[[Any], Any], folder: Path) -> Any:
    """Return the hls4ml model of a network with random weights."""
    import hls4ml
    import keras

    frame = keras.Input(shape, name="frame")
    model = keras.Model(frame, build(frame))
    draw = np.random.default_rng(SEED)
    for weight in model.weights:
        weight.assign(draw.normal(size=weight.shape) * 0.6)
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = {"result": "ufixed<4,0>"}
    return hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="Delta", output_dir=str(folder), clock_period=1000 / CLOCK_MHZ
    )


def frames_of(fmt: Fixed, shape: tuple[int, ...]) -> IntArray:
    """Return `FRAMES` frames of codes ``[T, *shape]``."""
    draw = np.random.default_rng(SEED)
    frames = [draw.integers(fmt.lo, fmt.hi, shape, endpoint=True)]
    for at in range(1, FRAMES):
        chance = 1.0 if at % 20 == 0 else 0.0 if at % 7 == 0 else CHANGE
        fresh = draw.integers(fmt.lo, fmt.hi, shape, endpoint=True)
        frames.append(np.where(draw.random(shape) < chance, fresh, frames[-1]))
    return np.stack(frames)


def measure(name: str, shape: tuple[int, ...], build: Callable[[Any], Any], compiler: Compiler, folder: Path) -> Kernel:
    """Return what came of one network."""
    model = convert(shape, build, folder / "project")
    source = stream_source(model, compiler.most_bits)
    try:
        core = compile_source(source, folder / "core", compiler=compiler, clock_mhz=CLOCK_MHZ)
    except SynthesisError as error:
        return Kernel(name=name, problem=str(error))
    graph = model.delta_graph
    frames = frames_of(graph.source.fmt, graph.source.shape)
    try:
        with simulator(core, source, folder) as running:
            run = running.run(frames)
    except SimulationError as error:
        return Kernel(name=name, problem=str(error))
    expected = Golden(graph).run(frames).outputs
    model.compile()
    model.predict(frames, logits=True)
    trips = HlsFigures.of([model.csim_stats]).cycles[0][1:]
    cycles = run.cycles[1:]
    busiest = int(np.argmax(trips))
    return Kernel(
        name=name,
        values=expected.size,
        mismatches=int((run.outputs != expected).sum()),
        measured=float(cycles.mean()),
        estimated=float(trips.mean()),
        per_trip=float(cycles[busiest] / trips[busiest]),
        **_cells(core, source, folder / "yosys"),
    )


def _cells(core: Core, source: Source, folder: Path) -> dict[str, Any]:
    try:
        found = synthesise(core.project(source), source.spec.module, target=TARGET, folder=folder)
    except SynthesisError as error:
        print(f"not mapped: {error}", file=sys.stderr)
        return {}
    return {"lut": found.lut, "ff": found.ff, "dsp": found.dsp, "bram_bits": found.bram_bits}


def rows(kernels: Sequence[Kernel]) -> str:
    """Return the table of the document."""
    head = ("network", "bits equal", "cycles measured", "estimate", "ratio", "cycles per trip", "LUT", "FF", "DSP")
    cells = []
    for kernel in kernels:
        if kernel.problem is not None or kernel.measured is None or kernel.estimated is None:
            cells.append((kernel.name, "**fails**", *("-" for _ in head[2:])))
            continue
        equal = f"{kernel.values - kernel.mismatches:,} of {kernel.values:,}"
        cells.append(
            (
                kernel.name,
                equal,
                f"{kernel.measured:,.0f}",
                f"{kernel.estimated:,.1f}",
                f"{kernel.measured / kernel.estimated:.1f}",
                "-" if kernel.per_trip is None else f"{kernel.per_trip:.1f}",
                *("-" if count is None else f"{count:,}" for count in (kernel.lut, kernel.ff, kernel.dsp)),
            )
        )
    return table(head, cells)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled", description=__doc__)
    parser.add_argument("--hls-tool", help="compiler, where several are on PATH")
    parser.add_argument("--only", help="networks whose name has this in it")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--markdown", type=Path, help="put the table into this document")
    options = parser.parse_args(argv)
    kernels: list[Kernel] = []
    try:
        compiler, place = find(options.hls_tool), origin()
        for name, shape, build in networks():
            if options.only is None or options.only in name:
                with tempfile.TemporaryDirectory() as folder:
                    kernels.append(measure(name, shape, build, compiler, Path(folder)))
                print(kernels[-1], flush=True)
        how = f"{compiler.title}, {CLOCK_MHZ:g} MHz, {FRAMES} frames each; commit {place.commit or 'unknown'}."
        text = f"{rows(kernels)}\n\n{how}"
        print(text)
        if options.json:
            record = {
                "origin": asdict(place),
                "compiler": compiler.title,
                "kernels": [asdict(item) for item in kernels],
            }
            write_text(options.json, json.dumps(record, indent=1) + "\n")
        if options.markdown:
            fill(options.markdown, {"kernels": text})
    except CodesignError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return int(any(kernel.mismatches or kernel.problem for kernel in kernels))


if __name__ == "__main__":
    sys.exit(main())
