# SPDX-License-Identifier: Apache-2.0
"""Video files, made here with a lossless codec, read back exactly; every bad file is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from data.videos import noise, write_video

from codesign.data import DataConfig, StreamedClips, drawn_folder, read_video, video_folder
from codesign.data.video import View, read_view
from codesign.errors import ConfigError, VideoError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index, (name, files) in enumerate({"left": 5, "right": 3, "still": 2}.items()):
        (tmp_path / name).mkdir()
        for number in range(files):
            write_video(tmp_path / name / f"{number}.mkv", noise(9, seed=10 * index + number))
    (tmp_path / "README.txt").write_text("not a class")
    (tmp_path / "left" / "notes.txt").write_text("not a video")
    return tmp_path


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    frames = noise(5)
    path = write_video(tmp_path / "a.mkv", frames)
    assert np.array_equal(read_video(path, size=(16, 24), grey=False), frames)
    grey = read_video(path, 3, size=(16, 24))
    assert (grey.shape, grey.dtype) == ((3, 16, 24, 1), np.dtype(np.uint8))
    luma = frames[:3] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[..., 0] - luma).max() <= 0.51


def test_resizes_by_area_in_full_range(tmp_path: Path) -> None:
    frames = np.zeros((2, 16, 24, 3), np.uint8)
    frames[:, :, 12:] = 255
    path = write_video(tmp_path / "a.mkv", frames)
    small = read_video(path, size=(8, 4))[0, :, :, 0]
    assert small.tolist() == [[0, 0, 255, 255]] * 8
    mean = read_video(write_video(tmp_path / "b.mkv", noise(1)), size=(1, 1), grey=False)
    assert np.abs(mean.ravel() - noise(1)[0].mean(axis=(0, 1))).max() <= 5  # swscale is not exact


def test_folder_splits_by_file(folder: Path) -> None:
    dataset = video_folder(folder, frames=4, size=(8, 8), grey=False)
    assert dataset.classes == ("left", "right", "still")
    assert dataset.shape == (4, 8, 8, 3)
    splits = (dataset.train, dataset.val, dataset.test)
    assert [len(split) for split in splits] == [2 * (3 + 1 + 1), 2 * (1 + 1), 2 * (1 + 1 + 1)]
    used = [set(split.sources.tolist()) for split in splits]
    assert len(set.union(*used)) == sum(map(len, used)) == 10
    assert set(dataset.train.labels) == set(dataset.test.labels) == {0, 1, 2}
    again = video_folder(folder, frames=4, size=(8, 8), grey=False)
    assert np.array_equal(again.test.frames, dataset.test.frames)
    seeds = {tuple(sorted(set(video_folder(folder, frames=4, seed=s).test.sources.tolist()))) for s in range(6)}
    assert len(seeds) > 1


def test_splits_by_name_keep_neighbours_together(folder: Path) -> None:
    """Whatever the seed, the last files of a class are tested with, and those before them validated with."""
    for seed in range(3):
        dataset = video_folder(folder, frames=4, size=(8, 8), seed=seed, val=0.2, test=0.4, by_name=True)
        train, val, test = (set(part.sources.tolist()) for part in (dataset.train, dataset.val, dataset.test))
        assert train == {0, 1, 5, 8}
        assert val == {2, 6}
        assert test == {3, 4, 7, 9}


def test_drawn_clips_are_one_of_each_file(folder: Path) -> None:
    data = DataConfig(kind="video_folder", path=folder, frames=4, size=8, grey=False, by_name=True, drawn=True)
    dataset = data.load(3)
    streamed = drawn_folder(folder, frames=4, size=8, seed=3, by_name=True)
    files = {name: data._split(3) for name in ("train", "val", "test")}
    for name, split in files.items():
        part = getattr(split, name)
        made: StreamedClips = getattr(streamed, name)
        assert made.files == tuple(split.files[place] for place, _ in part)
        assert (repr(getattr(dataset, name)), getattr(dataset, name).files) == (repr(made), made.files)
        assert made.labels.tolist() == [label for _, label in part]
        assert made.augment == (name == "train")
    assert len({streamed.train.view(0, (0, epoch)) for epoch in range(4)}) == 4
    middle = read_video(streamed.test.files[0], size=(16, 24), grey=False)[2:6]
    assert dataset.test.pixels(0).shape == (4, 8, 8, 3)
    assert abs(float(dataset.test.pixels(0).mean()) - float(middle.mean())) < 8


def test_drawn_clips_are_cropped(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.fit: drawn clips are seen through a square window.*'pad'"):
        DataConfig(kind="video_folder", path=folder, drawn=True, fit="pad")


def test_clips_are_consecutive_frames_of_their_file(folder: Path) -> None:
    dataset = video_folder(folder, frames=4, size=(16, 24))
    files = sorted(folder.glob("*/*.mkv"))
    for split in (dataset.train, dataset.val, dataset.test):
        for source in set(split.sources.tolist()):
            clips = split.frames[split.sources == source]
            whole = read_video(files[source], 8, size=(16, 24))
            assert np.array_equal(clips.reshape(whole.shape), whole)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4: no such video file"):
        read_video(tmp_path / "gone.mp4")
    with pytest.raises(VideoError, match="gone: no such folder"):
        video_folder(tmp_path / "gone")
    with pytest.raises(VideoError, match="no folders"):
        video_folder(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoError, match="1 folders without videos"):
        video_folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"this is not a video" * 99])
def test_corrupt_file_is_named(folder: Path, content: bytes) -> None:
    path = folder / "left" / "bad.mkv"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=r"bad\.mkv: the video cannot be decoded"):
        read_video(path)
    with pytest.raises(VideoError, match=r"bad\.mkv"):
        video_folder(folder, frames=4)


def test_view_is_a_window_of_consecutive_frames(tmp_path: Path) -> None:
    """The shorter side, 16, is what ``crop`` is a share of: at 12 pixels a window of 0.75 is not scaled."""
    frames = noise(9)
    path = write_video(tmp_path / "a.avi", frames)

    def seen(**view: Any) -> np.ndarray:
        return read_view(path, 4, 12, crop=0.75, grey=False, view=View(**view))

    assert np.array_equal(seen(), frames[3:7, 2:14, 6:18])
    assert np.array_equal(seen(start=0.0, row=0.0, column=0.0), frames[:4, :12, :12])
    assert np.array_equal(seen(start=0.999, row=0.999, column=0.999), frames[5:, 4:, 12:])
    assert np.array_equal(seen(mirrored=True), seen()[:, :, ::-1])
    half = read_view(path, 9, 8, grey=False)
    assert np.abs(half.astype(int) - frames[:, :, 4:20].reshape(9, 8, 2, 8, 2, 3).mean(axis=(2, 4))).max() <= 5


def test_view_of_a_compressed_video_starts_between_key_frames(tmp_path: Path) -> None:
    levels = np.broadcast_to(np.arange(0, 240, 8, dtype=np.uint8)[:, None, None, None], (30, 16, 16, 3))
    path = write_video(tmp_path / "a.avi", np.ascontiguousarray(levels), codec="mpeg4")
    clip = read_view(path, 5, 16, view=View(start=0.5))
    assert np.abs(clip.mean(axis=(1, 2, 3)) - levels[13:18, 0, 0, 0]).max() < 3


def test_damaged_in_the_middle(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", noise(20))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(data)
    with pytest.raises(VideoError, match=r"a\.mkv"):
        read_video(path, 20)


def test_too_few_frames(folder: Path) -> None:
    with pytest.raises(VideoError, match=r"0\.mkv: the video is too short\. Expected: 10 frames\. Received: 9"):
        read_video(folder / "left" / "0.mkv", 10)
    with pytest.raises(VideoError, match=r"too short\. Expected: 10 frames\. Received: 9"):
        video_folder(folder, frames=10)


def test_sound_only(tmp_path: Path) -> None:
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(VideoError, match="no video in the file"):
        read_video(path)


def test_class_with_a_single_file(folder: Path) -> None:
    (folder / "still" / "0.mkv").unlink()
    with pytest.raises(VideoError, match=r"still: a class has too few videos"):
        video_folder(folder, frames=4)


def test_bad_arguments(folder: Path) -> None:
    with pytest.raises(ConfigError, match="frames is out of range"):
        video_folder(folder, frames=0)
    with pytest.raises(ConfigError, match="frames is out of range"):
        read_video(folder / "left" / "0.mkv", 0)
    with pytest.raises(ConfigError, match="size is out of range"):
        video_folder(folder, size=(0, 4))
    outside: tuple[dict[str, Any], ...] = ({"test": 0.0}, {"test": 0.6, "val": 0.5}, {"val": -0.1})
    for shares in outside:
        with pytest.raises(ConfigError, match="shares"):
            video_folder(folder, **shares)


def test_data_needs_no_tensorflow() -> None:
    code = "import sys, codesign.data; codesign.data.moving_digits(frames=2, train=1, val=0, test=1); "
    code += "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
