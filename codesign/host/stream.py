# SPDX-License-Identifier: Apache-2.0
"""A video through a board: frames in, results and figures out. The engine of ``codesign stream``."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codesign.data.camera import DEVICE, camera_frames
from codesign.data.picture import Fit
from codesign.data.video import video_frames
from codesign.errors import StreamBrokenError, VideoError
from codesign.graph.ir import Graph
from codesign.host.client import Board
from codesign.host.counters import Counters, LiveLayer, live_layers, live_sparsity
from codesign.report.percentiles import Percentiles
from codesign.verify.clips import input_codes, picture_size

CAMERA = "camera"
REFRESH_S = 0.5
AVERAGED = 16
"""Results that the shown class is the mean of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The progress of a stream.

    Attributes:
        frames: frames computed so far.
        seconds: seconds since the first frame was sent.
        frames_per_second: rate since the last `Live`.
        cycles: cycles per frame, mean since the last `Live`.
        values: mean of the last `AVERAGED` results of this stream, flat.
        layers: activity of each layer since the last `Live`; nothing before the second frame of a stream.
        operation_sparsity: share of all MACs skipped since the last `Live`; None likewise.
        mismatches: mismatches with the golden model so far; None if that was not asked for.
        repeated: requests sent again so far.
        reconnections: reconnections so far.
    """

    frames: int
    seconds: float
    frames_per_second: float
    cycles: float
    values: NDArray[np.float64]
    layers: tuple[LiveLayer, ...]
    operation_sparsity: float | None
    mismatches: int | None
    repeated: int
    reconnections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A finished stream, for ``--json``.

    Attributes:
        design: name of the design.
        port: port as it was given.
        baud: baud rate of the line.
        clock_hz: clock frequency of the core.
        video: file or camera.
        frames: frames computed.
        seconds: seconds from the first frame to the last result.
        frames_per_second: mean rate.
        cycles_per_frame: the core's cycles per frame.
        layers: activity of each layer with MACs; the first frame of each stream is left out.
        operation_sparsity: operation sparsity of the network; None with fewer than two frames.
        mismatches: output values that differ from the golden model's; None if that was not asked for.
        repeated: requests sent again.
        reconnections: times the port was lost and came back.
    """

    design: str
    port: str
    baud: int
    clock_hz: int
    video: str
    frames: int
    seconds: float
    frames_per_second: float
    cycles_per_frame: Percentiles
    layers: tuple[LiveLayer, ...]
    operation_sparsity: float | None
    mismatches: int | None
    repeated: int
    reconnections: int


def pictures(
    graph: Graph, video: str, frames: int | None = None, *, fit: Fit = "crop", strict: bool = False
) -> Iterator[NDArray[np.integer]]:
    """Return the input codes of a video file, of ``camera``, or of ``camera:DEVICE``, ``[H, W, C]`` each.

    The first one is there when this returns, so that a wrong name is an error now, and with ``strict`` a damaged file.

    Args:
        graph: graph of the design.
        video: video file, ``camera``, or ``camera:DEVICE``.
        frames: only the first so many; None: all.
        fit: what is done with pictures of another shape.
        strict: refuse a damaged file, instead of a `VideoWarning` at its end.

    Raises:
        ConfigError: the design's input is not a picture of pixels.
        VideoError: there is no such video or camera, it cannot be decoded, or it is empty.
    """
    height, width, channels = picture_size(graph)
    kind, _, device = video.partition(":")
    source: Iterator[NDArray[np.uint8]]
    if kind == CAMERA and not Path(video).exists():
        source = camera_frames(device or DEVICE, (height, width), grey=channels == 1, fit=fit)
    else:
        source = video_frames(video, (height, width), grey=channels == 1, fit=fit, strict=strict)
    first = next(source, None)
    if first is None:
        raise VideoError("the video is too short", where=video, expected="1 frame", received=0)
    return (input_codes(graph, picture) for picture in islice(chain([first], source), frames))


class Stream:
    """Sends a video to a board, frame after frame, and counts.

    Args:
        board: open board; its next frame starts a new stream.
        show: called with a `Live` every `REFRESH_S` seconds, and at the end.
    """

    def __init__(self, board: Board, show: Callable[[Live], None]) -> None:
        self._board, self._show = board, show
        self._cycles: list[int] = []
        self._mismatches: int | None = None
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=AVERAGED)
        self._total: Counters | None = None  # of all streams, without their first frames
        self._before: Counters | None = None  # at the last reading of this stream
        self._resets = 0  # of the board, until then
        self._shown = 0

    def run(self, source: Iterator[NDArray[np.integer]], video: str) -> Summary:
        """Stream ``source``, which `pictures` made of ``video``, to its end, or to Ctrl-C: then it is as if it ended.

        Raises:
            VideoError: the video cannot be decoded to its end, or the camera stops.
            BoardError: see `codesign.host.Board.send`.
        """
        start = self._last_shown = time.perf_counter()
        try:
            for picture in source:
                self._frame(picture, start)
            self._refresh(start)
        except KeyboardInterrupt:
            if not self._cycles:
                raise
        return self._summary(video, time.perf_counter() - start)

    def _frame(self, picture: NDArray[np.integer], start: float) -> None:
        result = self._board.send(picture)
        self._cycles.append(result.cycles)
        if result.mismatches is not None:
            self._mismatches = (self._mismatches or 0) + result.mismatches
        if result.first_of_stream:
            self._recent.clear()
            self._before = self._read()[0]
        self._recent.append(result.outputs.reshape(-1).astype(np.float64))
        if time.perf_counter() - self._last_shown >= REFRESH_S:
            self._refresh(start)

    def _refresh(self, start: float) -> None:
        """Read the counters and show what happened since the last time."""
        assert self._before is not None
        before, now = self._before, time.perf_counter()
        self._before, lost = self._read()
        counted = None if lost else self._before.since(before)
        if counted is not None and counted.frames:
            self._total = counted if self._total is None else self._total + counted
        recent = self._cycles[self._shown :]
        layers, sparsity = self._activity(counted)
        if recent:
            self._show(
                Live(
                    frames=len(self._cycles),
                    seconds=now - start,
                    frames_per_second=len(recent) / (now - self._last_shown),
                    cycles=float(np.mean(recent)),
                    values=np.mean(self._recent, axis=0),
                    layers=layers,
                    operation_sparsity=sparsity,
                    mismatches=self._mismatches,
                    repeated=self._board.repeated,
                    reconnections=self._board.reconnections,
                )
            )
        self._shown, self._last_shown = len(self._cycles), now

    def _read(self) -> tuple[Counters, bool]:
        """Return the counters, and whether the board was reset since they were last read."""
        board = self._board
        try:
            counters = board.counters()
        except StreamBrokenError:  # it was reset after its last frame, so no result could show it
            board.notice(f"{board.port}: the board was reset; the layers start a new stream")
            board.reset()
            counters = board.counters()
        resets, self._resets = self._resets, board.resets
        return counters, resets != self._resets

    def _activity(self, counted: Counters | None) -> tuple[tuple[LiveLayer, ...], float | None]:
        if counted is None or not counted.frames:
            return (), None
        layers = live_layers(self._board.graph, counted, self._board.work)
        return layers, live_sparsity(self._board.graph, layers)

    def _summary(self, video: str, seconds: float) -> Summary:
        board = self._board
        layers, sparsity = self._activity(self._total)
        return Summary(
            design=board.graph.name,
            port=board.port,
            baud=board.baud,
            clock_hz=board.clock_hz,
            video=video,
            frames=len(self._cycles),
            seconds=seconds,
            frames_per_second=len(self._cycles) / seconds,
            cycles_per_frame=Percentiles.of(self._cycles),
            layers=layers,
            operation_sparsity=sparsity,
            mismatches=self._mismatches,
            repeated=board.repeated,
            reconnections=board.reconnections,
        )
