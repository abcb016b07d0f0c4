# SPDX-License-Identifier: Apache-2.0
"""A camera: FFmpeg's own test picture through the real device layer, and a fake whose frames come when told."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from host.designs import picture_graph

from codesign.data import camera
from codesign.data.camera import camera_frames
from codesign.errors import VideoError
from codesign.host import stream

PATTERN = "testsrc=size=64x48:rate=30"
"""An input of FFmpeg's device ``lavfi``, which needs no camera."""


class FakeCamera:
    """What `av.open` returns, as far as a camera is used: it gives each frame when it is allowed to."""

    def __init__(self, levels: list[int], error: type[Exception] | None = None) -> None:
        self.levels, self.error = levels, error
        self.allowed, self.given = threading.Semaphore(0), threading.Semaphore(0)
        self.closed = threading.Event()

    def decode(self, video: int) -> Iterator[av.VideoFrame]:
        assert video == 0
        for level in self.levels:
            self.allowed.acquire()
            yield av.VideoFrame.from_ndarray(np.full((16, 16, 3), level, np.uint8), format="rgb24")
            self.given.release()  # it was taken
        if self.error is not None:
            raise self.error(5, "unplugged")

    def give(self, frames: int = 1) -> None:
        for _ in range(frames):
            self.allowed.release()
            assert self.given.acquire(timeout=5)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    """Put a camera with ten frames, each brighter than the one before, in place of FFmpeg's; its silence is short."""
    found = FakeCamera([20 * number for number in range(10)], av.FFmpegError)
    monkeypatch.setattr(av, "open", lambda *_, **__: found)
    monkeypatch.setattr(camera, "_SILENCE_S", 0.5)
    return found


@pytest.mark.parametrize("grey", [True, False])
def test_frames_are_scaled_as_those_of_a_file(grey: bool) -> None:
    frames = camera_frames(PATTERN, (12, 16), grey=grey, driver="lavfi")
    first = next(frames)
    assert (first.shape, first.dtype) == ((12, 16, 1 if grey else 3), np.dtype(np.uint8))
    assert first.max() > 150 > 100 > first.min()
    frames.close()


def test_a_slow_reader_gets_the_newest_frame(fake: FakeCamera) -> None:
    fake.allowed.release()
    frames = camera_frames(size=(8, 8))
    assert next(frames).max() == 0
    assert fake.given.acquire(timeout=5)
    fake.give(4)
    assert next(frames).mean() == pytest.approx(80, abs=1), "those of 20 to 60 came while nobody looked"
    fake.give(2)
    assert next(frames).mean() == pytest.approx(120, abs=1)
    fake.allowed.release(10)  # what the camera's thread waits for
    frames.close()


def test_closing_ends_the_thread_and_the_camera(fake: FakeCamera) -> None:
    before = set(threading.enumerate())
    frames = camera_frames(size=(8, 8))
    fake.allowed.release(10)
    next(frames)
    frames.close()
    assert fake.closed.is_set()
    assert set(threading.enumerate()) <= before


def test_a_camera_that_is_unplugged_is_an_error(fake: FakeCamera) -> None:
    fake.allowed.release(10)
    frames = camera_frames(size=(8, 8))
    with pytest.raises(VideoError, match=r"sends nothing any more.*a frame in 0.5 s"):
        deque(frames, maxlen=0)
    assert fake.closed.is_set()


def test_no_camera_says_what_else_there_is() -> None:
    with pytest.raises(VideoError, match=r"/dev/none.*cannot be opened.*a video file needs no camera"):
        next(camera_frames("/dev/none"))


def test_the_names_of_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, tuple[int, int], bool]] = []

    def opened(device: str, size: tuple[int, int], *, grey: bool, fit: str) -> Iterator[np.ndarray]:
        assert fit == "crop"
        asked.append((device, size, grey))
        yield np.zeros((*size, 1), np.uint8)

    monkeypatch.setattr(stream, "camera_frames", opened)
    for name in ("camera", "camera:/dev/video3"):
        assert len(list(stream.pictures(picture_graph(), name))) == 1
    assert asked == [("/dev/video0", (8, 8), True), ("/dev/video3", (8, 8), True)]


def test_a_file_may_be_called_camera(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "camera").write_text("no video")
    with pytest.raises(VideoError, match="camera"):
        stream.pictures(picture_graph(), "camera")
