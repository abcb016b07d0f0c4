# SPDX-License-Identifier: Apache-2.0
"""The length that a video file declares, found without decoding it: what a recording that was cut off has lost."""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

_TIMED = ("asf", "flv", "matroska,webm", "mpegts")
"""Formats that declare the length of the video, but not the number of its frames."""
_REGULAR = 0.9
"""Share of the frames that have to follow each other at the frame rate for a duration to give their number."""
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
"""What the file properties of an ASF file begin with; 40 bytes on is its size."""
_SLACK_S = 0.25
"""Seconds by which the end of a file may miss its duration: the last packet of a stream of sound."""
_TS_PACKETS = (188, 192, 204)
"""Bytes in a packet of a transport stream."""
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""Each byte with its bits in the other order."""


def promised_frames(
    path: Path, container: av.container.InputContainer, stream: av.VideoStream, times: list[int], end_s: float
) -> int | None:
    """Return how many frames the container declares; None if it does not, or not reliably.

    Args:
        path: path of the file.
        container: open, and read to its end.
        stream: the video stream in it.
        times: presentation times of the packets that were read, in the stream's time base.
        end_s: when the last packet of any stream ends, in seconds.
    """
    if container.format.name.startswith("mov"):
        found = sum(not entry.is_discard for entry in stream.index_entries)  # those that an edit list cuts out are not
    elif container.format.name == "avi" and not _regular(_steps(times)):
        return None  # its time stamps are ticks of another clock, and so is its count
    elif stream.frames:
        found = stream.frames - sum(not entry.size for entry in stream.index_entries)  # AVI repeats a frame by an empty
    elif container.format.name in _TIMED:
        return _by_duration(container, stream, times, end_s)
    else:
        return None
    return found if 0 < found <= path.stat().st_size else None


def _by_duration(
    container: av.container.InputContainer, stream: av.VideoStream, times: list[int], end_s: float
) -> int | None:
    """Return duration times frame rate, of a video whose frames follow each other at that rate."""
    rate, base = stream.average_rate or stream.guessed_rate, stream.time_base
    steps = _steps(times)
    if not rate or not base or not times:
        return None
    steps = steps * float(base * rate)
    if not _regular(steps) or steps.max(initial=0) > 60 * rate:
        return None
    start = float((stream.start_time or 0) * base)
    end = _seconds(stream.metadata.get("DURATION", ""))
    if end is None and container.format.name == "mpegts":
        end = start + float((stream.duration or 0) * base)
    elif end is None:
        end = (container.duration or 0) / av.time_base
        if len(container.streams) > 1 and end_s > end - _SLACK_S:  # it ends when it should: what is between?
            end = max(times) * float(base) + 1 / float(rate)
    return max(0, round((end - start) * float(rate)))


def _steps(times: list[int]) -> NDArray[np.float64]:
    """Return the distances of time stamps, in order."""
    return np.diff(np.unique(np.array(times, np.int64))).astype(np.float64)


def _regular(steps: NDArray[np.float64]) -> bool:
    """Whether nearly all distances are one frame."""
    return not len(steps) or bool(np.mean(np.abs(steps - 1) < 0.25) >= _REGULAR)


def _seconds(tag: str) -> float | None:
    """Return the seconds of a tag such as ``00:00:02.600000000``; None if it is of another form."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", tag)
    return 3600 * int(found[1]) + 60 * int(found[2]) + float(found[3]) if found else None


def knows_its_length(container: av.container.InputContainer, stream: av.VideoStream) -> bool:
    """Return whether what a container promises can be more than what is left of it.

    A transport stream, an MP4 in fragments and a GIF only declare what is in the parts that are present, and a
    duration may be that of the sound.
    """
    if container.format.name == "gif":  # FFmpeg has counted them
        return False
    lone = len(container.streams) == 1 and container.format.name in _TIMED and container.format.name != "mpegts"
    return bool(stream.frames or "DURATION" in stream.metadata or lone)


def ends_early(path: Path, format_name: str, read_to: int) -> bool:
    """Return whether a file is shorter than its own structure declares, where FFmpeg reports no error.

    Args:
        path: path of the file.
        format_name: as FFmpeg calls it.
        read_to: where the last packet begins.
    """
    size = path.stat().st_size
    if format_name == "mpegts":
        return all(size % packet for packet in _TS_PACKETS)
    with path.open("rb") as file:
        if format_name.startswith("mov"):
            return _breaks_off(file, size, read_to)
        if format_name == "gif":
            return not _gif_ends(file)
        if format_name == "ogg":
            return not _ogg_is_whole(file)
        if format_name == "matroska,webm":
            return size < _end_of_segment(file.read(4096))
        if format_name == "asf":
            head = file.read(4096)
            at = head.find(_ASF_FILE)
            return at >= 0 and size < int.from_bytes(head[at + 40 : at + 48], "little")
    return False


def _breaks_off(file: BinaryIO, size: int, read_to: int) -> bool:
    """Return whether boxes of an MP4 were not read: one is cut off, missing or has no index."""
    at = data = 0
    while at < size:
        file.seek(at)
        head = file.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        length = {0: size - at, 1: int.from_bytes(head[8:], "big")}.get(length, length)  # 0: to the end of the file
        if length < 8 or not name.isalnum() or at + length > size:
            return True
        data = at if name == b"mdat" and length > 16 else data
        at += length
    return data > read_to


def _gif_ends(file: BinaryIO) -> bool:
    """Return whether the blocks of a GIF go on to the one that ends it."""
    head = file.read(13)
    file.seek(_colors(head[10:11]), os.SEEK_CUR)
    while (kind := file.read(1)) in (b"!", b","):  # an extension, an image
        if kind == b",":
            file.seek(_colors(file.read(9)[8:]), os.SEEK_CUR)
        file.read(1)  # kind of an extension, bits of a code of an image
        while size := file.read(1)[:1]:
            if size == b"\0":
                break
            file.seek(size[0], os.SEEK_CUR)
    return kind == b";"


def _colors(flags: bytes) -> int:
    """Return how many bytes of colors follow the flags of a GIF or of an image in it."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _ogg_is_whole(file: BinaryIO) -> bool:
    """Return whether every page of an Ogg file matches its check sum, none is missing, and the last is marked so."""
    next_of: dict[bytes, int] = {}
    last = False
    while head := file.read(27):
        if len(head) < 27 or head[:4] != b"OggS":
            return False
        stream, number, last = head[14:18], int.from_bytes(head[18:22], "little"), bool(head[5] & 4)
        sizes = file.read(head[26])
        page = head[:22] + bytes(4) + head[26:] + sizes + file.read(sum(sizes))
        if next_of.get(stream, number) != number or _ogg_sum(page) != int.from_bytes(head[22:26], "little"):
            return False
        next_of[stream] = number + 1
    return last


def _ogg_sum(page: bytes) -> int:
    """Return the check sum of a page: CRC-32 as in zlib, but highest bit first, and from 0."""
    mirrored = zlib.crc32(page.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _end_of_segment(head: bytes) -> int:
    """Return where the segment of a Matroska file ends; 0 if the file does not declare it."""
    at = 4  # after the identifier of the EBML header
    length, at = _ebml_size(head, at)
    at += length
    if head[at : at + 4] != b"\x18\x53\x80\x67":
        return 0
    length, at = _ebml_size(head, at + 4)
    return at + length if length else 0


def _ebml_size(head: bytes, at: int) -> tuple[int, int]:
    """Return a size of one to eight bytes, 0 if unknown, and where it ends."""
    if at >= len(head) or not head[at]:
        return 0, at + 1
    width = 9 - head[at].bit_length()
    value = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
    return (0 if value == (1 << 7 * width) - 1 else value), at + width
