# SPDX-License-Identifier: Apache-2.0
"""Recordings: NumPy files of consecutive frames, ``[T, *frame]``, as clips of codes 0 to 255."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codesign.data.clips import Clips, spread
from codesign.data.folder import Files, Split
from codesign.data.recording import printable
from codesign.errors import ConfigError, RecordingError

RECORDINGS = Files(noun="recordings", suffixes=frozenset({".npy"}), error=RecordingError)
"""What counts as a recording in a folder."""
TYPES = ("uint8", "int8", "int16", "float32", "float64")
LEVELS = 255
"""Steps between the first code and the last."""
BLOCK = 1 << 22
"""Values that are looked at in one go."""

Range = tuple[float, float]
"""The values that codes of 0 and of 255 stand for."""


def open_recording(path: Path) -> NDArray[np.generic]:
    """Return the values of a recording, ``[T, *frame]``, mapped from its file: nothing but its header is read.

    Raises:
        RecordingError: it cannot be read, holds Python objects, or is no array of frames of one of `TYPES`.
    """
    name = printable(path)
    try:
        values = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError, SyntaxError, TypeError) as error:
        if "object" in str(error).lower():
            raise RecordingError(
                "the file holds Python objects, which could run code",
                where=name,
                expected=f"numbers: {', '.join(TYPES)}",
                fix="save numbers: numpy.save(path, numpy.asarray(frames, numpy.float32))",
            ) from None
        raise RecordingError(
            "not a file of a NumPy array",
            where=name,
            expected="what numpy.save writes of one array",
            received=str(error) or type(error).__name__,
            fix="write it again, or leave it out",
        ) from None
    if values.dtype.newbyteorder("=").name not in TYPES:
        raise RecordingError(
            "values of another type",
            where=name,
            expected=", ".join(TYPES),
            received=values.dtype.name,
            fix="convert them, for instance frames.astype(numpy.float32)",
        )
    if values.ndim < 2:
        raise RecordingError(
            "not frames",
            where=name,
            expected="[T, ...]: consecutive frames, each an array",
            received=list(values.shape),
            fix="one number a frame is frames of [1]: save frames[:, None]",
        )
    return values


def survey(files: Sequence[Path]) -> tuple[tuple[int, ...], str]:
    """Return the shape of a frame and the type of the values, the same in all ``files``; reads their headers.

    Raises:
        RecordingError: as `open_recording` does, or two files differ.
    """
    first = open_recording(files[0])
    for file in files[1:]:
        other = open_recording(file)
        for what, one, two in (
            ("frames of different shapes", list(first.shape[1:]), list(other.shape[1:])),
            ("values of different types", first.dtype.name, other.dtype.name),
        ):
            if one != two:
                raise RecordingError(
                    what,
                    where=printable(file),
                    expected=f"{one}, as in {printable(files[0])}",
                    received=two,
                    fix="save all recordings alike, or leave this one out",
                )
    return first.shape[1:], first.dtype.name


def measured_range(files: Sequence[Path], *, exact: bool = False) -> Range:
    """Return the values of the codes 0 and 255 for what ``files`` hold: as narrow as may be, and 0 is a code.

    That is the first code if nothing is negative, else the one in the middle, 128. Values of int8 are codes less 128.

    Args:
        files: recordings, all of one type. They are read.
        exact: make the step between two codes a power of two.

    Raises:
        RecordingError: NaN, infinite values, or nothing but zeros.
    """
    low, high = np.inf, -np.inf
    for file in files:
        for block in _blocks(open_recording(file)):
            _check_finite(block, file)
            low, high = min(low, float(block.min())), max(high, float(block.max()))
    if open_recording(files[0]).dtype == np.int8:
        return -128.0, 127.0
    if low == high == 0:
        raise RecordingError("nothing but zeros", where=printable(files[0].parent), expected="recordings that differ")
    step = max(high, -low) / 127 if low < 0 else high / LEVELS
    if exact:
        step = 2.0 ** np.ceil(np.log2(step))
    return (-128 * float(step), 127 * float(step)) if low < 0 else (0.0, LEVELS * float(step))


def cut_recordings(
    split: Split, part: Sequence[tuple[int, int]], *, frames: int, shape: tuple[int, ...], limits: Range, most: int
) -> Clips:
    """Return consecutive clips of some recordings, at most ``most``, spread over all of theirs; others are not read.

    Values become ``code = round((x - low) / (high - low) * 255)``; those outside of the range the nearest code.

    Args:
        split: files and which of them are in which split.
        part: indices and labels of the files.
        frames: frames of a clip.
        shape: of a frame.
        limits: the range, see above; (0, 255) leaves uint8 as it is.
        most: most clips.

    Raises:
        RecordingError: see `open_recording`; or another shape, too few frames, NaN or infinite values.
    """
    places = []
    for source, label in part:
        values = open_recording(split.files[source])
        if values.shape[1:] != shape:
            raise wrong_shape(split.files[source], shape, values.shape[1:])
        if len(values) < frames:
            raise RecordingError(
                "the recording is too short",
                where=printable(split.files[source]),
                expected=f"{frames} frames",
                received=len(values),
                fix="ask for shorter clips, or leave this recording out",
            )
        places += [(source, label, at * frames) for at in range(len(values) // frames)]
    chosen = [places[place] for place in spread(len(places), most)]
    cut = np.empty((len(chosen), frames, *shape), np.uint8)
    for number, (source, _, at) in enumerate(chosen):
        cut[number] = codes(open_recording(split.files[source])[at : at + frames], limits, split.files[source])
    return Clips(
        frames=cut,
        labels=np.array([label for _, label, _ in chosen], np.int64),
        sources=np.array([source for source, _, _ in chosen], np.int64),
    )


def codes(values: NDArray[np.generic], limits: Range, file: Path) -> NDArray[np.uint8]:
    """Return values as codes, see `cut_recordings`.

    Raises:
        RecordingError: NaN or infinite values; names ``file``.
    """
    _check_finite(values, file)
    low, high = limits
    return np.clip(np.rint((values.astype(np.float64) - low) / (high - low) * LEVELS), 0, LEVELS).astype(np.uint8)


def check_range(where: str, limits: tuple[float, ...]) -> None:
    """Check a range.

    Raises:
        ConfigError: it is none.
    """
    if len(limits) != 2 or not np.isfinite(limits).all() or limits[0] >= limits[1]:
        raise ConfigError(
            "not a range of values",
            where=where,
            expected="[low, high]: the values of the codes 0 and 255; uint8 is [0, 255]",
            received=list(limits),
            fix="codesign import measures it",
        )


def wrong_shape(file: Path, expected: tuple[int, ...], received: tuple[int, ...]) -> RecordingError:
    """Return the error that frames have another shape."""
    return RecordingError(
        "frames of another shape",
        where=printable(file),
        expected=f"[T, {', '.join(map(str, expected))}]",
        received=f"[T, {', '.join(map(str, received))}]",
        fix="reshape them before they are saved",
    )


def _blocks(values: NDArray[np.generic]) -> Iterator[NDArray[np.generic]]:
    """Yield the values some frames at a time."""
    frames = max(1, BLOCK * len(values) // max(1, values.size))
    for at in range(0, len(values), frames):
        yield values[at : at + frames]


def _check_finite(values: NDArray[np.generic], file: Path) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        odd = values[~np.isfinite(values)]
        raise RecordingError(
            "values that are no numbers",
            where=printable(file),
            expected="finite values",
            received=f"{len(odd)} NaN or infinite ones among {values.size}",
            fix="mend or cut them out before they are saved",
        )
