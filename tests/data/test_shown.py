# SPDX-License-Identifier: Apache-2.0
"""Every reader shows a video as players do: upright, the film and not its cover, square pixels, fitted as asked."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from data.videos import add_stream, blocks, encode, quarters, write_video
from host.designs import picture_graph

from codesign.commands.measure import read_clip
from codesign.data import StreamedClips, read_video, video_folder
from codesign.data.video import read_view, video_frames
from codesign.errors import ConfigError, VideoError
from codesign.host.stream import pictures

SIDE = 8
GREY = (SIDE, SIDE)


def in_folder(path: Path) -> np.ndarray:
    """Return what `video_folder` makes of a video."""
    folder = path.with_suffix("")
    for name in ("a/0", "a/1"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).with_suffix(path.suffix).write_bytes(path.read_bytes())
    return np.asarray(video_folder(folder, frames=2, size=GREY).test.frames[0])


def streamed(path: Path) -> np.ndarray:
    clips = StreamedClips(files=(path,), labels=np.zeros(1, np.int64), frames=2, size=SIDE)
    return clips.pixels(0)


READERS: dict[str, Callable[[Path], np.ndarray]] = {
    "read_video": lambda path: read_video(path, 2, GREY),
    "video_frames": lambda path: np.stack(list(video_frames(path, GREY))[:2]),
    "read_view": lambda path: read_view(path, 2, SIDE),
    "ucf101": streamed,
    "video_folder": in_folder,
    "measure": lambda path: read_clip(picture_graph(), path, 2),
    "stream": lambda path: np.stack(list(pictures(picture_graph(), str(path), 2))),
}


def levels(clip: np.ndarray) -> list[int]:
    """Return the grey levels of the four quarters of the first frame, in steps of 85."""
    half = clip.shape[1] // 2
    parts = clip[0, :, :, 0].reshape(2, half, 2, half)[:, 1:-1, :, 1:-1].mean(axis=(1, 3))
    return [int(level) for level in np.rint(parts / 85).ravel()]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_every_reader_turns_a_video_upright(degrees: int, mirrored: bool, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", quarters(4), "mpeg4", turned=(degrees, mirrored, False))
    shown = np.rot90(np.array([[0, 1], [2, 3]]), degrees // 90)
    expected = shown[:, ::-1] if mirrored else shown
    assert {name: levels(read(path)) for name, read in READERS.items()} == dict.fromkeys(
        READERS, expected.ravel().tolist()
    )


@pytest.mark.parametrize("suffix", ["mov", "mkv", "webm"])
def test_rotation_in_other_containers(suffix: str, tmp_path: Path) -> None:
    codec = "libvpx" if suffix == "webm" else "mpeg4"
    path = write_video(tmp_path / f"a.{suffix}", quarters(4), codec, turned=(90, False, False))
    assert levels(read_video(path, size=GREY)) == [1, 3, 0, 2]


def test_an_odd_angle_is_refused_by_name(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", quarters(4), "mpeg4", turned=(30, False, False))
    with pytest.raises(VideoError, match=r"a\.mp4: the video is turned by an angle.*Next step: turn it upright"):
        read_video(path)


def test_fits_without_a_word_changed(tmp_path: Path) -> None:
    """16 x 24 pixels, lossless: no pixel is computed where none has to be."""
    frames = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), np.uint8)
    path = write_video(tmp_path / "a.mkv", frames)
    cropped, padded = (
        read_video(path, size=(16, 16), grey=False),
        read_video(path, size=(24, 24), grey=False, fit="pad"),
    )
    assert np.array_equal(cropped, frames[:, :, 4:20])
    assert np.array_equal(padded[:, 4:20], frames)
    assert not padded[:, :4].any()
    assert not padded[:, 20:].any()
    frames[:] = 0
    frames[:, :, :6] = 255
    stretched = read_video(write_video(path, frames), size=(16, 8), grey=False, fit="stretch")
    assert np.array_equal(stretched[:, :, [0, 3, 7]].max(axis=(0, 1, 3)), [255, 0, 0])
    assert (stretched[:, :, :1] == 255).all()
    with pytest.raises(ConfigError, match=r"read_video: fit is not one.*'crop', 'pad', 'stretch'.*did you mean 'crop'"):
        read_video(path, fit="croped")  # type: ignore[arg-type]


@pytest.mark.parametrize("turned", [0, 90])
@pytest.mark.parametrize(
    ("aspect", "across", "down"), [("3/1", 12, 4), ("1/3", 4, 12), ("3/2", 12, 8), ("1/1", 12, 12)]
)
def test_pixels_that_are_not_square(aspect: str, across: int, down: int, turned: int, tmp_path: Path) -> None:
    """White, 24 x 24 stored pixels, padded into 12 x 12: the picture is as wide and high as players show it."""
    white = np.full((2, 24, 24, 3), 255, np.uint8)
    path = write_video(
        tmp_path / "a.mp4", white, "mpeg4", sample_aspect_ratio=Fraction(aspect), turned=(turned, False, False)
    )
    picture = read_video(path, size=(12, 12), fit="pad")[0, :, :, 0] > 100
    found = (picture.any(axis=0).sum(), picture.any(axis=1).sum())
    assert found == ((down, across) if turned else (across, down))
    assert (read_video(path, size=(12, 12)) > 100).all(), "cropped, it fills the frame"
    assert (read_view(path, 2, 12) > 100).all()


def test_pictures_whose_size_changes_are_fitted_one_by_one(tmp_path: Path) -> None:
    parts = [
        write_video(tmp_path / f"{n}.ts", quarters(6, *size), "libx264") for n, size in enumerate(((48, 64), (96, 80)))
    ]
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    for fit in ("crop", "stretch"):
        clip = read_video(path, 12, GREY, fit=fit)
        assert [levels(clip[n : n + 1]) for n in range(12)] == [[0, 1, 2, 3]] * 12


def test_a_picture_like_a_line_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", np.zeros((2, 2, 200, 3), np.uint8))
    assert read_video(path, fit="stretch").shape == (2, 32, 32, 1)
    with pytest.raises(VideoError, match=r"a\.mkv: the picture is too long and narrow.*200 x 2 pixels.*stretch"):
        read_video(path)


@pytest.mark.parametrize(
    ("suffix", "disposition"),
    [("mp4", 0), ("mkv", 0), ("avi", 0), ("mp4", Disposition.attached_pic), ("mkv", Disposition.default)],
)
def test_the_cover_is_not_the_film(suffix: str, disposition: int, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    cover, film = np.full((1, 32, 32, 3), 255, np.uint8), quarters(4)
    with av.open(str(path), "w") as file:
        streams = [add_stream(file, cover, "mjpeg"), add_stream(file, film, "mpeg4")]
        if disposition:
            streams[0].disposition = Disposition(disposition)
        encode(file, streams[0], cover)
        encode(file, streams[1], film)
    assert {name: levels(read(path)) for name, read in READERS.items()} == {name: [0, 1, 2, 3] for name in READERS}


def test_of_two_films_the_default_one(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        streams = [add_stream(file, film, "mpeg4") for film in (blocks(4), quarters(4))]
        streams[1].disposition = Disposition.default
        for stream, film in zip(streams, (blocks(4), quarters(4)), strict=True):
            encode(file, stream, film)
    assert levels(read_video(path, size=GREY)) == [0, 1, 2, 3]


def test_a_cover_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as file:
        sound, cover = file.add_stream("aac", rate=8000), add_stream(file, quarters(1), "mjpeg")
        cover.disposition = Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        file.mux(sound.encode(frame))
        file.mux(sound.encode())
        encode(file, cover, quarters(1))
    with pytest.raises(VideoError, match=r"song\.mp4: there is no video in the file.*a cover picture"):
        read_video(path)
