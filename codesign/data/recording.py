# SPDX-License-Identifier: Apache-2.0
"""An open video file: the stream that players show, every frame of it that decodes, and what does not decode."""

from __future__ import annotations

import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.stream import Disposition

from codesign.data.promise import ends_early, knows_its_length, promised_frames
from codesign.errors import VideoError, VideoWarning

_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.dependent | Disposition.metadata
"""Video streams that are something beside the film: cover pictures, previews, depth maps."""
_BROKEN = (av.FFmpegError, IndexError)
"""Errors that reading a damaged file raises; the latter if another stream appears while it is read."""
_NO_VIDEO = ("concat", "dash", "hls", "rtsp", "sdp", "tty")
"""Formats that FFmpeg reads as video but that are text, most of it about other files."""
_FRAME_A_PACKET = ("h264", "hevc", "mpeg1video", "mpeg2video")
"""Codecs of which a packet that decodes without an error gives a frame, unless it is interlaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is known of a video file without decoding it.

    Attributes:
        length: frames that are there: an upper limit, exact for most formats.
        missing: frames that the container promises and that are not there.
        cut: the file ends too early, or parts of it are missing.
    """

    length: int
    missing: int
    cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What of a video file cannot be used.

    Attributes:
        used: frames that decode.
        lost: frames that were promised or begun but cannot be shown.
        failed: packets of those that did not decode.
        concealed: frames among those used that the decoder had to repair.
        cut: the file ends too early, or parts of it are missing.
        whole: the file was decoded to its end; otherwise damage further on is not known.
    """

    used: int
    lost: int = 0
    failed: int = 0
    concealed: int = 0
    cut: bool = False
    whole: bool = True

    def __bool__(self) -> bool:
        return bool(self.lost or self.failed or self.concealed or self.cut)

    def __str__(self) -> str:
        share = f"{self.used} of {self.used + self.lost} frames" if self.lost else f"{self.used} frames"
        parts = [f"{share} decode"]
        if self.failed:
            parts.append(f"packets that do not decode: {self.failed}")
        if self.concealed:
            parts.append(f"frames that the decoder repaired: {self.concealed}")
        if self.cut:
            parts.append("the file is cut off or broken" + ("" if self.lost else ", and its length is not known"))
        return ", ".join(parts if self.whole else [*parts, "as far as it was read"])


class Recording:
    """The frames of an open video file. Made by `opened`.

    Attributes:
        path: path of the file.
        aspect: width of a pixel over its height.
        decoded: frames so far.
    """

    def __init__(
        self,
        path: Path,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        survey: Survey | None = None,
    ) -> None:
        """Keep what is open, and what is known of it."""
        self.path = path
        self.aspect = Fraction(stream.sample_aspect_ratio or 1)
        self.decoded = 0
        self._container, self._stream, self._survey = container, stream, survey
        self._times: list[int] = []  # of the packets
        self._end_s, self._read_to = 0.0, 0
        self._packets = self._failed = self._concealed = 0
        self._interlaced = self._ended = self._broken = False

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield every frame that decodes, from the first; goes on after packets that do not, as players do."""
        try:
            for packet in self._container.demux():
                if self._count(packet):
                    yield from self._decode(packet)
        except _BROKEN:
            self._broken = True
            yield from self._decode(None)
        self._ended = True
        self._survey = self._counted()

    def survey(self) -> Survey:
        """Return how long the file is, without decoding it. Nothing can be read after it."""
        try:
            for packet in self._container.demux():
                self._count(packet)
        except _BROKEN:
            self._broken = True
        return self._counted()

    def damage(self) -> Damage:
        """Return what was found wrong so far; what is missing at the end only if that was reached or is known."""
        known = self._survey or Survey(length=0, missing=0, cut=False)
        silent = 0  # packets that gave neither a frame nor an error
        if self._ended and self._stream.codec_context.name in _FRAME_A_PACKET and not self._interlaced:
            silent = max(0, known.length - self._failed - self.decoded)
        return Damage(
            used=self.decoded if self._ended or not self._survey else known.length - self._failed,
            lost=known.missing + self._failed + silent,
            failed=self._failed,
            concealed=self._concealed,
            cut=known.cut,
            whole=self._ended,
        )

    def _counted(self) -> Survey:
        """Return what all the packets show."""
        promised = promised_frames(self.path, self._container, self._stream, self._times, self._end_s)
        complete = promised is not None and self._packets >= promised
        complete = complete and knows_its_length(self._container, self._stream)
        cut = self._broken or ends_early(self.path, self._container.format.name, self._read_to)
        return Survey(length=self._packets, missing=max(0, (promised or 0) - self._packets), cut=cut and not complete)

    def _count(self, packet: av.Packet) -> bool:
        """Count a packet; return whether it is one of the film."""
        if packet.size:
            self._broken |= packet.is_corrupt  # it is not whole
            self._read_to = max(self._read_to, packet.pos or 0)
            if packet.pts is not None and packet.time_base:
                self._end_s = max(self._end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.stream_index != self._stream.index:
            return False
        if packet.size and not packet.is_discard:
            self._packets += 1
            if packet.pts is not None:
                self._times.append(packet.pts)
        return True

    def _decode(self, packet: av.Packet | None) -> Iterator[av.VideoFrame]:
        """Yield the frames of a packet; of None, those that the decoder still has."""
        try:
            frames = self._stream.decode(packet)
        except av.EOFError:
            return
        except av.FFmpegError:
            self._failed += 1
            return
        for frame in frames:
            self.decoded += 1
            self._concealed += frame.is_corrupt
            self._interlaced |= frame.interlaced_frame
            yield frame


@contextmanager
def opened(path: str | Path, survey: Survey | None = None) -> Iterator[Recording]:
    """Open a video file; what goes wrong with it in the body is a `VideoError` that names the file.

    Args:
        path: path of the file.
        survey: what is known of it already.

    Raises:
        VideoError: there is no such file, it may not be read, or it is no video.
    """
    name, path = printable(path), Path(path)
    _check_file(path, name)
    try:
        with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
            yield Recording(path, container, _film(container, path, name), survey)
    except (av.FFmpegError, ValueError, OSError, MemoryError) as error:
        if isinstance(error, PermissionError):
            raise VideoError("the video file may not be read", where=name, fix="change its permissions") from None
        raise VideoError(
            "the video cannot be decoded",
            where=name,
            received=str(error).replace(f"file:{path}", name),
            fix="play it with another program; if that fails too the file is corrupt or no video",
        ) from error


def settle(recording: Recording, needed: int, strict: bool) -> None:
    """Decide what becomes of a video after its frames were read: nothing, a warning, or an error.

    Args:
        recording: read as far as it is used.
        needed: frames without which a damaged video cannot be used.
        strict: refuse every damage.

    Raises:
        VideoError: it is damaged, and ``strict`` or without the frames that are ``needed``; or nothing of it decodes.
    """
    damage, name = recording.damage(), printable(recording.path)
    if not damage.used:
        raise VideoError(
            "nothing of the video decodes",
            where=name,
            expected="at least one frame",
            received=str(damage) if damage else "a file without a frame",
            fix="play it with another program; if that fails too the file is corrupt",
        )
    if not damage:
        return
    what = f"the video is {'damaged' if damage.failed or damage.concealed or damage.cut else 'incomplete'}"
    if damage.used < needed:
        raise VideoError(
            what,
            where=name,
            expected=f"at least {needed} frames that decode",
            received=str(damage),
            fix=f"ask for no more than the {damage.used} frames that decode (`codesign measure FOLDER --frames N`, or "
            "frames in the design), or repair the file"
            if damage.used > 1
            else "repair the file, or record it again",
        )
    if strict:
        raise VideoError(
            what,
            where=name,
            expected="a whole video, as strict was asked for",
            received=str(damage),
            fix=f"use its {damage.used} frames without strict, or repair the file",
        )
    warnings.warn(VideoWarning(f"{name}: {what}: {damage}", about=name), stacklevel=3)


def printable(path: str | Path) -> str:
    """Return a path as a line for a message, whatever bytes it has."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(path))


def _check_file(path: Path, name: str) -> None:
    """Check that there is a file, before FFmpeg reports something odd or waits for ever."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise VideoError("no such video file", where=name, fix="check the path") from None
    except OSError as error:
        raise VideoError("the video file cannot be reached", where=name, received=error.strerror) from None
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device or socket"
        raise VideoError("not a video file", where=name, received=kind, fix="name a video file")
    try:
        str(path).encode()
    except UnicodeEncodeError:
        fix = "rename the file, so that reports can name it"
        raise VideoError("the name of the video is not UTF-8", where=name, fix=fix) from None


def _film(container: av.container.InputContainer, path: Path, name: str) -> av.VideoStream:
    """Return the video stream that players show."""
    if container.format.name in _NO_VIDEO:
        raise VideoError("not a video file", where=name, received=f"{container.format.name}, a text format")
    streams = container.streams.video
    films = [stream for stream in streams if not stream.disposition & _NO_FILM]
    if not films:
        received = "a cover picture" if streams else "no video stream"
        raise VideoError("there is no video in the file", where=name, received=received, fix="name a video file")
    if len(films) > 1:
        moving = _moving(path)
        films = [stream for stream in films if stream.index in moving] or films
        films = [stream for stream in films if stream.disposition & Disposition.default] or films
        best = container.streams.best("video")
        films = [stream for stream in films if best is not None and stream.index == best.index] or films
    if films[0].codec_context is None:
        raise VideoError("there is no decoder for the video", where=name, fix="convert it, such as to H.264 in MP4")
    return films[0]


def _moving(path: Path) -> set[int]:
    """Return the indices of the video streams that have more than one packet: no pictures."""
    seen: dict[int, int] = {}
    with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
        streams = container.streams.video
        try:
            for packet in container.demux(*streams):
                seen[packet.stream_index] = seen.get(packet.stream_index, 0) + bool(packet.size)
                if sum(count > 1 for count in seen.values()) == len(streams):
                    break
        except _BROKEN:
            pass  # as far as it goes
    return {index for index, count in seen.items() if count > 1}
