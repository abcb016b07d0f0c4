# SPDX-License-Identifier: Apache-2.0
"""How long a video file says that it is, found without decoding it: what a recording that was cut off has lost."""

from __future__ import annotations

import re
from pathlib import Path

import av
import numpy as np

_TIMED = ("asf", "flv", "matroska,webm", "mpegts")
"""Formats that say how long the video is, but not how many frames there are."""
LENGTH_OF_WHAT_IS_LEFT = ("mpegts",)
"""Formats that say nothing: FFmpeg takes the first and the last time stamp that it finds for the duration."""
_REGULAR = 0.9
"""Share of the frames that have to follow each other at the frame rate for a duration to say how many there are."""
_SLACK_S = 0.25
"""Seconds by which the end of a file may miss its duration: the last packet of a stream of sound."""
_TS_PACKETS = (188, 192, 204)
"""Bytes in a packet of a transport stream."""


def promised_frames(
    path: Path, container: av.container.InputContainer, stream: av.VideoStream, times: list[int], end_s: float
) -> int | None:
    """Return how many frames the container says there are; None if it does not, or not reliably.

    Args:
        path: of the file.
        container: open, and read to its end.
        stream: of the container.
        times: presentation times of the packets that were read, in the stream's time base.
        end_s: when the last packet of any stream ends, in seconds.
    """
    if container.format.name.startswith("mov"):
        found = sum(not entry.is_discard for entry in stream.index_entries)  # those that an edit list cuts out are not
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
    steps = np.diff(np.unique(np.array(times, np.int64)))
    if not rate or not base or not len(steps):
        return None
    steps = steps * float(base * rate)
    if np.mean(np.abs(steps - 1) < 0.25) < _REGULAR or steps.max() > 60 * rate:
        return None
    start = float((stream.start_time or 0) * base)
    end = _seconds(stream.metadata.get("DURATION", ""))
    if end is None and container.format.name in LENGTH_OF_WHAT_IS_LEFT:
        end = start + float((stream.duration or 0) * base)
    elif end is None:
        end = (container.duration or 0) / av.time_base
        if len(container.streams) > 1 and end_s > end - _SLACK_S:
            return None  # it ends when it should, and nothing says when the film does
    return max(0, round((end - start) * float(rate)))


def _seconds(tag: str) -> float | None:
    """Return the seconds of a tag such as ``00:00:02.600000000``; None if it is of another form."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", tag)
    return 3600 * int(found[1]) + 60 * int(found[2]) + float(found[3]) if found else None


def ends_early(path: Path, format_name: str) -> bool:
    """Return whether a file is shorter than its own structure says, where FFmpeg does not mind."""
    size = path.stat().st_size
    if format_name == "mpegts":
        return all(size % packet for packet in _TS_PACKETS)
    if format_name == "matroska,webm":
        with path.open("rb") as file:
            return size < _end_of_segment(file.read(4096))
    return False


def _end_of_segment(head: bytes) -> int:
    """Return where the segment of a Matroska file ends; 0 if it does not say."""
    at = 4  # behind the identifier of the EBML header
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
