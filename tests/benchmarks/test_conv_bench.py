# SPDX-License-Identifier: Apache-2.0
"""The convolutional bench: its clips, its network, and one whole measurement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.clips import FRAMES, Clip, made_clips, noise_clip, video_clips
from benchmarks.conv import STEADY, calibration, measure
from benchmarks.conv_network import CHANNELS, ConvNetwork, conv_network
from codesign.errors import VideoError
from codesign.fixed import PIXEL
from codesign.graph.golden import Golden
from codesign.graph.sparsity import dense_ideal_cycles
from codesign.layers import stream

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def clips() -> tuple[Clip, ...]:
    return made_clips(2, seed=1)


@pytest.fixture(scope="module", params=[None, 1.0], ids=["memoryless", "hold"])
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clips: tuple[Clip, ...]
) -> ConvNetwork:
    return conv_network(calibration(clips), hold=request.param, seed=1, folder=tmp_path_factory.mktemp("hls"))


def test_the_network_is_what_it_says(network: ConvNetwork) -> None:
    graph = network.graph
    assert [node.shape for node in graph.linears] == [(32, 32, 8), (16, 16, 16), (8, 8, 32), (10,)]
    assert [node.pe for node in graph.linears] == [*CHANNELS, 10]
    assert {node.fmt.width for node in graph.deltas} == {4}
    assert {node.hold for node in graph.deltas} == {network.hold}
    assert (graph.source.fmt, graph.source.lanes, graph.source.beats) == (PIXEL, 16, 256)


def test_every_layer_is_alive_and_keras_agrees(network: ConvNetwork, clips: tuple[Clip, ...]) -> None:
    frames = clips[0].frames[:12]
    trace = Golden(network.graph).run(frames)
    for codes in trace.codes.values():
        assert (codes != 0).mean() > 0.05
        assert (codes == 15).mean() < 0.2
    keras = stream(network.model, PIXEL.to_values(frames)).outputs
    np.testing.assert_array_equal(network.graph.output.fmt.to_codes(keras), trace.outputs)


def test_the_noise_moves_every_pixel_by_a_lot() -> None:
    frames = noise_clip(1).frames.astype(np.int64)
    moves = np.diff(frames, axis=0) % 256
    assert moves.min() >= 64
    assert moves.max() <= 192


def test_made_clips_are_still_but_for_a_digit(clips: tuple[Clip, ...]) -> None:
    assert [clip.frames.shape for clip in clips] == [(FRAMES, 64, 64, 1)] * 2
    codes = clips[0].frames >> 4
    assert 0.5 < (np.diff(codes, axis=0) == 0).mean() < 1.0


def test_short_videos_are_refused(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "short.mkv"), "w") as container:
        track = container.add_stream("ffv1", rate=10)
        track.width = track.height = 64
        for grey in range(STEADY):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64), grey, np.uint8), format="gray")
            container.mux(track.encode(frame.reformat(format="yuv420p")))
        container.mux(track.encode())
    with pytest.raises(VideoError, match=r"short.mkv: the video is too short.*Received: 10"):
        video_clips(tmp_path)


@pytest.mark.heavy
def test_one_clip_through_everything(network: ConvNetwork, clips: tuple[Clip, ...], tmp_path: Path) -> None:
    run = measure(network, clips[:1], tmp_path, seed=1)
    print(run)
    assert run.mismatches == 0
    assert run.values == FRAMES * 10
    assert run.dense_cycles == pytest.approx(dense_ideal_cycles(network.graph), rel=0.02)
    assert run.input_beats < run.unchanged_cycles <= run.input_beats + 200
    assert run.noise_ratio <= 1.02
    assert run.least("skip_efficiency") >= 0.9
    assert 1.0 < run.areas.lut_ratio <= 1.35
    assert run.areas.skipping.lut != run.areas.dense.lut
