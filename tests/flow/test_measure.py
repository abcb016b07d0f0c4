# SPDX-License-Identifier: Apache-2.0
"""`codesign measure` refuses bad videos and unfinished designs before it does anything slow."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from data import videos
from finished import finish
from six_inputs import small_graph

from codesign.cli import main
from codesign.commands import measure as flow_measure
from codesign.commands.measure import NEEDS, fit_of, read_clip
from codesign.errors import VideoError
from codesign.flow.manifest import read
from codesign.graph.file import save_graph
from codesign.host import stream as board_stream


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A design with a 2 x 3 grey input whose stages all look finished."""
    for stage in NEEDS:
        (tmp_path / "small" / stage).mkdir(parents=True)
    save_graph(small_graph(), tmp_path / "small" / "2_graph")
    for stage in NEEDS:
        finish(tmp_path / "small" / stage)
    return tmp_path / "small"


def write_video(path: Path, frames: int, level: int = 10) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        for index in range(frames):
            pixels = np.full((16, 16, 3), level * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def fails(build: Path, video: Path, *options: str) -> int:
    return main(["measure", str(build), "--video", str(video), *options])


def test_missing_video(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(build, build / "none.mp4") == 1
    assert "none.mp4: no such video file" in capsys.readouterr().err.replace("\n", " ")


def test_corrupt_video(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = build / "bad.mp4"
    path.write_bytes(b"this is no video" * 100)
    assert fails(build, path) == 1
    assert "cannot be decoded" in capsys.readouterr().err.replace("\n", " ")


def test_too_short_video(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = build / "short.mkv"
    write_video(path, 3)
    assert fails(build, path, "--frames", "9") == 1
    assert "too short" in capsys.readouterr().err
    write_video(path, 1)
    assert fails(build, path) == 2
    assert "at least two frames" in capsys.readouterr().err.replace("\n", " ")


def test_unfinished_design(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (build / "3_rtl" / "manifest.json").unlink()
    assert fails(build, build / "any.mp4") == 1
    assert "3_rtl: the stage has not been run" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize("change", ["edit", "delete"])
def test_touched_design(build: Path, change: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = build / "2_graph" / "graph.json"
    path.write_text("{}") if change == "edit" else path.unlink()
    assert fails(build, build / "any.mp4") == 1
    assert ("edited" if change == "edit" else "deleted") in capsys.readouterr().err


def test_video_becomes_input_codes(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mkv", 5)
    clip = read_clip(small_graph(), tmp_path / "v.mkv", 4)
    assert clip.shape == (4, 2, 3, 1)
    assert clip.dtype == np.uint8
    np.testing.assert_array_equal(clip[:, 0, 0, 0], [0, 10, 20, 30])


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    return path


def test_damage_is_one_line_and_strict_refuses_it(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise VideoError("far enough")

    monkeypatch.setattr(flow_measure, "_measure", stop)
    path = build / "cut.avi"
    frames = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), np.uint8)
    cut(videos.write_video(path, frames, "mjpeg"))
    assert fails(build, path) == 1
    said = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"warning: .*/cut\.avi: the video is damaged: \d+ of 20 frames decode, .*", said[0]), said
    assert sum(line.startswith("warning") for line in said) == 1
    assert fails(build, path, "--strict") == 1
    text = " ".join(capsys.readouterr().err.split())
    assert re.search(r"^error: .*/cut\.avi: the video is damaged.*strict was asked for.*\d+ of 20 frames", text), text
    assert fails(build, path, "--frames", "20") == 1
    assert re.search(r"at least 20 frames that decode.*--frames N", " ".join(capsys.readouterr().err.split()))


@pytest.mark.parametrize(
    ("config", "fit"),
    [
        ({}, "crop"),
        ({"data.kind": "video_folder", "data.fit": "pad"}, "pad"),
        ({"data.kind": "video_folder", "data.fit": "stretch"}, "stretch"),
        ({"data.kind": "video_folder", "data.fit": ["what?"]}, "crop"),
        ({"data.kind": "ucf101", "data.fit": "pad"}, "crop"),
        ({"data.kind": "video_folder"}, "crop"),
    ],
)
def test_a_video_is_fitted_as_the_design_was_trained(
    config: dict[str, Any], fit: str, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = read(build / "2_graph")
    assert manifest is not None
    replace(manifest, inputs=replace(manifest.inputs, config=config)).write(build / "2_graph")
    assert fit_of(build) == fit
    path = videos.write_video(tmp_path / "a.mkv", np.zeros((3, 16, 16, 3), np.uint8), "ffv1")
    asked: list[object] = []

    def stop(*_: object, fit: object, **__: object) -> None:
        asked.append(fit)
        raise VideoError("far enough")

    monkeypatch.setattr(flow_measure, "read_clip", stop)
    monkeypatch.setattr(board_stream, "video_frames", stop)
    for command in (["measure", str(build)], ["stream", str(build), "--port", "none"]):
        for options in ([], ["--fit", "stretch"]):
            main([*command, "--video", str(path), *options])
    assert asked == [fit, "stretch"] * 2
