# SPDX-License-Identifier: Apache-2.0
"""From traces and cycles to figures, against numbers worked out by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from codesign.fixed import Fixed
from codesign.graph.ir import Axis, Conv, Delta, Dense, Graph, Source, accumulator_format
from codesign.report.assemble import make_detail, make_report
from codesign.report.figures import estimated, layer_figures, throughput_figures
from codesign.report.hls import hls_figures
from codesign.report.model import Accuracy, Clips
from codesign.synth.record import Area, BoardBuild
from codesign.synth.resources import Resources
from codesign.verify.compare import Comparison
from codesign.verify.golden_run import run_golden
from codesign.verify.hardware import RtlFigures
from codesign.verify.software import HlsFigures


def graph_of_four() -> Graph:
    """Return 2 x 2 pixels of 8 bits -> the same codes -> 4 outputs, 2 at a time, 2 pixels a beat."""
    source = Source(name="in", shape=(2, 2, 1), fmt=Fixed(width=8, frac=8, signed=False), lanes=2)
    delta = Delta(
        name="d", input="in", shape=(4,), in_fmt=source.fmt, fmt=source.fmt, activation="identity", lo=0, hi=255
    )
    weight, bias = np.eye(4, dtype=np.int64), np.zeros(4, np.int64)
    weight_fmt = Fixed(width=2, frac=0, signed=True)
    fmt = accumulator_format("fc", weight, bias, weight_fmt=weight_fmt, delta=delta)
    dense = Dense(name="fc", input="d", weight=weight, bias=bias, weight_fmt=weight_fmt, fmt=fmt, pe=2)
    return Graph(name="four", nodes=(source, delta, dense))


# Two clips of three frames: 0 and 1 changes after the first frame, then 3 and 4.
CLIPS = np.array(
    [
        [[5, 5, 5, 5], [5, 5, 5, 5], [5, 5, 5, 6]],
        [[1, 1, 1, 0], [2, 2, 2, 0], [3, 3, 3, 9]],
    ],
    np.uint8,
).reshape(2, 3, 2, 2, 1)

RTL = RtlFigures(
    cycles=np.array([[99, 4, 6], [99, 8, 10]]),
    latency=np.array([[50, 10, 10], [50, 12, 12]]),
    busy={"d": np.array([[2, 2, 2], [2, 2, 2]]), "fc": np.array([[8, 0, 2], [8, 6, 8]])},
    events={"d": np.array([[4, 0, 1], [4, 3, 4]]), "fc": np.array([[4, 0, 1], [4, 3, 4]])},
    dense_cycles=np.array([14, 14]),
)


def test_layer_figures_leave_the_first_frame_of_each_clip_out() -> None:
    golden = run_golden(graph_of_four(), CLIPS)
    (layer,) = layer_figures(graph_of_four(), golden, RTL, estimated(golden, graph_of_four()))
    assert layer.macs_per_frame == 16
    assert layer.events_per_frame == (0 + 1 + 3 + 4) / 4
    assert (layer.density.mean, layer.density.max) == (0.5, 1.0)
    assert layer.operation_sparsity == 0.5
    assert layer.spatial_sparsity == pytest.approx(1 / 16)  # one code of 16 is 0 in the frames that count
    assert layer.ideal_cycles_per_frame == 4.0  # two words an event
    assert layer.cycles_per_frame == (0 + 2 + 6 + 8) / 4
    # Two words an event; a frame that changed sends its two words before a pause. Both clips end with a change.
    assert layer.estimated_cycles_per_frame == pytest.approx(4.0, abs=1.0)
    assert layer.weight_bits == 16 * 2
    assert layer.state_bits == 4 * graph_of_four().linears[0].fmt.width + 4 * 8


@pytest.mark.parametrize("depthwise", [False, True])
def test_layer_figures_of_a_convolution_count_what_each_pixel_reaches(depthwise: bool) -> None:
    """3 x 3 pixels, kernel of 2 x 2: the middle reaches four outputs, a corner one. Two channels, one a cycle."""
    source = Source(name="in", shape=(3, 3, 2), fmt=Fixed(width=8, frac=8, signed=False), lanes=2)
    delta = Delta(
        name="d", input="in", shape=(3, 3, 2), in_fmt=source.fmt, fmt=source.fmt, activation="identity", lo=0, hi=255
    )
    weight, weight_fmt = np.ones((2, 2, 2, 1 if depthwise else 3), np.int64), Fixed(width=2, frac=0, signed=True)
    channels = 2 if depthwise else 3
    conv = Conv(
        name="c",
        input="d",
        weight=weight,
        bias=np.zeros(channels, np.int64),
        weight_fmt=weight_fmt,
        fmt=Fixed(width=12, frac=8, signed=True),
        y=Axis(size=3, kernel=2),
        x=Axis(size=3, kernel=2),
        depthwise=depthwise,
    )
    graph = Graph(name="conv", nodes=(source, delta, conv))
    clips = np.zeros((1, 3, 3, 3, 2), np.uint8)
    clips[0, 1:, 1, 1, 0] = 7  # the middle changes in the second frame
    clips[0, 2, 0, 0, 1] = 9  # and a corner in the third
    golden = run_golden(graph, clips)
    (layer,) = layer_figures(graph, golden, None, estimated(golden, graph))
    assert layer.kind == ("depthwise" if depthwise else "conv")
    each = 1 if depthwise else 3
    assert layer.macs_per_frame == 2 * 16 * each  # four outputs of four kernel elements for each channel
    assert layer.events_per_frame == 1.0
    assert layer.operation_sparsity == 1 - (4 + 1) * each / 2 / layer.macs_per_frame
    assert layer.ideal_cycles_per_frame == (4 + 1) * each / 2
    assert layer.weight_bits == weight.size * 2
    assert layer.state_bits == 4 * channels * 12 + 18 * 8


def test_throughput_figures() -> None:
    golden = run_golden(graph_of_four(), CLIPS)
    speed = throughput_figures(graph_of_four(), golden, RTL, 100.0, estimated(golden, graph_of_four()))
    assert (speed.cycles_per_frame.mean, speed.cycles_per_frame.max) == (7.0, 10.0)
    assert speed.ideal_cycles_per_frame == (2 + 2 + 6 + 8) / 4  # the input beats are the floor
    assert speed.skip_efficiency == 4.5 / 7.0
    assert speed.speedup == 2.0
    assert speed.bottleneck_layer == "fc"
    assert speed.latency_cycles == 11.0
    assert speed.frames_per_second == pytest.approx(1e8 / 7)
    assert speed.estimated_dense_cycles_per_frame == pytest.approx(8.0)
    assert speed.estimated_cycles_per_frame is not None
    unknown = throughput_figures(graph_of_four(), golden, RTL, None, estimated(golden, graph_of_four()))
    assert (unknown.clock_mhz, unknown.frames_per_second) == (None, None)


def test_layer_cycles_are_unknown_without_rtl() -> None:
    golden = run_golden(graph_of_four(), CLIPS)
    (layer,) = layer_figures(graph_of_four(), golden, None, estimated(golden, graph_of_four()))
    assert layer.cycles_per_frame is None


def test_cycles_of_the_hls_are_those_of_its_slowest_layer() -> None:
    graph = graph_of_four()
    layers = {"d": np.array([[4, 2, 2], [4, 4, 5]]), "fc": np.array([[9, 1, 3], [9, 7, 3]])}
    figures = HlsFigures(layers={**layers, "fc_frame": np.full((2, 3), 4)})
    golden = run_golden(graph, CLIPS)
    (layer,) = layer_figures(graph, golden, RTL, estimated(golden, graph), figures)
    assert layer.hls_cycles_per_frame == (1 + 3 + 7 + 3) / 4
    found = hls_figures(figures)
    assert found is not None
    assert (found.cycles_per_frame.mean, found.cycles_per_frame.max) == ((4 + 4 + 7 + 5) / 4, 7.0)
    assert (found.origin, found.compiler) == ("estimated", None)
    assert hls_figures(None) is None


ROUTED = Resources(
    target="ecp5",
    tool="nextpnr-ecp5",
    tool_version="1",
    kind="route",
    lut=1,
    ff=1,
    dsp=0,
    bram_bits=0,
    fmax_mhz=50.0,
)


@pytest.mark.parametrize(
    ("given", "resources", "clock", "origin"),
    [(None, (ROUTED,), 50.0, "routed"), (25.0, (ROUTED,), 25.0, "given"), (None, (), None, None)],
)
def test_the_clock_is_given_or_routed_or_unknown(
    given: float | None, resources: tuple[Resources, ...], clock: float | None, origin: str | None
) -> None:
    graph = graph_of_four()
    pairs = ("keras_golden", "golden_csim", "golden_rtl")
    report = make_report(
        design="four",
        graph=graph,
        golden=run_golden(graph, CLIPS),
        rtl=RTL,
        accuracy=Accuracy(),
        comparisons=[Comparison(pair=pair, frames=6, values=24, mismatches=0) for pair in pairs],
        resources=resources,
        clock_mhz=given,
        tool_versions={},
    )
    assert report.throughput.clock_mhz == clock
    assert report.origins.get("throughput.clock_mhz") == origin
    assert (report.agreement.frames, report.agreement.values) == (6, 24)


def test_detail_shows_the_first_clip() -> None:
    detail = make_detail(graph_of_four(), CLIPS, RTL, stills=8, clip="words")
    assert detail.cycles == (4, 6)
    assert detail.ideal == (2, 2)
    assert detail.encode_cycles == 2.0
    assert [still.frame for still in detail.stills] == [1, 2]
    assert detail.stills[1].codes == (5, 5, 5, 6)
    assert detail.stills[1].changes == (0, 0, 0, 1)
    assert make_detail(graph_of_four(), CLIPS, RTL, stills=0, clip="").stills == ()


def test_no_stills_of_what_is_no_picture() -> None:
    graph = graph_of_four()
    flat = dataclasses.replace(graph, nodes=(dataclasses.replace(graph.source, shape=(4,)), *graph.nodes[1:]))
    assert make_detail(flat, CLIPS.reshape(2, 3, 4), RTL, stills=8, clip="").stills == ()


def test_the_report_says_on_what_and_takes_builds() -> None:
    zero = Comparison(pair="golden_rtl", frames=6, values=24, mismatches=0)
    build = BoardBuild(
        design="four",
        design_id="00000000",
        target="board",
        top="uart",
        skip=False,
        clock_mhz=100.0,
        fmax_mhz=140.0,
        used=Area(lut=100),
    )
    report = make_report(
        design="four",
        graph=graph_of_four(),
        golden=run_golden(graph_of_four(), CLIPS),
        rtl=RTL,
        accuracy=Accuracy(),
        comparisons=[zero],
        resources=(),
        clock_mhz=None,
        tool_versions={},
        clips=Clips.of("a video", CLIPS),
        builds=[build],
    )
    assert report.clips is not None
    assert (report.clips.count, report.clips.frames, report.clips.shape) == (2, 3, (2, 2, 1))
    assert report.clips.digest == Clips.of("another name", CLIPS.astype(np.int64)).digest
    assert report.clips.digest != Clips.of("a video", CLIPS + 1).digest
    assert report.energy is not None
    assert report.energy.ratio == report.energy.dense.total / report.energy.skipping.total
    assert report.throughput.dense_cycles_spread.max == 14.0
    assert report.boards[0].frames_per_second.worst == 140e6 / 14
    assert (report.origins["energy"], report.origins["boards.routed"]) == ("estimated", "routed")
