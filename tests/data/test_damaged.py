# SPDX-License-Identifier: Apache-2.0
"""One rule for damaged videos, whatever their format and reader; and one error each for what is no video."""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from data.videos import add_stream, blocks, noise, write_video
from host.designs import picture_graph

from codesign.commands.measure import read_clip
from codesign.data import StreamedClips, read_video, video_folder
from codesign.data.video import read_view, video_frames
from codesign.errors import VideoError, VideoWarning
from codesign.host.stream import pictures

FRAMES = 30
OPEN = av.open
FORMATS = {
    "a.avi": ("mpeg4", {}),
    "j.avi": ("mjpeg", {}),
    "a.mkv": ("libx264", {}),
    "a.ts": ("libx264", {}),
    "a.webm": ("libvpx", {}),
    "a.flv": ("flv", {}),
    "a.gif": ("gif", {}),
    "a.ogv": ("libvpx", {}),
    "front.mp4": ("libx264", {"movflags": "faststart"}),
    "parts.mp4": ("libx264", {"movflags": "frag_keyframe+empty_moov"}),
}
INDEXED = ("a.avi", "j.avi", "a.mkv", "a.webm", "a.flv", "front.mp4")
"""Formats that say how many frames there should be."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole video of each format."""
    folder = tmp_path_factory.mktemp("whole")
    for name, (codec, options) in FORMATS.items():
        write_video(folder / name, blocks(FRAMES), codec, container=options)
    write_video(folder / "hole.mp4", blocks(FRAMES), "libx264")
    return folder


def cut(path: Path, folder: Path, share: float = 0.6) -> Path:
    data = path.read_bytes()
    made = folder / path.name
    made.write_bytes(data[: int(share * len(data))])
    return made


def hole(path: Path, folder: Path) -> Path:
    """Overwrite the packets in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 700] = bytes(700)
    made = folder / path.name
    made.write_bytes(data)
    return made


def players(path: Path) -> int:
    """Frames that a decoder gives that goes on after an error, as players do."""
    good = 0
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            with contextlib.suppress(av.FFmpegError):
                good += len(packet.decode())
    return good


def read(path: Path, frames: int | None = None, **options: Any) -> int:
    return len(read_video(path, frames, (8, 8), **options))


def in_folder(path: Path, frames: int, strict: bool) -> np.ndarray:
    for name in ("a/0", "a/1"):
        copy = (path.parent / "classes" / name).with_suffix(path.suffix)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return video_folder(path.parent / "classes", frames=frames, size=(8, 8), strict=strict).test.frames


def streamed(path: Path, frames: int, strict: bool) -> np.ndarray:
    label = np.zeros(1, np.int64)
    return StreamedClips(files=(path,), labels=label, frames=frames, size=8, strict=strict).pixels(0)


READERS: dict[str, Callable[[Path, bool], object]] = {
    "video_frames": lambda path, strict: list(video_frames(path, (8, 8), strict=strict)),
    "read_view": lambda path, strict: read_view(path, 4, 8, strict=strict),
    "ucf101": lambda path, strict: streamed(path, 4, strict),
    "video_folder": lambda path, strict: in_folder(path, 4, strict),
    "measure": lambda path, strict: read_clip(picture_graph(), path, None, strict=strict),
    "stream": lambda path, strict: list(pictures(picture_graph(), str(path), strict=strict)),
}


@pytest.mark.parametrize("name", [*FORMATS, "hole.mp4"])
def test_a_whole_video_is_no_warning(name: str, whole: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(whole / name, strict=True) == FRAMES
        assert read_view(whole / name, 4, 8, strict=True).shape == (4, 8, 8, 1)


@pytest.mark.parametrize("name", FORMATS)
def test_a_video_that_was_cut_off_is_used_and_counted(name: str, whole: Path, tmp_path: Path) -> None:
    path = cut(whole / name, tmp_path)
    good = players(path)
    assert 2 < good < FRAMES
    share = rf"{good} of {FRAMES} frames decode" if name in INDEXED else rf"{good} (of \d+ )?frames decode"
    with pytest.warns(VideoWarning, match=rf"{re.escape(name)}: the video is damaged: {share}.*the file is cut off"):
        assert read(path) == good
    with pytest.raises(VideoError, match=rf"{re.escape(name)}: the video is damaged.*strict.*{good} frames without"):
        read(path, strict=True)
    with pytest.raises(VideoError, match=rf"at least {good + 1} frames that decode.*the {good} frames.*--frames N"):
        read(path, good + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, good - 2, strict=True) == good - 2, "what was asked for is there"


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.ts", "front.mp4"])
def test_every_reader_keeps_the_rule(name: str, whole: Path, tmp_path: Path) -> None:
    path = cut(whole / name, tmp_path)
    for reader in READERS.values():
        with pytest.warns(VideoWarning, match="the video is damaged"):
            reader(path, False)
        with pytest.raises(VideoError, match=r"the video is damaged.*strict"):
            reader(path, True)


@pytest.mark.parametrize("name", ["hole.mp4", "a.mkv", "a.avi"])
def test_a_damaged_packet_costs_what_it_holds(name: str, whole: Path, tmp_path: Path) -> None:
    path = hole(whole / name, tmp_path)
    good = players(path)
    assert FRAMES > good > FRAMES // 2
    with pytest.warns(VideoWarning, match=rf"{good} of {FRAMES} frames decode"):
        assert read(path) == good
    with pytest.warns(VideoWarning, match="frames decode"):
        assert read_view(path, good, 8).shape[0] == good, "frames that decode count as consecutive"


def test_a_recording_that_begins_in_the_middle(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes((whole / "a.ts").read_bytes()[188 * 20 :])
    good = players(path)
    assert 2 < good < FRAMES
    with pytest.warns(VideoWarning, match=rf"{good} of \d+ frames decode"):
        assert read(path) == good


def test_one_frame_of_a_damaged_video_is_too_few(whole: Path, tmp_path: Path) -> None:
    path = write_video(tmp_path / "j.avi", blocks(1), "mjpeg")
    assert read(path) == 1, "a whole video may be that short"
    with av.open(str(whole / "j.avi")) as file:
        second = file.streams.video[0].index_entries[1].pos
    path.write_bytes((whole / "j.avi").read_bytes()[:second])
    assert players(path) == 1
    with pytest.raises(VideoError, match=rf"at least 2 frames that decode.*1 of {FRAMES} frames.*record it again"):
        read(path)


def test_frames_that_show_nothing_are_not_missed(whole: Path, tmp_path: Path) -> None:
    """VP8 has packets of frames that are only referred to: more packets than frames are no damage."""
    path = tmp_path / "a.webm"
    with av.open(str(whole / "a.webm")) as source, av.open(str(path), "w") as file:
        stream = file.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if not packet.size:
                continue
            packet.stream = stream
            file.mux(packet)
            if number % 10 == 5:
                hidden = av.Packet(bytes([bytes(packet)[0] & ~0x10]) + bytes(packet)[1:])  # its bit "show frame"
                hidden.stream, hidden.time_base, hidden.pts = stream, packet.time_base, packet.pts + 1
                hidden.dts = hidden.pts
                file.mux(hidden)
    with av.open(str(path)) as file:
        assert sum(packet.size > 0 for packet in file.demux(video=0)) == FRAMES + 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, strict=True) == FRAMES
        assert read_view(path, FRAMES, 8, strict=True).shape[0] == FRAMES


@pytest.mark.parametrize("name", [*FORMATS, "hole.mp4"])
def test_damage_of_any_kind_is_never_silent(name: str, whole: Path, tmp_path: Path) -> None:
    """Bytes overwritten anywhere: a warning or a `VideoError` wherever frames are lost, and nothing else."""
    data = (whole / name).read_bytes()
    for seed in range(12):
        rng, torn = np.random.default_rng(seed), bytearray(data)
        if seed % 2:
            at = int(rng.integers(len(data)))
            torn[at : at + 900] = bytes(len(torn[at : at + 900]))
        else:
            for at in rng.integers(len(data), size=12):
                torn[at] ^= 0xFF
        (tmp_path / name).write_bytes(torn)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                frames = read(tmp_path / name)
                read_view(tmp_path / name, 2, 8)
            except VideoError:
                continue
        assert frames == FRAMES or said, f"seed {seed}: {frames} frames without a word"


def test_a_fragment_that_is_gone(whole: Path, tmp_path: Path) -> None:
    data = bytearray((whole / "parts.mp4").read_bytes())
    at = data.index(b"moof", data.index(b"moof") + 1)
    data[at - 4 : at + 4] = bytes(8)
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.warns(
        VideoWarning, match=r"10 frames decode, the file is cut off or broken, and its length is not known"
    ):
        assert read(tmp_path / "a.mp4") == 10


def test_a_stream_that_begins_on_the_way(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV says IndexError then, after the last packet."""

    class Growing:
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.real = OPEN(*arguments, **options)

        def __enter__(self) -> Growing:
            return self

        def __exit__(self, *_: object) -> None:
            self.real.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def demux(self) -> Iterator[av.Packet]:
            yield from (packet for packet in self.real.demux() if packet.size)
            raise IndexError("list index out of range")

    monkeypatch.setattr(av, "open", Growing)
    assert read(whole / "front.mp4") == FRAMES
    with pytest.warns(VideoWarning, match="the file is cut off or broken"):
        assert read(whole / "a.ts") == FRAMES


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm", "ts", "avi", "flv"])
def test_frames_at_any_times_are_whole(suffix: str, tmp_path: Path) -> None:
    """A frame rate that varies, as of telephones and screens: nothing says how many frames there should be."""
    path, frames = tmp_path / f"a.{suffix}", blocks(40)
    with av.open(str(path), "w") as file:
        stream = add_stream(file, frames, "libvpx" if suffix == "webm" else "libx264")
        stream.codec_context.time_base = Fraction(1, 1000)
        for time, pixels in zip(np.cumsum(np.random.default_rng(0).integers(10, 200, 40)), frames, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = int(time), Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, strict=True) == 40


def test_what_an_edit_list_cuts_out_is_not_missed(whole: Path, tmp_path: Path) -> None:
    """Cut without encoding again, a video begins before its first frame shown."""
    path = tmp_path / "trimmed.mp4"
    with av.open(str(whole / "hole.mp4")) as source, av.open(str(path), "w") as file:
        stream = file.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                shift = int(5 / 30 / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                file.mux(packet)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, strict=True) == FRAMES - 5
        assert read_view(path, FRAMES - 5, 8, strict=True).shape[0] == FRAMES - 5


def test_a_recording_without_a_length_is_whole(tmp_path: Path) -> None:
    """Matroska as it is written to a pipe: no duration, no size."""
    path = write_video(tmp_path / "a.mkv", blocks(9), "libx264", container={"live": "1"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, strict=True) == 9


NO_VIDEOS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": ("a.mp4", lambda _: None, "no such video file.*check the path"),
    "folder": ("a.mp4", Path.mkdir, "not a video file.*a folder"),
    "pipe": ("a.mp4", os.mkfifo, "not a video file.*a pipe"),
    "device": ("a.mp4", lambda path: path.symlink_to("/dev/zero"), "not a video file.*a device"),
    "loop": ("a.mp4", lambda path: path.symlink_to(path), "cannot be reached"),
    "empty": ("a.mp4", lambda path: path.touch(), "cannot be decoded"),
    "text": ("a.mp4", lambda path: path.write_text("hello world\n" * 99), "cannot be decoded.*or no video"),
    "text that FFmpeg shows": ("a.txt", lambda path: path.write_text("hello world\n" * 99), "not a video file.*text"),
    "playlist": (
        "a.ffconcat",
        lambda path: path.write_text("ffconcat version 1.0\nfile a.mkv\n"),
        "not a video file|cannot be decoded",
    ),
    "only a head": ("a.mkv", lambda path: path.write_bytes(write_video(path, noise(3)).read_bytes()[:600]), "decode"),
    "name": (os.fsdecode(b"a\xff.mkv"), lambda path: path.touch(), r"a\\udcff\.mkv: the name.*not UTF-8.*rename"),
}


@pytest.mark.parametrize("what", NO_VIDEOS)
def test_what_is_no_video_is_one_error(what: str, tmp_path: Path) -> None:
    name, make, words = NO_VIDEOS[what]
    make(tmp_path / name)
    readers = [one for key, one in READERS.items() if key != "video_folder"]  # which looks for files itself
    for reader in (lambda path, _: read(path), *readers):
        with pytest.raises(VideoError, match=words) as error:
            reader(tmp_path / name, False)
        str(error.value).encode()


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise av.error.PermissionError(13, "Permission denied")

    path = write_video(tmp_path / "a.mkv", noise(2))
    monkeypatch.setattr(av, "open", refuse)  # tests may run as root, who may read everything
    with pytest.raises(VideoError, match=r"a\.mkv: the video file may not be read.*permissions"):
        read(path)


@pytest.mark.parametrize("name", ["a:b.mkv", "http:x.mkv", "100%d.mkv", "-y.mkv", "\u00e9 \u4e2d.mkv", "a\nb.mkv"])
def test_odd_names_are_read(name: str, tmp_path: Path) -> None:
    assert read(write_video(tmp_path / "a.mkv", noise(3)).rename(tmp_path / name)) == 3
