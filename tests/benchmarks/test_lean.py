# SPDX-License-Identifier: Apache-2.0
"""The lean dense engine: the golden model's bits on small networks, its cycles, its faults found, its style."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from model_names import exists, models

from benchmarks.lean import HERE, LEAVES, core_name, emit_lean
from benchmarks.lean.measure import STALLS
from codesign.errors import SimulationError, UnsupportedLayerError
from codesign.fixed import Fixed
from codesign.graph.golden import Golden
from codesign.graph.ir import Axis, Conv, Delta, Dense, Graph, Source
from codesign.graph.sparsity import dense_ideal_cycles
from codesign.sim import RtlSimulator

CODE, PIXELS, WEIGHT = (Fixed(width=w, frac=0, signed=s) for w, s in ((4, False), (8, False), (4, True)))
WIDE = Fixed(width=14, frac=0, signed=True)
FRAMES = 5


def lean_graph(size: int = 7, stride: int = 2, kernel: int = 3, *, valid: bool = False) -> Graph:
    """Return a chain of two convolutions (3 and 4 channels) and a dense layer of 5 on square frames; seed 7."""
    draw = np.random.default_rng(7)
    first = Axis(size=size, kernel=kernel, stride=stride) if valid else Axis.same(size, kernel, stride)
    second = Axis.same(first.outputs, 2, 1)

    def delta(name: str, source: str, shape: tuple[int, ...], in_fmt: Fixed, shift: int) -> Delta:
        in_fmt = dataclasses.replace(in_fmt, frac=shift)
        return Delta(name=name, input=source, shape=shape, in_fmt=in_fmt, fmt=CODE, activation="relu", lo=0, hi=15)

    def conv(name: str, source: str, axis: Axis, channels: tuple[int, int]) -> Conv:
        weight = draw.integers(-8, 8, (axis.kernel, axis.kernel, *channels))
        bias = draw.integers(-40, 41, channels[1])
        fmt = dataclasses.replace(WIDE, frac=4)
        return Conv(
            name=name,
            input=source,
            weight=weight,
            bias=bias,
            weight_fmt=WEIGHT,
            fmt=fmt,
            y=axis,
            x=axis,
            pe=channels[1],
        )

    def shape(axis: Axis, channels: int) -> tuple[int, int, int]:
        return axis.outputs, axis.outputs, channels

    flat = second.outputs**2 * 4
    nodes = (
        Source(name="frame", shape=(size, size, 1), fmt=dataclasses.replace(PIXELS, frac=4), lanes=size),
        delta("d0", "frame", (size, size, 1), PIXELS, 4),
        conv("c1", "d0", first, (1, 3)),
        delta("d1", "c1", shape(first, 3), WIDE, 4),
        conv("c2", "d1", second, (3, 4)),
        delta("d2", "c2", shape(second, 4), WIDE, 4),
        Dense(
            name="fc",
            input="d2",
            weight=draw.integers(-8, 8, (flat, 5)),
            bias=draw.integers(-9, 10, 5),
            weight_fmt=WEIGHT,
            fmt=WIDE,
            pe=5,
        ),
    )
    return Graph(name="small", nodes=nodes)


def wrong(graph: Graph, files: dict[str, str], folder: Path) -> int:
    """Return the values that differ from the golden model, without stalls and with."""
    size = graph.source.shape
    frames = np.random.default_rng(2).integers(0, 256, (FRAMES, *size))
    expected = Golden(graph).run(frames).outputs
    with RtlSimulator(graph, folder, files=files) as simulator:
        plain = simulator.run(frames)
        stalled = simulator.run(frames, stalls=STALLS)
    assert (expected != 0).any()
    ideal = dense_ideal_cycles(graph)
    if (plain.outputs == expected).all():
        assert ideal <= plain.cycles[2:].mean() <= ideal * 1.1 + 12
    return int((plain.outputs != expected).sum() + (stalled.outputs != expected).sum())


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "graph",
    [lean_graph(), lean_graph(8, 1, 2), lean_graph(9, 3, 3, valid=True)],
    ids=["odd frame, stride 2", "even kernel", "no padding"],
)
def test_every_bit_is_the_golden_models(graph: Graph, tmp_path: Path) -> None:
    assert wrong(graph, emit_lean(graph), tmp_path) == 0


FAULTS = [
    ("lean_axis.sv", "position == place_t'(Size - 1)", "1'b0"),
    ("lean_window.sv", "assign go = have_q > HaveBits'(highest);", "assign go = have_q >= HaveBits'(highest);"),
    ("lean_window.sv", "!= HaveBits'(Rows)", "!= HaveBits'(Rows + 2)"),
    ("lean_window.sv", "read_slot_q + SlotBits'(Size)", "read_slot_q"),
    ("lean_mac.sv", "if (done) left_q", "if (valid_q[3] && last_q[3]) left_q"),
    ("lean_quantise.sv", "else if (ready_o) valid_q", "else valid_q"),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "text", "fault"), FAULTS, ids=[f"{n}: {t}" for n, t, _ in FAULTS])
def test_faults_are_found(name: str, text: str, fault: str, tmp_path: Path) -> None:
    graph = lean_graph()
    files = emit_lean(graph)
    assert files[name].count(text) == 1
    try:
        found = wrong(graph, {**files, name: files[name].replace(text, fault)}, tmp_path)
    except SimulationError:
        return  # it hangs, or breaks a rule
    assert found > 0


@pytest.mark.parametrize("leaf", LEAVES)
def test_style(leaf: str) -> None:
    text = (HERE / f"lean_{leaf}.sv").read_text(encoding="utf-8")
    lines = text.splitlines()
    header = ["Function", "Latency", "Throughput", "Timing", "Reset", "Model"]
    assert lines[0] == "// SPDX-License-Identifier: Apache-2.0"
    assert re.findall(rf"^// ({'|'.join(header)}):\s+\S", text, re.MULTILINE) == header
    assert [name for name in models(text) if not exists(name)] == []
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [f"lean_{leaf}"]
    assert max(map(len, lines)) <= 120


def test_what_it_does_not_do_is_refused() -> None:
    graph = lean_graph()
    held = dataclasses.replace(
        graph,
        nodes=tuple(dataclasses.replace(n, hold=1.0) if isinstance(n, Delta) else n for n in graph.nodes),
    )
    folded = dataclasses.replace(
        graph, nodes=tuple(dataclasses.replace(n, pe=1) if isinstance(n, Conv) else n for n in graph.nodes)
    )
    for bad, layer in ((held, "d0"), (folded, "c1")):
        with pytest.raises(UnsupportedLayerError, match=layer):
            emit_lean(bad)


def test_what_is_mapped_has_no_ports_but_streams() -> None:
    graph = lean_graph()
    text = emit_lean(graph)[f"{core_name(graph)}.sv"]
    assert "probe_o" not in text
    assert text.count("axis_t") > 0
